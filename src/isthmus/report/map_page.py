"""The page of one map: the picture, how true it is beside PCA's, and how it was learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

import isthmus
from isthmus import store
from isthmus.data.sources import as_source
from isthmus.plots import Labels
from isthmus.plots.rows import open_rows
from isthmus.report import sections, words
from isthmus.report.figures import number
from isthmus.report.map_figures import meanings
from isthmus.report.map_truth import MapFigures, measure_map
from isthmus.report.measured import recognise
from isthmus.report.page import find_labels
from isthmus.report.section import Section
from isthmus.report.templates import template
from isthmus.tasks.map_rows import are_classes

__all__ = ["render_map", "write_map"]


def write_map(
    model: Any,
    path: str | Path,
    source: Any,
    label: str | ArrayLike | Labels | None = None,
    *,
    classes: NDArray[Any] | None = None,
    overwrite: bool = False,
) -> MapFigures:
    """Write one HTML file with the map of a fitted model, which needs no other file and no network.

    Parameters
    ----------
    model : fitted estimator
    path : str or Path
        The file; it appears when it is complete.
    source : Source, array or frame
        Rows to draw and to measure: best those of the fit, whose held-out rows are found again.
    label : str, Labels or array-like of shape (n,), optional
        Colours the map, as in `write_report`.
    classes : ndarray of shape (n,), optional
        Labels to take figures of classes with; left out if they are no classes, see `are_classes`.
    overwrite : bool, default=False
        Whether to replace a file.

    Returns
    -------
    MapFigures
        How true the map is.
    """
    check_is_fitted(model)
    with store.open_output(path, overwrite=overwrite) as file:
        page, figures = render_map(model, source, label, classes)
        file.write(page.encode("utf-8", "backslashreplace"))
    return figures


def render_map(
    model: Any,
    source: Any,
    label: str | ArrayLike | Labels | None = None,
    classes: NDArray[Any] | None = None,
) -> tuple[str, MapFigures]:
    """Return the page as HTML, and the figures of the map."""
    rows = as_source(source)
    given, labels = open_rows(model, rows), find_labels(rows, model.schema_, label)
    figures = measure_map(given, classes if are_classes(classes) else None)
    measured = recognise(given)
    shown = [
        sections.code_map(given, labels),
        Section("How true it is", TRUE, table=figures.table),
        sections.images(given, measured),
        sections.columns(given, measured),
        sections.loss(model),
    ]
    page = template("map.html").render(
        title=f"A map of {number(len(rows), 'row')}",
        kind=type(model).__name__,
        data=words.source_name(rows),
        lead=[*words.lead(model), figures.sentence],
        sections=[section for section in shown if section is not None],
        meanings=meanings(figures.names),
        code=words.code_lines(model),
        version=isthmus.__version__,
    )
    return page, figures


TRUE = (
    "A map cannot keep all neighbours of rows of many columns. How many it keeps is measured on rows that it "
    "was not learned from, where there are any, beside the map of PCA."
)
