"""How true a fitted model's map is, beside the map of PCA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from isthmus.data.sources import as_source
from isthmus.manifold.quality import MapQuality, map_quality
from isthmus.plots.rows import Rows, sample_rows
from isthmus.report.figures import Table, number
from isthmus.report.map_figures import cell, figure_rows
from isthmus.report.measured import recognise
from isthmus.tasks.map_rows import as_points

__all__ = ["MapFigures", "measure_map"]

# Held-out rows that are measured, and training rows among which their neighbours are sought.
MOST_MEASURED, MOST_TRAINING = 2000, 5000
N_NEIGHBORS = (10, 30)
AREA = "r_nx_area"
SHOWN = ("trustworthiness", "continuity", "r_nx", AREA, "knn_accuracy")


@dataclass(frozen=True, eq=False)
class MapFigures:
    """Figures of a map beside those of PCA with as many components, on the same rows.

    Attributes
    ----------
    map, pca : MapQuality
    rows : str
        "held-out", "training" or "given".
    n_rows, n_training : int
        Rows measured, and those among which their neighbours were sought.
    n_components : int
    """

    map: MapQuality
    pca: MapQuality
    rows: str
    n_rows: int
    n_training: int
    n_components: int

    @property
    def names(self) -> list[str]:
        """The figures that are shown."""
        return [name for name in self.map.figures if name.partition("@")[0] in SHOWN]

    @property
    def table(self) -> Table:
        """The figures beside PCA's."""
        rows = figure_rows([self.map.figures, self.pca.figures], self.names)
        head = ("", "this map", f"PCA, {number(self.n_components, 'component')}")
        caption = f"Measured on {self.measured_on}. Higher is better; ± is the standard error over rows."
        return Table(head, [replace(row, note="") for row in rows], caption)

    @property
    def measured_on(self) -> str:
        """Which rows were measured, in words."""
        told = number(self.n_rows, f"{self.rows} row")
        among = f", each among {number(self.n_training, 'training row')}"
        return told + among * (self.rows == "held-out")

    @property
    def sentence(self) -> str:
        """How true the map is, beside PCA's."""
        name = next(name for name in self.names if name.startswith("trustworthiness"))
        k = name.partition("@")[2]
        own, pca = self.map.figures, self.pca.figures
        return (
            f"On {self.measured_on}, its trustworthiness for {k} neighbours is {cell(name, own[name])} (PCA "
            f"{cell(name, pca[name])}), the area under R_NX {cell(AREA, own[AREA])} (PCA "
            f"{cell(AREA, pca[AREA])})."
        )


def measure_map(given: Rows, labels: NDArray[Any] | None = None) -> MapFigures:
    """Measure the map of a fitted model, and PCA's, on the rows that the fit held out if they are there.

    Parameters
    ----------
    given : Rows
    labels : ndarray of shape (n,), optional
        Classes.

    Returns
    -------
    MapFigures
        Of rows that are not those of the fit, or of which none were held out, among themselves.
    """
    measured = recognise(given)
    index = _some(measured.index, MOST_MEASURED)
    apart = measured.name == "held-out"
    training = _some(measured.training, MOST_TRAINING) if apart else index
    points = as_points(given.model.schema_, *(as_source(given.take(some)) for some in (training, index)))
    codes = [_codes(given, index)]
    codes.insert(0, _codes(given, training) if apart else codes[0])
    classes = None if labels is None else (labels[training], labels[index])
    k = codes[0].shape[1]
    pca = PCA(min(k, *points[0].shape), random_state=0).fit(points[0])
    flat = [pca.transform(part) for part in points]
    own, beside = (_quality(points, some, classes, apart) for some in (codes, flat))
    return MapFigures(own, beside, measured.name, len(index), len(training), k)


def _codes(given: Rows, index: NDArray[np.intp]) -> NDArray[Any]:
    return np.asarray(given.model.transform(given.take(index), **given.told(index)))


def _some(index: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    return np.sort(index[sample_rows(len(index), most)])


def _quality(points: Sequence[Any], codes: Sequence[Any], classes: Any, apart: bool) -> MapQuality:
    n_candidates = len(points[0]) - (not apart)
    how: dict[str, Any] = {"n_neighbors": [k for k in N_NEIGHBORS if k < n_candidates] or 1}
    if apart:
        how |= {"X_reference": points[0], "Z_reference": codes[0]}
    if classes is not None:
        how |= {"labels": classes[1]} | ({"labels_reference": classes[0]} if apart else {})
    return map_quality(points[1], codes[1], **how)
