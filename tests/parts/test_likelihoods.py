from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts import (
    Bernoulli,
    Categorical,
    ColumnFacts,
    ContinuousBernoulli,
    Density,
    Gaussian,
    Laplace,
    Likelihood,
    NegativeBinomial,
    PerColumn,
    Poisson,
    StudentT,
)
from isthmus.parts.densities.location_scale import LocationScale

MakeFacts = Callable[..., ColumnFacts]
N = 40_000
SHARES = [[0.5, 0.3, 0.2], [0.9, 0.1], [0.1, 0.2, 0.3, 0.4]]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


def example(likelihood: Likelihood, make_facts: MakeFacts) -> tuple[Density, Tensor]:
    """Build a density over three columns, and return it with a few values that it supports."""
    facts = {
        "real": make_facts,
        "unit": lambda: make_facts(like="unit"),
        "count": lambda: make_facts(like="count"),
        "category": lambda: make_facts(shares=SHARES),
    }[likelihood.support]()
    values = {
        "real": random(20, 3),
        "unit": torch.rand(20, 3, generator=generator()).round(),
        "count": torch.poisson(torch.full((20, 3), 2.5), generator=generator()),
        "category": torch.stack(
            [torch.randint(k, (20,), generator=generator()) for k in (3, 2, 4)], 1
        ).float(),
    }[likelihood.support]
    return likelihood.build(facts), values


EVERY = [
    Gaussian(),
    Gaussian("per_feature"),
    Gaussian(0.7),
    Laplace(),
    StudentT(),
    StudentT(df=1.5, scale=0.5),
    Bernoulli(),
    Bernoulli("threshold"),
    ContinuousBernoulli(),
    Categorical(),
    Poisson(),
    NegativeBinomial(),
]


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
def test_initial_outputs_mean_the_training_data(likelihood: Likelihood, make_facts: MakeFacts) -> None:
    density, _ = example(likelihood, make_facts)
    start = density.initial_outputs()
    assert start.shape == (density.n_outputs,)
    mean = {"real": [0.0] * 3, "unit": [0.3] * 3, "count": [2.5] * 3, "category": [0.0, 0.0, 3.0]}
    torch.testing.assert_close(density.mean(start[None])[0], torch.tensor(mean[likelihood.support]))


def test_initial_outputs_are_log_frequencies_and_stay_finite(make_facts: MakeFacts) -> None:
    density = Categorical().build(make_facts(shares=[[0.7, 0.3, 0.0], [0.5, 0.5]]))
    shares = density.initial_outputs().exp()
    torch.testing.assert_close(shares, torch.tensor([0.7, 0.3, 1e-4, 0.5, 0.5]), rtol=1e-3, atol=1e-5)
    for mean in (0.0, 1.0):
        for likelihood in (Bernoulli(), ContinuousBernoulli()):
            start = likelihood.build(make_facts(like="unit", mean=mean)).initial_outputs()
            assert torch.isfinite(start).all()
    assert torch.isfinite(Poisson().build(make_facts(like="count", mean=0.0)).initial_outputs()).all()


