"""A number with its standard error."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Figure", "mean_figure"]


class Figure(NamedTuple):
    """A measured number and how far chance may have moved it.

    Attributes
    ----------
    value : float
    standard_error : float
        How much another draw of as many rows would change the value. It treats rows as independent draws: it
        accounts neither for another draw of the reference rows, nor for the training of the map, nor for
        rows sharing neighbours. NaN for a single row.
    """

    value: float
    standard_error: float


def mean_figure(rows: NDArray[np.float64]) -> Figure:
    """Return the mean of one value per row, with its standard error.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)

    Returns
    -------
    Figure

    Examples
    --------
    >>> mean_figure(np.array([1.0, 3.0])).value
    2.0
    """
    n = len(rows)
    return Figure(float(rows.mean()), float(rows.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan)
