"""The rows that estimates of dimension look at: some of many, each different one once, with neighbours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state

from isthmus.errors import InputError

__all__ = ["Array", "Seed", "distinct", "draw", "most_dimensions", "neighbor_distances", "neighbors"]

Array = NDArray[np.float64]
Seed = int | np.random.RandomState | None


def draw(X: ArrayLike, max_rows: int | None, random_state: Seed, name: str) -> Array:
    """Return at most `max_rows` rows as a matrix, centred and scaled so that no square overflows.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
    max_rows : int or None
        None: all of them.
    random_state : int, RandomState or None
    name : str
        Who asks, for errors.
    """
    array = np.asarray(X)
    if array.ndim < 2:
        raise InputError(f"{name} needs rows of numbers, got an array of shape {array.shape}; reshape it")
    if max_rows is not None and len(array) > max_rows:
        chosen = check_random_state(random_state).choice(len(array), max_rows, replace=False)
        array = array[np.sort(chosen)]
    rows = array.reshape(len(array), math.prod(array.shape[1:])).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError(f"{name} got NaN or infinity; fill in missing values or leave those rows out")
    if rows.size:
        rows /= max(np.abs(rows).max(), np.finfo(float).tiny)
        rows -= rows.mean(axis=0)
    return rows


def distinct(rows: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return each different row once, compared bit by bit (-0.0 as 0.0), and which of them each row is."""
    if not rows.size:
        return rows[: min(len(rows), 1)], np.zeros(len(rows), dtype=np.intp)
    whole = np.ascontiguousarray(rows + 0.0).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
    _, first, inverse = np.unique(whole.ravel(), return_index=True, return_inverse=True)
    kept = np.sort(first)
    return rows[kept], np.searchsorted(kept, first)[inverse]


def most_dimensions(rows: Array) -> float:
    """Return what different rows can span at most: the number of columns, or of rows less one."""
    return float(min(rows.shape[1], max(len(rows) - 1, 0)))


def neighbors(rows: Array, n_neighbors: int) -> NDArray[np.intp]:
    """Return the positions of each row's nearest others, of shape (n_rows, n_neighbors)."""
    return NearestNeighbors(n_neighbors=n_neighbors).fit(rows).kneighbors(return_distance=False)


def neighbor_distances(rows: Array, n_neighbors: int) -> Array:
    """Return the distances to each row's nearest others, ascending, of shape (n_rows, n_neighbors)."""
    found = neighbors(rows, n_neighbors)
    # Brute-force search gets distances from dot products, which cancel between near rows: measure them again.
    each = [np.linalg.norm(rows - rows[found[:, k]], axis=1) for k in range(n_neighbors)]
    return np.sort(np.column_stack(each), axis=1)
