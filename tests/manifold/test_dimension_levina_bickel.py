from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skdim.id import MLE

from isthmus.errors import InputError
from isthmus.manifold.dimension import levina_bickel, local_dimensions

Rows = np.ndarray[Any, Any]


def linear(seed: int, n: int, dimension: int, columns: int) -> Rows:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dimension)) @ rng.normal(size=(dimension, columns))


def oracle(X: Rows, k: int, comb: str) -> MLE:
    """Fit scikit-dimension's estimator to the k nearest neighbours of each row, without bias correction."""
    return MLE(neighborhood_based=True, unbiased=False).fit(X, n_neighbors=k, comb=comb)


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(30, 200),
    st.integers(1, 5),
    st.integers(5, 15),
    st.integers(2, 25),
)
def test_it_agrees_with_scikit_dimension(seed: int, n: int, dimension: int, columns: int, k: int) -> None:
    X = linear(seed, n, dimension, columns)
    for combine, comb in (("mackay_ghahramani", "mle"), ("mean", "mean")):
        found, expected = levina_bickel(X, k, combine=combine), oracle(X, k, comb).dimension_
        assert found == pytest.approx(min(expected, columns), abs=1e-3)
    assert local_dimensions(X, k) == pytest.approx(oracle(X, k, "mean").dimension_pw_, rel=1e-3)


def test_a_range_of_k_is_averaged() -> None:
    X = linear(0, 300, 3, 6)
    each = [levina_bickel(X, k) for k in (5, 6, 7)]
    assert levina_bickel(X, (5, 7)) == pytest.approx(np.mean(each))
    assert len({round(value, 6) for value in each}) == 3


def test_the_likelihood_of_a_poisson_process_is_largest_at_the_estimate() -> None:
    # Distances to k neighbours in dimension d are those of a gamma process: T_j ** d are partial sums.
    rng = np.random.default_rng(0)
    sums = rng.exponential(size=(20_000, 12)).cumsum(axis=1)
    from isthmus.manifold.dimension.levina_bickel import _inverses, _joined

    inverses = _inverses(sums ** (1 / 4.5), 12)
    assert _joined(inverses, "mackay_ghahramani", 99) == pytest.approx(4.5, rel=0.01)
    # The mean of 1 / inverses is larger by (k - 1) / (k - 2), as Levina and Bickel say.
    assert _joined(inverses, "mean", 99) == pytest.approx(4.5 * 11 / 10, rel=0.01)


def test_repeated_and_moved_rows_change_nothing() -> None:
    X = linear(0, 300, 3, 8)
    expected = levina_bickel(X)
    rng = np.random.default_rng(1)
    assert levina_bickel(np.repeat(X, 3, axis=0)) == pytest.approx(expected, abs=1e-9)
    assert levina_bickel(rng.permutation(X)) == pytest.approx(expected, abs=1e-9)
    assert levina_bickel(np.hstack([X, np.full((300, 2), 7.0)])) == pytest.approx(expected, abs=1e-9)
    assert levina_bickel(1e180 * X) == pytest.approx(expected)
    local = local_dimensions(X)
    assert local_dimensions(np.vstack([X, X[:5]])) == pytest.approx(np.r_[local, local[:5]])


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.zeros((0, 3)), 0),
        (np.full((9, 3), 5.0), 0),
        ([[0.0, 0.0], [1.0, 2.0]], 1),
        (np.arange(50.0)[:, None], 1),
        (np.eye(12), 11),  # all are equally far
    ],
)
def test_few_or_tied_rows_give_what_they_can_span(X: Rows, expected: float) -> None:
    for combine in ("mackay_ghahramani", "mean"):
        assert levina_bickel(X, combine=combine) == expected
    assert (local_dimensions(X) == expected).all()
    assert len(local_dimensions(X)) == len(X)


def test_rows_too_near_for_a_distance_are_left_out() -> None:
    X = np.array([[1.0, 0], [-1, 0], [0, 1e-200], [0, -1e-200], [1, 1], [-1, -1]])
    assert 0 < levina_bickel(X, 2) <= 2
    local = local_dimensions(X, 2)
    assert np.isfinite(local).all()
    assert (local[2:4] == 2).all()  # what rows can span, where no distance tells


def test_rows_are_drawn_by_seed() -> None:
    X = linear(0, 3000, 3, 8)
    drawn = [levina_bickel(X, max_rows=500, random_state=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_neighbors": 1}, "n_neighbors is 1"),
        ({"n_neighbors": (9, 5)}, r"n_neighbors is \(9, 5\)"),
        ({"n_neighbors": (2, 3, 4)}, "n_neighbors is"),
        ({"n_neighbors": 2.5}, "n_neighbors is 2.5"),
        ({"combine": "median"}, "combine is 'median'"),
    ],
)
def test_what_it_cannot_use_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        levina_bickel(np.eye(5), **options)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12),
        elements=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2).map(float),
    )
)
def test_any_finite_rows_give_finite_numbers(X: Rows) -> None:
    for combine in ("mackay_ghahramani", "mean"):
        assert 0 <= levina_bickel(X, combine=combine) <= min(X.shape[1], max(len(X) - 1, 0))
    local = local_dimensions(X)
    assert local.shape == (len(X),)
    assert np.isfinite(local).all()
