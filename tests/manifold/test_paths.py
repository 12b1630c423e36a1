from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.errors import InputError
from isthmus.manifold.paths import along_graph, spherical, straight

Array = np.ndarray[Any, Any]


def on_circle(angles: Any) -> Array:
    return np.column_stack([np.cos(angles), np.sin(angles)])


def through_noise(a: Any, b: Any, n: int) -> Array:
    width = np.shape(a)[0]
    return along_graph(a, b, n, np.random.default_rng(0).normal(size=(30, width)), n_neighbors=3)


PATHS = (straight, spherical, through_noise)


def test_straight_steps_are_equal() -> None:
    np.testing.assert_allclose(straight([0, 1], [3, -5], 4), [[0, 1], [1, -1], [2, -3], [3, -5]])


@pytest.mark.parametrize("n", [2, 3, 11])
def test_a_great_circle_keeps_the_norm_and_turns_evenly(n: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 6))
    a, b = 3 * a / np.linalg.norm(a), 3 * b / np.linalg.norm(b)
    path = spherical(a, b, n)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 3)
    turned = [np.arccos(left @ right / 9) for left, right in pairwise(path)]
    np.testing.assert_allclose(turned, np.arccos(a @ b / 9) / (n - 1))


def test_a_quarter_turn_is_halfway_at_45_degrees_and_lengths_change_evenly() -> None:
    path = spherical([2.0, 0.0, 0.0], [0.0, 0.0, 4.0], 3)
    np.testing.assert_allclose(path[1], [3 / np.sqrt(2), 0, 3 / np.sqrt(2)], atol=1e-15)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [2.0, 4.0]),  # the same direction
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [-2.0, -4.0]),  # opposite: all great circles are as short
        ([1.0, 0.0], [-1.0, 1e-6]),
        ([0.0, 0.0], [1.0, 1.0]),  # no direction
        ([0.0, 0.0], [0.0, 0.0]),
        ([3.0], [-1.0]),  # one dimension has no circles
    ],
)
def test_without_a_shortest_great_circle_the_path_is_straight(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(spherical(a, b, 5), straight(a, b, 5))


def test_a_great_circle_passes_over_smoothly_into_the_straight_line() -> None:
    a, b = on_circle([0.0, 1.2e-4])
    np.testing.assert_allclose(spherical(a, b, 9), straight(a, b, 9), atol=2e-9)


def test_through_a_circle_the_path_stays_on_it() -> None:
    codes = on_circle(np.linspace(0, 2 * np.pi, 400, endpoint=False))
    a, b = on_circle([0.0, 3.0])
    path = along_graph(a, b, 61, codes, n_neighbors=4)
    assert np.linalg.norm(straight(a, b, 61), axis=1).min() < 0.08
    assert np.linalg.norm(path, axis=1).min() > 0.999
    angles = np.arctan2(path[:, 1], path[:, 0])
    np.testing.assert_allclose(angles, np.linspace(0, 3, 61), atol=0.01)  # the short way, in equal steps


def test_the_steps_through_a_graph_are_equal_whatever_the_codes_are() -> None:
    # Codes at 1, 2 and 9 on a bent line: the corner (9, 0), then up.
    codes = [[1.0, 0.0], [2.0, 0.0], [9.0, 0.0], [9.0, 5.0]]
    path = along_graph([0.0, 0.0], [9.0, 6.0], 6, codes, n_neighbors=1)
    np.testing.assert_allclose(path, [[0, 0], [3, 0], [6, 0], [9, 0], [9, 3], [9, 6]], atol=1e-12)


def test_groups_are_tied_where_they_are_nearest() -> None:
    t = np.linspace(0, 1, 101)
    left = np.column_stack([np.zeros(101), t])  # upwards
    right = np.column_stack([2 - t, t])  # leans to the left
    path = along_graph(left[0], right[0], 1001, np.vstack([left, right]), n_neighbors=2)
    # Up, over from (0, 1) to (1, 1), and down again: the path has the length 1 + 1 + sqrt(2).
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(2 + np.sqrt(2), abs=0.005)
    across = path[(path[:, 0] > 1e-9) & (path[:, 0] < 1 - 1e-9)]
    np.testing.assert_allclose(across[:, 1], 1)


def test_a_third_group_is_a_stepping_stone() -> None:
    corner = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]])
    codes = np.concatenate([corner + np.array(place) for place in ([0, 0], [20, 0], [10, 10])])
    path = along_graph(codes[0], codes[3], 201, codes, n_neighbors=2)
    # From (0, 0) to (20, 0), 20 apart, by way of (10, 10), 14 from either.
    assert np.linalg.norm(path - [10, 10], axis=1).min() < 0.2
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.sum() == pytest.approx(2 * np.sqrt(200), abs=0.3)


def test_repeated_codes_are_no_walls() -> None:
    codes = np.repeat([[0.0], [1.0], [2.0], [3.0]], 20, axis=0)
    np.testing.assert_allclose(along_graph([0.0], [3.0], 4, codes, n_neighbors=5), [[0], [1], [2], [3]])


def test_without_codes_there_is_the_straight_line() -> None:
    np.testing.assert_array_equal(along_graph([0, 0], [2, 4], 3, np.zeros((0, 2))), [[0, 0], [1, 2], [2, 4]])
    np.testing.assert_array_equal(along_graph([1, 1], [1, 1], 3, [[1, 1]]), np.ones((3, 2)))


@pytest.mark.parametrize("path", PATHS)
@given(data=st.data(), n=st.integers(2, 6), width=st.integers(1, 4), single=st.booleans())
def test_every_path_begins_and_ends_where_it_was_told_to(
    path: Callable[..., Array], data: st.DataObject, n: int, width: int, single: bool
) -> None:
    kind = np.float32 if single else np.float64
    elements = st.floats(-1e3, 1e3, allow_subnormal=False, width=32 if single else 64)
    a, b = (data.draw(hnp.arrays(kind, width, elements=elements)) for _ in range(2))
    points = path(a, b, n)
    assert points.shape == (n, width)
    assert points.dtype == kind
    np.testing.assert_array_equal(points[[0, -1]], [a, b])
    assert np.isfinite(points).all()


@pytest.mark.parametrize("path", PATHS)
def test_whole_numbers_give_float64_and_single_with_double_too(path: Callable[..., Array]) -> None:
    assert path([0, 1], [1, 0], 3).dtype == np.float64
    assert path(np.zeros(2, np.float32), np.ones(2), 3).dtype == np.float64


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("a", "b", "n", "message"),
    [
        ([0.0], [1.0], 1, "a path of 1 points was asked for; give 2 or more"),
        ([0.0], [1.0, 2.0], 2, r"not \(1,\) to \(2,\)"),
        ([[0.0]], [[1.0]], 2, r"not \(1, 1\) to \(1, 1\)"),
        ([0.0], [np.nan], 2, "NaN or infinity"),
    ],
)
def test_what_it_cannot_use_is_refused(
    path: Callable[..., Array], a: Any, b: Any, n: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        path(a, b, n)


@pytest.mark.parametrize(
    ("codes", "n_neighbors", "message"),
    [
        ([[0.0, 1.0]], 10, r"codes have shape \(1, 2\); give one of shape \(n_codes, 1\)"),
        ([[np.nan]], 10, "codes hold NaN"),
        ([[0.0]], 0, "n_neighbors is 0"),
    ],
)
def test_codes_it_cannot_use_are_refused(codes: Any, n_neighbors: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        along_graph([0.0], [1.0], 3, codes, n_neighbors)
