"""The page of a comparison of maps: pictures side by side, one table, and what its figures mean."""

from __future__ import annotations

from pathlib import Path

import isthmus
from isthmus import store
from isthmus.plots import Labels, MapsDisplay
from isthmus.plots.style import as_text
from isthmus.report.figures import Row, Table, number
from isthmus.report.map_figures import ARROWS, cell, figure_rows, meanings, method_rows
from isthmus.report.pictures import inline_svg
from isthmus.report.templates import template
from isthmus.tasks.comparison import Comparison, MethodMap

__all__ = ["comparison_rows", "lead", "render_comparison", "write_comparison"]

AREA = "r_nx_area"


def write_comparison(
    comparison: Comparison,
    path: str | Path,
    *,
    label: Labels | None = None,
    label_name: str = "label",
    data: str = "",
    overwrite: bool = False,
) -> None:
    """Write one HTML file about a comparison, which needs no other file and no network to be read.

    Parameters
    ----------
    comparison : Comparison
        With one map or more.
    path : str or Path
        The file; it appears when it is complete.
    label : Labels, optional
        Of all rows given, to colour the maps; by default the comparison's own.
    label_name : str
        What the comparison's own labels are called.
    data : str
        What the rows are called.
    overwrite : bool, default=False
        Whether to replace a file.
    """
    page = render_comparison(comparison, label=label, label_name=label_name, data=data)
    store.write_file(path, page.encode("utf-8", "backslashreplace"), overwrite=overwrite)


def render_comparison(
    comparison: Comparison, *, label: Labels | None = None, label_name: str = "label", data: str = ""
) -> str:
    """Return the page as HTML."""
    display = MapsDisplay.from_comparison(comparison, label=label, label_name=label_name)
    maps = comparison.maps
    caption = _caption(comparison, display.labels)
    head = ["", *(one.method.title for one in maps)]
    return template("comparison.html").render(
        title=_title(comparison),
        data=as_text(data, 60),
        lead=lead(comparison),
        not_run=comparison.not_run,
        caption=caption,
        picture=inline_svg(display.figure_, f"Scatter plots. {caption}"),
        figures=Table(head, _true_rows(comparison), f"{_measured(comparison)} {ARROWS}.", wide=True),
        costs=Table(head, method_rows(maps)[1:], COSTS, wide=True),
        settings=[(one.method.title, one.method.settings) for one in maps],
        meanings=[(MEASURED, MEASURED_MEANING), *meanings(n for one in maps for n in one.figures)],
        version=isthmus.__version__,
    )


COSTS = (
    "By the clock. Memory: by how much that of the process rose while the map was learned, native libraries "
    "included; memory that an earlier method left free may be used again unseen."
)
MEASURED = "held-out, training"
MEASURED_MEANING = (
    "Held-out rows were mapped by a method that had not seen them, and their neighbours are training rows. A "
    "method that cannot do that is measured on the rows it learned from, which flatters it."
)


def comparison_rows(comparison: Comparison) -> list[Row]:
    """Return the whole table: rows measured on, figures, what the methods take and can."""
    return [*_true_rows(comparison), *method_rows(comparison.maps)[1:]]


def _true_rows(comparison: Comparison) -> list[Row]:
    return [method_rows(comparison.maps)[0], *figure_rows([one.figures for one in comparison.maps])]


def lead(comparison: Comparison) -> list[str]:
    """Return what was compared with what, and which map is the truest, in sentences."""
    rows, maps = comparison.rows, comparison.maps
    given = "" if rows.held_out_name is None else f" given beside them ({as_text(rows.held_out_name, 60)})"
    sentences = [
        f"{number(len(maps), 'method')} learned a map from the same {number(len(rows.training), 'row')} of "
        f"{number(rows.training.shape[1], 'number')} ({rows.units}). Figures are of "
        f"{number(len(rows.held_out), 'row')}{given} that none of them had seen{_exceptions(comparison)}."
    ]
    held_out = [one for one in maps if one.held_out is not None and not one.method.takes_labels]
    if len(held_out) > 1:
        sentences += [
            _best(held_out, name, words)
            for name, words in BEST.items()
            if all(name in one.figures for one in held_out)
        ]
    error = comparison.pca_squared_error
    sentences.append(
        f"PCA with {number(comparison.n_components, 'component')} leaves a squared error of "
        f"{cell('squared_error', error)} per held-out row: the measure for maps that lead back to data."
    )
    return sentences


BEST = {
    AREA: "Neighbourhoods of all sizes are kept best by",
    "knn_accuracy@10": "A row's 10 nearest in the map tell its label best with",
}


def _best(maps: list[MethodMap], name: str, words: str) -> str:
    best = max(maps, key=lambda one: one.figures[name].value)
    pca = next((one for one in maps if one.method.name == "pca" and one is not best), None)
    beside = "" if pca is None else f"; PCA has {cell(name, pca.figures[name])}"
    title = "area under R_NX" if name == AREA else "accuracy"
    return f"{words} {best.method.title} ({title} {cell(name, best.figures[name])}{beside})."


def _exceptions(comparison: Comparison) -> str:
    titles = [one.method.title for one in comparison.maps if one.held_out is None]
    if not titles:
        return ""
    cannot = "which cannot map new rows and is" if len(titles) == 1 else "which cannot map new rows and are"
    return f", except for {' and '.join(titles)}, {cannot} measured on the rows learned from"


def _measured(comparison: Comparison) -> str:
    rows = comparison.rows
    return (
        f"Measured on {number(len(rows.held_out), 'held-out row')}, each among "
        f"{number(len(rows.training), 'training row')}, unless it says “training”."
    )


def _title(comparison: Comparison) -> str:
    n = len(comparison.maps)
    return f"{number(n, 'map')} of the same rows, side by side" if n > 1 else "A map of the rows"


def _caption(comparison: Comparison, labels: Labels | None) -> str:
    text = "Faint points are rows that the maps were learned from, strong ones are held-out rows."
    if any(one.held_out is None for one in comparison.maps):
        text += " Maps that no new row can be put into show training rows only."
    if comparison.n_components > 2:
        text += f" Of {comparison.n_components} components the two leading principal ones are drawn."
    if labels is not None:
        told = [one.method.title for one in comparison.maps if one.method.takes_labels]
        learned = f"nothing was learned but by {' and '.join(told)}" if told else "nothing was learned"
        text += f" The colour is “{labels.name}”, from which {learned}."
    return f"{text} Axes have no unit, and maps may be turned or mirrored."
