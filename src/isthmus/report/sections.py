"""The parts of the page that show something: each a title, what is to be seen, a picture or a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from isthmus.data.batches import MemoryBatches
from isthmus.estimators.baseline import figures
from isthmus.parts.registry import kind_of
from isthmus.plots import ColumnErrorDisplay, Labels, LossDisplay, MapDisplay, ReconstructionDisplay, new_axes
from isthmus.plots.rows import Rows, sample_rows
from isthmus.plots.style import as_text
from isthmus.report.figures import Row, Table, figure_table, number
from isthmus.report.measured import Measured
from isthmus.report.pictures import inline_svg
from isthmus.report.section import Section
from isthmus.report.words import told_apart

__all__ = ["MAP_ROWS", "code_map", "columns", "given_figures", "images", "loss"]

MAP_ROWS = 5000
N_IMAGES = 8
# PCA behind the pictures learns from at most this many rows: plenty for the tens of components of a code.
PCA_ROWS = 5000
MOST_COLUMNS = 25


def loss(model: Any) -> Section | None:
    """Return the loss curve; nothing, if no epoch was finished."""
    if not model.history_:
        return None
    display = LossDisplay.from_estimator(model, ax=new_axes(height=2.8))
    text = f"The negative log-likelihood of a row{_terms(model)}, epoch by epoch, on the rows learned from"
    if display.best_epoch is None:
        text += "; none were held out, and the last weights were kept."
    else:
        text += (
            f" and on the held-out ones. The weights of epoch {display.best_epoch}, where the held-out loss "
            "is lowest, were kept."
        )
    return Section("How it learned", text, inline_svg(display.figure_, f"Loss over the epochs. {text}"))


def _terms(model: Any) -> str:
    names = ", ".join(kind_of(term).replace("_", " ") for term in model.architecture_.terms)
    return f", plus what else is asked of its code ({names})" if names else ""


def given_figures(given: Rows, measured: Measured) -> Section:
    """Return figures on rows that are not those of the fit; PCA can only learn from these rows themselves."""
    model, rows = given.model, MemoryBatches(given.batch(measured.index))
    found = figures(model.model_, rows, None, model.n_components_, model.seed_)
    table = figure_table(found | {"rows": "given"}, model.n_components_, pca_learned=", fitted to these rows")
    text = (
        "These are not the rows that the model was fitted on. PCA had to learn from them and has that "
        "advantage; the training means are those of the fit."
    )
    return Section("On the rows given", text, table=table)


def code_map(given: Rows, labels: Labels | None) -> Section:
    """Return the map of the codes."""
    model = given.model
    display = MapDisplay.from_estimator(
        model,
        given.source,
        condition=given.condition,
        label=labels,
        max_rows=MAP_ROWS,
        ax=new_axes(height=4.3),
    )
    k = model.n_components_
    shown = "at its code" if k <= 2 else f"at the two leading principal components of its code of {k} numbers"
    rows = f"{display.sampled}," if display.sampled else number(display.n_rows, "row")
    text = f"Each of {rows} is a point {shown}. Rows with like codes lie together."
    if labels is not None:
        text += f" The colour is “{labels.name}”{_whence(model, labels.name)}."
    return Section("The map of codes", text, inline_svg(display.figure_, f"Scatter plot. {text}"))


def _whence(model: Any, label: str) -> str:
    """Say whether anything was learned from what colours the map."""
    conditions = () if model.condition_schema_ is None else model.condition_schema_.modelled
    if label in {as_text(column.name) for column in model.schema_.modelled}:
        return ", one of the columns learned"
    if label in {as_text(column.name) for column in conditions}:
        return ", which the networks are told"
    # Conditions and labels may have been given apart, under no name.
    if told_apart(model):
        return ""
    if getattr(model, "labels_", None) is None:
        return ", from which nothing was learned"
    return ", which the discriminator was told" if label == model.labels else ""


def images(given: Rows, measured: Measured) -> Section | None:
    """Return originals above their reconstructions, if rows are images."""
    model = given.model
    if not model.schema_.holds_images:
        return None
    chosen = measured.index[sample_rows(len(measured.index), N_IMAGES)]
    learned = np.sort(measured.training[sample_rows(len(measured.training), PCA_ROWS)])
    display = ReconstructionDisplay.from_estimator(
        model,
        given.take(chosen),
        condition=given.condition_of(chosen),
        n_images=N_IMAGES,
        pca_rows=given.take(learned),
        ax=new_axes(height=3.3),
    )
    fit_to_mosaic(display)
    whose = "the rows learned from" if measured.recognised else "the rows given"
    text = (
        f"{number(len(chosen), measured.name + ' image')}, chosen at random, and what is left of them after "
        f"the way through {number(model.n_components_, 'number')}. PCA was fitted to "
        f"{number(len(learned), 'row')} of {whose}."
    )
    return Section("Images and reconstructions", text, inline_svg(display.figure_, text))


def fit_to_mosaic(display: ReconstructionDisplay) -> None:
    """Make the figure as high as its picture."""
    height, width = display.image_.get_size()
    display.figure_.set_size_inches(4.4, 4.4 * height / width)


def columns(given: Rows, measured: Measured) -> Section | None:
    """Return the error of each column, if rows are those of a table."""
    model, index = given.model, measured.index
    if model.schema_.container != "frame":
        return None
    display = ColumnErrorDisplay.from_estimator(
        model,
        given.take(index),
        condition=given.condition_of(index),
        max_columns=MOST_COLUMNS,
        ax=new_axes(),
    )
    display.figure_.set_size_inches(4.4, display.height(MOST_COLUMNS))
    text = (
        "How far the columns are off when they come back from the code, beside always guessing the training "
        "mean (of categories, the most frequent one). The column that gains least stands first."
    )
    rows = [
        Row(name, unit, (f"{error:.3g}", f"{guess:.3g}"))
        for name, error, guess, unit in zip(
            display.names, display.error, display.baseline, display.units, strict=True
        )
    ][:MOST_COLUMNS]
    caption = (
        f"Measured on {number(display.n_rows, measured.name + ' row')}; root-mean-square errors for numbers."
    )
    if len(rows) < len(display.names):
        caption += f" The worst {len(rows)} of {number(len(display.names), 'column')}."
    table = Table(("column", "error", "guess"), rows, caption)
    return Section("Column by column", text, inline_svg(display.figure_, text), table)
