"""Distances of rows to a reference, and who is nearer, exactly.

Euclidean distances of wide rows come from one matrix product, 20 times as fast as from differences. Rounding
can swap rows that are almost equally near, and in another way in another block: such rows are few, are found
by a bound on the rounding, and are measured again by differences, each pair for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches

from isthmus.errors import InputError

__all__ = ["Distances", "all_distances", "check_distances", "sort_exactly", "squared_differences"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
# Up to so many columns differences are as fast as a product.
FEW_COLUMNS = 16
# Numbers that are gathered at once, where pairs are measured again: 16 MB.
BLOCK_NUMBERS = 1 << 21


class Distances:
    """Distances to given rows.

    Parameters
    ----------
    reference : ndarray of shape (n_reference, n_columns)
    metric : str
        "euclidean", whose squares are used in its place, or another name that SciPy's ``cdist`` knows.
    """

    def __init__(self, reference: Array, metric: str) -> None:
        self.reference, self.metric = reference, metric
        self.by_product = metric == "euclidean" and reference.shape[1] > FEW_COLUMNS
        if self.by_product:
            self.sizes = np.square(reference).sum(axis=1)
            self.whole = _are_whole(reference)

    @cached_property
    def centred(self) -> tuple[Array, Array, Array]:
        """The mean, the reference less that, and squared norms of the latter: less to round."""
        centre = self.reference.mean(axis=0)
        centred = self.reference - centre
        return centre, centred, np.square(centred).sum(axis=1)

    def values(self, rows: Array) -> tuple[Array, Array | float]:
        """Return what sorts by distance, and by how much it may be off.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        values : ndarray of shape (n_rows, n_reference)
            Squared distances for "euclidean", else distances.
        error : ndarray of shape (n_rows, 1), or 0
            Bound on the rounding of each row's values, beside that of a sum of squared differences.
        """
        if not self.by_product:
            metric = "sqeuclidean" if self.metric == "euclidean" else self.metric
            return all_distances(rows, self.reference, metric), 0.0
        sizes = np.square(rows).sum(axis=1, keepdims=True)
        if self.whole and _are_whole(rows) and 4 * max(sizes.max(), self.sizes.max()) < 2**53:
            # Every sum is a whole number that float64 holds: nothing is rounded.
            return sizes + self.sizes - 2 * (rows @ self.reference.T), 0.0
        centre, reference, reference_sizes = self.centred
        centred = rows - centre
        sizes = np.square(centred).sum(axis=1, keepdims=True)
        values = centred @ reference.T
        values *= -2
        values += sizes
        values += reference_sizes
        # Each of the sums is off by at most its number of terms in units of rounding.
        unit = (4 * rows.shape[1] + 8) * np.finfo(float).eps
        return np.maximum(values, 0, out=values), unit * (sizes + reference_sizes.max())


def all_distances(rows: Array, others: Array, metric: Any) -> Array:
    """Return the distance of every row to every other by any of SciPy's metrics, each pair for itself."""
    try:
        values = cdist(rows, others, metric)
    except ValueError as error:
        raise InputError(
            f'metric is "{metric}", which cannot be used here ({error}); '
            'give a name that scipy.spatial.distance.cdist knows, such as "euclidean"'
        ) from error
    check_distances(values, metric)
    return values.astype(np.float64, copy=False)


def check_distances(values: NDArray[np.floating[Any]], metric: Any) -> None:
    """Refuse a metric that leaves some distances undefined."""
    if not np.isfinite(values).all():
        raise InputError(
            f'the metric "{metric}" gives no distance for some rows, as "cosine" does for rows '
            "of zeros; leave those rows out or choose another metric"
        )


def squared_differences(rows: Array, others: Array, i: Index, j: Index) -> Array:
    """Return squared distances of rows[i] to others[j], each pair for itself, the same in any block."""
    squared = np.empty(len(i))
    for some in gen_batches(len(i), max(1, BLOCK_NUMBERS // rows.shape[1])) if len(i) else ():
        squared[some] = np.square(rows[i[some]] - others[j[some]]).sum(axis=1)
    return squared


def sort_exactly(values: Array, error: Array | float, again: Callable[[Index, Index], Array]) -> Index:
    """Sort each row by its true values; equal ones by position.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n)
    error : ndarray of shape (n_rows, 1), or float
        Values that differ by more than twice this are in their true order.
    again : callable
        ``again(rows, positions)`` measures entries so that equal ones come out equal.

    Returns
    -------
    ndarray of shape (n_rows, n)
        Positions in each row, those of the smallest values first.
    """
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    close = ordered[:, 1:] - ordered[:, :-1] <= 2 * error
    if not close.any():
        return order
    open_ = np.zeros(values.shape, dtype=bool)
    open_[:, 1:] |= close
    open_[:, :-1] |= close
    row, place = np.nonzero(open_)
    follows = np.zeros(len(row), dtype=bool)
    follows[place > 0] = close[row[place > 0], place[place > 0] - 1]
    positions = order[row, place]
    # A run of values that are close to the next one keeps its places; only the order inside it is open.
    resorted = np.lexsort((positions, again(row, positions), np.cumsum(~follows)))
    order[row, place] = positions[resorted]
    return order


def _are_whole(rows: Array) -> bool:
    return bool((rows == np.rint(rows)).all())
