"""Each row's nearest neighbours: exactly, or searched approximately among very many rows."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from isthmus.manifold.approximate import SEARCHED_METRICS, approximate_neighbors
from isthmus.manifold.quality.measure import check_distances

__all__ = ["EXACT_ROWS", "nearest_neighbors"]

# So many rows of 784 columns take half a minute of one core exactly, and twice as many four times as long.
EXACT_ROWS = 20_000


def nearest_neighbors(
    rows: NDArray[np.floating[Any]],
    n_neighbors: int,
    *,
    metric: str = "euclidean",
    queries: NDArray[np.floating[Any]] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the positions of each row's nearest neighbours, nearest first, and how far they are.

    Parameters
    ----------
    rows : ndarray of shape (n, d)
        Among more than 20,000 of them neighbours are searched approximately, by the Euclidean or the cosine
        distance, if usearch is installed; else, and by other distances, all distances are computed.
    n_neighbors : int
        At most n - 1, or n for queries.
    metric : str, default="euclidean"
        One that scikit-learn's brute-force search knows.
    queries : ndarray of shape (m, d), optional
        Rows whose neighbours are asked, among `rows`. Without, those of `rows` themselves, of which none is
        its own neighbour.

    Returns
    -------
    positions : ndarray of int of shape (m, n_neighbors)
    distances : ndarray of shape (m, n_neighbors)
    """
    many = len(rows) > EXACT_ROWS and n_neighbors < len(rows)
    if many and metric in SEARCHED_METRICS and importlib.util.find_spec("usearch") is not None:
        own = np.arange(len(rows)) if queries is None else None
        return approximate_neighbors(rows, rows if queries is None else queries, own, n_neighbors, metric)
    finder = NearestNeighbors(n_neighbors=n_neighbors, metric=metric, algorithm="brute").fit(rows)
    distances, positions = finder.kneighbors(queries)
    check_distances(distances, metric)
    return positions, distances
