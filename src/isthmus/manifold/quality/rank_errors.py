"""How far do ranks of neighbours change between the data and the map? One value per row.

In all formulas a row has m candidates (n - 1 in a map of its own n rows; all n reference rows where rows are
held out), r_x and r_z are a candidate's ranks in the data and in the map, from 1, and k neighbours count. The
published formulas are those of the first case; nothing but m differs in the second, since a row ranks its
candidates for itself. A figure is the mean of its rows' values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.manifold.quality.ranks import NeighborRanks

__all__ = ["continuity_rows", "mrre_false_rows", "mrre_missing_rows", "trustworthiness_rows"]

Array = NDArray[np.float64]


def trustworthiness_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, how near in the data its neighbours in the map are.

    1 - sum(r_x - k) / w over the k nearest in the map with r_x > k. The largest such sum is w: that of the
    c = min(k, m - k) largest ranks, w = c (m - k) - c (c - 1) / 2. For k <= m / 2 it is k (2m - 3k + 1) / 2.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0 to 1, the best.

    References
    ----------
    J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods: an experimental study",
    ICANN 2001.
    """
    return 1 - _penalty(ranks.first(n_neighbors).ranks_x, ranks.n_candidates)


def continuity_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, how near in the map its neighbours in the data are.

    As :func:`trustworthiness_rows`, with the two spaces exchanged.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0 to 1, the best.

    References
    ----------
    J. Venna and S. Kaski, ICANN 2001.
    """
    return 1 - _penalty(ranks.first(n_neighbors).ranks_z, ranks.n_candidates)


def mrre_false_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, the mean relative rank error of its neighbours in the map.

    sum(abs(r_x - r_z) / r_z) / sum(abs(m + 2 - 2 l) / l), over the k nearest in the map and l = 1..k. With
    m = n - 1 the latter is the normaliser of Lee and Verleysen's book, sum(abs(2 l - n - 1) / l).
    zadu gives 1 minus this.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        At least 0, the best.

    References
    ----------
    J. A. Lee and M. Verleysen, "Nonlinear dimensionality reduction", Springer 2007.
    """
    return _relative_error(ranks.first(n_neighbors).ranks_x, ranks.n_candidates)


def mrre_missing_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, the mean relative rank error of its neighbours in the data.

    As :func:`mrre_false_rows`, with the two spaces exchanged.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        At least 0, the best.

    References
    ----------
    J. A. Lee and M. Verleysen, "Nonlinear dimensionality reduction", Springer 2007.
    """
    return _relative_error(ranks.first(n_neighbors).ranks_z, ranks.n_candidates)


def _penalty(ranks: NDArray[Any], m: int) -> Array:
    """Return the sum of ranks beyond k, as a share of the largest that can be."""
    k = ranks.shape[1]
    beyond = np.maximum(ranks - float(k), 0).sum(axis=1)
    c = min(k, m - k)
    return beyond / (c * (m - k) - c * (c - 1) / 2)


def _relative_error(ranks: NDArray[Any], m: int) -> Array:
    rank = np.arange(1, ranks.shape[1] + 1)
    return (np.abs(ranks - rank) / rank).sum(axis=1) / (np.abs(m + 2 - 2 * rank) / rank).sum()
