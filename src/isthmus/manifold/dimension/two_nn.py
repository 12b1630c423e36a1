"""The dimension from the ratio of the distances to a row's two nearest neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isthmus.errors import InputError
from isthmus.manifold.dimension.rows import (
    Array,
    Seed,
    distinct,
    draw,
    most_dimensions,
    neighbor_distances,
)

__all__ = ["two_nn"]


def two_nn(
    X: ArrayLike,
    *,
    max_rows: int = 5000,
    random_state: Seed = None,
    discard_fraction: float = 0.1,
) -> float:
    """Estimate the intrinsic dimension from each row's two nearest neighbours (TwoNN).

    Where data of dimension d are locally uniform, the ratio of the distances to the second and to the first
    neighbour follows a Pareto law with exponent d, whatever the density: it is fitted to the ratios.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers; the axes of an image count as columns. Distances are taken in the units given.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=None
        Draws those rows.
    discard_fraction : float, default=0.1
        Share of the largest ratios that is left out, where the law holds least.

    Returns
    -------
    float
        Not rounded, and at most what the rows can span: the number of columns, or of distinct rows less one.
        Repeated rows count once, so a single row, or equal rows, give 0 and two distinct rows give 1. Where
        ties make the fit impossible, as on a regular grid, that upper bound is returned.

    References
    ----------
    E. Facco, M. d'Errico, A. Rodriguez and A. Laio, "Estimating the intrinsic dimension of datasets by a
    minimal neighborhood information", Scientific Reports 7, 12140 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> plane = np.random.default_rng(0).normal(size=(2000, 2))
    >>> round(two_nn(plane @ np.ones((2, 10)) + plane[:, :1] * np.arange(10)))
    2
    """
    if not 0 <= discard_fraction < 1:
        raise InputError(f"discard_fraction is {discard_fraction}; give a number of at least 0 and below 1")
    rows, _ = distinct(draw(X, max_rows, random_state, "two_nn"))
    bound = most_dimensions(rows)
    if bound <= 1:
        return bound
    slope = _pareto_exponent(_log_ratios(rows), discard_fraction)
    return bound if slope is None else min(slope, bound)


def _log_ratios(rows: Array) -> Array:
    """Return log(second / first neighbour's distance) of every row that both distances can be told from 0."""
    first, second = neighbor_distances(rows, 2).T
    return np.log(second[first > 0] / first[first > 0])


def _pareto_exponent(log_ratios: Array, discard_fraction: float) -> float | None:
    """Return the slope through the origin of -log(1 - F) over log(ratio), or None where it has none."""
    n = len(log_ratios)
    # The largest ratio has F = 1 and so no place on the plot: it never counts.
    kept = min(int(n * (1 - discard_fraction)), n - 1)
    x = np.sort(log_ratios)[: max(kept, 0)]
    y = -np.log1p(-np.arange(1, len(x) + 1) / n) if n else x
    squares = float(x @ x)
    return float(x @ y) / squares if squares > 0 else None
