from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from zadu.measures import mean_relative_rank_error, trustworthiness_continuity

from isthmus.errors import InputError
from isthmus.manifold.quality import (
    NeighborRanks,
    continuity_rows,
    mrre_false_rows,
    mrre_missing_rows,
    neighbor_ranks,
    ranks,
    trustworthiness_rows,
)

MEASURES = (trustworthiness_rows, continuity_rows, mrre_false_rows, mrre_missing_rows)


def same(a: NeighborRanks, b: NeighborRanks) -> bool:
    names = ("neighbors_x", "neighbors_z", "ranks_x", "ranks_z")
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in names)


@given(st.integers(0, 99), st.integers(3, 30), st.sampled_from([1, 3, 30]), st.booleans())
def test_without_ties_they_are_the_places_in_the_sorted_distances(
    seed: int, n: int, columns: int, held_out: bool
) -> None:
    rng = np.random.default_rng(seed)
    x, z, xr, zr = (rng.normal(size=shape) for shape in [(n, columns), (n, 2), (n + 5, columns), (n + 5, 2)])
    k = int(rng.integers(1, n - 1))
    if held_out:
        found = neighbor_ranks(x, z, X_reference=xr, Z_reference=zr, n_neighbors=k)
        distances = cdist(x, xr), cdist(z, zr)
    else:
        found = neighbor_ranks(x, z, n_neighbors=k)
        distances = cdist(x, x) + np.diag(np.full(n, np.inf)), cdist(z, z) + np.diag(np.full(n, np.inf))
    by_x, by_z = (np.argsort(some, axis=1) for some in distances)
    np.testing.assert_array_equal(found.neighbors_x, by_x[:, :k])
    np.testing.assert_array_equal(found.neighbors_z, by_z[:, :k])
    for i in range(n):
        assert [by_x[i].tolist().index(j) + 1 for j in by_z[i, :k]] == found.ranks_x[i].tolist()
        assert [by_z[i].tolist().index(j) + 1 for j in by_x[i, :k]] == found.ranks_z[i].tolist()
    assert found.n_candidates == (n + 5 if held_out else n - 1)


def test_a_held_out_row_is_ranked_as_if_it_were_left_out_of_the_map() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(12, 4)), rng.normal(size=(12, 2))
    whole = neighbor_ranks(x, z, n_neighbors=5)
    for i in range(12):
        rest = np.delete(np.arange(12), i)
        one = neighbor_ranks(x[[i]], z[[i]], X_reference=x[rest], Z_reference=z[rest], n_neighbors=5)
        np.testing.assert_array_equal(rest[one.neighbors_x[0]], whole.neighbors_x[i])
        np.testing.assert_array_equal(one.ranks_x[0], whole.ranks_x[i])
        np.testing.assert_array_equal(one.ranks_z[0], whole.ranks_z[i])


@given(st.integers(0, 999), st.integers(5, 25), st.sampled_from([1, 20]))
def test_the_order_of_rows_changes_nothing_with_ties_either(seed: int, n: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    # Few values, so that rows repeat and distances tie; thirds, so that sums are rounded.
    x, z = rng.integers(0, 3, (n, columns)) / 3, rng.integers(0, 3, (n, 1)) / 3
    p = rng.permutation(n)
    for measure in MEASURES:
        given_, moved = (measure(neighbor_ranks(a, b, n_neighbors=3), 2) for a, b in [(x, z), (x[p], z[p])])
        assert np.isfinite(given_).all()
        assert moved.mean() == pytest.approx(given_.mean(), rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9999))
def test_with_ties_a_figure_is_one_that_some_order_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, z = rng.integers(0, 2, (5, 2)).astype(float), rng.integers(0, 2, (5, 1)).astype(float)
    found = neighbor_ranks(x, z, n_neighbors=2, random_state=seed)
    mine = np.array([measure(found, 2).mean() for measure in MEASURES])
    every = np.array([oracle(x[list(p)], z[list(p)]) for p in permutations(range(5))])
    # Not only each lies in its range: all together are those of one order.
    assert np.abs(every - mine).max(axis=1).min() < 1e-9


def oracle(x: Any, z: Any) -> list[float]:
    tnc = trustworthiness_continuity.measure(x, z, k=2)
    mrre = mean_relative_rank_error.measure(x, z, k=2)
    assert isinstance(tnc, dict)
    assert isinstance(mrre, dict)
    return [*tnc.values(), *(1 - value for value in mrre.values())]


def test_with_ties_seeds_average_to_the_mean_of_all_orders() -> None:
    x, z = np.array([[0.0], [1], [1], [2], [2]]), np.array([[0.0], [0], [1], [1], [1]])
    every = np.array([oracle(x[list(p)], z[list(p)]) for p in permutations(range(5))])
    drawn = [neighbor_ranks(x, z, n_neighbors=2, random_state=seed) for seed in range(400)]
    mine = np.array([[measure(found, 2).mean() for measure in MEASURES] for found in drawn])
    z_scores = (mine.mean(axis=0) - every.mean(axis=0)) / (mine.std(axis=0) / np.sqrt(400))
    assert (mine.std(axis=0) > 0).all()
    assert np.abs(z_scores).max() < 4


