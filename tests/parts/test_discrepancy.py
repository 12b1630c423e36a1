from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from isthmus.parts.terms.discrepancy import FACTORS, squared_discrepancy

KERNELS = ["inverse_multiquadric", "gaussian"]


def normal(n: int, d: int, seed: int, mean: float = 0.0, sd: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mean + sd * torch.randn(n, d, generator=generator, dtype=torch.float64)


def kernel(x: Tensor, y: Tensor, name: str, scale: float) -> float:
    distance, total = float((x - y).square().sum()), 0.0
    for t in FACTORS:
        unit = 2 * len(x) * scale**2 * t
        total += math.exp(-distance / unit) if name == "gaussian" else unit / (unit + distance)
    return total


def by_hand(x: Tensor, y: Tensor, name: str, scale: float, weight: list[float]) -> float:
    def mean_of_pairs(rows: Tensor, w: list[float]) -> float:
        pairs = list(itertools.permutations(range(len(rows)), 2))
        total = sum(w[i] * w[j] * kernel(rows[i], rows[j], name, scale) for i, j in pairs)
        return total / sum(w[i] * w[j] for i, j in pairs)

    across = sum(w * kernel(a, b, name, scale) for a, w in zip(x, weight, strict=True) for b in y)
    across /= sum(weight) * len(y)
    return mean_of_pairs(x, weight) + mean_of_pairs(y, [1.0] * len(y)) - 2 * across


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("weight", [None, [1.0, 0.0, 2.5, 0.5]])
def test_is_the_u_statistic_by_hand(name: str, weight: list[float] | None) -> None:
    x, y = normal(4, 3, 0, mean=0.5), normal(5, 3, 1)
    weights = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    value = squared_discrepancy(x, y, name, 0.8, weights)
    assert value.item() == pytest.approx(by_hand(x, y, name, 0.8, weight or [1.0] * 4), rel=1e-10)


@pytest.mark.parametrize("d", [1, 5])
def test_the_gaussian_kernel_agrees_with_the_closed_form_for_normals(d: int) -> None:
    mean, sd, scale = 0.7, 1.6, 1.2

    def expected(shift: float, variance: float) -> float:
        # E exp(-|u|^2 / c) for u ~ N(shift, variance I) in d dimensions
        units = [2 * d * scale**2 * t for t in FACTORS]
        return sum(
            (1 + 2 * variance / c) ** (-d / 2) * math.exp(-d * shift**2 / (c + 2 * variance)) for c in units
        )

    truth = expected(0, 2 * sd**2) + expected(0, 2) - 2 * expected(mean, 1 + sd**2)
    estimates = torch.stack(
        [
            squared_discrepancy(normal(500, d, k, mean, sd), normal(500, d, 1000 + k), "gaussian", scale)
            for k in range(40)
        ]
    )
    assert truth > 0.1
    error = float(estimates.std()) / math.sqrt(40)
    assert error < 0.05 * truth
    assert float(estimates.mean()) == pytest.approx(truth, abs=4 * error)


@pytest.mark.parametrize("name", KERNELS)
def test_small_samples_of_one_distribution_differ_by_zero_on_average(name: str) -> None:
    estimates = torch.stack(
        [squared_discrepancy(normal(6, 2, k), normal(6, 2, 5000 + k), name, 1.0) for k in range(1500)]
    )
    error = float(estimates.std()) / math.sqrt(1500)
    bias_of_v_statistic = 2 * (len(FACTORS) - 4) / 6  # what counting k(x, x) would add, at least
    assert abs(float(estimates.mean())) < 4 * error < 0.2 * bias_of_v_statistic


@pytest.mark.parametrize("name", KERNELS)
def test_only_ratios_of_distances_to_the_scale_count(name: str) -> None:
    x, y = normal(20, 3, 0, mean=1.0), normal(20, 3, 1)
    near = squared_discrepancy(x, y, name, 1.0)
    torch.testing.assert_close(squared_discrepancy(1e3 * x, 1e3 * y, name, 1e3), near)
    assert squared_discrepancy(1e3 * x, 1e3 * y, name, 1.0) < 0.7 * near


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("d", [2, 128])
def test_codes_spread_too_widely_are_drawn_in_however_many_components_there_are(name: str, d: int) -> None:
    codes = normal(64, d, 0, sd=3.0).requires_grad_()
    squared_discrepancy(codes, normal(64, d, 1), name, 1.0).backward()
    assert codes.grad is not None
    inwards = -(codes.grad * codes.detach()).sum(dim=1) / codes.detach().norm(dim=1)  # (64,)
    assert (inwards.mean() * 64).item() < -0.02


@pytest.mark.parametrize("weight", [None, torch.ones(3), torch.zeros(3), torch.tensor([1.0, 0.0, 0.0])])
def test_equal_rows_and_empty_weights_leave_finite_gradients(weight: Tensor | None) -> None:
    codes = torch.zeros(3, 2, requires_grad=True)
    value = squared_discrepancy(codes, torch.zeros(3, 2), "inverse_multiquadric", 1.0, weight)
    (100 * value).backward()  # a term's weight
    assert math.isfinite(value.item())
    assert codes.grad is not None
    assert torch.isfinite(codes.grad).all()


def test_a_single_row_has_no_pair() -> None:
    code, draw = torch.tensor([[0.0]]), torch.tensor([[2.0]])
    value = squared_discrepancy(code, draw, "inverse_multiquadric", 1.0)
    assert value.item() == pytest.approx(-2 * sum(2 * t / (2 * t + 4) for t in FACTORS))


def test_far_from_the_origin_distances_keep_their_digits() -> None:
    x, y = normal(30, 2, 0).float(), normal(30, 2, 1, mean=0.3).float()
    near = squared_discrepancy(x, y, "gaussian", 1.0)
    torch.testing.assert_close(
        squared_discrepancy(x + 1000, y + 1000, "gaussian", 1.0), near, atol=2e-4, rtol=0
    )
