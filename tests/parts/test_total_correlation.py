from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, distributions

from isthmus.errors import InputError
from isthmus.parts.posteriors.specs import DiagonalGaussian, Point
from isthmus.parts.terms.base import Step
from isthmus.parts.terms.specs import TotalCorrelation


def step_of(**given: Any) -> Step:
    """Return a step with as much of it as the term looks at."""
    return cast(Step, SimpleNamespace(**{"weight": None} | given))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def correlated_step(n: int, correlation: float, sd: float, seed: int = 0, **given: Any) -> tuple[Step, float]:
    """Return a step whose aggregated code is a known normal in the plane, and its total correlation."""
    a, b = random(n, 2, seed=seed).unbind(dim=1)
    means = torch.stack([a, correlation * a + math.sqrt(1 - correlation**2) * b], dim=1)
    outputs = torch.cat([means, torch.full((n, 2), math.log(sd))], dim=1)
    code = DiagonalGaussian().build(2)
    codes = code.sample(outputs, random(1, n, 2, seed=seed + 1))[0]
    aggregated = correlation / (1 + sd**2)
    return step_of(code=code, outputs=outputs, codes=codes, **given), -0.5 * math.log(1 - aggregated**2)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.95])
def test_the_total_correlation_of_a_normal_is_minus_half_log_det(correlation: float) -> None:
    term = TotalCorrelation().build(DiagonalGaussian().build(2), None, 0)
    step, truth = correlated_step(3000, correlation, sd=0.5)
    value = term(step)
    assert value.shape == (3000,)
    assert value.mean().item() == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5, 1.0])])
def test_each_draw_is_judged_by_the_mixture_of_the_batchs_posteriors(weight: Tensor | None) -> None:
    outputs, codes = random(4, 6), random(4, 3, seed=1)
    code = DiagonalGaussian().build(3)
    shares = distributions.Categorical(probs=torch.ones(4) if weight is None else weight)
    normals = distributions.Normal(outputs[:, :3], outputs[:, 3:].exp())
    whole = distributions.MixtureSameFamily(shares, distributions.Independent(normals, 1))
    expected = whole.log_prob(codes)
    for j in range(3):
        normal = distributions.Normal(outputs[:, j], outputs[:, 3 + j].exp())
        expected = expected - distributions.MixtureSameFamily(shares, normal).log_prob(codes[:, j])
    term = TotalCorrelation().build(code, None, 0)
    torch.testing.assert_close(
        term(step_of(code=code, outputs=outputs, codes=codes, weight=weight)), expected, rtol=1e-4, atol=1e-5
    )


def test_a_batch_that_is_small_beside_the_posteriors_overestimates_it() -> None:
    term = TotalCorrelation().build(DiagonalGaussian().build(2), None, 0)
    step, truth = correlated_step(50, 0.6, sd=0.05)
    assert term(step).mean() > truth + 0.3


def test_many_rows_are_taken_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    term = TotalCorrelation().build(DiagonalGaussian().build(2), None, 0)
    step, _ = correlated_step(101, 0.6, sd=0.5)
    whole = term(step)
    monkeypatch.setattr("isthmus.parts.terms.total_correlation.LARGEST_PIECE", 101 * 2 * 7)
    torch.testing.assert_close(term(step), whole)


def test_a_row_without_weight_is_no_part_of_the_mixture() -> None:
    term = TotalCorrelation().build(DiagonalGaussian().build(2), None, 0)
    part, _ = correlated_step(20, 0.6, sd=0.5)
    extra = torch.cat([part.outputs, 50 + part.outputs[:5]])
    weight = torch.cat([torch.full((20,), 2.0), torch.zeros(5)])
    codes = torch.cat([part.codes, part.codes[:5]])
    value = term(step_of(code=part.code, outputs=extra, codes=codes, weight=weight))
    torch.testing.assert_close(value[:20], term(part))
    value = term(step_of(code=part.code, outputs=extra, codes=codes, weight=torch.zeros(25)))
    assert torch.isfinite(value).all()


def test_its_gradient_makes_components_independent() -> None:
    term = TotalCorrelation().build(DiagonalGaussian().build(2), None, 0)
    a = random(400)
    slope = torch.tensor(0.9, requires_grad=True)
    means = torch.stack([a, slope * a + random(400, seed=1)], dim=1)
    outputs = torch.cat([means, torch.full((400, 2), -0.7)], dim=1)
    code = DiagonalGaussian().build(2)
    codes = code.sample(outputs, random(1, 400, 2, seed=2))[0]
    (gradient,) = torch.autograd.grad(term(step_of(code=code, outputs=outputs, codes=codes)).mean(), slope)
    # d/ds of -0.5 log(1 - r^2), where the aggregated covariance is s, the variances 1 + v and s^2 + 1 + v
    s, v = 0.9, math.exp(-1.4)
    ratio = s**2 / ((1 + v) * (s**2 + 1 + v))
    slope_of_ratio = 2 * s / ((1 + v) * (s**2 + 1 + v)) - 2 * s * ratio / (s**2 + 1 + v)
    assert gradient.item() == pytest.approx(0.5 * slope_of_ratio / (1 - ratio), rel=0.2)


def test_it_needs_normal_components() -> None:
    with pytest.raises(InputError, match="DiagonalGaussian"):
        TotalCorrelation().build(Point().build(2), None, 0)
