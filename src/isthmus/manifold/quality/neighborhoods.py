"""How much of each neighbourhood does a map keep? One value per row.

In all formulas a row has m candidates (n - 1 in a map of its own n rows; all n reference rows where rows are
held out), r_x and r_z are a candidate's ranks in the data and in the map, from 1, and k neighbours count. The
published formulas are those of the first case; nothing but m differs in the second, since a row ranks its
candidates for itself. A figure is the mean of its rows' values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from isthmus.manifold.quality.ranks import NeighborRanks

__all__ = [
    "lcmc_rows",
    "q_nx_curve",
    "q_nx_rows",
    "r_nx_area_rows",
    "r_nx_curve",
    "r_nx_rows",
]

Array = NDArray[np.float64]
BLOCK_NUMBERS = 1 << 21


def q_nx_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, the share of its k neighbours that are the same in the data and in the map.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0 to 1. Where nothing is kept k / m is expected.

    References
    ----------
    J. A. Lee and M. Verleysen, "Quality assessment of dimensionality reduction: rank-based criteria",
    Neurocomputing 72, 2009.
    """
    return (ranks.first(n_neighbors).ranks_x <= n_neighbors).mean(axis=1)


def lcmc_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, the local continuity meta-criterion: Q_NX(k) - k / m.

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 is expected where nothing is kept; the best is 1 - k / m.

    References
    ----------
    L. Chen and A. Buja, "Local multidimensional scaling for nonlinear dimension reduction, graph drawing, and
    proximity analysis", JASA 104, 2009. (pyDRMetrics subtracts k / (n - 2) in place of their k / (n - 1).)
    """
    return q_nx_rows(ranks, n_neighbors) - n_neighbors / ranks.n_candidates


def r_nx_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, by how much its neighbourhood is kept beyond chance: (m Q_NX - k) / (m - k).

    Parameters
    ----------
    ranks : NeighborRanks
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 is expected where nothing is kept; 1 is the best.

    References
    ----------
    J. A. Lee, D. H. Peluffo-Ordonez and M. Verleysen, "Multi-scale similarities in stochastic neighbour
    embedding", Neurocomputing 169, 2015.
    """
    return _beyond_chance(q_nx_rows(ranks, n_neighbors), n_neighbors, ranks.n_candidates)


def q_nx_curve(ranks: NeighborRanks) -> Array:
    """Return Q_NX(k), the mean of all rows, for k = 1 to the number of neighbours that are known.

    Parameters
    ----------
    ranks : NeighborRanks

    Returns
    -------
    ndarray of shape (n_neighbors,)
        See :func:`q_nx_rows`.
    """
    common = sum(_common(ranks, block).sum(axis=0) for block in _blocks(ranks))
    return common / (np.arange(1, ranks.n_neighbors + 1) * len(ranks.ranks_x))


def r_nx_curve(ranks: NeighborRanks) -> Array:
    """Return R_NX(k), the mean of all rows, for k = 1 to the number of neighbours that are known.

    Parameters
    ----------
    ranks : NeighborRanks

    Returns
    -------
    ndarray of shape (n_neighbors,)
        See :func:`r_nx_rows`.
    """
    return _beyond_chance(q_nx_curve(ranks), np.arange(1, ranks.n_neighbors + 1), ranks.n_candidates)


def r_nx_area_rows(ranks: NeighborRanks) -> Array:
    """Return, for each row, the area under R_NX(k) over log k: sum(R_NX(k) / k) / sum(1 / k).

    The sums run over k = 1 to the number of neighbours that are known. (The paper's is n - 2, the largest
    that can be. Areas to different k do not compare.)

    Parameters
    ----------
    ranks : NeighborRanks

    Returns
    -------
    ndarray of shape (n_rows,)
        0 is expected where nothing is kept; 1 is the best.

    References
    ----------
    J. A. Lee, D. H. Peluffo-Ordonez and M. Verleysen, Neurocomputing 169, 2015.
    """
    k = np.arange(1, ranks.n_neighbors + 1)
    weights = 1 / k / (1 / k).sum()
    blocks = (_beyond_chance(_common(ranks, block) / k, k, ranks.n_candidates) for block in _blocks(ranks))
    return np.concatenate([block @ weights for block in blocks])


def _beyond_chance(q: Array, k: Any, m: int) -> Array:
    return (m * q - k) / (m - k)


def _blocks(ranks: NeighborRanks) -> Any:
    return gen_batches(len(ranks.ranks_x), max(1, BLOCK_NUMBERS // ranks.n_neighbors))


def _common(ranks: NeighborRanks, block: slice) -> NDArray[np.intp]:
    """Count, for each row and each k, the neighbours that are among the first k in both spaces."""
    known = ranks.n_neighbors
    # From its larger rank on, a pair counts.
    later = np.maximum(ranks.ranks_x[block], np.arange(1, known + 1))
    row, place = np.nonzero(later <= known)
    cell = row * known + later[row, place].astype(np.intp) - 1
    return np.bincount(cell, minlength=later.size).reshape(later.shape).cumsum(axis=1)
