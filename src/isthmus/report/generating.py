"""What a generative model shows of itself: new rows beside the data, a map of codes decoded, its health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.encoding import decode
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.estimators.conditions import as_keyword
from isthmus.estimators.generative import Generative
from isthmus.estimators.health import Diagnosis
from isthmus.plots import ImageGridDisplay, new_axes
from isthmus.plots.images import schema_range
from isthmus.plots.rows import Rows, native
from isthmus.plots.style import as_text
from isthmus.report.figures import Row, Table, number
from isthmus.report.measured import Measured
from isthmus.report.pictures import inline_svg
from isthmus.report.section import Section
from isthmus.tasks import nearest

__all__ = ["find_diagnosis", "health", "manifold", "samples"]

N_SAMPLES = 8
# Of wider tables these are shown.
MOST_COLUMNS = 6
GRID = 20
SEED = 0


def samples(model: Any, rows: Source | None) -> Section | None:
    """Return new rows, each beside the nearest of the rows given."""
    if not isinstance(model, Generative):
        return None
    images, told = model.schema_.holds_images, some_conditions(model, N_SAMPLES)
    drawn = model.sample(N_SAMPLES, expected=images, random_state=SEED, **as_keyword(told))
    text = f"{N_SAMPLES} codes drawn from the prior, and what the model makes of them"
    text += ": the images to expect, without noise of pixels." if images else ": a row drawn for each."
    if told is not None:
        text += f" {_told_words(told, images)}"
    if rows is None:
        return _shown(model, drawn, told, text)
    index, distance = nearest(model, drawn, rows)
    n_copies = int((distance == 0).sum())
    copies = number(n_copies, "is a copy", "are copies") if n_copies else "none is a copy"
    text += (
        f" Beside each stands the nearest of the {number(len(rows), 'row')} given, and how far away it is; "
        f"{copies} (distance 0)."
    )
    return _shown(model, drawn, told, text, rows, index, distance)


def _shown(
    model: Any,
    drawn: Any,
    told: Any,
    text: str,
    rows: Source | None = None,
    index: NDArray[np.intp] | None = None,
    distance: NDArray[np.float64] | None = None,
) -> Section:
    near = None if rows is None or index is None or distance is None else (rows, index, distance)
    if model.schema_.holds_images:
        return Section("New images", text, _image_lines(model.schema_, drawn, told, near, text))
    return Section("New rows", text, table=_table(model.schema_, drawn, near))


def _told_words(told: Any, images: bool) -> str:
    if images:
        return f"They are told, one after the other: {_listed(told)}."
    return "What they are told stands in the first columns."


def _listed(told: Any) -> str:
    """Say what is told of each sample, as in "digit 0, 1, 2"."""
    frame = nw.from_native(told, eager_only=True)
    values = {name: [_cell(value) for value in frame[name].to_list()] for name in frame.columns}
    return "; ".join(f"{as_text(name)} {', '.join(listed)}" for name, listed in values.items())


Near = tuple[Source, NDArray[np.intp], NDArray[np.float64]]


def _image_lines(schema: Schema, drawn: NDArray[Any], told: Any, near: Near | None, text: str) -> Any:
    """Draw samples, the nearest rows below them, and what was told above."""
    images, titles, captions, note = drawn, None, None, ""
    if near is not None:
        rows, index, distance = near
        found = np.asarray(native(rows.take(index))).reshape(drawn.shape)
        images, titles = np.concatenate([drawn, found]), ["new", "nearest row"]
        captions = [""] * len(drawn) + [f"{value:.3g}" for value in distance]
        note = "Euclidean distance, in units of the data"
    low, high = schema_range(schema)
    columns = None if told is None else nw.from_native(told, eager_only=True).rows()
    grid = ImageGridDisplay.from_images(
        images,
        n_columns=len(drawn),
        low=low,
        high=high,
        row_titles=titles,
        column_titles=None if columns is None else [", ".join(map(_cell, row)) for row in columns],
        captions=captions,
        note=note,
        ax=new_axes(height=1.0),
    )
    fit_to_grid(grid, extra=0.3 * bool(note) + 0.3 * (told is not None))
    return inline_svg(grid.figure_, text)


def fit_to_grid(grid: ImageGridDisplay, extra: float) -> None:
    """Make the figure as high as its picture, and what is written around it."""
    height, width = grid.image_.get_size()
    left = 0.9 if grid.row_titles else 0.0
    grid.figure_.set_size_inches(4.4, (4.4 - left) * height / width + extra + 0.1)


def _table(schema: Schema, drawn: Any, near: Near | None) -> Table:
    """Return new rows as a table: conditions first, then what was learned."""
    frame = nw.from_native(drawn, eager_only=True, pass_through=True)
    told = [c.name for c in schema.columns if c.role == "condition" and c.kind not in ("constant", "ignored")]
    learned = [column.name for column in schema.modelled]
    names = [*told, *learned][:MOST_COLUMNS]
    cells = [[_cell(value) for value in row] for row in _values(schema, frame, names)]
    head, n_columns = ["", *(as_text(name) for name in names)], len(told) + len(learned)
    caption = f"{len(names)} of {number(n_columns, 'column')}." if len(names) < n_columns else ""
    if near is not None:
        _, index, distance = near
        cells = [[*row, f"{i} ({d:.3g})"] for row, i, d in zip(cells, index, distance, strict=True)]
        head.append("nearest row")
        caption += f" Rows are counted from 0; in brackets their distances, in {_units(schema)}."
    rows = [Row(str(i + 1), "", row) for i, row in enumerate(cells)]
    return Table(head, rows, caption.strip(), wide=True)


def _units(schema: Schema) -> str:
    return "training standard deviations" if schema.container == "frame" else "units of the data"


def _values(schema: Schema, rows: Any, names: list[str]) -> list[Any]:
    if isinstance(rows, np.ndarray):
        index = [schema.names.index(name) for name in names]
        return rows.reshape(len(rows), -1)[:, index].tolist()
    return rows.select(names).rows()


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else as_text(value)


def manifold(model: Any) -> Section | None:
    """Return a grid of codes as images, if the code has two numbers."""
    if not isinstance(model, Generative) or model.n_components_ != 2 or not model.schema_.holds_images:
        return None
    told = some_conditions(model, 1)
    images = model.manifold_grid(GRID, **as_keyword(told))
    low, high = schema_range(model.schema_)
    text = (
        f"{GRID} by {GRID} codes at the quantiles of the prior, decoded: the first number grows upwards, "
        "the second to the right."
    )
    text += "" if told is None else f" All are told {_listed(told)}."
    grid = ImageGridDisplay.from_images(
        images, n_columns=GRID, low=low, high=high, gap=0.0, ax=new_axes(height=1.0)
    )
    fit_to_grid(grid, extra=0.0)
    return Section("The space of codes", text, inline_svg(grid.figure_, text))


# Health ---------------------------------------------------------------------------------------------------


def find_diagnosis(given: Rows, measured: Measured) -> Diagnosis | None:
    """Diagnose the codes of rows, if the model is generative and there are two rows or more."""
    model, index = given.model, measured.index
    if not isinstance(model, Generative) or len(index) < 2:
        return None
    found = model.diagnose(given.take(index), **given.told(index))
    return replace(found, rows=measured.name)


def health(found: Diagnosis | None) -> Section | None:
    """Return the figures of a diagnosis; its concerns stand with the others."""
    if found is None:
        return None
    text = (
        "Is every latent used, and are codes of rows like draws of the prior? An active latent tells rows "
        "apart; codes that a classifier can tell from draws mean samples unlike the data."
    )
    return Section("Health", text, listing=str(replace(found, concerns=())))


# Conditions -----------------------------------------------------------------------------------------------


def some_conditions(model: Any, n: int) -> Any:
    """Return n different things to tell a conditional model, as a frame; None if it is told nothing.

    Levels in turn, and numbers at the middles of n equal parts of their range.
    """
    schema = model.condition_schema_
    if schema is None:
        return None
    middles = (np.arange(n) + 0.5) / n
    encoded = [
        np.arange(n) % len(column.levels)
        if column.levels
        else column.low + middles * (column.high - column.low)
        for column in schema.modelled
    ]
    frame = nw.from_native(decode(schema, np.stack(encoded, axis=1)), eager_only=True)
    return frame.select([column.name for column in schema.modelled]).to_native()
