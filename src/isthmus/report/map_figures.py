"""Figures of maps in words, and as rows of a table with a cell for each map."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from isthmus.manifold.quality import Figure
from isthmus.report.figures import Row
from isthmus.tasks.comparison import MethodMap

__all__ = ["ARROWS", "FIGURES", "FigureWords", "cell", "figure_rows", "meanings", "method_rows"]

ARROWS = "↑ higher is better, ↓ lower is better; ± is the standard error over rows"
NONE = "-"


class FigureWords(NamedTuple):
    """What a figure is called, which way is better, and what it tells."""

    title: str
    better: str
    meaning: str


FIGURES = {
    "trustworthiness": FigureWords(
        "trustworthiness", "↑", "Are neighbours in the map neighbours in the data? 1 where all are."
    ),
    "continuity": FigureWords(
        "continuity", "↑", "Are neighbours in the data neighbours in the map? 1 where all are."
    ),
    "mrre_false": FigureWords(
        "rank errors, map",
        "↓",
        "By how much neighbours in the map have other ranks in the data: 0 not at all.",
    ),
    "mrre_missing": FigureWords(
        "rank errors, data",
        "↓",
        "By how much neighbours in the data have other ranks in the map: 0 not at all.",
    ),
    "lcmc": FigureWords(
        "LCMC", "↑", "The share of neighbours kept less what chance keeps (local continuity meta-criterion)."
    ),
    "q_nx": FigureWords("Q_NX", "↑", "The share of neighbours that are the same in the data and in the map."),
    "r_nx": FigureWords("R_NX", "↑", "Neighbours kept beyond chance: 0 is what chance keeps, 1 all of them."),
    "r_nx_area": FigureWords(
        "R_NX, area over log k",
        "↑",
        "R_NX over neighbourhoods of all sizes, small ones counting most: one number for the whole map.",
    ),
    "neighborhood_hit": FigureWords(
        "same label", "↑", "The share of neighbours in the map that have the row's label."
    ),
    "knn_accuracy": FigureWords(
        "kNN accuracy",
        "↑",
        "How often a row's neighbours in the map elect its label.",
    ),
    "shepard_spearman": FigureWords(
        "Shepard, rank correlation",
        "↑",
        "Do far rows lie far apart? Correlation of the ranks of distances.",
    ),
    "shepard_pearson": FigureWords("Shepard, correlation", "↑", "The same for the distances themselves."),
    "stress": FigureWords(
        "stress",
        "↓",
        "How far distances are off, at the map's best scale: 0 not at all, 1 entirely.",
    ),
    "distance_correlation": FigureWords(
        "distance correlation", "↑", "How far places in the map depend on the data: 0 not at all, 1 entirely."
    ),
    "local_distance_correlation": FigureWords(
        "distance correlation, local", "↑", "The same inside each row's neighbourhood of 30."
    ),
    "squared_error": FigureWords(
        "squared error per row",
        "↓",
        "What is lost of a held-out row on its way through the map and back, summed over columns.",
    ),
}


def figure_rows(maps: Sequence[Mapping[str, Figure]], names: Iterable[str] | None = None) -> list[Row]:
    """Return a row for each figure that some map has, or for those named, with its value in every map."""
    wanted = dict.fromkeys(name for figures in maps for name in figures) if names is None else names
    return [Row(*_title(name), [cell(name, figures.get(name)) for figures in maps]) for name in wanted]


def cell(name: str, figure: Figure | None) -> str:
    """Return a figure's value and standard error."""
    if figure is None or not math.isfinite(figure.value):
        return NONE
    value, error = figure
    if name == "squared_error":
        return f"{value:.4g} ± {error:.2g}"
    return f"{value:.3f} ± {error:.3f}"


def _title(name: str) -> tuple[str, str]:
    base, _, k = name.partition("@")
    words = FIGURES[base]
    return (f"{words.title}, {k} nearest" if k else words.title), f" {words.better}"


def meanings(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return title and meaning of figures."""
    bases = dict.fromkeys(name.partition("@")[0] for name in names)
    return [(FIGURES[base].title, FIGURES[base].meaning) for base in bases]


def method_rows(maps: Sequence[MethodMap]) -> list[Row]:
    """Return what each method takes, and what it can do."""
    told: list[tuple[str, str, Callable[[MethodMap], str]]] = [
        ("measured on", "", lambda one: one.measured_on),
        ("seconds to fit", " ↓", lambda one: _seconds(one.fit_seconds)),
        ("seconds to map held-out rows", " ↓", lambda one: _seconds(one.transform_seconds)),
        ("seconds to invert them", " ↓", lambda one: _seconds(one.invert_seconds)),
        ("memory to fit, at the peak", " ↓", lambda one: _memory(one.peak_bytes)),
        ("can map new rows", "", lambda one: _yes(one.method.can_transform)),
        ("can invert", "", lambda one: _yes(one.method.can_invert)),
        ("has a density", "", lambda one: _yes(one.has_density)),
    ]
    return [Row(name, note, [say(one) for one in maps]) for name, note, say in told]


def _seconds(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.2g}" if seconds < 10 else f"{seconds:,.0f}"


def _memory(peak: int | None) -> str:
    return "not measured" if peak is None else f"{peak / 1e6:,.0f} MB"


def _yes(can: bool) -> str:
    return "yes" if can else "no"
