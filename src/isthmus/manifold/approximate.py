"""Neighbours among very many rows, searched along a graph: fast, and now and then one is missed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import InputError, require

__all__ = ["SEARCHED_METRICS", "approximate_neighbors"]

SEARCHED_METRICS = {"euclidean": "l2sq", "cosine": "cos"}


def approximate_neighbors(
    reference: NDArray[np.floating[Any]],
    rows: NDArray[np.floating[Any]],
    own: NDArray[np.intp] | None,
    k: int,
    metric: str,
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the positions in `reference` of the k nearest rows and their distances, the same each time.

    Parameters
    ----------
    reference : ndarray of shape (n, d)
    rows : ndarray of shape (m, d)
    own : ndarray of int of shape (m,), or None
        Where each row stands in `reference`, if it does: it is not its own neighbour.
    k : int
    metric : {"euclidean", "cosine"}

    Returns
    -------
    positions : ndarray of int of shape (m, k)
        Nearest first.
    distances : ndarray of shape (m, k)
        To the precision of float32.
    """
    library = require("usearch.index", "search")
    index = library.Index(
        ndim=reference.shape[1], metric=SEARCHED_METRICS[metric], dtype="f32", expansion_search=max(64, 2 * k)
    )
    centre = reference.mean(axis=0) if metric == "euclidean" else 0.0
    # One thread: with more, the graph depends on which comes first.
    index.add(np.arange(len(reference)), (reference - centre).astype(np.float32), threads=1)
    found = index.search((rows - centre).astype(np.float32), k + 1, threads=1)
    keys = np.asarray(found.keys, dtype=np.intp).reshape(len(rows), -1)
    if keys.shape[1] <= k or (np.asarray(found.counts) <= k).any():
        raise InputError(
            f"the approximate search found fewer than {k + 1} neighbours of some rows; "
            "ask for fewer, or of fewer rows, whose neighbours are found exactly"
        )
    far = np.asarray(found.distances, dtype=np.float64).reshape(len(rows), -1).clip(min=0)
    far = np.sqrt(far) if metric == "euclidean" else far
    if own is None:
        return keys[:, :k], far[:, :k]
    # A row is not its own neighbour; where others equal to it hide it, the last found is left out.
    itself = keys == own[:, None]
    itself[~itself.any(axis=1), -1] = True
    return keys[~itself].reshape(len(rows), k), far[~itself].reshape(len(rows), k)
