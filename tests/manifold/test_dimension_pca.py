from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skdim.id import lPCA
from sklearn.decomposition import PCA

from isthmus.errors import InputError
from isthmus.manifold.dimension import pca_dimension, pca_dimensions
from isthmus.manifold.dimension.pca import RULES

Rows = np.ndarray[Any, Any]


def noisy(seed: int, n: int, dimension: int, columns: int, noise: float) -> Rows:
    rng = np.random.default_rng(seed)
    flat = rng.normal(size=(n, dimension)) @ rng.normal(size=(dimension, columns))
    return flat + noise * rng.normal(size=(n, columns))


def with_variances(variances: list[float]) -> Rows:
    """Return rows, two for each component, whose variances are in these ratios."""
    roots = np.diag(np.sqrt(variances))
    return np.vstack([roots, -roots])


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(30, 120),
    st.integers(1, 6),
    st.integers(3, 20),
    st.floats(0.05, 2),
)
def test_it_agrees_with_scikit_dimension(seed: int, n: int, d: int, columns: int, noise: float) -> None:
    X = noisy(seed, n, d, columns, noise)
    found = pca_dimensions(X)
    for rule, options in {
        "explained_variance": {"ver": "ratio", "alphaRatio": 0.95},
        "kaiser": {"ver": "Kaiser"},
        "broken_stick": {"ver": "broken_stick"},
        "participation_ratio": {"ver": "participation_ratio"},
    }.items():
        assert found[rule] == pytest.approx(lPCA(**options).fit(X).dimension_, abs=1e-3), rule
        assert pca_dimension(X, rule) == found[rule]
    assert found["minka"] == PCA(n_components="mle", svd_solver="full").fit(X).n_components_


def test_the_rules_by_hand() -> None:
    X = with_variances([6, 3, 0.9, 0.1])
    assert pca_dimension(X) == 3  # 90 %, 99 %
    assert pca_dimension(X, share=0.9) == 2
    assert pca_dimension(X, share=1) == 4
    assert pca_dimension(X, "kaiser") == 2  # above 2.5
    # Of a stick broken at random into 4, parts of 52.1, 27.1, 14.6 and 6.2 % are to be expected.
    assert pca_dimension(X, "broken_stick") == 2
    assert pca_dimension(with_variances([5.3, 2.6, 1.5, 0.6]), "broken_stick") == 1
    assert pca_dimension(X, "participation_ratio") == pytest.approx(100 / (36 + 9 + 0.81 + 0.01))


@pytest.mark.parametrize("dimension", [1, 4, 9])
def test_a_flat_set_has_its_dimension_whatever_the_units(dimension: int) -> None:
    X = np.random.default_rng(0).normal(size=(400, dimension))
    frame = np.linalg.qr(np.random.default_rng(1).normal(size=(30, dimension)))[0]
    for scale in (1.0, 1e160):
        found = pca_dimensions(scale * X @ frame.T, share=1 - 1e-9)
        assert found["explained_variance"] == found["minka"] == dimension
        assert found["participation_ratio"] == pytest.approx(dimension, rel=0.1)


def test_minka_finds_what_noise_hides() -> None:
    assert pca_dimension(noisy(0, 500, 4, 40, 0.5), "minka") == 4


def test_rows_may_be_fewer_than_columns() -> None:
    X = noisy(0, 40, 3, 200, 0.1)
    found = pca_dimensions(X)
    assert found["kaiser"] == found["broken_stick"] == 3
    # Four rows span three dimensions, of which Minka's evidence is asked for one less.
    assert pca_dimensions(np.eye(4))["minka"] <= 2
    assert 1 <= found["minka"] <= 38  # of 39 components, one less; its approximation does not hold here


def test_equal_variances() -> None:
    X = with_variances([1, 1, 1, 1])
    found = pca_dimensions(X)
    assert found["explained_variance"] == found["kaiser"] == 4
    assert found["participation_ratio"] == pytest.approx(4)
    assert found["broken_stick"] == 0


@pytest.mark.parametrize(
    ("X", "expected"), [(np.zeros((0, 3)), 0), (np.full((9, 3), 5.0), 0), ([[0.0], [1.0], [3.0]], 1)]
)
def test_rows_that_hardly_vary(X: Rows, expected: float) -> None:
    assert pca_dimensions(X) == dict.fromkeys(RULES, expected)


def test_the_order_of_rows_and_constant_columns_do_not_matter() -> None:
    X = noisy(0, 300, 3, 8, 0.3)
    expected = pca_dimensions(X)
    shuffled = np.random.default_rng(1).permutation(X)
    assert pca_dimensions(shuffled) == pytest.approx(expected)
    widened = pca_dimensions(np.hstack([X, np.full((300, 2), 7.0)]))
    for rule in ("explained_variance", "participation_ratio"):
        assert widened[rule] == pytest.approx(expected[rule])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rule": "elbow"}, "rule is 'elbow'"), ({"share": 0}, "share is 0"), ({"share": 1.5}, "share is 1.5")],
)
def test_what_it_cannot_use_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pca_dimension(np.eye(5), **options)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=10),
        elements=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2).map(float),
    )
)
def test_any_finite_rows_give_numbers_within_bounds(X: Rows) -> None:
    for value in pca_dimensions(X).values():
        assert 0 <= value <= min(X.shape[1], max(len(X) - 1, 0)) + 1e-9
