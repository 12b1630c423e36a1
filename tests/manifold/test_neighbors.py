from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from isthmus.errors import InputError
from isthmus.manifold import neighbors
from isthmus.manifold.neighbors import nearest_rows


def test_a_3_4_5_triangle_has_distance_5() -> None:
    index, distance = nearest_rows([[0, 0], [6, 8]], [[60, 80], [3, 4], [6, 9]])
    assert index.tolist() == [1, 2]
    assert distance.tolist() == [5, 1]


@given(st.integers(0, 99), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 30]))
def test_it_agrees_with_all_distances(seed: int, n_queries: int, n_rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    queries, rows = rng.normal(size=(n_queries, columns)), rng.normal(size=(n_rows, columns))
    index, distance = nearest_rows(queries, rows)
    every = cdist(queries, rows)
    np.testing.assert_array_equal(index, every.argmin(axis=1))
    np.testing.assert_allclose(distance, every.min(axis=1), rtol=1e-12)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    queries, rows = rng.normal(size=(50, 4)), rng.normal(size=(80, 4))
    expected = nearest_rows(queries, rows)
    monkeypatch.setattr(neighbors, "BLOCK_QUERIES", 7)
    monkeypatch.setattr(neighbors, "BLOCK_ROWS", 9)
    for whole, in_blocks in zip(expected, nearest_rows(queries, rows), strict=True):
        np.testing.assert_array_equal(in_blocks, whole)


def test_of_equally_near_rows_the_first_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbors, "BLOCK_ROWS", 2)
    assert nearest_rows([[0.0], [5.0]], [[9.0], [1.0], [-1.0], [1.0], [9.0]])[0].tolist() == [1, 0]


def test_small_distances_between_large_numbers_are_exact() -> None:
    # Times of day, in seconds since 1970: the squared norm's rounding is larger than the squared distances.
    rows = 1.7e9 + np.arange(300.0)[:, None] * np.ones(20)
    rows[0] = 0  # so that no common centre can be taken away
    index, distance = nearest_rows(rows[10:20] + 0.25, rows)
    assert index.tolist() == list(range(10, 20))
    np.testing.assert_array_equal(distance, np.sqrt(20) * 0.25)


@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize("far", [1.0, 1e100])
def test_squares_neither_overflow_nor_vanish(size: float, far: float) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    rows[7] *= far
    expected = nearest_rows(rows[:5] + 0.1, rows)
    index, distance = nearest_rows((rows[:5] + 0.1) * size, rows * size)
    np.testing.assert_array_equal(index, expected[0])
    np.testing.assert_allclose(distance, expected[1] * size, rtol=1e-12)


def test_images_count_their_axes_as_columns_and_bytes_do_not_wrap_around() -> None:
    images = np.array([[[0, 0], [0, 0]], [[255, 255], [255, 250]]], dtype=np.uint8)
    index, distance = nearest_rows(np.full((1, 2, 2), 255, dtype=np.uint8), images)
    assert (index.tolist(), distance.tolist()) == ([1], [5])
    assert nearest_rows(np.full((1, 4), 255.0), images)[1].tolist() == [5]


def test_no_queries_have_no_answers() -> None:
    index, distance = nearest_rows(np.zeros((0, 2)), np.ones((3, 2)))
    assert index.shape == distance.shape == (0,)


@pytest.mark.parametrize(
    ("queries", "rows", "message"),
    [
        ([[np.nan]], [[1.0]], "queries hold NaN or infinity.* fill in missing values"),
        ([[1.0]], [[1.0], [np.nan]], "rows hold NaN or infinity.* fill in missing values"),
        ([[1.0]], [[np.inf]], "rows hold NaN"),
        ([[1.0, 2.0]], [[1.0]], "queries have 2 columns and rows 1"),
        ([[1.0]], np.zeros((0, 1)), "there are no rows"),
        ([1.0, 2.0], [[1.0]], r"queries need the shape \(n, ...\), got \(2,\)"),
    ],
)
def test_what_it_cannot_use_is_refused(queries: Any, rows: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        nearest_rows(queries, rows)