@pytest.mark.parametrize("likelihood", [each for each in EVERY if each != StudentT(1.5, 0.5)], ids=str)
def test_samples_average_to_the_mean_and_follow_the_seed(
    likelihood: Likelihood, make_facts: MakeFacts
) -> None:
    density, values = example(likelihood, make_facts)
    outputs = (0.5 * random(1, density.n_outputs) + density.initial_outputs()).expand(N, -1)
    draws = density.sample(outputs, generator())
    assert draws.shape == (N, 3)
    assert not draws.requires_grad
    assert torch.equal(draws, density.sample(outputs, generator()))
    assert not torch.equal(draws, density.sample(outputs, generator(1)))
    if likelihood.support == "category":
        return
    error = draws.std(0) / math.sqrt(N)
    assert ((draws.mean(0) - density.mean(outputs)[0]).abs() < 5 * error).all()
    assert values.dtype == draws.dtype


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
def test_samples_have_the_likelihoods_own_entropy(likelihood: Likelihood, make_facts: MakeFacts) -> None:
    # If draws follow p, the mean of log p over them is minus its entropy: a wrong spread shows.
    if likelihood == Bernoulli("threshold"):
        pytest.skip("the same draws as Bernoulli's")
    density, _ = example(likelihood, make_facts)
    outputs = density.initial_outputs().expand(N, -1)
    found = density.log_prob(outputs, density.sample(outputs, generator())).mean(0)
    scale = array(density.scale()) if isinstance(density, LocationScale) else np.ones(3)
    entropy = {
        "Gaussian": lambda: stats.norm(scale=scale).entropy(),
        "Laplace": lambda: stats.laplace(scale=scale).entropy(),
        "StudentT": lambda: stats.t(likelihood.df, scale=scale).entropy(),  # type: ignore[attr-defined]
        "Bernoulli": lambda: stats.bernoulli(0.3).entropy(),
        "ContinuousBernoulli": lambda: -array(density.log_prob(outputs[:1], density.mean(outputs[:1]))),
        "Categorical": lambda: np.array([stats.entropy(each) for each in SHARES]),
        "Poisson": lambda: stats.poisson(2.5).entropy(),
        "NegativeBinomial": lambda: stats.nbinom(1, 1 / 3.5).entropy(),
    }[type(likelihood).__name__]()
    np.testing.assert_allclose(-array(found)[None], np.broadcast_to(entropy, (1, 3)), atol=0.03)


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
@pytest.mark.parametrize("extreme", [-50.0, 50.0])
def test_gradients_stay_finite_at_extreme_outputs(
    likelihood: Likelihood, extreme: float, make_facts: MakeFacts
) -> None:
    density, values = example(likelihood, make_facts)
    outputs = torch.full((20, density.n_outputs), extreme)
    outputs[:, ::2] *= -1
    outputs.requires_grad_()
    log_prob = density.log_prob(outputs, values)
    log_prob.sum().backward()
    assert log_prob.shape == values.shape
    assert torch.isfinite(log_prob).all()
    for tensor in (outputs, *density.parameters()):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
@pytest.mark.parametrize("placeholder", [-1.0, 0.0, 0.37, 1.7, 1e4])
def test_what_stands_in_for_missing_values_scores_finitely(
    likelihood: Likelihood, placeholder: float, make_facts: MakeFacts
) -> None:
    density, _ = example(likelihood, make_facts)
    outputs = random(20, density.n_outputs).requires_grad_()
    log_prob = density.log_prob(outputs, torch.full((20, 3), placeholder))
    log_prob.sum().backward()
    assert torch.isfinite(log_prob).all()
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
def test_gradients_are_those_of_log_prob(likelihood: Likelihood, make_facts: MakeFacts) -> None:
    density, values = example(likelihood, make_facts)
    density = density.double()
    outputs = (0.8 * random(20, density.n_outputs).double() + 0.1).requires_grad_()
    parameters = tuple(density.parameters())

    def scored(outputs: Tensor, *_: Tensor) -> Tensor:
        return density.log_prob(outputs, values.double())

    assert torch.autograd.gradcheck(scored, (outputs, *parameters))


@pytest.mark.parametrize("likelihood", EVERY, ids=str)
def test_only_what_is_learned_is_saved(likelihood: Likelihood, make_facts: MakeFacts) -> None:
    density, values = example(likelihood, make_facts)
    assert set(density.state_dict()) == {name for name, _ in density.named_parameters()}
    outputs = random(20, density.n_outputs)
    again = copy.deepcopy(density)
    again.load_state_dict(density.state_dict())
    assert torch.equal(again.log_prob(outputs, values), density.log_prob(outputs, values))


@pytest.mark.parametrize(
    ("likelihood", "changes", "message"),
    [
        (Bernoulli(), {"high": [1, 16, 1]}, r"Bernoulli.* needs values from 0 to 1.*'x1'.*from 0 to 16"),
        (ContinuousBernoulli(), {"low": [-0.5, 0, 0]}, r"'x0'.*from -0.5 to 1"),
        (Poisson(), {"low": [0, 0, -2]}, r"Poisson.* needs no negative values.*'x2'"),
        (NegativeBinomial(), {"low": [0, 0, -2]}, r"no negative values"),
        (Categorical(), {}, r"'x0' is not categorical"),
        (PerColumn({"x0": "poisson"}), {}, r"column 'x1' has no likelihood"),
        (PerColumn({"y0": "poisson"}, "poisson"), {}, r"no column 'y0'.* Did you mean \"x0\"\?"),
    ],
)
def test_columns_outside_the_support_are_refused(
    likelihood: Likelihood, changes: dict[str, Any], message: str, make_facts: MakeFacts
) -> None:
    with pytest.raises(InputError, match=message):
        likelihood.build(make_facts(like="unit", **changes))


def test_rounding_beyond_the_support_is_no_error(make_facts: MakeFacts) -> None:
    assert Bernoulli().build(make_facts(like="unit", high=1 + 1e-9)).n_outputs == 3
