from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.errors import InputError
from isthmus.manifold.geodesics import geodesic

Array = np.ndarray[Any, Any]
Decoded = tuple[Array, Callable[[Array], Array]]


def plane(codes: Array) -> Decoded:
    matrix = np.array([[3.0, 0.0, 1.0, -1.0], [0.5, 2.0, 0.0, 4.0]])
    return codes @ matrix, lambda v: v @ matrix.T


def sphere(codes: Array) -> Decoded:
    """Put (latitude, longitude) on the unit sphere."""
    (lat, lon), zero = codes.T, np.zeros(len(codes))
    points = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    down = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=1)
    along = np.stack([-np.cos(lat) * np.sin(lon), np.cos(lat) * np.cos(lon), zero], axis=1)
    return points, lambda v: np.stack([(v * down).sum(axis=1), (v * along).sum(axis=1)], axis=1)


def hill(codes: Array) -> Decoded:
    """Put codes on a plane with a steep hill at 0."""
    height = 5 * np.exp(-2 * np.square(codes).sum(axis=1))
    slope = -4 * codes * height[:, None]
    return np.column_stack([codes, height]), lambda v: v[:, :2] + slope * v[:, 2:]


def cylinder(codes: Array) -> Decoded:
    angle, height = codes.T
    points = np.stack([2 * np.cos(angle), 2 * np.sin(angle), height], axis=1)
    return points, lambda v: np.stack(
        [2 * (v[:, 1] * np.cos(angle) - v[:, 0] * np.sin(angle)), v[:, 2]], axis=1
    )


def lengths_along(codes: Array, decoder: Callable[[Array], Decoded]) -> Array:
    return np.linalg.norm(np.diff(decoder(codes)[0], axis=0), axis=1)


def test_of_a_linear_decoder_it_is_the_straight_line_and_the_euclidean_distance() -> None:
    a, b = np.array([1.0, -2.0]), np.array([4.0, 5.0])
    found = geodesic(a, b, plane, 7)
    np.testing.assert_allclose(found.codes, np.linspace(a, b, 7), atol=1e-9)
    distance = np.linalg.norm(plane(np.stack([a, b]))[0][1] - plane(np.stack([a, b]))[0][0])
    assert found.length == pytest.approx(distance)
    assert found.straight_length == pytest.approx(distance)


def test_a_detour_given_to_begin_at_is_pulled_straight() -> None:
    a, b = np.zeros(2), np.array([4.0, 0.0])
    found = geodesic(a, b, hill, ways=[np.array([a, [2.0, 3.0], b])])
    alone = geodesic(a, b, hill)
    assert found.length <= alone.length * (1 + 1e-9)


def test_on_a_sphere_it_is_the_great_circle() -> None:
    a, b = np.array([0.9, -1.0]), np.array([0.8, 1.2])
    found = geodesic(a, b, sphere, 9)
    ends = sphere(np.stack([a, b]))[0]
    angle = np.arccos(ends[0] @ ends[1])
    assert found.length == pytest.approx(angle, rel=1e-3)
    assert found.straight_length > 1.05 * angle
    # Every code lies in the plane of the great circle, and the steps are equal.
    normal = np.cross(*ends) / np.sin(angle)
    np.testing.assert_allclose(sphere(found.codes)[0] @ normal, 0, atol=5e-3)
    steps = lengths_along(found.codes, sphere)
    assert steps == pytest.approx(np.full(8, steps.mean()), rel=1e-2)


@pytest.mark.parametrize(("turn", "height"), [(0.5, 0.0), (2.5, 3.0), (6.0, 1.0)])
def test_on_a_cylinder_it_is_the_helix(turn: float, height: float) -> None:
    found = geodesic([0.2, 1.0], [0.2 + turn, 1.0 + height], cylinder)
    assert found.length == pytest.approx(np.hypot(2 * turn, height), rel=1e-3)


def test_it_goes_around_a_hill_and_by_the_way_that_is_given_if_that_is_shorter() -> None:
    a, b = np.array([-1.5, 0.05]), np.array([1.5, 0.05])
    found = geodesic(a, b, hill, 21)
    assert found.length < 0.6 * found.straight_length
    assert np.abs(found.codes[10, 1]) > 0.5
    # A hill between ends on its axis looks the same on both sides: the search stays on the line over it.
    a, b = np.array([-1.5, 0.0]), np.array([1.5, 0.0])
    over = geodesic(a, b, hill)
    assert over.length > 0.95 * over.straight_length
    around = geodesic(a, b, hill, ways=[np.array([a, [0.0, 1.5], b])])
    assert around.length < 0.6 * over.length
    assert around.straight_length == over.straight_length


coordinate = st.floats(-1.4, 1.4)


@settings(max_examples=15, deadline=None)
@given(a=st.tuples(coordinate, coordinate), b=st.tuples(coordinate, coordinate))
def test_it_is_symmetric_to_the_bit_and_never_longer_than_the_straight_line(a: Any, b: Any) -> None:
    there, back = geodesic(a, b, sphere, 5), geodesic(b, a, sphere, 5)
    assert there.length == back.length
    assert np.array_equal(there.codes, back.codes[::-1])
    assert there.length <= there.straight_length
    chord = np.linalg.norm(np.subtract(*sphere(np.array([a, b]))[0]))
    assert there.length >= chord * (1 - 1e-12)
    assert np.array_equal(there.codes[[0, -1]], np.array([a, b]))


def test_the_length_does_not_depend_on_the_number_of_codes() -> None:
    found = [geodesic([0.9, -1.0], [0.8, 1.2], sphere, n) for n in (2, 50)]
    assert found[0].length == found[1].length
    assert found[0].codes.shape == (2, 2)
    assert found[1].codes.shape == (50, 2)


def test_equal_ends_and_a_decoder_that_says_nothing_have_no_length() -> None:
    assert geodesic([1.0, 2.0], [1.0, 2.0], sphere).length == 0
    nothing = geodesic([0.0], [1.0], lambda codes: (np.zeros((len(codes), 3)), lambda v: 0 * v[:, :1]), 3)
    assert nothing.length == nothing.straight_length == 0
    np.testing.assert_allclose(nothing.codes, [[0], [0.5], [1]])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one code": ({"n": 1}, "2 or more"),
    "other ends": ({"ways": [[[0.0, 0.0], [2.0, 2.0]]]}, "the first of which is a and the last b"),
    "other width": ({"ways": [[[0.0], [1.0]]]}, r"of shape \(k, 2\)"),
    "no number": ({"ways": [[[0.0, 0.0], [np.nan, 0.0], [1.0, 1.0]]]}, "NaN"),
    "no points": ({"linearise": lambda z: (np.full((len(z), 2), np.nan), None)}, "decoded to NaN"),
    "shapes": ({"b": [1.0, 1.0, 1.0]}, "from one code to another"),
}


@pytest.mark.parametrize(("given_", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(given_: dict[str, Any], sentence: str) -> None:
    words = {"a": [0.0, 0.0], "b": [1.0, 1.0], "linearise": plane} | given_
    with pytest.raises(InputError, match=sentence):
        geodesic(**words)
