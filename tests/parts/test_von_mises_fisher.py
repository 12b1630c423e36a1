from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special, stats
from torch import Tensor

from isthmus.parts.posteriors import VonMisesFisher
from isthmus.parts.posteriors.angle import AngleDistribution, log_area
from isthmus.parts.posteriors.von_mises_fisher import LARGEST, LEAST, SphericalCode
from isthmus.parts.priors.normal import StandardNormalPrior
from isthmus.parts.priors.sphere import UniformSpherePrior

SIZES = [2, 3, 4, 5, 16, 63, 500]
KAPPAS = np.geomspace(1e-3, 1e5, 17)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def outputs_of(direction: Any, kappa: Any) -> Tensor:
    """Return float64 outputs (B, D + 1) that mean these directions, at any length, and concentrations."""
    direction = torch.as_tensor(direction, dtype=torch.float64)
    share = (torch.as_tensor(kappa, dtype=torch.float64) - LEAST) / (direction.shape[1] - 1)
    raw = share + torch.log(-torch.expm1(-share.clamp(min=1e-300)))
    return torch.cat([direction, raw.expand(len(direction))[:, None]], dim=1)


def log_normaliser(n: int, kappa: float) -> float:
    """Return the log of the integral of exp(kappa (cos - 1)), by whichever formula does not underflow."""
    order = 0.5 * n - 1
    bessel = special.ive(order, kappa)
    if bessel > 1e-250:
        return 0.5 * n * math.log(2 * math.pi) + math.log(bessel) - order * math.log(kappa)
    return log_area(n) + math.log(special.hyp0f1(0.5 * n, 0.25 * kappa**2)) - kappa


def mean_cos(n: int, kappa: float) -> float:
    bessel = special.ive(0.5 * n, kappa)
    if bessel > 1e-250:
        return float(bessel / special.ive(0.5 * n - 1, kappa))
    x = 0.25 * kappa**2
    return float(kappa / n * special.hyp0f1(0.5 * n + 1, x) / special.hyp0f1(0.5 * n, x))


