"""How strongly neighbours belong together: the fuzzy graph of UMAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["fuzzy_graph", "fuzzy_weights", "mutual"]

Array = NDArray[np.float64]
# A row's scale is at least this share of its neighbours' mean distance, as in UMAP.
LEAST_SCALE = 1e-3
# Halvings of the range that holds a scale. It is some thousands of the least scale long, so that float64 has
# no digit left to find.
N_HALVINGS = 64


def fuzzy_weights(distances: Array) -> Array:
    """Return how strongly each row holds on to its neighbours, of the shape of `distances` (n, k).

    Weights are ``exp(-max(d - d_nearest, 0) / scale)``, d_nearest the distance of the nearest row that is no
    copy: it and copies have 1, and the scale is such that a row's k weights sum to log2(k) where these do not
    sum to more already (McInnes et al. 2018).

    Parameters
    ----------
    distances : ndarray of shape (n, k)
        To each row's neighbours.
    """
    nearest = np.where(distances > 0, distances, np.inf).min(axis=1, keepdims=True)
    beyond = np.maximum(distances - np.where(np.isinf(nearest), 0.0, nearest), 0.0)
    mean = distances.mean(axis=1, keepdims=True)
    low = np.maximum(LEAST_SCALE * mean, np.finfo(np.float64).tiny)
    # At four times the farthest, weights are at least exp(-1/4): enough for every k.
    high = np.maximum(4 * beyond.max(axis=1, keepdims=True), low)
    wanted = np.log2(distances.shape[1])
    for _ in range(N_HALVINGS):
        scale = (low + high) / 2
        much = np.exp(-beyond / scale).sum(axis=1, keepdims=True) > wanted
        low, high = np.where(much, low, scale), np.where(much, scale, high)
    return np.exp(-beyond / high)


def fuzzy_graph(neighbors: NDArray[np.intp], weights: Array, n_rows: int) -> csr_array:
    """Return weights of shape (n, k) as a sparse matrix of shape (n, n_rows)."""
    n, k = neighbors.shape
    return csr_array((weights.ravel(), neighbors.ravel(), np.arange(0, n * k + 1, k)), (n, n_rows))


def mutual(graph: csr_array) -> csr_array:
    """Return the weights with which two rows belong together if either holds on to the other: a + b - ab."""
    other = csr_array(graph.T)
    found = csr_array(graph + other - graph * other)
    found.sort_indices()
    return found
