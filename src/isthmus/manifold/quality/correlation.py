"""Distance correlation: does the map depend on the data at all?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.manifold.quality.figure import Figure, mean_figure
from isthmus.manifold.quality.inputs import compare
from isthmus.manifold.quality.pairs import MAX_PAIRS, PairDistances, PairValues, are_equal, own_pairs

__all__ = [
    "LEAST_ROWS",
    "distance_correlation",
    "distance_correlation_of",
    "root_of_mean",
]

Array = NDArray[np.float64]
# A mean square that is this share of the distances' own is that of their rounding.
NOTHING_LEFT = 1e-24
# The bias of fewer rows cannot be corrected.
LEAST_ROWS = 4


def distance_correlation(
    X: ArrayLike,
    Z: ArrayLike,
    *,
    metric: str = "euclidean",
    max_rows: int = 5000,
    max_pairs: int = MAX_PAIRS,
    random_state: int | np.random.RandomState | None = 0,
) -> Figure:
    """Measure how far codes depend on the data, by distance correlation.

    The square is corrected for its bias, which many columns make large. A negative one, which chance gives
    where there is no dependence, counts as 0.

    Parameters
    ----------
    X, Z : array-like of shape (n_rows, ...) and (n_rows, n_components)
        Data and codes of at least four rows. The axes of an image count as columns.
    metric : str, default="euclidean"
        Distance in both spaces, by SciPy's name.
    max_rows, max_pairs : int, default=5000 and 12,500,000
        Of more rows, this many are drawn, or so many that they make no more pairs.
    random_state : int, RandomState or None, default=0
        Draws rows.

    Returns
    -------
    Figure
        From 0, where the two are independent or one is constant, to 1, where the map keeps all distances but
        for their scale.

    References
    ----------
    G. J. Szekely, M. L. Rizzo and N. K. Bakirov, "Measuring and testing dependence by correlation of
    distances", Annals of Statistics 35, 2007. Corrected: G. J. Szekely and M. L. Rizzo, "Partial distance
    correlation with methods for dissimilarities", Annals of Statistics 42, 2014.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(distance_correlation(X, 7 * X).value, 6)
    1.0
    """
    compared = compare(X, Z, None, None, None, None, max_rows, random_state)
    if len(compared.x) < LEAST_ROWS:
        raise InputError(f"there are {len(compared.x)} rows; give {LEAST_ROWS} or more")
    return distance_correlation_of(own_pairs(compared, metric, max_pairs))


def distance_correlation_of(pairs: PairDistances) -> Figure:
    """Return the distance correlation of all pairs of some rows."""
    if are_equal(pairs.x) or are_equal(pairs.z):
        return Figure(0.0, 0.0)
    a, b = _centred(pairs, pairs.x), _centred(pairs, pairs.z)
    products = np.zeros(3)
    for block in pairs.blocks():
        p, q = a(*block), b(*block)
        products += p @ q, p @ p, q @ q
    scale = products[1:] / len(pairs.x)
    # Centring may leave nothing but rounding, as where one row lies apart from others that are all equal.
    sizes = np.array([np.square(distances).mean() for distances in (pairs.x, pairs.z)])
    if (scale <= NOTHING_LEFT * sizes).any():
        return Figure(0.0, 0.0)
    squared = float(products[0] / math.sqrt(products[1] * products[2]))

    # Centring has taken out what a row does to the rest, so that its own pairs tell its influence.
    def influence(some: slice, i: NDArray[np.intp], j: NDArray[np.intp]) -> Array:
        p, q = a(some, i, j) / math.sqrt(scale[0]), b(some, i, j) / math.sqrt(scale[1])
        return p * q - squared * (p * p + q * q) / 2

    return _root(pairs.figure(squared, influence))


def root_of_mean(squares: Array) -> Figure:
    """Return the root of the mean square, 0 where that is negative."""
    return _root(mean_figure(squares))


def _root(squared: Figure) -> Figure:
    value = max(squared.value, 0.0)
    root = math.sqrt(min(value, 1.0))
    # For a clear correlation this is error / (2 root); at 0 it does not divide by it.
    return Figure(root, math.sqrt(value + squared.standard_error) - math.sqrt(value))


def _centred(pairs: PairDistances, distances: Array) -> PairValues:
    """Return distances less row and column means, so that no bias is left (U-centred)."""
    n = pairs.n_rows
    means = pairs.row_means(lambda some, i, j: distances[some]) * ((n - 1) / (n - 2))
    total = 2 * float(distances.sum()) / ((n - 1) * (n - 2))
    return lambda some, i, j: distances[some] - means[i] - means[j] + total
