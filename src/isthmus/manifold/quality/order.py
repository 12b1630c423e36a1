"""A random order of rows that depends on what they hold, not on where they stand.

It decides between equally near rows and draws samples. So a figure depends on the set of rows and on the seed
alone, and it is one that a stable sort would give for some order of the rows: duplicates that a map keeps
together count as kept, which two independent ways to break ties would not allow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

__all__ = ["content_order"]

Bits = NDArray[np.uint64]
BLOCK_NUMBERS = 1 << 21
# Weyl increment and multipliers of the SplitMix64 generator (Steele, Lea and Flood 2014).
STEP = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def content_order(
    data: NDArray[np.float64], codes: NDArray[np.float64], labels: NDArray[np.intp], seed: int
) -> NDArray[np.intp]:
    """Return positions of rows in an order that is random, but the same wherever the rows stood.

    Parameters
    ----------
    data : ndarray of shape (n_rows, n_columns)
        Decides, so that all maps of the same data meet the same order.
    codes : ndarray of shape (n_rows, n_components)
        Tells apart rows of equal data, and moves no other row.
    labels : ndarray of shape (n_rows,)
        Tells apart rows of equal data and codes, and moves no other row.
    seed : int
        Another seed gives another order.

    Returns
    -------
    ndarray of shape (n_rows,)
        A permutation. Rows that are equal in all are exchangeable, so that their order does not matter.
    """
    key = _mixed(_hashed(data) + np.full(len(data), seed, dtype=np.uint64))
    together = np.lexsort((labels, _hashed(codes), key))
    # Equal rows are numbered, or they would all stand in one place of the order.
    first = np.flatnonzero(np.diff(key[together], prepend=~key[together[:1]]))
    number = np.arange(len(key)) - np.repeat(first, np.diff(first, append=len(key)))
    return together[np.argsort(_mixed(key[together] + number.astype(np.uint64) * STEP), kind="stable")]


def _hashed(matrix: NDArray[np.float64]) -> Bits:
    """Return 64 bits for each row, the same for -0.0 and 0.0."""
    salt = _mixed(np.arange(1, matrix.shape[1] + 1, dtype=np.uint64) * STEP)
    hashed = np.zeros(len(matrix), dtype=np.uint64)
    for block in gen_batches(len(matrix), max(1, BLOCK_NUMBERS // max(matrix.shape[1], 1))):
        bits = np.ascontiguousarray(matrix[block] + 0.0).view(np.uint64)
        hashed[block] = _mixed(bits + salt).sum(axis=1, dtype=np.uint64)
    return hashed


def _mixed(bits: Bits) -> Bits:
    """Spread every bit over all 64 (SplitMix64's last step)."""
    bits = (bits ^ (bits >> np.uint64(30))) * MULTIPLIERS[0]
    bits = (bits ^ (bits >> np.uint64(27))) * MULTIPLIERS[1]
    return bits ^ (bits >> np.uint64(31))
