"""A first layout of rows from the lengths of ways through their graph of neighbours: landmark Isomap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

__all__ = ["landmark_isomap"]

Array = NDArray[np.float64]
# Ways are measured from so many rows. Four times as many moved no point of a swiss roll by a neighbour's
# distance, and took four times as long.
N_LANDMARKS = 200


def landmark_isomap(
    neighbors: NDArray[np.intp], distances: Array, n_components: int, random_state: np.random.RandomState
) -> Array:
    """Lay out rows so that distances are the lengths of the shortest ways through their neighbours.

    Rows that no way leads to (another part of the graph) count as twice as far as the farthest that one does.

    Parameters
    ----------
    neighbors : ndarray of int of shape (n, k)
        Positions of each row's nearest neighbours.
    distances : ndarray of shape (n, k)
    n_components : int
    random_state : RandomState
        Draws the landmarks.

    Returns
    -------
    ndarray of shape (n, n_components)
        Centred; scaled so that neighbours are at distance 1 in the mean. Components by falling variance;
        those that the distances leave nothing for are 0.

    References
    ----------
    V. de Silva and J. B. Tenenbaum, "Sparse multidimensional scaling using landmark points", Stanford (2004).
    """
    n, k = neighbors.shape
    ends = np.repeat(np.arange(n), k), neighbors.reshape(-1)
    # Copies of a row are its neighbours too: a length of 0 would be no edge.
    lengths = np.maximum(distances.reshape(-1), np.finfo(np.float64).tiny)
    graph = coo_array((lengths, ends), (n, n)).tocsr()
    landmarks = np.sort(random_state.permutation(n)[:N_LANDMARKS])
    ways = dijkstra(graph, directed=False, indices=landmarks)  # (L, n)
    ways[np.isinf(ways)] = 2 * ways[np.isfinite(ways)].max()
    layout = _scaled_to(ways**2, landmarks, n_components)
    step = np.linalg.norm(layout[:, None] - layout[neighbors], axis=2).mean()
    return layout / step if step > 0 else layout


def _scaled_to(squares: Array, landmarks: NDArray[np.intp], n_components: int) -> Array:
    """Return points (n, D) at given squared distances (L, n) from landmarks: multidimensional scaling."""
    among = squares[:, landmarks]
    means = among.mean(axis=0)
    centred = -0.5 * (among - means - means[:, None] + means.mean())
    values, vectors = np.linalg.eigh(centred)
    order = np.argsort(-values, kind="stable")[:n_components]
    values, vectors = values[order], vectors[:, order]
    # The sign of an eigenvector is arbitrary: its largest entry is made positive.
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(len(order))]
    vectors = vectors * np.where(largest < 0, -1.0, 1.0)
    inverse = np.where(values > 1e-9 * values.max(initial=0), 1 / np.sqrt(np.abs(values) + 1e-300), 0.0)
    points = -0.5 * (squares - means[:, None]).T @ (vectors * inverse)  # (n, min(L, D))
    points -= points.mean(axis=0)
    return np.pad(points, ((0, 0), (0, n_components - points.shape[1])))
