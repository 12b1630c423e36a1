"""How strongly neighbours belong together: the fuzzy graph of UMAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["fuzzy_graph", "fuzzy_weights", "mutual"]

Array = NDArray[np.float64]
# Halvings of the range that holds a row's scale: float64 has no more digits.
N_HALVINGS = 60


def fuzzy_weights(distances: Array) -> Array:
    """Return how strongly each row holds on to its neighbours, of the shape of `distances` (n, k).

    Weights are ``exp(-(d - d_nearest) / scale)``: the nearest has 1, and the scale is such that a row's k
    weights sum to log2(k), or to the number of its nearest where these are more (McInnes et al. 2018).

    Parameters
    ----------
    distances : ndarray of shape (n, k)
        To each row's neighbours, nearest first.
    """
    beyond = distances - distances[:, :1]
    wanted = np.log2(distances.shape[1])
    low = np.zeros((len(distances), 1))
    # At four times the farthest, weights are at least exp(-1/4): enough for every k.
    high = np.maximum(4 * beyond[:, -1:], np.finfo(np.float64).tiny * 2.0**N_HALVINGS)
    with np.errstate(over="ignore"):  # far neighbours beside near ones: exp(-inf) is meant
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
