from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from skdim.id import TwoNN
from sklearn.datasets import load_digits, make_swiss_roll

from isthmus.errors import InputError
from isthmus.manifold.dimension import two_nn


def linear(rng: np.random.Generator, n: int, dimension: int, columns: int) -> np.ndarray:
    return rng.normal(size=(n, dimension)) @ rng.normal(size=(dimension, columns))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "dimension", "columns"), [(30, 2, 5), (500, 3, 12), (500, 6, 40), (900, 1, 3)])
def test_it_agrees_with_scikit_dimension(seed: int, n: int, dimension: int, columns: int) -> None:
    X = linear(np.random.default_rng(seed), n, dimension, columns)
    assert two_nn(X) == pytest.approx(TwoNN().fit(X).dimension_, abs=1e-3)


@pytest.mark.parametrize("discard_fraction", [0.05, 0.3])
def test_it_discards_as_scikit_dimension_does(discard_fraction: float) -> None:
    X = linear(np.random.default_rng(0), 400, 4, 8)
    expected = TwoNN(discard_fraction=discard_fraction).fit(X).dimension_
    assert two_nn(X, discard_fraction=discard_fraction) == pytest.approx(expected, abs=1e-3)


def test_a_linear_space_of_5_dimensions_in_20_has_5() -> None:
    X = linear(np.random.default_rng(0), 3000, 5, 20)
    assert two_nn(X) == pytest.approx(5, abs=0.4)


def test_a_swiss_roll_has_2() -> None:
    X, _ = make_swiss_roll(3000, random_state=0)
    assert two_nn(X) == pytest.approx(2, abs=0.15)


def test_a_curve_in_many_columns_has_1() -> None:
    t = np.random.default_rng(0).uniform(0, 3, (1000, 1))
    assert two_nn(np.sin(t * np.arange(1, 30))) == pytest.approx(1, abs=0.1)


def test_an_affine_change_of_units_changes_nothing() -> None:
    X = linear(np.random.default_rng(0), 500, 3, 8)
    expected = two_nn(X)
    assert two_nn(1e180 * X) == pytest.approx(expected)
    assert two_nn(1e-180 * X) == pytest.approx(expected)
    assert two_nn(X * 30 + 1.7e9) == pytest.approx(expected, rel=1e-3)


def test_repeated_rows_count_once() -> None:
    X = linear(np.random.default_rng(0), 500, 3, 8)
    assert two_nn(np.repeat(X, 4, axis=0)) == pytest.approx(two_nn(X), abs=1e-9)


def test_near_rows_in_many_columns_are_told_apart() -> None:
    # Squared distances are 1e-16 of the rows' squared norms: lost in the dot products of brute-force search.
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(300, 50)), 3, axis=0) + 1e-8 * linear(rng, 900, 2, 50)
    distances = np.sort(cdist(X, X), axis=1)[:, 1:3]
    assert two_nn(X) == pytest.approx(TwoNN(dist=True).fit(distances).dimension_, abs=1e-3)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.zeros((0, 3)), 0),
        (np.zeros((4, 0)), 0),
        ([[1.0, 2.0]], 0),
        (np.full((9, 3), 5.0), 0),
        ([[0.0], [-0.0]], 0),
        ([[0.0, 0.0], [1.0, 2.0]], 1),
        ([[0, 0]] * 5 + [[1, 2]] * 5, 1),
        (np.arange(50.0)[:, None], 1),
        (np.stack(np.meshgrid(range(9), range(9)), -1).reshape(-1, 2), 2),  # a grid: all ratios are 1
        (np.eye(12), 11),
    ],
)
def test_few_or_tied_rows_give_what_they_can_span(X: np.ndarray, expected: float) -> None:
    assert two_nn(X) == expected


def test_many_rows_are_drawn_from_by_seed() -> None:
    X = linear(np.random.default_rng(0), 4000, 3, 8)
    drawn = [two_nn(X, max_rows=500, random_state=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0] == pytest.approx(3, abs=0.6)


def test_images_count_their_axes_as_columns() -> None:
    images = load_digits().images[:500]
    assert two_nn(images) == two_nn(images.reshape(500, 64))


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        ([1.0, 2.0], {}, "rows of numbers"),
        ([[1.0, np.nan]], {}, "NaN or infinity"),
        ([[np.inf, 1.0], [0.0, 0.0]], {}, "NaN or infinity"),
        (np.eye(4), {"discard_fraction": 1.0}, "discard_fraction is 1.0"),
    ],
)
def test_what_it_cannot_use_is_refused(X: object, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        two_nn(X, **options)


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12),
        elements=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2).map(float),
    )
)
def test_any_finite_rows_give_a_number_within_bounds(X: np.ndarray) -> None:
    assert 0 <= two_nn(X) <= min(X.shape[1], max(len(X) - 1, 0))
