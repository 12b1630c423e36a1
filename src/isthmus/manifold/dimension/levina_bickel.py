"""The dimension from how the number of neighbours grows with the distance, by maximum likelihood."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from isthmus.errors import InputError
from isthmus.manifold.dimension.rows import (
    Array,
    Seed,
    distinct,
    draw,
    most_dimensions,
    neighbor_distances,
)

__all__ = ["levina_bickel", "local_dimensions"]

Combine: TypeAlias = Literal["mackay_ghahramani", "mean"]
COMBINE = ("mackay_ghahramani", "mean")


def levina_bickel(
    X: ArrayLike,
    n_neighbors: int | tuple[int, int] = (10, 20),
    *,
    combine: Combine = "mackay_ghahramani",
    max_rows: int = 5000,
    random_state: Seed = None,
) -> float:
    """Estimate the intrinsic dimension from the distances T_1 <= ... <= T_k to each row's neighbours.

    Where data of dimension d are locally uniform, neighbours around a row form a Poisson process whose rate
    grows as the distance to the power d - 1. The most likely d at a row is
    ``(k - 1) / sum(log(T_k / T_j) for j < k)``. Curvature and noise bias large k and small k.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers; the axes of an image count as columns. Distances are taken in the units given.
    n_neighbors : int or tuple of two ints, default=(10, 20)
        k, at least 2; or the first and last of several, whose estimates are averaged. Of so few rows that
        they have fewer neighbours, as many as there are.
    combine : {"mackay_ghahramani", "mean"}, default="mackay_ghahramani"
        How rows join: by the mean of the inverses, which is the most likely d of all rows together, or by
        the mean, as first proposed, which is biased upwards where k is small.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=None
        Draws those rows.

    Returns
    -------
    float
        Not rounded, and at most what the rows can span: the number of columns, or of distinct rows less one.
        Repeated rows count once. Where ties leave nothing to fit, that upper bound is returned.

    References
    ----------
    E. Levina and P. J. Bickel, "Maximum likelihood estimation of intrinsic dimension", NIPS 17 (2004).
    D. J. C. MacKay and Z. Ghahramani, "Comments on 'Maximum likelihood estimation of intrinsic dimension' by
    E. Levina and P. Bickel" (2005).

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.random.default_rng(0).normal(size=(2000, 2))
    >>> round(levina_bickel(plane @ np.ones((2, 10)) + plane[:, :1] * np.arange(10)))
    2
    """
    first, last = _range(n_neighbors)
    if combine not in COMBINE:
        raise InputError(f"combine is {combine!r}; give {' or '.join(map(repr, COMBINE))}")
    rows, _ = distinct(draw(X, max_rows, random_state, "levina_bickel"))
    bound = most_dimensions(rows)
    if bound <= 1:
        return bound
    last = min(last, len(rows) - 1)
    distances = neighbor_distances(rows, last)
    distances = distances[distances[:, 0] > 0]
    each = [_joined(_inverses(distances, k), combine, bound) for k in range(min(first, last), last + 1)]
    return float(np.mean(each))


def local_dimensions(X: ArrayLike, n_neighbors: int = 20) -> Array:
    """Estimate the dimension around each row by itself, as of `levina_bickel` with one k.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers; all rows are looked at.
    n_neighbors : int, default=20
        k, at least 2. One estimate varies by its own size over the root of k - 1.

    Returns
    -------
    ndarray of float64 of shape (n_rows,)
        Equal rows get equal numbers. Where all k neighbours are equally far or none can be told from the row,
        it is what the rows can span: the number of columns, or of distinct rows less one.
    """
    k, _ = _range(n_neighbors)
    rows, which = distinct(draw(X, None, None, "local_dimensions"))
    bound = most_dimensions(rows)
    if bound <= 1:
        return np.full(len(which), bound)
    distances = neighbor_distances(rows, min(k, len(rows) - 1))
    known = distances[:, 0] > 0
    inverses = np.zeros(len(rows))
    inverses[known] = _inverses(distances[known], distances.shape[1])
    return np.divide(1.0, inverses, out=np.full(len(rows), bound), where=inverses > 0)[which]


def _range(n_neighbors: Any) -> tuple[int, int]:
    """Return the first and the last k."""
    pair: Any = n_neighbors if isinstance(n_neighbors, Sequence) else (n_neighbors, n_neighbors)
    whole = [isinstance(k, numbers.Integral) and not isinstance(k, bool) for k in pair]
    if len(pair) != 2 or not all(whole) or not 2 <= pair[0] <= pair[1]:
        raise InputError(
            f"n_neighbors is {n_neighbors!r}; give a whole number of at least 2, or the first and last one"
        )
    return int(pair[0]), int(pair[1])


def _inverses(distances: Array, k: int) -> Array:
    """Return each row's mean of log(T_k / T_j), j < k: the inverse of its most likely dimension."""
    logs = np.log(distances[:, :k])
    return (logs[:, k - 1 :] - logs[:, : k - 1]).mean(axis=1)


def _joined(inverses: Array, combine: Combine, bound: float) -> float:
    """Return one dimension for all rows; a row whose neighbours are all equally far counts as `bound`."""
    if combine == "mackay_ghahramani":
        mean = float(inverses.mean()) if len(inverses) else 0.0
        return min(1 / mean, bound) if mean > 1 / bound else bound
    each = np.divide(1.0, inverses, out=np.full(len(inverses), float(bound)), where=inverses > 0)
    return min(float(each.mean()), bound) if len(each) else bound
