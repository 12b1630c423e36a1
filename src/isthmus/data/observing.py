"""What one pass over the rows tells of each column: range, gaps, distinct values, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import MAX_LEVELS, MAX_TEXT, Scalar
from isthmus.data.series import Unhashable, distinct, refuse_infinity
from isthmus.errors import InputError

__all__ = ["ChosenNumbers", "LevelCounter", "Ranges", "WholeNumbers", "smallest_gaps"]

# The smallest gap is looked for among the first rows only, fewer where columns are very many.
SAMPLE_ROWS = 4_096
_SAMPLE_ENTRIES = 1 << 25
_SORTED_AT_ONCE = 256
_WRAP = (1 << 64) - 1


def smallest_gaps(sample: NDArray[Any]) -> NDArray[np.float64]:
    """Return the smallest gap between different values of each column, 0 where there is none."""
    gaps = np.zeros(sample.shape[1])
    for start in range(0, sample.shape[1], _SORTED_AT_ONCE):
        # Sorting along contiguous memory is several times faster than down the columns.
        some = np.sort(np.ascontiguousarray(sample[:, start : start + _SORTED_AT_ONCE].T), axis=1)
        with np.errstate(invalid="ignore", over="ignore"):  # signalling NaN; a gap of more than float64 holds
            steps = np.diff(some.astype(np.float64), axis=1)
        steps = np.min(steps, axis=1, initial=np.inf, where=steps > 0)
        gaps[start : start + len(steps)] = np.where(np.isinf(steps), 0.0, steps)
    return gaps


class Ranges:
    """Range, gaps and smallest gap of many numeric columns at once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.rows = 0
        self.low: NDArray[Any] | None = None
        self.high: NDArray[Any] | None = None
        self.missing = np.zeros(len(names), dtype=bool)
        self._sample: list[NDArray[Any]] = []
        self._wanted = min(SAMPLE_ROWS, max(64, _SAMPLE_ENTRIES // len(names)))

    def update(self, block: NDArray[Any]) -> None:
        """Take in rows of shape (n, columns)."""
        block = block.view(np.uint8) if block.dtype.kind == "b" else block
        if not len(block):
            return
        low, high = np.min(block, axis=0), np.max(block, axis=0)
        gaps = np.isnan(low) if block.dtype.kind == "f" else np.zeros(len(low), dtype=bool)
        if gaps.any():
            # fmin is slower than min, and looks past NaN.
            low[gaps], high[gaps] = np.fmin.reduce(block[:, gaps]), np.fmax.reduce(block[:, gaps])
        if block.dtype.kind == "f" and (np.isinf(low).any() or np.isinf(high).any()):
            refuse_infinity(block, self.names, self.rows)
        self.low = low if self.low is None else np.fmin(self.low, low)
        self.high = high if self.high is None else np.fmax(self.high, high)
        self.missing |= gaps
        if self.rows < self._wanted:
            self._sample.append(block[: self._wanted - self.rows].copy())
        self.rows += len(block)

    def bounds(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
        """Return the lowest and highest value of each column, and whether it has none (then they are 0)."""
        if self.low is None or self.high is None:
            raise InputError("the data have no rows; give at least one")
        empty = np.isnan(self.low) if self.low.dtype.kind == "f" else np.zeros(len(self.low), dtype=bool)
        return np.where(empty, 0, self.low), np.where(empty, 0, self.high), empty

    def gaps(self) -> NDArray[np.float64]:
        """Return the smallest gap of each column in the sample of rows."""
        return smallest_gaps(np.concatenate(self._sample))


class LevelCounter:
    """How often each distinct value occurs, until there are too many."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self.overflow = False
        self._counts: dict[Any, int] = {}

    def update(self, found: list[Any], codes: NDArray[np.int64]) -> None:
        """Take in the distinct values of a block, and each row's position among them (-1: missing)."""
        if self.overflow:
            return
        self.types |= {v.kind if isinstance(v, Unhashable) else type(v).__name__ for v in found}
        sizes = np.bincount(codes[codes >= 0], minlength=len(found)).tolist()
        for value, size in zip(found, sizes, strict=True):
            self._counts[value] = self._counts.get(value, 0) + size
        self.overflow = len(self._counts) > MAX_LEVELS

    @property
    def counts(self) -> dict[Scalar, int] | None:
        """Occurrences of each value; None if there are too many, or they cannot be levels."""
        return None if self.overflow or self.too_long else self._counts

    @property
    def too_long(self) -> bool:
        """Whether a text is longer than a level can be."""
        return any(type(value) is str and len(value) > MAX_TEXT for value in self._counts)

    @property
    def all_differ(self) -> bool:
        """Whether no value was seen twice, as far as they were counted."""
        return max(self._counts.values(), default=0) <= 1


class ChosenNumbers:
    """What more is to be known of numbers that the caller calls counts or levels."""

    def __init__(self) -> None:
        self.levels = LevelCounter()
        self.whole = True

    def update(self, values: NDArray[Any]) -> None:
        """Take in numbers, NaN where missing."""
        if self.whole or not self.levels.overflow:
            found, codes = distinct(values)
            self.levels.update(found, codes)
            self.whole = self.whole and all(value == int(value) for value in found)


class WholeNumbers:
    """Range, common step and distinct values of a column of integers, exactly."""

    def __init__(self) -> None:
        self.count = 0
        self.low = self.high = self.step = 0
        self.levels = LevelCounter()
        self._hashes = 0
        self._sample: list[NDArray[Any]] = []

    def update(self, values: NDArray[Any]) -> None:
        """Take in integers, none missing."""
        if not len(values):
            return
        low, high = int(values.min()), int(values.max())
        if not self.count:
            self.low, self.high = low, high
        if self.step != 1:
            # Unsigned, since differences of 64-bit integers need one bit more.
            steps = values.astype(np.uint64) - np.uint64(low & _WRAP)
            self.step = math.gcd(self.step, low - self.low, int(np.gcd.reduce(steps)))
        self.low, self.high = min(low, self.low), max(high, self.high)
        self._hashes = (self._hashes + _hash_sum(values)) & _WRAP
        if self.count < SAMPLE_ROWS:
            self._sample.append(values[: SAMPLE_ROWS - self.count])
        if not self.levels.overflow:
            found, codes = np.unique(values, return_inverse=True)
            self.levels.update(found.tolist(), codes)
        self.count += len(values)

    @property
    def gap(self) -> float:
        """The smallest gap between different values among the first ones."""
        found = np.unique(np.concatenate(self._sample)).astype(np.uint64) if self._sample else np.zeros(0)
        return float(np.diff(found).min()) if len(found) > 1 else 0.0

    @property
    def is_sequence(self) -> bool:
        """Whether each whole number from the lowest to the highest occurred once, in any order."""
        if self.high - self.low + 1 != self.count:
            return False
        total = 0
        for start in range(self.low, self.high + 1, 1 << 20):
            # Counted from 0, since no int64 lies beyond the largest one.
            steps = np.arange(min(1 << 20, self.high + 1 - start), dtype=np.uint64)
            total += _hash_sum(steps + np.uint64(start & _WRAP))
        return total & _WRAP == self._hashes


def _hash_sum(values: NDArray[Any]) -> int:
    """Return the sum of scrambled values (splitmix64), which hardly ever two different collections share."""
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return int(np.add.reduce(mixed ^ (mixed >> np.uint64(31))))
