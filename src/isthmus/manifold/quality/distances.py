"""Does a map keep distances? Shepard correlations and stress."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.manifold.quality.figure import Figure
from isthmus.manifold.quality.inputs import Compared, compare
from isthmus.manifold.quality.pairs import MAX_PAIRS, PairDistances, are_equal, own_pairs, reference_pairs

__all__ = ["Shepard", "shepard", "shepard_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Shepard(NamedTuple):
    """How distances in the map follow those in the data (what a Shepard diagram shows).

    Attributes
    ----------
    spearman, pearson : Figure
        Correlation of their ranks, and of themselves, over all pairs: 1 is the best. 0 where all distances
        of one space are equal.
    stress : Figure
        sqrt(sum((d_x - a d_z)^2) / sum(d_x^2)) at the scale ``a`` that makes it least: 0 is the best. 1
        where all rows share one place in the map.
    """

    spearman: Figure
    pearson: Figure
    stress: Figure


def shepard(
    X: ArrayLike,
    Z: ArrayLike,
    *,
    X_reference: ArrayLike | None = None,
    Z_reference: ArrayLike | None = None,
    metric: str = "euclidean",
    max_rows: int = 5000,
    max_pairs: int = MAX_PAIRS,
    random_state: int | np.random.RandomState | None = 0,
) -> Shepard:
    """Compare the distances of pairs of rows in the data with those in the map.

    Parameters
    ----------
    X, Z : array-like of shape (n_rows, ...) and (n_rows, n_components)
        Data and codes, finite numbers. The axes of an image count as columns.
    X_reference, Z_reference : array-like, default=None
        Pairs are of a row and a reference row where these are given, else of two rows.
    metric : str, default="euclidean"
        Distance in both spaces, by SciPy's name.
    max_rows : int, default=5000
        Of more rows, this many are drawn.
    max_pairs : int, default=12,500,000
        Of more pairs, those of fewer rows or reference rows that are drawn.
    random_state : int, RandomState or None, default=0
        Draws rows.

    Returns
    -------
    Shepard
        Standard errors of the Spearman correlation take ranks for given.

    References
    ----------
    J. B. Kruskal, "Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis",
    Psychometrika 29, 1964. K. Smelser, J. Miller and S. Kobourov, "Normalized stress is not normalized: how
    to interpret stress correctly", BELIV 2024.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> [round(figure.value, 6) + 0.0 for figure in shepard(X, 7 * X)]
    [1.0, 1.0, 0.0]
    """
    compared = compare(X, Z, X_reference, Z_reference, None, None, max_rows, random_state)
    return shepard_of(pairs_of(compared, metric, max_pairs))


def pairs_of(compared: Compared, metric: str, max_pairs: int) -> PairDistances:
    """Return the pairs that figures of distances are about."""
    return (reference_pairs if compared.own is None else own_pairs)(compared, metric, max_pairs)


def shepard_of(pairs: PairDistances) -> Shepard:
    """Return the figures of pairs that are measured already."""
    return Shepard(_correlation(pairs, *pairs.ranks()), _correlation(pairs, pairs.x, pairs.z), _stress(pairs))


def _correlation(pairs: PairDistances, a: Array, b: Array) -> Figure:
    size = _size(pairs, a, a) * _size(pairs, b, b)
    # Equal distances go with nothing.
    if not size or are_equal(a) or are_equal(b):
        return Figure(0.0, 0.0)
    r = min(max(_size(pairs, a, b) / math.sqrt(size), -1.0), 1.0)
    means, sds = (a.mean(), b.mean()), (a.std(), b.std())

    def influence(some: slice, i: Index, j: Index) -> Array:
        p, q = (a[some] - means[0]) / sds[0], (b[some] - means[1]) / sds[1]
        return p * q - r * (p * p + q * q) / 2

    return pairs.figure(r, influence)


def _size(pairs: PairDistances, a: Array, b: Array) -> float:
    """Return the sum of products of deviations, without copies of all of them."""
    means = a.mean(), b.mean()
    return sum(float((a[some] - means[0]) @ (b[some] - means[1])) for some, _, _ in pairs.blocks())


def _stress(pairs: PairDistances) -> Figure:
    size_x, size_z = float(pairs.x @ pairs.x), float(pairs.z @ pairs.z)
    if not size_x:
        return Figure(0.0, 0.0)
    scale = float(pairs.x @ pairs.z) / size_z if size_z else 0.0
    squared = float(np.square(pairs.x - scale * pairs.z).sum()) / size_x
    stress = math.sqrt(squared)

    # The scale is at its best, so that its own error moves nothing.
    def influence(some: slice, i: Index, j: Index) -> Array:
        residual = pairs.x[some] - scale * pairs.z[some]
        return (residual**2 - squared * pairs.x[some] ** 2) * (len(pairs.x) / size_x)

    error = pairs.figure(squared, influence).standard_error
    return Figure(stress, error / (2 * stress) if stress else 0.0)