def doubles(values: Any) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("n", SIZES)
def test_the_normaliser_is_scipys(n: int) -> None:
    found = AngleDistribution(n).log_normaliser(doubles(KAPPAS))
    np.testing.assert_allclose(found, [log_normaliser(n, kappa) for kappa in KAPPAS], rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", SIZES)
def test_the_normalisers_gradient_is_the_mean_cosine(n: int) -> None:
    kappa = doubles(KAPPAS).requires_grad_()
    (gradient,) = torch.autograd.grad(AngleDistribution(n).log_normaliser(kappa).sum(), kappa)
    np.testing.assert_allclose(1 + gradient, [mean_cos(n, each) for each in KAPPAS], rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_log_prob_is_scipys(n: int) -> None:
    direction = torch.nn.functional.normalize(random(4, n).double(), dim=1)
    z = torch.nn.functional.normalize(random(6, 1, n, seed=1).double(), dim=2)
    kappa = doubles([0.05, 3.0, 40.0, 600.0])
    code, outputs = SphericalCode(n), outputs_of(2.5 * direction, kappa)
    torch.testing.assert_close(code.concentration(outputs), kappa)
    torch.testing.assert_close(code.code(outputs), direction)
    expected = [
        stats.vonmises_fisher(mu, float(k)).logpdf(z[:, 0]) for mu, k in zip(direction, kappa, strict=True)
    ]
    np.testing.assert_allclose(code.log_prob(outputs, z), np.transpose(expected), rtol=1e-8, atol=1e-8)
    pairwise = code.pairwise_log_prob(outputs, z[:, 0])
    np.testing.assert_allclose(pairwise, np.transpose(expected), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("n", [3, 64])
def test_densities_of_float32_draws_are_exact_up_to_their_rounding(n: int) -> None:
    code = SphericalCode(n)
    outputs = outputs_of(random(20, n), LARGEST).float()
    z = code.sample(outputs, random(3, 20, n, seed=1))
    assert z.dtype == torch.float32
    found = code.log_prob(outputs, z)
    assert found.dtype == torch.float32
    exact = torch.nn.functional.normalize(z.double(), dim=-1)
    expected = code.log_prob(outputs.double(), exact)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=1e-4)
    pairwise = code.pairwise_log_prob(outputs, z[0]).diagonal()
    torch.testing.assert_close(pairwise.double(), expected[0], rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kappa", [1e-3, 1.0, 50.0, 1e5])
def test_draws_lie_on_the_sphere_and_without_noise_at_the_mean(n: int, kappa: float) -> None:
    code, outputs = SphericalCode(n), outputs_of(random(4, n), kappa)
    z = code.sample(outputs, 2 * random(5, 4, n, seed=1))
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(5, 4, dtype=torch.float64))
    torch.testing.assert_close(code.sample(outputs, torch.zeros(1, 1, n))[0], code.code(outputs))
    # Less noise goes less far, down to the least.
    ways = [
        code.sample(outputs, t * random(1, 4, n, seed=1)) - code.code(outputs) for t in (1e-9, 0.1, 0.5, 1)
    ]
    lengths = torch.stack([way.norm(dim=-1) for way in ways])
    assert (lengths.diff(dim=0) > 0).all()
    assert lengths[0].max() < 1e-7


@pytest.mark.parametrize("n", [2, 3, 8, 100])
@pytest.mark.parametrize("relative", [0.01, 1.0, 30.0])
def test_mean_cosines_of_draws(n: int, relative: float) -> None:
    kappa = relative * (n - 1)
    code, outputs = SphericalCode(n), outputs_of(random(1, n), kappa)
    cos = code.sample(outputs, random(20_000, 1, n, seed=1))[:, 0] @ code.code(outputs)[0]
    error = cos.std() / math.sqrt(len(cos))
    assert abs(float(cos.mean()) - mean_cos(n, kappa)) < 4 * float(error)


@pytest.mark.parametrize("kappa", [0.01, 2.0, 100.0])
def test_on_the_circle_draws_are_scipys_von_mises(kappa: float) -> None:
    code, mean = SphericalCode(2), 0.7
    outputs = outputs_of([[3 * math.cos(mean), 3 * math.sin(mean)]], kappa)
    z = code.sample(outputs, random(5_000, 1, 2, seed=1))[:, 0]
    angle = torch.atan2(z[:, 1], z[:, 0]) - mean
    angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
    assert stats.kstest(angle.numpy(), stats.vonmises(kappa).cdf).pvalue > 0.01


@pytest.mark.parametrize("kappa", [0.01, 2.0, 100.0])
def test_in_three_coordinates_draws_follow_the_closed_form_in_every_direction(kappa: float) -> None:
    code, outputs = SphericalCode(3), outputs_of([[0.0, 0.0, 2.0]], kappa)
    z = code.sample(outputs, random(5_000, 1, 3, seed=1))[:, 0]

    def below(cos: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.expm1(kappa * (cos + 1)) / math.expm1(2 * kappa)

    assert stats.kstest(z[:, 2].numpy(), below).pvalue > 0.01
    longitude = torch.atan2(z[:, 1], z[:, 0])
    assert stats.kstest(longitude.numpy(), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


@pytest.mark.parametrize("n", [2, 3, 34, 500])
@pytest.mark.parametrize("kappa", [1e-3, 4.0, 200.0, 1e5])
def test_an_angle_is_as_probable_as_the_length_it_is_made_from(n: int, kappa: float) -> None:
    u = np.array([1e-7, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-7])
    length = np.sqrt(2 * special.gammaincinv(0.5 * (n - 1), u))
    found = AngleDistribution(n).angle(doubles(length)[:, None], doubles([kappa]))[:, 0]
    # The distribution function on a grid far finer than the module's, by Simpson's rule.
    t = np.linspace(0, min(np.pi, 1.2 * float(found[-1])), 200_001)
    with np.errstate(divide="ignore"):
        log_density = special.xlogy(n - 2, np.sin(t)) - 2 * kappa * np.sin(0.5 * t) ** 2
    density = np.exp(log_density - log_density.max())
    pairs = (density[:-2:2] + 4 * density[1:-1:2] + density[2::2]) * (t[1] - t[0]) / 3
    probability = np.concatenate([[0], np.cumsum(pairs) / pairs.sum()])
    np.testing.assert_allclose(np.interp(found, t[::2], probability), u, rtol=1e-4, atol=2e-8)


@pytest.mark.parametrize("n", [2, 3, 34, 500])
@pytest.mark.parametrize("kappa", [1e-3, 4.0, 1e5])
def test_beyond_the_likely_lengths_the_angle_is_0_at_0_and_no_longer_grows(n: int, kappa: float) -> None:
    angles = AngleDistribution(n)
    length = doubles(
        [0.0, 0.5 * angles.least, angles.least, angles.most, 2 * angles.most, 1e9]
    ).requires_grad_()
    found = angles.angle(length[:, None], doubles([kappa]))[:, 0]
    (slope,) = torch.autograd.grad(found.sum(), length)
    least, most = found.detach()[2:4]
    torch.testing.assert_close(found.detach(), torch.stack([0 * least, 0.5 * least, least, most, most, most]))
    assert least > 0
    assert most <= math.pi
    assert (slope[4:] == 0).all()
    torch.testing.assert_close(slope[:2], (least / angles.least).expand(2))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("n", [2, 3, 12])
def test_the_gradient_of_draws_is_that_of_finite_differences_with_the_same_noise(n: int) -> None:
    code, noise = SphericalCode(n), random(3, 4, n, seed=1)
    outputs = outputs_of(random(4, n, seed=2), doubles([0.2, 3.0, 25.0, 300.0])).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: code.sample(x, noise), outputs, eps=1e-5, atol=1e-5, rtol=1e-4)


@pytest.mark.usefixtures("double")
def test_the_gradient_of_densities_and_divergences_is_that_of_finite_differences() -> None:
    code, prior = SphericalCode(5), UniformSpherePrior(5)
    z = torch.nn.functional.normalize(random(3, 4, 5, seed=1), dim=-1)
    outputs = outputs_of(random(4, 5, seed=2), doubles([0.2, 3.0, 25.0, 300.0])).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: code.log_prob(x, z), outputs)
    assert torch.autograd.gradcheck(lambda x: code.pairwise_log_prob(x, z[0]), outputs)
    assert torch.autograd.gradcheck(lambda x: code.divergence(x, prior), outputs)


@pytest.mark.parametrize("n", [2, 5, 50])
def test_the_mean_gradient_is_that_of_the_mean(n: int) -> None:
    angles, kappa = AngleDistribution(n), doubles([1.5 * n]).requires_grad_()
    length = random(20_000, n - 1, seed=1).norm(dim=1, keepdim=True).double()
    (gradient,) = torch.autograd.grad(torch.cos(angles.angle(length, kappa)).mean(), kappa)
    step = 1e-3 * n
    expected = (mean_cos(n, 1.5 * n + step) - mean_cos(n, 1.5 * n - step)) / (2 * step)
    assert float(gradient) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("kappa", [1e-3, 0.5, 8.0, 300.0])
def test_the_divergence_in_three_coordinates_is_the_closed_form(kappa: float) -> None:
    code = SphericalCode(3)
    divergence = code.divergence(outputs_of(random(1, 3), kappa), UniformSpherePrior(3))
    assert divergence is not None
    assert divergence.shape == (1, 1)
    log_ratio = math.log(2 * kappa) - kappa - math.log(-math.expm1(-2 * kappa))  # kappa / sinh(kappa)
    assert float(divergence) == pytest.approx(log_ratio + kappa / math.tanh(kappa) - 1, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("n", [2, 7, 40])
def test_the_divergence_is_the_mean_log_ratio_of_draws(n: int) -> None:
    code, prior = SphericalCode(n), UniformSpherePrior(n)
    outputs = outputs_of(random(3, n), doubles([0.3, 2.0, 20.0]) * n)
    z = code.sample(outputs, random(20_000, 3, n, seed=1))
    log_ratio = code.log_prob(outputs, z) - prior.log_prob(z)
    divergence = code.divergence(outputs, prior)
    assert divergence is not None
    error = log_ratio.std(dim=0) / math.sqrt(len(log_ratio))
    assert ((log_ratio.mean(dim=0) - divergence[:, 0]).abs() < 4 * error).all()


def test_there_is_no_closed_form_for_other_priors() -> None:
    assert SphericalCode(3).divergence(random(2, 4), StandardNormalPrior(3)) is None


def test_rows_may_share_their_noise() -> None:
    code, outputs, noise = SphericalCode(4), random(6, 5), random(3, 1, 4, seed=1)
    shared = code.sample(outputs, noise)
    assert shared.shape == (3, 6, 4)
    torch.testing.assert_close(shared, code.sample(outputs, noise.expand(3, 6, 4)))
    assert code.log_prob(outputs, shared).shape == (3, 6)


@pytest.mark.parametrize("extreme", [-1e6, 0.0, 1e6])
def test_every_output_means_a_distribution_and_has_a_finite_gradient(extreme: float) -> None:
    code, prior = SphericalCode(3), UniformSpherePrior(3)
    outputs = torch.tensor([[0.0, 0.0, 0.0, extreme], [1e-30, 0.0, 0.0, extreme]], requires_grad=True)
    assert (code.concentration(outputs) >= LEAST).all()
    assert (code.concentration(outputs) <= LARGEST).all()
    torch.testing.assert_close(code.code(outputs).norm(dim=1), torch.ones(2))
    z = code.sample(outputs, random(1, 2, 3, seed=1))
    divergence = code.divergence(outputs, prior)
    assert divergence is not None
    total = z[..., 0].sum() + code.log_prob(outputs, z).sum() + divergence.sum()
    (gradient,) = torch.autograd.grad(total, outputs)
    assert torch.isfinite(total)
    assert torch.isfinite(gradient).all()


def test_the_specification_builds_it_and_it_can_be_copied() -> None:
    code = VonMisesFisher().build(4)
    assert isinstance(code, SphericalCode)
    assert (code.n_outputs, code.stochastic, code.on_sphere) == (5, True, True)
    outputs, noise = random(2, 5), random(1, 2, 4, seed=1)
    torch.testing.assert_close(copy.deepcopy(code).sample(outputs, noise), code.sample(outputs, noise))
