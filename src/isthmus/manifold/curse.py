"""What many dimensions do to distances, to density and to neighbours, measured on the data at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from scipy.stats import skew
from sklearn.utils import check_random_state, gen_batches

from isthmus.errors import InputError
from isthmus.manifold.dimension.rows import Array, Seed, distinct, draw, neighbors
from isthmus.manifold.occupancy import DensityDecay, density_decay

__all__ = [
    "Concentration",
    "CurseReport",
    "Diagnostic",
    "Hubness",
    "curse_report",
    "distance_concentration",
    "hubness",
]

# Rows whose distances to all others are held at once.
BLOCK_ROWS = 256


@dataclass(frozen=True)
class Concentration:
    """How alike distances are.

    Attributes
    ----------
    relative_contrast : float
        Median over rows of (farthest - nearest) / nearest distance to another row: near 0, "nearest" means
        little. No unit.
    coefficient_of_variation : float
        Standard deviation over mean of the distances of all pairs: near 0, all rows are equally far. No unit.
    n_rows : int
        Distinct rows that were compared, each with each.
    """

    relative_contrast: float
    coefficient_of_variation: float
    n_rows: int


def distance_concentration(X: ArrayLike, *, max_rows: int = 1000, random_state: Seed = 0) -> Concentration:
    """Measure how far Euclidean distances concentrate around one value.

    Of independent columns both figures fall as one over the root of their number. What counts is the
    intrinsic dimension: columns that repeat each other do not concentrate distances.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers, at least two different rows; the axes of an image count as columns.
    max_rows : int, default=1000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=0
        Draws those rows.

    Returns
    -------
    Concentration

    References
    ----------
    K. Beyer, J. Goldstein, R. Ramakrishnan and U. Shaft, "When is 'nearest neighbor' meaningful?", ICDT 1999;
    D. Francois, V. Wertz and M. Verleysen, "The concentration of fractional distances", IEEE Transactions on
    Knowledge and Data Engineering 19 (2007).

    Examples
    --------
    >>> found = distance_concentration([[0.0], [1.0], [3.0]])
    >>> round(found.relative_contrast, 3), round(found.coefficient_of_variation, 3)
    (1.0, 0.408)
    """
    rows, _ = distinct(draw(X, max_rows, random_state, "distance_concentration"))
    _check_different(rows, "distance_concentration")
    contrasts, total, squares = list[Array](), 0.0, 0.0
    for block in gen_batches(len(rows), BLOCK_ROWS):
        distances = cdist(rows[block], rows)
        total += float(distances.sum())
        squares += float((distances**2).sum())
        farthest = distances.max(axis=1)
        distances[distances == 0] = np.inf  # to itself, or too small for a number
        nearest = distances.min(axis=1)
        known = np.isfinite(nearest)
        contrasts.append((farthest - nearest)[known] / nearest[known])
    n_pairs = len(rows) * (len(rows) - 1)
    if not total:
        raise InputError(
            "distance_concentration got rows too alike for distances; give others, or other units"
        )
    mean = total / n_pairs
    spread = np.sqrt(max(squares / n_pairs - mean**2, 0.0))
    contrast = float(np.median(np.concatenate(contrasts)))
    return Concentration(contrast, float(spread / mean), len(rows))


@dataclass(frozen=True)
class Hubness:
    """How unequally often rows are among the nearest neighbours of others.

    Attributes
    ----------
    skewness : float
        Of the number of rows that have a row among their k nearest: 0 where no row is a hub, above 1 where
        there are strong ones. No unit.
    antihub_share : float
        Share of the rows that are nobody's neighbour, from 0 to 1.
    largest : int
        The most rows that have the same row among their k nearest; on average it is k.
    n_neighbors : int
        k.
    n_rows : int
        Distinct rows that were looked at.
    """

    skewness: float
    antihub_share: float
    largest: int
    n_neighbors: int
    n_rows: int


def hubness(X: ArrayLike, n_neighbors: int = 10, *, max_rows: int = 5000, random_state: Seed = 0) -> Hubness:
    """Measure hubness: that few rows are neighbours of many, and many of none.

    Hubs appear where the intrinsic dimension is high. Searches and classifiers by neighbours then keep
    answering with the same rows.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers, at least two different rows; repeated rows count once. Of equally near rows, which
        ones are neighbours is left to the search.
    n_neighbors : int, default=10
        k. Of fewer rows, as many as there are others.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=0
        Draws those rows.

    Returns
    -------
    Hubness

    References
    ----------
    M. Radovanovic, A. Nanopoulos and M. Ivanovic, "Hubs in space: popular nearest neighbors in
    high-dimensional data", Journal of Machine Learning Research 11 (2010).

    Examples
    --------
    >>> star = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.1], [-1.2, 0.0], [0.0, -1.3]]
    >>> found = hubness(star, 1)
    >>> found.largest, found.antihub_share
    (4, 0.6)
    """
    if n_neighbors < 1:
        raise InputError(f"n_neighbors is {n_neighbors}; give 1 or more")
    rows, _ = distinct(draw(X, max_rows, random_state, "hubness"))
    _check_different(rows, "hubness")
    k = min(n_neighbors, len(rows) - 1)
    counts = np.bincount(neighbors(rows, k).ravel(), minlength=len(rows))
    asymmetry = float(skew(counts)) if np.ptp(counts) else 0.0
    return Hubness(asymmetry, float((counts == 0).mean()), int(counts.max()), k, len(rows))


def _check_different(rows: Array, name: str) -> None:
    if len(rows) < 2:
        raise InputError(f"{name} got {len(rows)} different rows; give at least two")


class Diagnostic(NamedTuple):
    """A number with its name, its unit and the rows it was measured on."""

    name: str
    value: float
    unit: str
    n_rows: int


@dataclass(frozen=True)
class CurseReport:
    """All diagnostics of the curse of dimensionality.

    Attributes
    ----------
    concentration : Concentration
    decay : DensityDecay
    hubness : Hubness
    """

    concentration: Concentration
    decay: DensityDecay
    hubness: Hubness

    @property
    def numbers(self) -> list[Diagnostic]:
        """Each number with name, unit and rows."""
        near, decay, hubs = self.concentration, self.decay, self.hubness
        within = f"other rows within ±{decay.share / 2:.3g} of the range, "
        last = int(decay.n_columns[-1])
        return [
            Diagnostic("relative contrast of distances", near.relative_contrast, "", near.n_rows),
            Diagnostic("their coefficient of variation", near.coefficient_of_variation, "", near.n_rows),
            Diagnostic(f"{within}1 column", float(decay.rows_within[0]), "rows", decay.n_rows),
            Diagnostic(f"{within}{last} columns", float(decay.rows_within[-1]), "rows", decay.n_rows),
            Diagnostic("factor by which they fall per column", decay.factor, "", decay.n_rows),
            Diagnostic(f"skewness of {hubs.n_neighbors}-occurrences (hubs)", hubs.skewness, "", hubs.n_rows),
            Diagnostic("antihubs, nobody's neighbours", 100 * hubs.antihub_share, "%", hubs.n_rows),
            Diagnostic("rows that the largest hub is a neighbour of", hubs.largest, "rows", hubs.n_rows),
        ]


def curse_report(
    X: ArrayLike, *, n_neighbors: int = 10, max_rows: int = 5000, random_state: int | None = 0
) -> CurseReport:
    """Measure distance concentration, density decay and hubness of the same data.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers, at least two different rows; distances are taken in the units given.
    n_neighbors : int, default=10
        Of `hubness`.
    max_rows : int, default=5000
        Of more rows, this many are drawn. Distances of all pairs are taken of 1,000 of them.
    random_state : int or None, default=0
        Draws rows, and the order in which columns are added.

    Returns
    -------
    CurseReport
        ``numbers`` lists them with their units.
    """
    rows = draw(X, max_rows, check_random_state(random_state), "curse_report")
    return CurseReport(
        distance_concentration(rows, random_state=random_state),
        density_decay(rows, random_state=random_state),
        hubness(rows, n_neighbors, max_rows=len(rows)),
    )
