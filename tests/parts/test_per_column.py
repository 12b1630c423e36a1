from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from isthmus.parts import (
    Bernoulli,
    Categorical,
    ColumnFacts,
    Gaussian,
    PerColumn,
    Poisson,
)
from isthmus.parts.densities import JointDensity

MakeFacts = Callable[..., ColumnFacts]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def table(make_facts: MakeFacts) -> ColumnFacts:
    sd = np.array([2.0, 1.0, 1.0, 1.0, 5.0, 1.0])
    return make_facts(
        6,
        real=[True, False, False, False, True, False],
        n_categories=(0, 3, 0, 0, 0, 2),
        frequencies=(None, np.array([0.5, 0.3, 0.2]), None, None, None, np.array([0.6, 0.4])),
        low=[-3, 0, 0, 0, -3, 0],
        high=[3, 2, 9, 1, 3, 1],
        mean=[0, 0.7, 2.5, 0.3, 0, 0.4],
        log_jacobian=-np.log(sd),
    )


MIXED = PerColumn(
    {"x0": "gaussian", "x1": "categorical", "x2": "poisson", "x3": "bernoulli", "x4": "gaussian"},
    otherwise="categorical",
)


def test_a_table_is_its_columns_side_by_side(make_facts: MakeFacts) -> None:
    facts = table(make_facts)
    density = MIXED.build(facts)
    assert isinstance(density, JointDensity)
    assert len(density.densities) == 4  # like likelihoods share a module
    assert density.n_outputs == 2 + (3 + 2) + 1 + 1
    values = torch.tensor([[0.4, 2.0, 3.0, 1.0, -0.7, 0.0]]).expand(20, 6)
    outputs = random(20, 9)
    log_prob, mean = density.log_prob(outputs, values), density.mean(outputs)
    groups = [([0, 4], Gaussian()), ([1, 5], Categorical()), ([2], Poisson()), ([3], Bernoulli())]
    for (index, likelihood), out in zip(groups, outputs.split([2, 5, 1, 1], dim=1), strict=True):
        part = likelihood.build(facts.select(index))
        torch.testing.assert_close(log_prob[:, index], part.log_prob(out, values[:, index]))
        torch.testing.assert_close(mean[:, index], part.mean(out))
    start = density.mean(density.initial_outputs()[None])
    torch.testing.assert_close(start, torch.tensor([[0.0, 0.0, 2.5, 0.3, 0.0, 0.0]]))


def test_a_tables_samples_keep_to_each_columns_support(make_facts: MakeFacts) -> None:
    density = MIXED.build(table(make_facts))
    draws = density.sample(density.initial_outputs().expand(2000, -1), generator())
    assert set(draws[:, 1].tolist()) == {0.0, 1.0, 2.0}
    assert set(draws[:, 3].tolist()) == set(draws[:, 5].tolist()) == {0.0, 1.0}
    assert torch.equal(draws[:, 2], draws[:, 2].round())
    assert torch.equal(draws, density.sample(density.initial_outputs().expand(2000, -1), generator()))


def test_only_binarised_columns_of_a_table_are_drawn(make_facts: MakeFacts) -> None:
    facts = make_facts(like="unit")
    density = PerColumn({"x1": "bernoulli:binarize=dynamic"}, otherwise="bernoulli").build(facts)
    values = torch.full((50, 3), 0.4)
    drawn = density.targets(values, generator())
    assert torch.equal(drawn[:, [0, 2]], values[:, [0, 2]])
    assert set(drawn[:, 1].tolist()) == {0.0, 1.0}


def test_a_hundred_like_columns_are_one_plain_module(make_facts: MakeFacts) -> None:
    density = PerColumn({f"x{j}": Gaussian("per_feature") for j in range(100)}).build(make_facts(100))
    assert type(density) is type(Gaussian().build(make_facts(1)))
    assert density.n_outputs == 100


def test_each_column_answers_for_itself() -> None:
    names = ("x0", "x1", "x2", "x3", "x4", "x5")
    assert [each.support for each in MIXED.for_columns(names)] == [
        "real",
        "category",
        "count",
        "unit",
        "real",
        "category",
    ]
    assert [each.discrete for each in MIXED.for_columns(names)] == [False, True, True, True, False, True]
    assert Gaussian().for_columns(("a", "b")) == (Gaussian(), Gaussian())
