"""Who is whose how-many-th neighbour, in the data and in the map: all that rank-based figures need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches

from isthmus.errors import InputError
from isthmus.manifold.quality.inputs import Compared, compare
from isthmus.manifold.quality.measure import Distances, sort_exactly, squared_differences
from isthmus.manifold.quality.search import searched_ranks

__all__ = ["APPROXIMATE_ABOVE", "NeighborRanks", "neighbor_ranks", "ranks_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
# Distances that are sorted at once: 16 MB, of which a few copies exist.
BLOCK_NUMBERS = 1 << 21
# Exact ranks of 5,000 rows among so many take minutes for each space; beyond, neighbours are searched.
APPROXIMATE_ABOVE = 100_000


@dataclass(frozen=True)
class NeighborRanks:
    """The nearest neighbours of rows, and their ranks in the other space.

    Neighbours are counted among the *candidates*: the other rows of a map, or the reference rows where those
    are given. The nearest candidate has rank 1.

    Attributes
    ----------
    n_candidates : int
    neighbors_x, neighbors_z : ndarray of shape (n_rows, n_neighbors)
        Positions in the reference of the neighbours in the data and in the map, the nearest first.
    ranks_x : ndarray of shape (n_rows, n_neighbors)
        Ranks in the data of the neighbours in the map.
    ranks_z : ndarray of shape (n_rows, n_neighbors)
        Ranks in the map of the neighbours in the data.
    row_index : ndarray of shape (n_rows,)
        Which rows were measured: all, or a sample.
    labels, labels_reference : ndarray, or None
        Labels of these rows, and of all reference rows by position, as integers.
    approximate : bool
        Whether neighbours were searched approximately, and ranks beyond them estimated.
    """

    n_candidates: int
    neighbors_x: NDArray[Any]
    neighbors_z: NDArray[Any]
    ranks_x: NDArray[Any]
    ranks_z: NDArray[Any]
    row_index: Index
    labels: Index | None
    labels_reference: Index | None
    approximate: bool

    @property
    def n_neighbors(self) -> int:
        """How many neighbours of each row are known."""
        return self.neighbors_x.shape[1]

    def first(self, n_neighbors: int) -> NeighborRanks:
        """Return the ranks of only the nearest ones.

        Parameters
        ----------
        n_neighbors : int
            At most the neighbours that are known.

        Returns
        -------
        NeighborRanks
        """
        if not 1 <= n_neighbors <= self.n_neighbors:
            raise InputError(
                f"n_neighbors is {n_neighbors}, and {self.n_neighbors} neighbours of each row are known; "
                "give at most those"
            )
        names = ("neighbors_x", "neighbors_z", "ranks_x", "ranks_z")
        return replace(self, **{name: getattr(self, name)[:, :n_neighbors] for name in names})


def neighbor_ranks(
    X: ArrayLike,
    Z: ArrayLike,
    *,
    X_reference: ArrayLike | None = None,
    Z_reference: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    labels_reference: ArrayLike | None = None,
    n_neighbors: int = 20,
    metric: str = "euclidean",
    max_rows: int = 5000,
    approximate_above: int = APPROXIMATE_ABOVE,
    random_state: int | np.random.RandomState | None = 0,
) -> NeighborRanks:
    """Rank the neighbours of every row in the data and in the map.

    Equally near candidates are ordered by one random order of the reference rows, the same in both spaces.
    It depends on what the rows of X hold and on the seed, so that the order in which rows are given changes
    nothing, that maps of the same data meet the same order, and that figures are ones which a stable sort
    gives for some order of the rows. Rows are drawn in the same way.

    Parameters
    ----------
    X, Z : array-like of shape (n_rows, ...) and (n_rows, n_components)
        Data and codes, finite numbers. The axes of an image count as columns.
    X_reference, Z_reference : array-like, default=None
        Rows among which neighbours are sought, such as the training rows where X is held out. By default
        they are sought among the other rows of X.
    labels, labels_reference : array-like of shape (n_rows,) and (n_reference,), default=None
        Classes of the rows, kept beside the ranks.
    n_neighbors : int, default=20
        How many neighbours of each row to return: less than there are candidates.
    metric : str, default="euclidean"
        Distance in both spaces, by SciPy's name.
    max_rows : int, default=5000
        Of more rows, this many are drawn, and ranked among all candidates.
    approximate_above : int, default=100,000
        With more reference rows than this, neighbours are searched with usearch
        (``pip install "isthmus[search]"``), for "euclidean" or "cosine". Ranks beyond the `n_neighbors`
        found are then estimated on a random part of the reference rows.
    random_state : int, RandomState or None, default=0
        Draws rows, and the order of equally near ones.

    Returns
    -------
    NeighborRanks

    Examples
    --------
    >>> ranks = neighbor_ranks([[0.0], [1.0], [3.0]], [[0.0], [3.0], [2.0]], n_neighbors=1)
    >>> ranks.neighbors_x.ravel(), ranks.neighbors_z.ravel(), ranks.ranks_x.ravel()
    (array([1, 0, 1], dtype=int32), array([2, 2, 1], dtype=int32), array([2, 2, 1], dtype=int32))
    """
    compared = compare(X, Z, X_reference, Z_reference, labels, labels_reference, max_rows, random_state)
    return ranks_of(compared, n_neighbors, metric, approximate_above)


def ranks_of(compared: Compared, n_neighbors: int, metric: str, approximate_above: int) -> NeighborRanks:
    """Rank neighbours of rows that are checked already."""
    m = compared.n_candidates
    if not 1 <= n_neighbors < m:
        raise InputError(
            f"n_neighbors is {n_neighbors} and each row has {m} candidates; "
            "give a number from 1 to one less than the candidates, or more rows"
        )
    approximate = len(compared.x_reference) > approximate_above
    measure = searched_ranks if approximate else _exact_ranks
    nx, nz, rx, rz = measure(compared, n_neighbors, metric)
    # Half as large: there may be many.
    given = compared.reference_index.astype(np.int32)
    known = compared.labels_reference
    return NeighborRanks(
        n_candidates=m,
        neighbors_x=given[nx],
        neighbors_z=given[nz],
        ranks_x=rx,
        ranks_z=rz,
        row_index=compared.row_index,
        labels=compared.labels,
        labels_reference=None if known is None else known[np.argsort(compared.reference_index)],
        approximate=approximate,
    )


def _exact_ranks(compared: Compared, k: int, metric: str) -> tuple[NDArray[Any], ...]:
    """Return neighbours in x and in z, ranks in x of the latter and in z of the former."""
    spaces = Distances(compared.x_reference, metric), Distances(compared.z_reference, metric)
    n, m = len(compared.x), len(compared.x_reference)
    found = tuple(np.empty((n, k), dtype=np.int32) for _ in range(4))
    for block in gen_batches(n, max(1, BLOCK_NUMBERS // m)):
        own = None if compared.own is None else compared.own[block]
        by_x = _sorted_candidates(spaces[0], compared.x[block], own)
        by_z = _sorted_candidates(spaces[1], compared.z[block], own)
        found[0][block], found[1][block] = by_x[:, :k], by_z[:, :k]
        found[2][block] = _ranks(by_x, by_z[:, :k])
        found[3][block] = _ranks(by_z, by_x[:, :k])
    return found


def _sorted_candidates(space: Distances, rows: Array, own: Index | None) -> Index:
    """Return all reference rows, the nearest first; a row itself comes last."""
    values, error = space.values(rows)
    if own is not None:
        values[np.arange(len(rows)), own] = np.inf
    if isinstance(error, float):
        return sort_exactly(values, error, lambda i, j: values[i, j])
    return sort_exactly(values, error, lambda i, j: squared_differences(rows, space.reference, i, j))


def _ranks(order: Index, asked: Index) -> NDArray[np.int32]:
    """Return the places, from 1, at which the asked positions stand in each row of `order`."""
    place = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(place, order, np.arange(1, order.shape[1] + 1, dtype=np.int32)[None], axis=1)
    return np.take_along_axis(place, asked, axis=1)
