"""What a part may know of the columns it models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColumnFacts"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ColumnFacts:
    """Facts about the modelled columns, in value units: what the networks see and the likelihood scores.

    Attributes
    ----------
    names : tuple of str of length C
    n_categories : tuple of int
        How many codes a categorical column has; 0 for any other column.
    log_jacobian : ndarray of shape (C,)
        log |d value / d x|, which turns a density of values into one of the data as given.
    unit : ndarray of shape (C,)
        One value unit, measured in the units that numbers given to parts have: data units in an array, the
        column's training standard deviation in a frame (hence 1 there).
    resolution : ndarray of shape (C,)
        The smallest gap between distinct values, 0 where unknown.
    mean : ndarray of shape (C,)
        The training mean of the values.
    frequencies : tuple of (ndarray or None)
        The training frequencies of a categorical column's codes.
    low, high, zero : ndarray of shape (C,)
        The observed range, and the image of 0.
    real : ndarray of bool of shape (C,)
        Whether the value is a standardised real number.
    mark_missing : bool
        Whether `Masking` marks an entry missing (frames) or writes the image of 0 (arrays).
    """

    names: tuple[str, ...]
    n_categories: tuple[int, ...]
    log_jacobian: Floats
    unit: Floats
    resolution: Floats
    mean: Floats
    frequencies: tuple[Floats | None, ...]
    low: Floats
    high: Floats
    zero: Floats
    real: NDArray[np.bool_]
    mark_missing: bool

    @property
    def continuous(self) -> NDArray[np.bool_]:
        """Columns to which noise may be added: real ones and those in [0, 1], not counts or categories."""
        unit = (self.low >= 0) & (self.high <= 1)
        return self.real | (unit & ~self.categorical)

    @property
    def categorical(self) -> NDArray[np.bool_]:
        """Columns whose values are codes."""
        return np.array(self.n_categories, dtype=np.int64) > 0

    def select(self, index: Sequence[int] | NDArray[np.integer]) -> ColumnFacts:
        """Return the facts of some columns, by position."""
        chosen = np.asarray(index, dtype=np.int64)
        return ColumnFacts(
            names=tuple(self.names[j] for j in chosen),
            n_categories=tuple(self.n_categories[j] for j in chosen),
            log_jacobian=self.log_jacobian[chosen],
            unit=self.unit[chosen],
            resolution=self.resolution[chosen],
            mean=self.mean[chosen],
            frequencies=tuple(self.frequencies[j] for j in chosen),
            low=self.low[chosen],
            high=self.high[chosen],
            zero=self.zero[chosen],
            real=self.real[chosen],
            mark_missing=self.mark_missing,
        )
