from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from isthmus.parts import (
    Bernoulli,
    Categorical,
    ColumnFacts,
    Density,
    NegativeBinomial,
    Poisson,
)
from isthmus.parts.densities import NegativeBinomialDensity

MakeFacts = Callable[..., ColumnFacts]
SHARES = [[0.5, 0.3, 0.2], [0.9, 0.1], [0.1, 0.2, 0.3, 0.4]]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


def test_discrete_likelihoods_sum_to_one(make_facts: MakeFacts) -> None:
    binary, logits = torch.tensor([[0.0] * 3, [1.0] * 3]), random(1, 3).expand(2, 3)
    density = Bernoulli().build(make_facts(like="unit"))
    assert torch.allclose(density.log_prob(logits, binary).exp().sum(0), torch.ones(3))
    counts = torch.arange(3000.0)[:, None]
    outputs = torch.tensor([[-3.0, 0.0, 4.0]])
    for likelihood in (Poisson(), NegativeBinomial()):
        density = likelihood.build(make_facts(like="count"))
        np.testing.assert_allclose(np.exp(array(density.log_prob(outputs, counts))).sum(0), 1, rtol=1e-5)
    density = Categorical().build(make_facts(shares=SHARES))
    codes = torch.arange(4.0)[:, None].expand(4, 3)
    shares = density.log_prob(random(1, 9).expand(4, 9), codes).exp()
    assert torch.allclose(torch.stack([shares[:k, j].sum() for j, k in enumerate((3, 2, 4))]), torch.ones(3))


