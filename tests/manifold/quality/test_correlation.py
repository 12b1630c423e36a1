from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from isthmus.errors import InputError
from isthmus.manifold.quality import distance_correlation, local_distance_correlation, pairs, shepard


def centred(distances: Any) -> Any:
    """U-centring, as the paper writes it."""
    n = len(distances)
    rows = distances.sum(axis=1) / (n - 2)
    whole = distances - rows[:, None] - rows + distances.sum() / ((n - 1) * (n - 2))
    return whole - np.diag(np.diag(whole))


def squared(x: Any, z: Any, metric: Any = "euclidean") -> float:
    a, b = centred(cdist(x, x, metric)), centred(cdist(z, z, metric))
    return (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def sample(seed: int, n: int, columns: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    return x, x[:, :2] ** 2 + rng.normal(size=(n, min(columns, 2)))


@given(st.integers(0, 99), st.integers(4, 40), st.sampled_from([1, 3, 30]))
def test_it_is_the_papers_formula(seed: int, n: int, columns: int) -> None:
    x, z = sample(seed, n, columns)
    found = distance_correlation(x, z).value
    assert found == pytest.approx(np.sqrt(max(squared(x, z), 0)), abs=1e-7)


def test_of_two_normals_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    # Szekely, Rizzo and Bakirov, theorem 7, for a correlation of 0.5.
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=(2, 2000, 1))
    r = 0.5
    expected = np.sqrt(
        (r * np.arcsin(r) + np.sqrt(1 - r**2) - r * np.arcsin(r / 2) - np.sqrt(4 - r**2) + 1)
        / (1 + np.pi / 3 - np.sqrt(3))
    )
    monkeypatch.setattr(pairs, "BLOCK_NUMBERS", 1 << 17)
    value, error = distance_correlation(x, r * x + np.sqrt(1 - r**2) * e)
    assert abs(value - expected) < 3 * error < 0.1


def test_wide_independent_rows_have_none() -> None:
    # Without correction 300 columns would give nearly 1.
    rng = np.random.default_rng(0)
    values = [
        distance_correlation(rng.normal(size=(50, 300)), rng.normal(size=(50, 2))).value for _ in range(9)
    ]
    assert np.median(values) < 0.2


def test_it_sees_what_no_correlation_sees_and_neither_scale_nor_order_matters() -> None:
    x = np.random.default_rng(0).normal(size=(300, 1))
    value, error = distance_correlation(x, x**2)
    assert value > 0.4 > 5 * error
    p = np.random.default_rng(1).permutation(300)
    np.testing.assert_allclose(distance_correlation(7 * x[p], x[p] ** 2 / 9), (value, error), rtol=1e-9)
    assert distance_correlation(x, 1 - 4 * x).value == pytest.approx(1)


def test_the_standard_error_is_how_much_draws_differ() -> None:
    x, z = sample(0, 3000)
    draws = np.array([distance_correlation(x, z, max_rows=150, random_state=seed) for seed in range(60)])
    assert 0.7 < draws[:, 1].mean() / draws[:, 0].std() < 1.4


def test_a_constant_depends_on_nothing() -> None:
    x, z = sample(0, 20)
    assert distance_correlation(x, 0 * z) == distance_correlation(0 * x, z) == (0, 0)
    assert local_distance_correlation(x, 0 * z + 0.1, n_neighbors=5) == (0, 0)


@pytest.mark.parametrize("n", [12, 40])
def test_rows_that_are_all_equally_far_say_nothing(n: int) -> None:
    # A regular simplex, turned: its distances differ by rounding, which would go with something.
    rng = np.random.default_rng(0)
    x, z = np.linalg.qr(rng.normal(size=(n, n)))[0], rng.normal(size=(n, 2))
    assert distance_correlation(x, z) == distance_correlation(z, x) == (0, 0)
    assert local_distance_correlation(x, z, n_neighbors=9) == (0, 0)
    assert shepard(x, z).pearson == (0, 0)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock"])
@pytest.mark.parametrize("held_out", [False, True])
def test_the_local_one_is_that_of_each_neighbourhood(metric: Any, held_out: bool) -> None:
    (x, z), (xr, zr) = sample(0, 12), sample(1, 20) if held_out else sample(0, 12)
    reference = {"X_reference": xr, "Z_reference": zr} if held_out else {}
    expected = []
    for one, code in zip(x, z, strict=True):
        near = np.argsort(cdist([one], xr, metric)[0])
        near = near[:6] if held_out else near[1:7]
        expected.append(squared(np.vstack([one, xr[near]]), np.vstack([code, zr[near]]), metric))
    value, error = local_distance_correlation(x, z, n_neighbors=6, metric=metric, **reference)
    assert value == pytest.approx(np.sqrt(np.mean(expected)))
    squared_error = np.std(expected, ddof=1) / np.sqrt(12)
    assert error == pytest.approx(np.sqrt(value**2 + squared_error) - value)


def test_a_map_may_be_true_nearby_and_not_far() -> None:
    # A spiral, unrolled.
    t = np.linspace(10, 60, 800)
    spiral = np.column_stack([t * np.cos(t), t * np.sin(t)]) / 5
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(spiral, axis=0), axis=1))])[:, None]
    assert local_distance_correlation(spiral, length, n_neighbors=4).value > 0.9
    assert distance_correlation(spiral, length).value < 0.5


def test_too_few_rows_are_refused() -> None:
    x, z = sample(0, 5)
    with pytest.raises(InputError, match="there are 3 rows; give 4 or more"):
        distance_correlation(x[:3], z[:3])
    with pytest.raises(InputError, match="n_neighbors is 2; give 3 or more"):
        local_distance_correlation(x, z, n_neighbors=2)
