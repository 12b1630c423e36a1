from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from isthmus.parts.posteriors import DiagonalGaussian
from isthmus.parts.posteriors.gaussian import GaussianCode
from isthmus.parts.priors import UniformSphere
from isthmus.parts.priors.mixture import LearnedMixturePrior
from isthmus.parts.priors.normal import StandardNormalPrior


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def outputs_of(mean: Tensor, sd: Tensor) -> Tensor:
    return torch.cat([mean, sd.log()], dim=-1)


def same_normal(outputs: Tensor) -> Independent:
    mean, log_sd = outputs.chunk(2, dim=-1)
    return Independent(Normal(mean, log_sd.exp()), 1)


def test_the_specification_builds_it() -> None:
    code = DiagonalGaussian().build(3)
    assert isinstance(code, GaussianCode)
    assert (code.n_components, code.n_outputs) == (3, 6)
    assert code.stochastic
    assert not code.on_sphere


def test_a_code_is_the_mean_and_a_draw_adds_noise_times_sd() -> None:
    mean, sd = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5, 3.0]])
    code, outputs = GaussianCode(2), outputs_of(mean, sd)
    torch.testing.assert_close(code.code(outputs), mean)
    torch.testing.assert_close(code.mean(outputs), mean)
    torch.testing.assert_close(code.sd(outputs), sd)
    draws = code.sample(outputs, torch.tensor([[[0.0, 0.0]], [[1.0, -2.0]]]))
    torch.testing.assert_close(draws, torch.tensor([[[1.0, 2.0]], [[1.5, -4.0]]]))


def test_rows_may_share_their_noise() -> None:
    code, outputs, noise = GaussianCode(2), random(5, 4), random(3, 1, 2, seed=1)
    shared = code.sample(outputs, noise)
    assert shared.shape == (3, 5, 2)
    torch.testing.assert_close(shared, code.sample(outputs, noise.expand(3, 5, 2)))


@pytest.mark.parametrize("n_rows", [1, 5])
def test_log_prob_is_torchs(n_rows: int) -> None:
    code, outputs, z = GaussianCode(3), random(5, 6), random(4, n_rows, 3, seed=1)
    found = code.log_prob(outputs, z)
    assert found.shape == (4, 5)
    torch.testing.assert_close(found, same_normal(outputs).log_prob(z))


def test_pairwise_log_prob_is_torchs() -> None:
    code, outputs, z = GaussianCode(3), random(5, 6), random(7, 3, seed=1)
    found = code.pairwise_log_prob(outputs, z)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, same_normal(outputs).log_prob(z[:, None]))


def test_pairwise_log_prob_holds_for_narrow_posteriors_far_from_0() -> None:
    mean = 3 + random(6, 4)
    outputs = outputs_of(mean, torch.full((6, 4), 1e-3))
    z = mean + 1e-3 * random(6, 4, seed=1)
    found = GaussianCode(4).pairwise_log_prob(outputs, z)
    expected = same_normal(outputs.double()).log_prob(z.double()[:, None])
    # The numbers reach -1e7, where float32 is 0.5 off; those of a point under its own posterior are small.
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(found.diagonal().double(), expected.diagonal(), rtol=0, atol=1e-5)


@pytest.mark.usefixtures("double")
def test_pairwise_log_prob_has_torchs_gradient() -> None:
    outputs, z, weight = random(5, 6).requires_grad_(), random(7, 3, seed=1), random(7, 5, seed=2)
    found = torch.autograd.grad((weight * GaussianCode(3).pairwise_log_prob(outputs, z)).sum(), outputs)
    expected = torch.autograd.grad((weight * same_normal(outputs).log_prob(z[:, None])).sum(), outputs)
    torch.testing.assert_close(found, expected)


def test_the_divergence_from_the_standard_normal_is_torchs() -> None:
    code, outputs = GaussianCode(3), random(5, 6)
    divergence = code.divergence(outputs, StandardNormalPrior(3))
    assert divergence is not None
    mean, log_sd = outputs.chunk(2, dim=1)
    torch.testing.assert_close(divergence, kl_divergence(Normal(mean, log_sd.exp()), Normal(0.0, 1.0)))


def test_a_small_divergence_keeps_its_digits() -> None:
    outputs = torch.full((1, 2), 1e-3)  # of a component, (mean^2 + (sd^2 - 1 - 2 log sd)) / 2
    divergence = GaussianCode(1).divergence(outputs, StandardNormalPrior(1))
    assert divergence is not None
    expected = 0.5 * (1e-6 + math.expm1(2e-3) - 2e-3)
    assert float(divergence) == pytest.approx(expected, rel=3e-4)


def test_there_is_no_closed_form_for_other_priors() -> None:
    code, outputs = GaussianCode(2), random(5, 4)
    assert code.divergence(outputs, LearnedMixturePrior(2, 3)) is None
    assert code.divergence(outputs, UniformSphere().build(code, 1)) is None


@pytest.mark.parametrize("extreme", [-1e4, 1e4])
def test_no_output_makes_the_deviation_overflow(extreme: float) -> None:
    code = GaussianCode(2)
    outputs = torch.tensor([[0.5, -0.5, extreme, 0.25]], requires_grad=True)
    z = code.sample(outputs, torch.tensor([[[1.0, 1.0]]]))
    divergence = code.divergence(outputs, StandardNormalPrior(2))
    assert divergence is not None
    total = z.sum() + code.log_prob(outputs, z.detach()).sum() + divergence.sum()
    (gradient,) = torch.autograd.grad(total, outputs)
    assert torch.isfinite(total)
    assert torch.isfinite(gradient).all()
    assert (code.sd(outputs) > 0).all()
    assert gradient[0, 3] != 0  # inside the range, the deviation learns


@pytest.mark.parametrize(("beyond", "sign"), [(5.0, 1), (-20.0, -1)])
def test_a_deviation_that_went_too_far_has_a_gradient_to_come_back_by(beyond: float, sign: int) -> None:
    code = GaussianCode(1)
    outputs = torch.tensor([[0.0, beyond]], requires_grad=True)
    divergence = code.divergence(outputs, StandardNormalPrior(1))
    assert divergence is not None
    (gradient,) = torch.autograd.grad(divergence.sum(), outputs)
    assert gradient[0, 1].sign() == sign
