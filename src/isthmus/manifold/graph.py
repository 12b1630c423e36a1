"""The graph of nearest neighbours, in one piece, and the shortest way through it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

__all__ = ["shortest_way"]

Array = NDArray[np.float64]


def shortest_way(nodes: Array, start: int, end: int, n_neighbors: int) -> list[int]:
    """Return the nodes on the shortest way from `start` to `end`, from neighbour to neighbour.

    Where no neighbours lead from one group of nodes to the next, the groups' nearest pair does.

    Parameters
    ----------
    nodes : ndarray of shape (n, D)
        All different: copies would be each other's only neighbours.
    start, end : int
    n_neighbors : int
        Of each node; one way is enough to make two nodes neighbours.
    """
    if start == end:
        return [start]
    graph = coo_array(kneighbors_graph(nodes, min(n_neighbors, len(nodes) - 1), mode="distance"))
    groups = connected_components(graph, directed=False)[1]
    i, j, lengths = np.array(_links(nodes, groups, start, end)).reshape(-1, 3).T
    tied = coo_array((np.r_[graph.data, lengths], (np.r_[graph.row, i], np.r_[graph.col, j])), graph.shape)
    before = dijkstra(tied.tocsr(), directed=False, indices=start, return_predecessors=True)[1]
    way = [end]
    while way[-1] != start:
        way.append(int(before[way[-1]]))
    return way[::-1]


def _links(nodes: Array, groups: NDArray[np.intp], start: int, end: int) -> list[tuple[int, int, float]]:
    """Return ties (i, j, distance) from the group of `start` to the nearest others, up to that of `end`."""
    links: list[tuple[int, int, float]] = []
    new = groups == groups[start]
    outside, nearest, distance = ~new, np.zeros(len(nodes), dtype=np.intp), np.full(len(nodes), np.inf)
    while outside[end]:
        _approach(nodes, np.flatnonzero(outside), np.flatnonzero(new), nearest, distance)
        best = int(np.where(outside, distance, np.inf).argmin())
        links.append((int(nearest[best]), best, float(distance[best])))
        new = groups == groups[best]
        outside &= ~new
    return links


def _approach(
    nodes: Array, outside: NDArray[np.intp], new: NDArray[np.intp], nearest: NDArray[np.intp], distance: Array
) -> None:
    """Write, in place, which nodes outside have a `new` node nearer than those before."""
    found, place = NearestNeighbors(n_neighbors=1).fit(nodes[new]).kneighbors(nodes[outside])
    better = found[:, 0] < distance[outside]
    distance[outside[better]] = found[better, 0]
    nearest[outside[better]] = new[place[better, 0]]