def test_a_map_that_keeps_everything_keeps_duplicates_too() -> None:
    x = np.random.default_rng(0).integers(0, 2, (30, 2)).astype(float)
    found = neighbor_ranks(x, 3 * x + 1, n_neighbors=9)
    np.testing.assert_array_equal(found.neighbors_x, found.neighbors_z)
    np.testing.assert_array_equal(found.ranks_x, np.tile(np.arange(1, 10), (30, 1)))


def test_no_row_is_its_own_neighbour_among_duplicates() -> None:
    found = neighbor_ranks(np.ones((9, 2)), np.ones((9, 1)), n_neighbors=7)
    assert not (found.neighbors_x == np.arange(9)[:, None]).any()
    assert not (found.neighbors_z == np.arange(9)[:, None]).any()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x, z = rng.integers(0, 2, (40, 20)) / 3, rng.normal(size=(40, 2))
    whole = neighbor_ranks(x, z, n_neighbors=9)
    monkeypatch.setattr(ranks, "BLOCK_NUMBERS", 130)
    assert same(neighbor_ranks(x, z, n_neighbors=9), whole)


def test_of_many_rows_some_are_drawn_by_content_and_ranked_among_all() -> None:
    rng = np.random.default_rng(0)
    x, z, p = rng.normal(size=(50, 3)), rng.normal(size=(50, 2)), rng.permutation(50)
    every = neighbor_ranks(x, z, n_neighbors=4)
    some = neighbor_ranks(x, z, n_neighbors=4, max_rows=20)
    assert len(set(some.row_index)) == 20
    assert some.n_candidates == 49
    np.testing.assert_array_equal(some.neighbors_x, every.neighbors_x[some.row_index])
    np.testing.assert_array_equal(some.ranks_z, every.ranks_z[some.row_index])
    moved = neighbor_ranks(x[p], z[p], n_neighbors=4, max_rows=20)
    assert set(p[moved.row_index]) == set(some.row_index)
    other = neighbor_ranks(x, z, n_neighbors=4, max_rows=20, random_state=1)
    assert set(other.row_index) != set(some.row_index)
    # Another map of the same data is measured on the same rows, so that the two compare.
    another = neighbor_ranks(x, z**3, n_neighbors=4, max_rows=20)
    np.testing.assert_array_equal(another.row_index, some.row_index)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_overflow_nor_vanish(scale: float) -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(20, 30)), rng.normal(size=(20, 2))
    assert same(neighbor_ranks(x * scale, z / scale, n_neighbors=5), neighbor_ranks(x, z, n_neighbors=5))


def test_images_bytes_and_another_metric() -> None:
    rng = np.random.default_rng(0)
    images, z = rng.integers(0, 256, (20, 5, 5), dtype=np.uint8), rng.normal(size=(20, 2))
    assert same(
        neighbor_ranks(images, z, n_neighbors=5),
        neighbor_ranks(images.reshape(20, 25).astype(float), z, n_neighbors=5),
    )
    found = neighbor_ranks(images, z, n_neighbors=5, metric="cityblock")
    far = cdist(images.reshape(20, 25), images.reshape(20, 25), "cityblock") + np.diag(np.full(20, np.inf))
    np.testing.assert_array_equal(np.take_along_axis(far, found.neighbors_x, 1), np.sort(far, axis=1)[:, :5])


X, Z = np.random.default_rng(1).normal(size=(6, 3)), np.random.default_rng(2).normal(size=(6, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbors": 5}, "n_neighbors is 5 and each row has 5 candidates"),
        ({"n_neighbors": 0}, "n_neighbors is 0"),
        ({"max_rows": 1}, "max_rows is 1"),
        ({"X_reference": X}, "only one of X_reference and Z_reference"),
        ({"X_reference": X[:, :2], "Z_reference": Z}, "X has 3 columns, X_reference 2"),
        ({"X_reference": X, "Z_reference": Z[:, :1]}, "Z has 2 columns, Z_reference 1"),
        ({"X_reference": X[:4], "Z_reference": Z}, "X_reference has 4 rows, Z_reference 6"),
        ({"X": X[:5]}, "X has 5 rows, Z 6"),
        ({"X": X[:, 0]}, r"X has shape \(6,\)"),
        ({"X": X[:0], "Z": Z[:0]}, r"X has shape \(0, 3\)"),
        ({"Z": np.where(Z > 0, Z, np.nan)}, "Z has NaN or infinity"),
        ({"labels": [0, 1]}, r"labels has shape \(2,\)"),
        ({"labels": [np.nan] * 6}, "labels has NaN"),
        ({"labels_reference": [0] * 6}, "labels_reference is given without labels"),
        ({"labels": [0] * 6, "labels_reference": [0] * 6}, "labels_reference is given without X_reference"),
        (
            {"labels": [0] * 6, "X_reference": X, "Z_reference": Z},
            "labels are given without labels_reference",
        ),
    ],
)
def test_what_it_cannot_use_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        neighbor_ranks(**{"X": X, "Z": Z, "n_neighbors": 2, **arguments})
