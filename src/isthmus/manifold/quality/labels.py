"""Do rows of one class lie together in the map? Figures of labels, one value per row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import InputError
from isthmus.manifold.quality.ranks import NeighborRanks

__all__ = ["knn_accuracy_rows", "neighborhood_hit_rows"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def neighborhood_hit_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, the share of its k neighbours in the map that have its label.

    Parameters
    ----------
    ranks : NeighborRanks
        Of rows with labels.
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        From 0 to 1, the best.

    References
    ----------
    F. V. Paulovich, L. G. Nonato, R. Minghim and H. Levkowitz, "Least square projection: a fast
    high-precision multidimensional projection technique and its application to document mapping", IEEE TVCG
    14, 2008.
    """
    own, near = _labels(ranks, n_neighbors)
    return (near == own[:, None]).mean(axis=1)


def knn_accuracy_rows(ranks: NeighborRanks, n_neighbors: int) -> Array:
    """Return, for each row, whether its k neighbours in the map elect its label.

    Each neighbour has one vote. Where c labels have equally many votes and the row's is one of them, 1 / c
    counts, as if one of them were drawn.

    Parameters
    ----------
    ranks : NeighborRanks
        Of rows with labels.
    n_neighbors : int
        k, at most the neighbours that are known.

    Returns
    -------
    ndarray of shape (n_rows,)
        1, 0, or a part where votes are equal. The mean is the accuracy of a classifier: for rows that are
        their own reference it is the one that leaves out each row in turn.
    """
    own, near = _labels(ranks, n_neighbors)
    n, n_labels = len(own), int(max(own.max(), near.max())) + 1
    cells = (np.arange(n)[:, None] * n_labels + near).ravel()
    votes = np.bincount(cells, minlength=n * n_labels).reshape(n, n_labels)
    elected = votes == votes.max(axis=1, keepdims=True)
    return elected[np.arange(n), own] / elected.sum(axis=1)


def _labels(ranks: NeighborRanks, k: int) -> tuple[Index, Index]:
    """Return the label of each row, and those of its k neighbours in the map."""
    if ranks.labels is None or ranks.labels_reference is None:
        raise InputError("the ranks have no labels; give labels to neighbor_ranks")
    return ranks.labels, ranks.labels_reference[ranks.first(k).neighbors_z]
