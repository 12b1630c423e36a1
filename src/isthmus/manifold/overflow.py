"""Numbers of any size, brought to where their squares are numbers too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["row_norms", "without_overflow"]

Array = NDArray[np.float64]
# Outside of these, squares would overflow or vanish.
LARGEST, SMALLEST = 2.0**300, 2.0**-300


def without_overflow(rows: Array, others: Array) -> tuple[Array, Array]:
    """Scale both by one power of two, which changes no digit, where squares would overflow or vanish."""
    largest = max(np.abs(rows).max(initial=0), np.abs(others).max(initial=0))
    if largest == 0 or SMALLEST < largest < LARGEST:
        return rows, others
    power = -int(np.frexp(largest)[1])
    return np.ldexp(rows, power), np.ldexp(others, power)


def row_norms(rows: Array) -> Array:
    """Return the Euclidean norm of each row, each scaled by a power of two of its own."""
    powers = -np.frexp(np.abs(rows).max(axis=1, initial=0))[1]
    return np.ldexp(np.linalg.norm(np.ldexp(rows, powers[:, None]), axis=1), -powers)
