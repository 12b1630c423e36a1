from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.parts import (
    Bernoulli,
    ColumnFacts,
    ContinuousBernoulli,
)

MakeFacts = Callable[..., ColumnFacts]
N = 40_000


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


@pytest.mark.usefixtures("double")
def test_bernoulli_is_torchs(make_facts: MakeFacts) -> None:
    outputs = torch.linspace(-50, 50, 101)[:, None].expand(-1, 2)
    values = torch.tensor([0.0, 1.0]).expand(101, 2)
    density = Bernoulli().build(make_facts(2, "unit"))
    expected = torch.distributions.Bernoulli(logits=outputs).log_prob(values)
    torch.testing.assert_close(density.log_prob(outputs, values), expected)
    assert torch.equal(density.mean(outputs), outputs.sigmoid())


def test_binarising_at_the_threshold(make_facts: MakeFacts) -> None:
    outputs, values = random(30, 3), torch.rand(30, 3, generator=generator())
    plain = Bernoulli().build(make_facts(like="unit"))
    density = Bernoulli("threshold").build(make_facts(like="unit"))
    assert torch.equal(density.log_prob(outputs, values), plain.log_prob(outputs, (values >= 0.5).float()))
    assert density.targets(values, generator()) is values


def test_dynamic_binarisation_scores_undrawn_values_by_the_mean_over_draws(make_facts: MakeFacts) -> None:
    density = Bernoulli("dynamic").build(make_facts(like="unit"))
    outputs, values = random(1, 3), torch.tensor([[0.2, 0.5, 0.9]])
    drawn = density.targets(values.expand(N, 3), generator())
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(drawn, density.targets(values.expand(N, 3), generator(1)))
    averaged = density.log_prob(outputs.expand(N, 3), drawn).mean(0, keepdim=True)
    torch.testing.assert_close(averaged, density.log_prob(outputs, values), atol=0.02, rtol=0)


def test_values_at_the_ends_and_beyond_are_binarised_for_certain(make_facts: MakeFacts) -> None:
    density = Bernoulli("dynamic").build(make_facts(like="unit"))
    values = torch.tensor([[0.0, 1.0, -0.1], [1.3, -0.2, 1.0]]).repeat(N, 1)
    assert torch.equal(density.targets(values, generator()), values.clamp(0, 1))


@pytest.mark.usefixtures("double")
def test_continuous_bernoulli_is_torchs_away_from_one_half(make_facts: MakeFacts) -> None:
    logits = torch.cat([torch.linspace(-14, -0.1, 60), torch.linspace(0.1, 14, 60)])[:, None].expand(-1, 3)
    values = torch.tensor([0.0, 0.3, 1.0]).expand_as(logits)
    density = ContinuousBernoulli().build(make_facts(like="unit"))
    torchs = torch.distributions.ContinuousBernoulli(logits=logits)
    torch.testing.assert_close(
        density.log_prob(logits, values), torchs.log_prob(values), rtol=1e-7, atol=1e-8
    )
    torch.testing.assert_close(density.mean(logits), torchs.mean, rtol=1e-7, atol=1e-8)


def continuous_bernoulli(t: NDArray[np.float64], x: float) -> NDArray[np.float64]:
    """Return the log-density in float64, exact for all t != 0."""
    log_mass = np.abs(t) / 2 + np.log(-np.expm1(-np.abs(t)) / np.abs(t))
    return t * (x - 0.5) - log_mass


@pytest.mark.parametrize("x", [0.0, 0.3, 0.5, 1.0])
def test_continuous_bernoulli_in_float32_near_one_half_and_far_from_it(
    x: float, make_facts: MakeFacts
) -> None:
    sizes = torch.cat(
        [torch.logspace(-30, -1, 200), torch.linspace(0.1, 2, 200), torch.logspace(0.3, 4, 100)]
    )
    logits = torch.cat([-sizes, sizes])[:, None].requires_grad_()
    density = ContinuousBernoulli().build(make_facts(1, "unit"))
    log_prob = density.log_prob(logits, torch.full_like(logits, x))
    exact = continuous_bernoulli(array(logits), float(np.float32(x)))
    np.testing.assert_allclose(array(log_prob), exact, rtol=1e-6, atol=3e-7)
    log_prob.sum().backward()
    assert logits.grad is not None
    # The slope is x - E[x], where E[x] = 1/2 + (coth(h) - 1/h) / 2 with h = t / 2, or 1/2 + t / 12 if small.
    t = array(logits)
    with np.errstate(over="ignore"):
        mean = np.where(np.abs(t) < 1e-3, 0.5 + t / 12 - t**3 / 720, 0.5 + 0.5 / np.tanh(t / 2) - 1 / t)
    np.testing.assert_allclose(array(logits.grad), np.float32(x) - mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(array(density.mean(logits)), mean, rtol=1e-5, atol=1e-6)


def test_continuous_bernoulli_at_exactly_one_half_is_uniform(make_facts: MakeFacts) -> None:
    density = ContinuousBernoulli().build(make_facts(like="unit"))
    values = torch.rand(5, 3, generator=generator())
    assert torch.equal(density.log_prob(torch.zeros(5, 3), values), torch.zeros(5, 3))
    assert torch.equal(density.mean(torch.zeros(5, 3)), torch.full((5, 3), 0.5))


def test_a_density_of_bytes_is_one_over_255_of_that_of_unit_values(make_facts: MakeFacts) -> None:
    plain = ContinuousBernoulli().build(make_facts(like="unit"))
    of_bytes = ContinuousBernoulli().build(make_facts(like="unit", log_jacobian=-math.log(255), unit=255.0))
    outputs, values = random(5, 3), torch.rand(5, 3, generator=generator())
    difference = plain.log_prob(outputs, values) - of_bytes.log_prob(outputs, values)
    torch.testing.assert_close(difference, torch.full((5, 3), math.log(255)))


@pytest.mark.parametrize("logit", [-30.0, -2.0, -0.1, 0.0, 1e-5, 0.7, 8.0])
def test_continuous_bernoulli_integrates_to_one(logit: float, make_facts: MakeFacts) -> None:
    density = ContinuousBernoulli().build(make_facts(1, "unit"))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    values = torch.tensor((nodes + 1) / 2, dtype=torch.float32)[:, None]
    heights = density.log_prob(torch.full((60, 1), logit), values).exp().double()[:, 0].numpy()
    assert heights @ weights / 2 == pytest.approx(1, abs=1e-5)
