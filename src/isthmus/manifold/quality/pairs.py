"""Distances of many pairs of rows, in the data and in the map."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from isthmus.errors import InputError
from isthmus.manifold.quality.figure import Figure
from isthmus.manifold.quality.inputs import Compared
from isthmus.manifold.quality.measure import Distances, squared_differences

__all__ = ["MAX_PAIRS", "PairDistances", "are_equal", "average_ranks", "own_pairs", "reference_pairs"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
# Values of the pairs (which, i, j), for a block of them at a time.
PairValues = Callable[[slice, Index, Index], Array]
# All pairs of 5,000 rows; their distances in both spaces take 200 MB.
MAX_PAIRS = 12_500_000
BLOCK_NUMBERS = 1 << 21
# Relative differences of distances that say nothing.
ROUNDING = 1e-10
# Equal values lie within two errors of each other; a few may meet.
TOGETHER = 8


@dataclass(frozen=True)
class PairDistances:
    """Distances of pairs (i, j), sorted by i and then j.

    Attributes
    ----------
    x, z : ndarray of shape (n_pairs,)
        In the data and in the map.
    error_x, error_z : float
        Distances whose squares differ by less than twice this may be in the wrong order.
    rows, others : tuple of two ndarrays
        Rows i and j in both spaces.
    triangle : bool
        Whether pairs are those with i < j of equal rows and others; else all are.
    metric : str
    """

    x: Array
    z: Array
    error_x: float
    error_z: float
    rows: tuple[Array, Array]
    others: tuple[Array, Array]
    triangle: bool
    metric: str

    @property
    def n_rows(self) -> int:
        """How many rows i there are."""
        return len(self.rows[0])

    def positions(self, pairs: Index) -> tuple[Index, Index]:
        """Return i and j of pairs."""
        if not self.triangle:
            return np.divmod(pairs, len(self.others[0]))
        starts = self._starts()
        i = np.searchsorted(starts[:-1], pairs, side="right") - 1
        return i, pairs - starts[i] + i + 1

    def blocks(self) -> Iterator[tuple[slice, Index, Index]]:
        """Go through all pairs in order: which they are, their i and their j."""
        n, m = self.n_rows, len(self.others[0])
        for rows in gen_batches(n, max(1, BLOCK_NUMBERS // m)):
            i = np.arange(rows.start, rows.stop)
            first = i + 1 if self.triangle else np.zeros_like(i)
            counts = m - first
            start = int(self._starts()[rows.start])
            number = np.arange(counts.sum())
            j = number - np.repeat(np.cumsum(counts) - counts - first, counts)
            yield slice(start, start + len(j)), np.repeat(i, counts), j

    def _starts(self) -> Index:
        """Return where each row's pairs begin."""
        m = len(self.others[0])
        counts = np.arange(m - 1, -1, -1) if self.triangle else np.full(self.n_rows, m)
        return np.cumsum(counts) - counts

    def row_means(self, values: PairValues) -> Array:
        """Return, for each row, the mean of its pairs' values."""
        n, sums = self.n_rows, np.zeros(self.n_rows)
        for pairs, i, j in self.blocks():
            some = values(pairs, i, j)
            sums += np.bincount(i, some, minlength=n)
            if self.triangle:
                sums += np.bincount(j, some, minlength=n)
        return sums / (n - 1 if self.triangle else len(self.others[0]))

    def figure(self, value: float, influence: PairValues) -> Figure:
        """Return a value with its standard error, from how much each pair moves it (mean 0).

        Pairs that share a row go together, so that rows count, not pairs: a mean over pairs of n rows varies
        like twice the mean of n row means (Hoeffding 1948), one over rows and fixed others like the mean of
        row means.
        """
        if self.n_rows < 2:
            return Figure(value, math.nan)
        sd = float(self.row_means(influence).std(ddof=1))
        return Figure(value, (1 + self.triangle) * sd / math.sqrt(self.n_rows))

    def ranks(self) -> tuple[Array, Array]:
        """Return the ranks of the distances among all pairs; equal ones share their mean rank."""
        return (
            self._ranks(self.x, self.error_x, 0),
            self._ranks(self.z, self.error_z, 1),
        )

    def _ranks(self, distances: Array, error: float, space: int) -> Array:
        values = np.square(distances)
        order = np.argsort(values)
        values = values[order]
        if error:
            self._settle(values, order, error, space)
        return average_ranks(values, order)

    def _settle(self, values: Array, order: Index, error: float, space: int) -> None:
        """Make sorted values that only rounding may tell apart equal, in place, or measure them again."""
        first = values.copy()
        first[1:][values[1:] - values[:-1] <= 2 * error] = -np.inf
        # The first of each run of values that are close to the next one.
        np.maximum.accumulate(first, out=first)
        wide = values - first > np.minimum(TOGETHER * error, ROUNDING * first)
        values[:] = first
        if wide.any():
            # Runs that are longer than rounding makes them: values are dense, or known too coarsely.
            open_ = np.isin(first, np.unique(first[wide]))
            pairs = order[open_]
            again = squared_differences(self.rows[space], self.others[space], *self.positions(pairs))
            resorted = np.lexsort((again, first[open_]))
            order[open_], values[open_] = pairs[resorted], again[resorted]


