"""All figures of a map at once, from ranks and distances that are computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.manifold.quality import labels as of_labels
from isthmus.manifold.quality import neighborhoods as of_neighbors
from isthmus.manifold.quality import rank_errors as of_ranks
from isthmus.manifold.quality.correlation import LEAST_ROWS, distance_correlation_of, root_of_mean
from isthmus.manifold.quality.distances import Shepard, pairs_of, shepard_of
from isthmus.manifold.quality.figure import Figure, mean_figure
from isthmus.manifold.quality.inputs import Compared, compare
from isthmus.manifold.quality.local_correlation import local_rows_of
from isthmus.manifold.quality.pairs import MAX_PAIRS, own_pairs
from isthmus.manifold.quality.ranks import APPROXIMATE_ABOVE, NeighborRanks, ranks_of

__all__ = ["MapQuality", "map_quality"]

Array = NDArray[np.float64]
# So many neighbours of 5,000 rows take 400 MB.
MOST_NEIGHBORS, MOST_SEARCHED = 5000, 500
LOCAL_NEIGHBORS = 30
NEIGHBOR_FIGURES: dict[str, Callable[[NeighborRanks, int], Array]] = {
    "trustworthiness": of_ranks.trustworthiness_rows,
    "continuity": of_ranks.continuity_rows,
    "mrre_false": of_ranks.mrre_false_rows,
    "mrre_missing": of_ranks.mrre_missing_rows,
    "lcmc": of_neighbors.lcmc_rows,
    "q_nx": of_neighbors.q_nx_rows,
    "r_nx": of_neighbors.r_nx_rows,
}
LABEL_FIGURES: dict[str, Callable[[NeighborRanks, int], Array]] = {
    "neighborhood_hit": of_labels.neighborhood_hit_rows,
    "knn_accuracy": of_labels.knn_accuracy_rows,
}


@dataclass(frozen=True)
class MapQuality:
    """Figures of a map.

    Attributes
    ----------
    figures : dict of str to Figure
        ``trustworthiness@k``, ``continuity@k``, ``mrre_false@k``, ``mrre_missing@k``, ``lcmc@k``, ``q_nx@k``,
        ``r_nx@k`` for each k asked for, with labels ``neighborhood_hit@k`` and ``knn_accuracy@k``;
        ``r_nx_area``; and, unless left out, ``shepard_spearman``, ``shepard_pearson``, ``stress``,
        ``distance_correlation`` (of four rows and more) and ``local_distance_correlation`` (of five
        candidates and more). Each is a value with its standard error.
    rows : dict of str to ndarray of shape (n_measured,)
        Values of each row of the figures that have them: all of neighbours and labels, ``r_nx_area``, and
        ``local_distance_correlation``, there squared.
    row_index : ndarray of shape (n_measured,)
        Which rows were measured: all, or a sample.
    q_nx_curve, r_nx_curve : ndarray of shape (k_max,)
        For k = 1 to k_max.
    n_rows, n_candidates, k_max : int
        Rows given; among how many each row's neighbours are sought; neighbours that ``r_nx_area`` counts.
    metric : str
        Distance in both spaces.
    sampled, approximate : bool
        Whether a part of the rows was measured; whether neighbours were searched approximately.
    """

    figures: dict[str, Figure]
    rows: dict[str, Array]
    row_index: NDArray[np.intp]
    q_nx_curve: Array
    r_nx_curve: Array
    n_rows: int
    n_candidates: int
    k_max: int
    metric: str
    sampled: bool
    approximate: bool

    def __getitem__(self, name: str) -> Figure:
        return self.figures[name]

    def to_dict(self) -> dict[str, Any]:
        """Return what can be written as JSON: all but rows and curves.

        Returns
        -------
        dict
            Each figure's value under its name, its standard error under ``name_se``, and the numbers and
            flags that say what was measured.
        """
        values = {name: figure.value for name, figure in self.figures.items()}
        errors = {f"{name}_se": figure.standard_error for name, figure in self.figures.items()}
        said = ("n_rows", "n_candidates", "k_max", "metric", "sampled", "approximate")
        measured = {"n_measured": len(self.row_index)}
        return {**values, **errors, **measured, **{name: getattr(self, name) for name in said}}


def map_quality(
    X: ArrayLike,
    Z: ArrayLike,
    *,
    X_reference: ArrayLike | None = None,
    Z_reference: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    labels_reference: ArrayLike | None = None,
    n_neighbors: int | Sequence[int] = (10, 30),
    k_max: int | None = None,
    metric: str = "euclidean",
    distances: bool = True,
    max_rows: int = 5000,
    max_pairs: int = MAX_PAIRS,
    approximate_above: int = APPROXIMATE_ABOVE,
    random_state: int | np.random.RandomState | None = 0,
) -> MapQuality:
    """Measure how well a map keeps neighbourhoods, classes and distances.

    Without reference rows it is a map of its own rows: each row's neighbours are among the others. With
    them rows are held out: neighbours, and the partners of Shepard's pairs, are reference rows, such as those
    the map was learned from. Only ``distance_correlation`` is of the held-out rows among themselves.

    Figures depend on the set of rows, not on their order. Equally near rows are ordered at random, in both
    spaces alike (see :func:`neighbor_ranks`). Up to `max_rows` rows nothing is sampled, but for the
    reference rows of Shepard's pairs where those exceed `max_pairs`.

    Parameters
    ----------
    X, Z : array-like of shape (n_rows, ...) and (n_rows, n_components)
        Data and codes, finite numbers. The axes of an image count as columns.
    X_reference, Z_reference : array-like, default=None
        Reference rows and their codes.
    labels, labels_reference : array-like of shape (n_rows,) and (n_reference,), default=None
        Classes; those of the reference where it is given.
    n_neighbors : int or sequence of int, default=(10, 30)
        Sizes of neighbourhoods, each less than the candidates.
    k_max : int, default=None
        Neighbours that the area under R_NX counts. By default all candidates but one, though at most 5,000,
        and at most 500 where they are searched approximately.
    metric : str, default="euclidean"
        Distance in both spaces, by SciPy's name. Others are measured pair by pair, slowly in many columns.
    distances : bool, default=True
        Whether to take figures of distances too, about half of the work.
    max_rows : int, default=5000
        Of more rows, this many are drawn and ranked among all candidates.
    max_pairs : int, default=12,500,000
        Pairs of rows that figures of distances take at most.
    approximate_above : int, default=100,000
        With more reference rows, neighbours are searched with usearch: see :func:`neighbor_ranks`.
    random_state : int, RandomState or None, default=0
        Draws rows, and the order of equally near ones.

    Returns
    -------
    MapQuality

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> quality = map_quality(X, X[:, :2], n_neighbors=10)
    >>> round(quality["trustworthiness@10"].value, 2), round(quality["r_nx_area"].value, 2)
    (0.87, 0.47)
    """
    sizes = sorted({int(k) for k in np.atleast_1d(n_neighbors)})
    if not sizes or sizes[0] < 1:
        raise InputError(f"n_neighbors is {n_neighbors}; give one or more numbers of at least 1")
    compared = compare(X, Z, X_reference, Z_reference, labels, labels_reference, max_rows, random_state)
    approximate = len(compared.x_reference) > approximate_above
    k_max = _k_max(compared, k_max, approximate)
    local = min(LOCAL_NEIGHBORS, compared.n_candidates - 1) if distances else 1
    ranks = ranks_of(compared, max(k_max, local, *sizes), metric, approximate_above)
    rows = _rows(ranks, sizes)
    counted = ranks.first(k_max)
    rows["r_nx_area"] = of_neighbors.r_nx_area_rows(counted)
    figures = {name: mean_figure(values) for name, values in rows.items()}
    curves = of_neighbors.q_nx_curve(counted), of_neighbors.r_nx_curve(counted)
    near = ranks.neighbors_x[:, :local]
    # Ranks may take as much memory as the pairs that come next.
    del ranks, counted
    if distances:
        figures |= _distance_figures(compared, metric, max_pairs)
    if distances and local >= LEAST_ROWS - 1:
        rows["local_distance_correlation"] = local_rows_of(compared, near, metric)
        figures["local_distance_correlation"] = root_of_mean(rows["local_distance_correlation"])
    return MapQuality(
        figures=figures,
        rows=rows,
        row_index=compared.row_index,
        q_nx_curve=curves[0],
        r_nx_curve=curves[1],
        n_rows=len(np.asarray(X)),
        n_candidates=compared.n_candidates,
        k_max=k_max,
        metric=metric,
        sampled=len(compared.x) < len(np.asarray(X)),
        approximate=approximate,
    )


def _k_max(compared: Compared, k_max: int | None, approximate: bool) -> int:
    most = compared.n_candidates - 1
    if k_max is None:
        return max(1, min(most, MOST_SEARCHED if approximate else MOST_NEIGHBORS))
    if not 1 <= k_max <= most:
        raise InputError(
            f"k_max is {k_max} and each row has {most + 1} candidates; "
            f"give a number from 1 to {most}, or None"
        )
    return k_max


def _rows(ranks: NeighborRanks, sizes: list[int]) -> dict[str, Array]:
    measures = NEIGHBOR_FIGURES if ranks.labels is None else NEIGHBOR_FIGURES | LABEL_FIGURES
    return {f"{name}@{k}": measure(ranks, k) for name, measure in measures.items() for k in sizes}


def _distance_figures(compared: Compared, metric: str, max_pairs: int) -> dict[str, Figure]:
    pairs = pairs_of(compared, metric, max_pairs)
    found: Shepard = shepard_of(pairs)
    figures = {
        "shepard_spearman": found.spearman,
        "shepard_pearson": found.pearson,
        "stress": found.stress,
    }
    if not pairs.triangle:
        pairs = own_pairs(compared, metric, max_pairs)
    if pairs.n_rows >= LEAST_ROWS:
        figures["distance_correlation"] = distance_correlation_of(pairs)
    return figures
