"""Which given row lies nearest: the honest companion of every sample a model draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches

from isthmus.errors import InputError
from isthmus.manifold.overflow import row_norms, without_overflow

__all__ = ["nearest_rows"]

Array = NDArray[np.float64]
# Rows that are compared at once: distances of a block take 16 MB.
BLOCK_QUERIES, BLOCK_ROWS = 512, 4096


def nearest_rows(queries: ArrayLike, rows: ArrayLike) -> tuple[NDArray[np.intp], Array]:
    """Find the row nearest to each query, by Euclidean distance.

    The answer is exact also where rows differ by little beside their size. `rows` may be a memory-mapped
    array: it is read in blocks.

    Parameters
    ----------
    queries : array-like of shape (n_queries, ...)
        Finite numbers. The axes of an image count as columns.
    rows : array-like of shape (n_rows, ...)
        Of as many columns.

    Returns
    -------
    index : ndarray of shape (n_queries,)
        Position of the nearest row, of equally near ones the first.
    distance : ndarray of shape (n_queries,)
        In the units of the data, all columns together.

    Examples
    --------
    >>> nearest_rows([[0.0, 0.0]], [[6.0, 8.0], [3.0, 4.0]])
    (array([1]), array([5.]))
    """
    asked, given = _flat(queries, "queries"), _flat(rows, "rows")
    if asked.shape[1] != given.shape[1]:
        raise InputError(
            f"queries have {asked.shape[1]} columns and rows {given.shape[1]}; give both in the same shape"
        )
    if not len(given):
        raise InputError("there are no rows, so none is nearest; give at least one")
    asked = _finite(asked, "queries")
    index, distance = np.zeros(len(asked), dtype=np.intp), np.full(len(asked), np.inf)
    for block in gen_batches(len(given), BLOCK_ROWS):
        _improve(index, distance, asked, _finite(given[block], "rows"), block.start)
    return index, distance


def _flat(array: ArrayLike, name: str) -> NDArray[Any]:
    """Return a matrix, without copying what is one or can be read as one."""
    array = np.asarray(array)
    if array.ndim < 2:
        raise InputError(f"{name} need the shape (n, ...), got {array.shape}; for one row give [row]")
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _finite(block: NDArray[Any], name: str) -> Array:
    numbers = block.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InputError(
            f"{name} hold NaN or infinity, to which no distance can be taken; "
            "fill in missing values (a model's reconstruct does) or leave those rows out"
        )
    return numbers


def _improve(index: NDArray[np.intp], distance: Array, queries: Array, rows: Array, start: int) -> None:
    """Write, in place, where a row of this block is nearer than all of the blocks before."""
    for some in gen_batches(len(queries), BLOCK_QUERIES) if len(queries) else ():
        nearest, found = _nearest(queries[some], rows)
        better = found < distance[some]
        index[some] = np.where(better, nearest + start, index[some])
        distance[some] = np.where(better, found, distance[some])


def _nearest(queries: Array, rows: Array) -> tuple[NDArray[np.intp], Array]:
    """Return position and distance of the nearest row of a block.

    Dot products are fast, but lose small distances between large numbers. They only say which rows cannot be
    nearest; to the few others the distance is measured directly.
    """
    left, right = without_overflow(queries, rows)
    centre = right.mean(axis=0)
    left, right = left - centre, right - centre
    sizes = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    squared = sizes - 2 * left @ right.T
    # Each of the sums behind `squared` is off by at most its number of terms in units of rounding.
    slack = (4 * rows.shape[1] + 8) * np.finfo(float).eps * sizes
    possible = squared - slack <= (squared + slack).min(axis=1, keepdims=True)
    found = [
        _closest(query, rows, np.flatnonzero(some)) for query, some in zip(queries, possible, strict=True)
    ]
    nearest, distance = zip(*found, strict=True)
    return np.array(nearest, dtype=np.intp), np.array(distance)


def _closest(query: Array, rows: Array, candidates: NDArray[np.intp]) -> tuple[int, float]:
    distances = row_norms(rows[candidates] - query)
    best = int(distances.argmin())
    return int(candidates[best]), float(distances[best])