@pytest.mark.usefixtures("double")
def test_poisson_is_scipys(make_facts: MakeFacts) -> None:
    counts = torch.tensor([0, 1, 2, 3, 10, 15, 16, 17, 100, 12345])[:, None].double()
    outputs = torch.tensor([-8.0, -1.0, 0.0, 2.0, 9.4])
    found = Poisson().build(make_facts(5, "count")).log_prob(outputs, counts)
    expected = stats.poisson.logpmf(array(counts), np.exp(array(outputs)))
    np.testing.assert_allclose(array(found), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("size", [1e-3, 0.4, 1.0, 3.0, 100.0, 1e5])
def test_negative_binomial_is_scipys(size: float, make_facts: MakeFacts) -> None:
    counts = torch.tensor([0, 1, 2, 3, 10, 15, 16, 17, 100, 12345])[:, None].double()
    outputs = torch.tensor([-8.0, -1.0, 0.0, 2.0, 9.4])
    density = with_size(NegativeBinomial().build(make_facts(5, "count")), size)
    expected = stats.nbinom.logpmf(array(counts), size, size / (size + np.exp(array(outputs))))
    np.testing.assert_allclose(array(density.log_prob(outputs, counts)), expected, rtol=2e-6, atol=2e-7)


def with_size(density: Density, size: float) -> NegativeBinomialDensity:
    assert isinstance(density, NegativeBinomialDensity)
    with torch.no_grad():
        density.log_size.fill_(math.log(size))
    return density


@pytest.mark.parametrize("size", [0.4, 1.0, 100.0, math.inf])
def test_counts_from_zero_up_in_float32_to_five_digits(size: float, make_facts: MakeFacts) -> None:
    counts, outputs = torch.arange(200.0)[:, None], torch.linspace(-8, 6, 15)
    facts = make_facts(15, "count")
    density = Poisson().build(facts) if math.isinf(size) else with_size(NegativeBinomial().build(facts), size)
    x, mean = array(counts), np.exp(array(outputs))
    odds = 1 / (1 + mean / size)
    expected = stats.poisson.logpmf(x, mean) if math.isinf(size) else stats.nbinom.logpmf(x, size, odds)
    np.testing.assert_allclose(array(density.log_prob(outputs, counts)), expected, rtol=1e-5, atol=2e-6)


def check_large_counts(density: Density, size: float) -> None:
    """Compare counts up to three standard deviations off the mean with scipy in float64."""
    counts = torch.tensor([1e3, 3e4, 1e6, 1e7])[:, None]
    spread = torch.sqrt(1 / counts + 1 / size) * torch.linspace(-3, 3, 7)
    outputs = (counts.log() + spread).requires_grad_()
    log_prob = density.log_prob(outputs, counts)
    log_prob.sum().backward()
    assert outputs.grad is not None
    x, mean = array(counts), np.exp(array(outputs))
    odds = 1 / (1 + mean / size)
    expected = stats.poisson.logpmf(x, mean) if math.isinf(size) else stats.nbinom.logpmf(x, size, odds)
    # float32 holds the log of such a count to 1e-6, and 1e-6 of 1e7 over the standard deviation 3e3 is 3e-3.
    np.testing.assert_allclose(array(log_prob), expected, rtol=0, atol=0.02)
    np.testing.assert_allclose(array(outputs.grad) / np.sqrt(x), odds * (x - mean) / np.sqrt(x), atol=0.01)


def test_large_poisson_counts_in_float32(make_facts: MakeFacts) -> None:
    check_large_counts(Poisson().build(make_facts(7, "count")), math.inf)


@pytest.mark.parametrize("size", [0.5, 30.0, 1e3, 1e6, 1e9])
def test_large_negative_binomial_counts_in_float32(size: float, make_facts: MakeFacts) -> None:
    density = with_size(NegativeBinomial().build(make_facts(7, "count")), size)
    check_large_counts(density, float(density.log_size[0].detach().double().exp()))


def test_a_large_size_is_poisson(make_facts: MakeFacts) -> None:
    facts = make_facts(like="count")
    counts, outputs = torch.arange(20.0)[:, None].expand(20, 3), random(20, 3)
    found = with_size(NegativeBinomial().build(facts), 1e12).log_prob(outputs, counts)
    torch.testing.assert_close(found, Poisson().build(facts).log_prob(outputs, counts), rtol=1e-5, atol=1e-5)


def test_the_size_learns_the_counts_variance(make_facts: MakeFacts) -> None:
    facts = make_facts(1, "count", mean=5.0)
    density = NegativeBinomial().build(facts)
    counts = torch.from_numpy(stats.nbinom(3.0, 3 / 8).rvs((5000, 1), random_state=0)).float()
    outputs = torch.full((1, 1), math.log(5))
    optimizer = torch.optim.LBFGS(density.parameters(), max_iter=50)

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = -density.log_prob(outputs, counts).mean()
        total.backward()
        return total

    optimizer.step(loss)
    assert isinstance(density, NegativeBinomialDensity)
    assert density.log_size.item() == pytest.approx(math.log(3), abs=0.1)


@pytest.mark.usefixtures("double")
def test_categories_are_log_softmax_of_their_own_logits(make_facts: MakeFacts) -> None:
    density = Categorical().build(make_facts(shares=SHARES))
    outputs = random(20, 9)
    codes = torch.stack([torch.randint(k, (20,), generator=generator()) for k in (3, 2, 4)], dim=1)
    for j, logits in enumerate(outputs.split([3, 2, 4], dim=1)):
        expected = torch.distributions.Categorical(logits=logits)
        torch.testing.assert_close(
            density.log_prob(outputs, codes.double())[:, j], expected.log_prob(codes[:, j])
        )
        assert torch.equal(density.mean(outputs)[:, j], logits.argmax(1).double())


def test_columns_with_as_many_levels_need_no_padding(make_facts: MakeFacts) -> None:
    even = Categorical().build(make_facts(shares=[[0.5, 0.5], [0.1, 0.9]]))
    ragged = Categorical().build(make_facts(shares=[[0.5, 0.5], [0.1, 0.9], [1.0]]))
    outputs, codes = random(6, 4), torch.tensor([[0.0, 1.0]]).expand(6, 2)
    padded = ragged.log_prob(
        torch.cat([outputs, torch.zeros(6, 1)], 1), torch.cat([codes, torch.zeros(6, 1)], 1)
    )
    torch.testing.assert_close(even.log_prob(outputs, codes), padded[:, :2])
    assert torch.equal(padded[:, 2], torch.zeros(6))  # one level has probability 1
