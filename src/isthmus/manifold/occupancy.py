"""Density at a fixed number of rows: how bins and neighbourhoods empty as columns are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state, gen_batches

from isthmus.errors import InputError
from isthmus.manifold.dimension.rows import Array, Seed, draw

__all__ = ["DensityDecay", "OccupiedBins", "density_decay", "expected_occupied_bins", "occupied_bins"]

BLOCK_ROWS = 128


class OccupiedBins(NamedTuple):
    """How many bins of a grid hold rows.

    Attributes
    ----------
    occupied : int
        Bins that hold at least one row.
    n_bins : float
        All bins, n_bins ** n_columns; infinity beyond 1e308.
    rows_per_bin : float
        Mean number of rows over all bins: the density, in rows per bin.
    n_rows, n_columns : int
        What was measured; columns that do not vary are left out.
    """

    occupied: int
    n_bins: float
    rows_per_bin: float
    n_rows: int
    n_columns: int


def occupied_bins(X: ArrayLike, n_bins: int = 10) -> OccupiedBins:
    """Count the bins that hold rows, of a grid that parts the range of each column into equal bins.

    At a fixed number of rows the density, n_rows / n_bins ** n_columns, falls exponentially with the number
    of columns, and all but a vanishing share of the bins are empty.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers.
    n_bins : int, default=10
        Per column, from its least to its largest value.

    Returns
    -------
    OccupiedBins

    Examples
    --------
    >>> occupied_bins([[0.0, 0.0], [0.1, 0.2], [1.0, 1.0]], 2)
    OccupiedBins(occupied=2, n_bins=4.0, rows_per_bin=0.75, n_rows=3, n_columns=2)
    """
    _check_bins(n_bins)
    rows = _unit_rows(draw(X, None, None, "occupied_bins"))
    _check_rows(rows, "occupied_bins", 1)
    bins = np.minimum(np.floor(rows * n_bins), n_bins - 1)
    occupied = len(np.unique(bins, axis=0)) if bins.shape[1] else 1
    with np.errstate(over="ignore"):
        total = float(np.float64(n_bins) ** bins.shape[1])
    return OccupiedBins(occupied, total, len(rows) / total, *rows.shape)


def expected_occupied_bins(n_rows: int, n_columns: int, n_bins: int = 10) -> float:
    """Return the expected number of occupied bins where rows fall into all bins alike.

    ``B * (1 - (1 - 1 / B) ** n_rows)`` with ``B = n_bins ** n_columns``.

    Examples
    --------
    >>> expected_occupied_bins(2, 1, 2)
    1.5
    >>> expected_occupied_bins(1000, 400)
    1000.0
    """
    _check_bins(n_bins)
    if n_rows < 0 or n_columns < 0:
        raise InputError(f"n_rows is {n_rows} and n_columns {n_columns}; give 0 or more of each")
    with np.errstate(over="ignore"):
        total = float(np.float64(n_bins) ** n_columns)
    if total <= 1 or not np.isfinite(total):
        return float(n_rows if total > 1 else min(n_rows, 1))
    return float(-total * np.expm1(n_rows * np.log1p(-1 / total)))


def _check_bins(n_bins: int) -> None:
    if n_bins < 1:
        raise InputError(f"n_bins is {n_bins}; give 1 or more per column")


@dataclass(frozen=True, eq=False)
class DensityDecay:
    """How neighbourhoods of one size empty as columns are added.

    Attributes
    ----------
    n_columns : ndarray of int of shape (n_steps,)
        1, 2, ...
    rows_within : ndarray of float of shape (n_steps,)
        Mean number of other rows within ``share / 2`` of the range of a row in each of so many columns.
    uniform : ndarray of float of shape (n_steps,)
        What it would be of independent columns that are uniform on their range:
        ``(n_rows - 1) * (share - share ** 2 / 4) ** n_columns``.
    factor : float
        By which it falls per column, on geometric average down to the last step that has rows at all; 1
        where there is one step. No unit.
    share : float
    n_rows : int
        Rows that were compared, each with each.
    """

    n_columns: NDArray[np.int64]
    rows_within: Array
    uniform: Array
    factor: float
    share: float
    n_rows: int


def density_decay(
    X: ArrayLike,
    *,
    share: float = 0.2,
    max_columns: int = 20,
    n_orders: int = 5,
    max_rows: int = 1000,
    random_state: Seed = 0,
) -> DensityDecay:
    """Count the rows within a fixed share of the range, in ever more columns.

    Of independent columns the count falls by the same factor with each one, exponentially with their number.
    Where columns depend on each other it falls by less: the rows lie in fewer dimensions.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers, at least two rows. Columns that do not vary are left out.
    share : float, default=0.2
        Width of a neighbourhood in each column, as a share of the column's range; above 0 and at most 1.
    max_columns : int, default=20
    n_orders : int, default=5
        Columns are added in so many random orders, whose counts are averaged.
    max_rows : int, default=1000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=0
        Draws rows and orders.

    Returns
    -------
    DensityDecay
    """
    if not 0 < share <= 1 or max_columns < 1 or n_orders < 1:
        raise InputError(
            f"share is {share}, max_columns {max_columns}, n_orders {n_orders}; give a share above 0 and at "
            "most 1, and at least 1 of the others"
        )
    random = check_random_state(random_state)
    rows = _unit_rows(draw(X, max_rows, random, "density_decay"))
    _check_rows(rows, "density_decay", 2)
    if not rows.shape[1]:
        raise InputError("density_decay got only columns that do not vary; give at least one that does")
    steps = np.arange(1, min(rows.shape[1], max_columns) + 1)
    orders = [random.permutation(rows.shape[1])[: len(steps)] for _ in range(n_orders)]
    within = np.mean([_rows_within(rows[:, order], share / 2) for order in orders], axis=0)
    uniform = np.asarray((len(rows) - 1) * (share - share**2 / 4) ** steps, dtype=np.float64)
    return DensityDecay(steps, within, uniform, _factor(within), float(share), len(rows))


def _unit_rows(rows: Array) -> Array:
    """Bring each column that varies onto [0, 1], and leave out the others."""
    if not rows.size:
        return rows
    low, width = rows.min(axis=0), np.ptp(rows, axis=0)
    return (rows[:, width > 0] - low[width > 0]) / width[width > 0]


def _check_rows(rows: Array, name: str, least: int) -> None:
    if len(rows) < least:
        raise InputError(f"{name} got {len(rows)} rows; give at least {least}")


def _rows_within(rows: Array, radius: float) -> Array:
    """Return the mean number of other rows within `radius` in the first 1, 2, ... columns."""
    counts = np.zeros(rows.shape[1])
    for block in gen_batches(len(rows), BLOCK_ROWS):
        near = np.ones((len(rows[block]), len(rows)), dtype=bool)
        for column, values in enumerate(rows.T):
            near &= np.abs(values[block, None] - values) <= radius
            counts[column] += near.sum() - len(near)  # a row is within reach of itself
    return counts / len(rows)


def _factor(within: Array) -> float:
    known = int(np.flatnonzero(within)[-1]) if within.any() else 0
    return float((within[known] / within[0]) ** (1 / known)) if known else 1.0
