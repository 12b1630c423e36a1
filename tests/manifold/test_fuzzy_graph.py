from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.sparse.csgraph import connected_components

from isthmus.manifold.fuzzy_graph import fuzzy_graph, fuzzy_weights, mutual
from isthmus.manifold.nearest_neighbors import nearest_neighbors


def test_weights_are_those_of_umap() -> None:
    oracle = pytest.importorskip("umap.umap_")
    X = np.random.default_rng(0).normal(size=(300, 5))
    neighbors, distances = nearest_neighbors(X, 14)
    # UMAP counts a row as its own first neighbour, and in the number whose logarithm weights sum to.
    own = np.arange(300)[:, None]
    theirs, _, _ = oracle.fuzzy_simplicial_set(
        X,
        15,
        np.random.RandomState(0),
        "euclidean",
        knn_indices=np.hstack([own, neighbors]).astype(np.int32),
        knn_dists=np.hstack([np.zeros((300, 1)), distances]).astype(np.float32),
    )
    weights = fuzzy_weights(np.hstack([distances, np.full((300, 1), 100.0)]))[
        :, :14
    ]  # a 15th far away: log2(15)
    found = mutual(fuzzy_graph(neighbors, weights, 300))
    assert_allclose(found.toarray(), theirs.toarray(), atol=2e-4)


@given(arrays(int, (3, 7), elements=st.integers(0, 3)))
def test_a_row_has_log2_of_its_neighbours_number_or_its_nearest(gaps: np.ndarray) -> None:
    distances = np.cumsum(gaps, axis=1).astype(float)
    weights = fuzzy_weights(distances)
    nearest = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    sure = (distances <= nearest).sum(axis=1)
    assert (weights[distances <= nearest] == 1).all()
    assert (np.diff(weights, axis=1) <= 0).all()
    assert_allclose(weights.sum(axis=1), np.maximum(np.log2(7), sure), rtol=1e-9)


def test_far_neighbours_leave_near_ones_their_weights() -> None:
    near, far = fuzzy_weights(np.array([[1.0, 2, 3, 4, 5, 1e3], [1.0, 2, 3, 4, 5, 1e9]]))
    assert_allclose(near, [1, 0.66, 0.44, 0.29, 0.19, 0], atol=0.01)
    assert far[4] > 0.9  # the least scale: a thousandth of the mean distance


def test_copies_keep_their_ways_to_other_rows() -> None:
    spots = np.repeat(np.arange(12.0), 6)[:, None] * [1.0, 0.5]
    neighbors, distances = nearest_neighbors(spots, 15)
    graph = mutual(fuzzy_graph(neighbors, fuzzy_weights(distances), 72))
    graph.eliminate_zeros()
    assert connected_components(graph)[0] == 1


def test_a_single_neighbour_and_copies_have_all() -> None:
    assert_allclose(fuzzy_weights(np.array([[3.0], [0.0]])), 1)
    assert_allclose(fuzzy_weights(np.zeros((2, 4))), 1)


def test_either_holding_on_is_enough() -> None:
    graph = fuzzy_graph(np.array([[1], [2], [1]]), np.array([[1.0], [0.5], [0.25]]), 3)
    expected = [[0, 1, 0], [1, 0, 0.5 + 0.25 - 0.125], [0, 0.625, 0]]
    assert_allclose(mutual(graph).toarray(), expected)
