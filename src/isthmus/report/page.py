"""The page, put together from a model and, where they are given, rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

import isthmus
from isthmus import store
from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.table import summary_rows
from isthmus.errors import InputError
from isthmus.estimators.concern import Concern
from isthmus.estimators.health import Diagnosis
from isthmus.plots import Labels
from isthmus.plots.rows import Rows, known_source, open_rows, sample_rows
from isthmus.report import generating, sections, words
from isthmus.report.figures import figure_table
from isthmus.report.measured import recognise
from isthmus.report.section import Section
from isthmus.report.sections import MAP_ROWS
from isthmus.report.templates import template
from isthmus.report.warnings import concerns

__all__ = ["render", "write_report"]


def write_report(
    model: Any,
    path: str | Path,
    source: Any = None,
    label: str | ArrayLike | Labels | None = None,
    *,
    condition: Any = None,
    overwrite: bool = False,
) -> None:
    """Write one HTML file about a fitted model, which needs no other file and no network to be read.

    Parameters
    ----------
    model : fitted estimator
    path : str or Path
        The file; it appears when it is complete.
    source : Source, array or frame, optional
        Rows to draw and to measure: best those of the fit, whose held-out rows are found again. Without
        them the page tells what the model itself knows: figures, loss curve, parts and schema.
    label : str, Labels or array-like of shape (n,), optional
        Colours the code map: the name of a column (or array) of `source`, or the values themselves. By
        default the column that the schema calls a label, if `source` has it.
    condition : frame, Source, or array-like of shape (n,) or (n, k), optional
        What a conditional model is told of each row, where columns of `source` do not say it, or one row for
        all. Without it, the page leaves out what needs the codes of rows, and says so.
    overwrite : bool, default=False
        Whether to replace a file.

    Raises
    ------
    InputError
        If a condition is given for a model that was fitted without one, or without rows.
    """
    check_is_fitted(model)
    # Opened first, so that a page that cannot be written is refused before minutes go into it.
    with store.open_output(path, overwrite=overwrite) as file:
        file.write(render(model, source, label, condition).encode("utf-8", "backslashreplace"))


def render(
    model: Any,
    source: Any = None,
    label: str | ArrayLike | Labels | None = None,
    condition: Any = None,
) -> str:
    """Return the page as HTML."""
    rows = None if source is None else as_source(source)
    if rows is None and condition is not None:
        raise InputError("condition: it is told of rows; give them too (source), or leave it out")
    apart = () if rows is None or condition is not None else words.told_apart(model, rows.columns or ())
    if rows is None or apart:
        shown = _without_rows(model, rows)
    else:
        shown = _from_rows(open_rows(model, rows, condition), find_labels(rows, model.schema_, label))
    metrics, k = model.metrics_, model.n_components_
    return template("template.html").render(
        title=words.title(model),
        kind=type(model).__name__,
        lead=words.lead(model),
        tiles=words.tiles(model),
        data="" if rows is None else words.source_name(rows),
        left_out="" if rows is not None and not apart else words.left_out(apart),
        concerns=shown.concerns,
        figures=figure_table(metrics, k) if metrics else None,
        score=None if "log_likelihood" in metrics else metrics.get("score"),
        sections=[part for part in shown.sections if part is not None],
        code=words.code_lines(model),
        parts=words.parts(model),
        schema=summary_rows(model.schema_),
        schema_title=str(model.schema_).splitlines()[0],
        version=isthmus.__version__,
    )


@dataclass(frozen=True, eq=False)
class _Shown:
    """What depends on whether there are rows, and on what is told of them."""

    concerns: list[Concern]
    sections: list[Section | None]


def _without_rows(model: Any, rows: Source | None) -> _Shown:
    """Return what a model shows without codes of rows; samples may have rows beside them."""
    found = concerns(model.history_, model.metrics_, n_columns=len(model.schema_.modelled))
    # Rows of a frame must have the columns of the fit, the conditions among them.
    whole = rows is not None and words.told_apart(model) == words.told_apart(model, rows.columns or ())
    known = known_source(model, rows) if rows is not None and whole else None
    return _Shown(found, [*_generated(model, known), sections.loss(model)])


def _from_rows(given: Rows, labels: Labels | None) -> _Shown:
    """Return what needs the codes of rows too."""
    measured = recognise(given)
    diagnosis = generating.find_diagnosis(given, measured)
    parts = [
        None if measured.recognised else sections.given_figures(given, measured),
        sections.code_map(given, labels),
        sections.images(given, measured),
        sections.columns(given, measured),
        *_generated(given.model, given.source),
        generating.health(diagnosis),
        sections.loss(given.model),
    ]
    return _Shown(_all_concerns(given, diagnosis), parts)


def _generated(model: Any, known: Source | None) -> list[Section | None]:
    return [generating.samples(model, known), generating.manifold(model)]


def _all_concerns(given: Rows, diagnosis: Diagnosis | None) -> list[Concern]:
    """Return the concerns; those about codes are the diagnosis's where there is one."""
    model, codes = given.model, None
    if diagnosis is None:
        index = sample_rows(len(given), MAP_ROWS)
        codes = model.transform(given.take(index), **given.told(index))
    n_columns = len(model.schema_.modelled)
    found = concerns(model.history_, model.metrics_, n_columns=n_columns, codes=codes)
    return [*(() if diagnosis is None else diagnosis.concerns), *found]


def find_labels(rows: Source, schema: Schema, label: Any) -> Labels | None:
    """Return the values that colour the map: those named or given, else the schema's label column."""
    if label is None:
        names = [c.name for c in schema.columns if c.role == "label" and c.name in (rows.columns or ())]
        label = names[0] if names else None
    if label is None or isinstance(label, Labels):
        found = label
    elif isinstance(label, str):
        found = Labels.read(rows.column(label), label)
    else:
        found = Labels.read(label)
    if found is not None and len(found) != len(rows):
        raise InputError(
            f"label has {len(found)} values and {rows.name} {len(rows)} rows; give one value a row"
        )
    return found
