"""Neighbours among very many rows: searched with usearch, and their ranks estimated on a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from isthmus.errors import InputError
from isthmus.manifold.approximate import SEARCHED_METRICS, approximate_neighbors
from isthmus.manifold.quality.inputs import Compared
from isthmus.manifold.quality.measure import Distances

__all__ = ["searched_ranks"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
# Reference rows on which ranks are estimated: 1% of the candidates is met within a tenth.
SAMPLE_ROWS = 10_000
# Numbers of neighbours that are gathered at once: 128 MB.
BLOCK_NUMBERS = 1 << 24


def searched_ranks(compared: Compared, k: int, metric: str) -> tuple[NDArray[Any], ...]:
    """Return neighbours in x and in z, ranks in x of the latter and in z of the former.

    A rank up to k is the place at which the search found a row. Others are estimated without bias, but at
    least k + 1, by how many of a random sample of reference rows are nearer.
    """
    if metric not in SEARCHED_METRICS:
        raise InputError(
            f"among {len(compared.x_reference)} reference rows neighbours are searched, which metric "
            f'"{metric}" does not allow; choose one of {", ".join(SEARCHED_METRICS)}, give fewer reference '
            "rows or raise approximate_above"
        )
    nx = approximate_neighbors(compared.x_reference, compared.x, compared.own, k, metric)[0]
    nz = approximate_neighbors(compared.z_reference, compared.z, compared.own, k, metric)[0]
    # The reference stands in random order, so that its first rows are a sample.
    rx = _estimated_ranks(compared.x_reference, compared.x, nx, nz, compared, metric)
    rz = _estimated_ranks(compared.z_reference, compared.z, nz, nx, compared, metric)
    return nx, nz, rx, rz


def _estimated_ranks(
    reference: Array, rows: Array, known: Index, asked: Index, compared: Compared, metric: str
) -> Array:
    """Return ranks of the `asked` candidates, of which those `known` are the nearest ones in order."""
    sample = np.arange(min(SAMPLE_ROWS, len(reference)))
    space = Distances(reference[sample], metric)
    ranks = np.empty(asked.shape)
    k, width = asked.shape[1], reference.shape[1]
    for block in gen_batches(len(rows), max(1, BLOCK_NUMBERS // max(len(sample), k * width))):
        # (rows, k, columns): each row's own candidates.
        asked_rows = reference[asked[block]]
        to_asked = _row_distances(rows[block], asked_rows, metric)
        to_sample, _ = space.values(rows[block])
        inside = np.ones(to_sample.shape, dtype=bool)
        if compared.own is not None:
            inside = compared.own[block, None] != sample
        to_sample[~inside] = np.inf
        share = _counts_below(to_sample, to_asked) / inside.sum(axis=1, keepdims=True)
        ranks[block] = np.maximum(1 + share * compared.n_candidates, k + 1)
        _write_known(ranks[block], known[block], asked[block])
    return ranks


def _row_distances(rows: Array, others: Array, metric: str) -> Array:
    """Return distances of shape (n, k) of rows (n, d) to others (n, k, d), squared for "euclidean"."""
    if metric == "euclidean":
        return np.square(others - rows[:, None]).sum(axis=2)
    lengths = np.linalg.norm(others, axis=2) * np.linalg.norm(rows, axis=1)[:, None]
    return 1 - np.einsum("nkd,nd->nk", others, rows) / lengths


def _counts_below(values: Array, limits: Array) -> Index:
    """Count, for each of a row's limits, the row's values below it."""
    together = np.concatenate([limits, values], axis=1)
    k = limits.shape[1]
    # Stable, so that limits come before values that equal them.
    order = np.argsort(together, axis=1, kind="stable")
    counts = np.cumsum(order >= k, axis=1)
    found = np.empty(together.shape, dtype=np.intp)
    np.put_along_axis(found, order, counts, axis=1)
    return found[:, :k]


def _write_known(ranks: Array, known: Index, asked: Index) -> None:
    """Write, in place, the places of those that are known."""
    n, k = known.shape
    order = np.argsort(known, axis=1)
    sorted_ = np.take_along_axis(known, order, axis=1)
    # One array for all rows: each row's positions lie in a range of their own.
    width = int(max(known.max(), asked.max())) + 1
    offset = np.arange(n)[:, None] * width
    at = np.searchsorted((sorted_ + offset).ravel(), (asked + offset).ravel())
    at = np.minimum(at, n * k - 1)
    is_known = ((sorted_ + offset).ravel()[at] == (asked + offset).ravel()).reshape(n, k)
    places = (order.ravel()[at] + 1).reshape(n, k)
    ranks[is_known] = places[is_known]
