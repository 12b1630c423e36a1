from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

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
    weights = fuzzy_weights(np.hstack([distances, np.full((300, 1), 1e9)]))[
        :, :14
    ]  # a 15th far away: log2(15)
    found = mutual(fuzzy_graph(neighbors, weights, 300))
    assert_allclose(found.toarray(), theirs.toarray(), atol=2e-4)


@given(arrays(float, (3, 7), elements=st.floats(0, 1e6)))
def test_the_nearest_has_1_and_a_row_has_log2_of_their_number(gaps: np.ndarray) -> None:
    distances = np.cumsum(gaps, axis=1)
    weights = fuzzy_weights(distances)
    assert (weights[:, 0] == 1).all()
    assert (np.diff(weights, axis=1) <= 0).all()
    nearest = (distances == distances[:, :1]).sum(axis=1)
    assert (weights.sum(axis=1) >= np.maximum(np.log2(7), nearest) - 1e-6).all()


def test_a_single_neighbour_and_copies_have_all() -> None:
    assert_allclose(fuzzy_weights(np.array([[3.0], [0.0]])), 1)
    assert_allclose(fuzzy_weights(np.zeros((2, 4))), 1)


def test_either_holding_on_is_enough() -> None:
    graph = fuzzy_graph(np.array([[1], [2], [1]]), np.array([[1.0], [0.5], [0.25]]), 3)
    expected = [[0, 1, 0], [1, 0, 0.5 + 0.25 - 0.125], [0, 0.625, 0]]
    assert_allclose(mutual(graph).toarray(), expected)
