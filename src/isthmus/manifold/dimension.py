"""How many numbers it takes, locally, to say where a row lies: the intrinsic dimension of data."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from isthmus.errors import InputError

__all__ = ["two_nn"]

Array = NDArray[np.float64]


def two_nn(
    X: ArrayLike,
    *,
    max_rows: int = 5000,
    random_state: int | np.random.RandomState | None = None,
    discard_fraction: float = 0.1,
) -> float:
    """Estimate the intrinsic dimension from each row's two nearest neighbours (TwoNN).

    Where data of dimension d are locally uniform, the ratio of the distances to the second and to the first
    neighbour follows a Pareto law with exponent d, whatever the density: it is fitted to the ratios.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers; the axes of an image count as columns. Distances are taken in the units given.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=None
        Draws those rows.
    discard_fraction : float, default=0.1
        Share of the largest ratios that is left out, where the law holds least.

    Returns
    -------
    float
        Not rounded, and at most what the rows can span: the number of columns, or of distinct rows less one.
        Repeated rows count once, so a single row, or equal rows, give 0 and two distinct rows give 1. Where
        ties make the fit impossible, as on a regular grid, that upper bound is returned.

    References
    ----------
    E. Facco, M. d'Errico, A. Rodriguez and A. Laio, "Estimating the intrinsic dimension of datasets by a
    minimal neighborhood information", Scientific Reports 7, 12140 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.random.default_rng(0).normal(size=(2000, 2))
    >>> round(two_nn(plane @ np.ones((2, 10)) + plane[:, :1] * np.arange(10)))
    2
    """
    if not 0 <= discard_fraction < 1:
        raise InputError(f"discard_fraction is {discard_fraction}; give a number of at least 0 and below 1")
    rows = _distinct(_draw(X, max_rows, random_state))
    bound = float(min(rows.shape[1], max(len(rows) - 1, 0)))
    if bound <= 1:
        return bound
    slope = _pareto_exponent(_log_ratios(rows), discard_fraction)
    return bound if slope is None else min(slope, bound)


def _draw(X: ArrayLike, max_rows: int, random_state: int | np.random.RandomState | None) -> Array:
    """Return at most `max_rows` rows as a matrix, centred and scaled so that no square overflows."""
    array = np.asarray(X)
    if array.ndim < 2:
        raise InputError(f"two_nn needs rows of numbers, got an array of shape {array.shape}; reshape it")
    if len(array) > max_rows:
        chosen = check_random_state(random_state).choice(len(array), max_rows, replace=False)
        array = array[np.sort(chosen)]
    rows = array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError("two_nn got NaN or infinity; fill in missing values or leave those rows out")
    if rows.size:
        rows /= max(np.abs(rows).max(), np.finfo(float).tiny)
        rows -= rows.mean(axis=0)
    return rows


def _distinct(rows: Array) -> Array:
    """Return each different row once, compared bit by bit (-0.0 as 0.0)."""
    if not rows.size:
        return rows[: min(len(rows), 1)]
    whole = np.ascontiguousarray(rows + 0.0).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first = np.unique(whole.ravel(), return_index=True)
    return rows[np.sort(first)]


def _log_ratios(rows: Array) -> Array:
    """Return log(second / first neighbour's distance) of every row that both distances can be told from 0."""
    neighbours = NearestNeighbors(n_neighbors=2).fit(rows).kneighbors(return_distance=False)
    # Brute-force search gets distances from dot products, which cancel between near rows: measure them again.
    distances = [np.linalg.norm(rows - rows[neighbours[:, k]], axis=1) for k in (0, 1)]
    first, second = np.minimum(*distances), np.maximum(*distances)
    return np.log(second[first > 0] / first[first > 0])


def _pareto_exponent(log_ratios: Array, discard_fraction: float) -> float | None:
    """Return the slope through the origin of -log(1 - F) over log(ratio), or None where it has none."""
    n = len(log_ratios)
    # The largest ratio has F = 1 and so no place on the plot: it never counts.
    kept = min(int(n * (1 - discard_fraction)), n - 1)
    x = np.sort(log_ratios)[: max(kept, 0)]
    y = -np.log1p(-np.arange(1, len(x) + 1) / n) if n else x
    squares = float(x @ x)
    return float(x @ y) / squares if squares > 0 else None