def own_pairs(compared: Compared, metric: str, max_pairs: int) -> PairDistances:
    """Return the distances of all pairs of the rows, or of so many rows that `max_pairs` suffice."""
    _check(max_pairs)
    if len(compared.x) < 2:
        raise InputError("one row makes no pair; give two rows or more, or reference rows")
    n = min(len(compared.x), int((1 + math.sqrt(1 + 8 * max_pairs)) / 2))
    first = np.sort(compared.by_content[:n])
    rows = compared.x[first], compared.z[first]
    return _pairs(rows, rows, True, metric)


def reference_pairs(compared: Compared, metric: str, max_pairs: int) -> PairDistances:
    """Return distances of held-out rows to reference rows: all, or as many drawn as `max_pairs` allows."""
    _check(max_pairs)
    n = max(2, max_pairs // len(compared.x))
    others = compared.x_reference[:n], compared.z_reference[:n]
    return _pairs((compared.x, compared.z), others, False, metric)


def are_equal(values: Array) -> bool:
    """Say whether positive values differ by no more than rounding."""
    return bool(np.ptp(values) <= ROUNDING * values.max())


def average_ranks(values: Array, order: Index) -> Array:
    """Return ranks from 1, of values that are sorted; equal values share their mean rank.

    Parameters
    ----------
    values : ndarray of shape (n,)
        The smallest first.
    order : ndarray of shape (n,)
        Where each stood before.

    Returns
    -------
    ndarray of shape (n,)
        In the order before.

    Examples
    --------
    >>> average_ranks(np.array([1.0, 5.0, 5.0]), np.array([1, 0, 2]))
    array([2.5, 1. , 2.5])
    """
    starts = np.flatnonzero(np.concatenate([[True], values[1:] > values[:-1]])).astype(np.int32)
    counts = np.diff(starts, append=np.int32(len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def _check(max_pairs: int) -> None:
    if max_pairs < 1:
        raise InputError(f"max_pairs is {max_pairs}; give a number of at least 1")


def _pairs(
    rows: tuple[Array, Array], others: tuple[Array, Array], triangle: bool, metric: str
) -> PairDistances:
    x, error_x = _distances(rows[0], others[0], triangle, metric)
    z, error_z = _distances(rows[1], others[1], triangle, metric)
    return PairDistances(x, z, error_x, error_z, rows, others, triangle, metric)


def _distances(rows: Array, others: Array, triangle: bool, metric: str) -> tuple[Array, float]:
    """Return the pairs' distances, and a bound on the rounding of their squares."""
    space = Distances(others, metric)
    n, m = len(rows), len(others)
    found, error, end = np.empty(n * (n - 1) // 2 if triangle else n * m), 0.0, 0
    for block in gen_batches(n, max(1, BLOCK_NUMBERS // m)):
        values, off = space.values(rows[block])
        error = max(error, float(np.max(off)))
        if triangle:
            values = values[np.arange(m) > np.arange(block.start, block.stop)[:, None]]
        start, end = end, end + values.size
        found[start:end] = values.ravel()
    return (np.sqrt(found, out=found) if metric == "euclidean" else found), error
