"""Distance correlation within neighbourhoods: does the map follow the data where one looks closely?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches

from isthmus.errors import InputError
from isthmus.manifold.quality.correlation import LEAST_ROWS, root_of_mean
from isthmus.manifold.quality.figure import Figure
from isthmus.manifold.quality.inputs import Compared, compare
from isthmus.manifold.quality.measure import all_distances
from isthmus.manifold.quality.pairs import ROUNDING
from isthmus.manifold.quality.ranks import APPROXIMATE_ABOVE, ranks_of

__all__ = ["local_distance_correlation", "local_rows_of"]

Array = NDArray[np.float64]
BLOCK_NUMBERS = 1 << 21


def local_distance_correlation(
    X: ArrayLike,
    Z: ArrayLike,
    *,
    X_reference: ArrayLike | None = None,
    Z_reference: ArrayLike | None = None,
    n_neighbors: int = 30,
    metric: str = "euclidean",
    max_rows: int = 5000,
    random_state: int | np.random.RandomState | None = 0,
) -> Figure:
    """Measure how far codes depend on the data inside each row's neighbourhood.

    A neighbourhood is a row and its nearest in the data. The squares of all neighbourhoods' distance
    correlations, corrected for bias, are averaged, and the root is taken.

    Parameters
    ----------
    X, Z : array-like of shape (n_rows, ...) and (n_rows, n_components)
        Data and codes. The axes of an image count as columns.
    X_reference, Z_reference : array-like, default=None
        Rows among which neighbours are sought; by default, the other rows of X.
    n_neighbors : int, default=30
        Size of a neighbourhood without the row itself: at least 3.
    metric : str, default="euclidean"
        Distance in both spaces, by SciPy's name.
    max_rows : int, default=5000
        Of more rows, this many are drawn.
    random_state : int, RandomState or None, default=0
        Draws rows, and the order of equally near ones.

    Returns
    -------
    Figure
        From 0 to 1: see :func:`distance_correlation`.
    """
    compared = compare(X, Z, X_reference, Z_reference, None, None, max_rows, random_state)
    if n_neighbors < LEAST_ROWS - 1:
        raise InputError(f"n_neighbors is {n_neighbors}; give {LEAST_ROWS - 1} or more")
    ranks = ranks_of(compared, n_neighbors, metric, APPROXIMATE_ABOVE)
    return root_of_mean(local_rows_of(compared, ranks.neighbors_x, metric))


def local_rows_of(compared: Compared, neighbors: NDArray[Any], metric: str) -> Array:
    """Return the corrected square of each neighbourhood's distance correlation, which may be negative.

    Parameters
    ----------
    compared : Compared
    neighbors : ndarray of shape (n_rows, n_neighbors)
        Where neighbours stood in the reference as it was given.
    metric : str

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    places = np.argsort(compared.reference_index)[neighbors]
    squares = np.empty(len(places))
    numbers = (places.shape[1] + 1) * max(compared.x.shape[1], places.shape[1] + 1)
    for block in gen_batches(len(places), max(1, BLOCK_NUMBERS // numbers)):
        a = _within(compared.x[block], compared.x_reference[places[block]], metric)
        b = _within(compared.z[block], compared.z_reference[places[block]], metric)
        squares[block] = _squared_correlations(a, b)
    return squares


def _within(rows: Array, others: Array, metric: str) -> Array:
    """Return distances of shape (n, k + 1, k + 1) among each row and its own k others."""
    if metric != "euclidean":
        together = np.concatenate([rows[:, None], others], axis=1)
        # SciPy measures one set of rows at a time.
        return np.stack([all_distances(some, some, metric) for some in together])
    # Seen from the row itself, so that nothing large is squared.
    offsets = np.concatenate([np.zeros_like(rows)[:, None], others - rows[:, None]], axis=1)
    sizes = np.square(offsets).sum(axis=2)
    squared = sizes[:, :, None] + sizes[:, None] - 2 * offsets @ offsets.transpose(0, 2, 1)
    return np.sqrt(np.maximum(squared, 0))


def _squared_correlations(a: Array, b: Array) -> Array:
    """Return the corrected squared distance correlation of each pair of matrices; 0 where one is constant."""
    a, b = _all_centred(a), _all_centred(b)
    size = np.sqrt(np.square(a).sum(axis=(1, 2)) * np.square(b).sum(axis=(1, 2)))
    return np.divide((a * b).sum(axis=(1, 2)), size, out=np.zeros(len(a)), where=size > 0)


def _all_centred(distances: Array) -> Array:
    n = distances.shape[1]
    other = ~np.eye(n, dtype=bool)
    sums = (distances * other).sum(axis=2)
    total = sums.sum(axis=1)[:, None, None] / ((n - 1) * (n - 2))
    centred = (distances - sums[:, :, None] / (n - 2) - sums[:, None] / (n - 2) + total) * other
    # What is left of equal distances is rounding.
    varies = np.abs(centred).max(axis=(1, 2)) > ROUNDING * np.abs(distances).max(axis=(1, 2))
    return centred * varies[:, None, None]
