"""What was learned, in plain sentences, tables and lines of code."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.estimators.card import figure_rows
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.registry import Part, to_string
from isthmus.plots.style import as_text

__all__ = [
    "Row",
    "Table",
    "Tile",
    "code_lines",
    "figure_table",
    "lead",
    "number",
    "parts",
    "source_name",
    "tiles",
    "title",
]

# Of parameters, these are told elsewhere or say nothing of the model.
TOLD_ELSEWHERE = ("schema", "encoder", "decoder", "checkpoint", "checkpoint_seconds", "verbose", "device")
LIKELIHOOD_NAMES = 6


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is, more about that in small letters, and its figures."""

    name: str
    note: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of texts; `head` names the columns, that of the rows' names too unless those stand above."""

    head: Sequence[str]
    rows: Sequence[Row]
    caption: str


@dataclass(frozen=True)
class Tile:
    """One figure, large, and what it is."""

    figure: str
    what: str


def number(n: int, word: str, many: str | None = None) -> str:
    """Return "1 row", "1,617 rows"."""
    return f"{n:,} {word if n == 1 else many or word + 's'}"


def source_name(source: Source) -> str:
    """Return a file's name without the folders it lies in; nothing for what is in memory."""
    return "" if source.name in ("array", "frame", "a query") else as_text(Path(source.name).name, 60)


def row_words(schema: Schema, many: str = "") -> str:
    """Return what a row is, with `many` ("s") what rows are."""
    if schema.container == "array" and len(schema.shape) > 1:
        kind = "colour image" if schema.shape[2:] in ((3,), (4,)) else "image"
        return f"{kind}{many} of {schema.shape[0]} by {schema.shape[1]} pixels"
    return f"row{many} of {number(len(schema.modelled), 'column')}"


def title(model: Any) -> str:
    """Return the page's title."""
    rows = row_words(model.schema_, "s")
    return f"{rows[0].upper()}{rows[1:]} in {number(model.n_components_, 'number')}"


def lead(model: Any) -> list[str]:
    """Return the sentences that open the page."""
    metrics, k = model.metrics_, model.n_components_
    sentences = [
        f"This {type(model).__name__} turns every {row_words(model.schema_)} into a code of "
        f"{number(k, 'number')}, and a code back into a row.",
        f"It learned from {number(model.n_training_rows_, 'row')} in {number(model.n_iter_, 'epoch')}"
        f"{_duration(model.history_)}.",
    ]
    if not metrics:
        return [*sentences, "It learned chunk by chunk, so nothing was held out and there are no figures."]
    where = f"On {number(metrics['n_rows'], metrics['rows'] + ' row')}"
    here, pca = explained(metrics, ""), explained(metrics, "pca_")
    if here is not None and pca is not None:
        sentences.append(
            f"{where}, the codes account for {_share(here)} of how the numbers spread around their means; "
            f"PCA with as many components accounts for {_share(pca)}."
        )
    if "accuracy" in metrics:
        sentences.append(
            f"{where}, {_share(metrics['accuracy'])} of the categories come back right; "
            f"with PCA {_share(metrics['pca_accuracy'])}."
        )
    return sentences


def tiles(model: Any) -> list[Tile]:
    """Return the figures to see first."""
    metrics, schema = model.metrics_, model.schema_
    found = [
        Tile(f"{model.n_components_:,}", f"numbers in a code, for {number(len(schema.modelled), 'column')}")
    ]
    for share, pca, what in (
        (explained(metrics, ""), explained(metrics, "pca_"), "of the numbers' spread accounted for"),
        (metrics.get("accuracy"), metrics.get("pca_accuracy"), "of the categories come back right"),
    ):
        if share is not None and pca is not None:
            found.append(Tile(_share(share), f"{what}, {metrics['rows']} rows (PCA {_share(pca)})"))
    found.append(Tile(f"{model.n_training_rows_:,}", f"training rows, {number(model.n_iter_, 'epoch')}"))
    return found


def explained(metrics: dict[str, Any], prefix: str) -> float | None:
    """Return the share of the squared deviations from the training means that a reconstruction takes away."""
    error, mean = metrics.get(f"{prefix}squared_error"), metrics.get("mean_squared_error")
    return None if error is None or not mean else 1 - error / mean


def figure_table(metrics: dict[str, Any], k: int, *, pca_learned: str = "") -> Table:
    """Return the table of figures beside PCA's and those of constant guesses."""
    told = [(*text.rsplit(", ", 1), cells) for text, *cells in figure_rows(metrics)]
    rows = [Row(name, note, cells) for name, note, cells in told]
    here, pca = explained(metrics, ""), explained(metrics, "pca_")
    if here is not None and pca is not None:
        name = "share of the numbers' spread accounted for"
        rows.insert(1, Row(name, "higher is better", (_share(here), _share(pca), "0%")))
    guess = "training means" if "accuracy" not in metrics else "training means, most frequent values"
    head = ("this model", f"PCA, {number(k, 'component')}{pca_learned}", guess)
    return Table(head, rows, f"Measured on {number(metrics['n_rows'], metrics['rows'] + ' row')}.")


def _share(value: float) -> str:
    """Return a percentage, with a digit more where whole per cent would round to all or nothing."""
    return f"{value:.1%}" if value > 0.985 or abs(value) < 0.015 else f"{value:.0%}"


def _duration(history: Sequence[dict[str, float]]) -> str:
    seconds = history[-1].get("seconds", math.nan) if history else math.nan
    if not math.isfinite(seconds):
        return ""
    if seconds < 120:
        return f" ({seconds:.0f} seconds)" if seconds >= 1.5 else " (about a second)"
    return f" ({seconds / 60:.0f} minutes)" if seconds < 7200 else f" ({seconds / 3600:.1f} hours)"


def parts(model: Any) -> list[tuple[str, str]]:
    """Return what the model is made of, as pairs of words."""
    architecture = model.architecture_
    layers = ", ".join(map(str, architecture.hidden_sizes))
    n_weights = sum(weight.numel() for weight in model.model_.parameters())
    own = [name for name in ("encoder", "decoder") if getattr(model, name, None) is not None]
    found = [
        ("estimator", f"{type(model).__name__}({_set_by_hand(model)})"),
        ("hidden layers", f"{layers} units, {architecture.activation}" if layers else "none: linear"),
        ("code", number(architecture.n_components, "number")),
        ("weights", f"{n_weights:,}"),
        ("likelihood", likelihood_words(architecture.likelihood, model.schema_)),
        ("corruption", to_string(architecture.corruption) if architecture.corruption else "none"),
        ("seed", str(model.seed_)),
    ]
    return found + [("own networks", " and ".join(own))] * bool(own)


def _set_by_hand(model: Any) -> str:
    defaults = {name: p.default for name, p in inspect.signature(type(model)).parameters.items()}
    values = model.get_params(deep=False)
    return ", ".join(
        f"{name}={to_string(value) if isinstance(value, Part) else repr(value)}"
        for name, value in values.items()
        if name not in TOLD_ELSEWHERE and value != defaults.get(name)
    )


def likelihood_words(likelihood: Likelihood, schema: Schema) -> str:
    """Return which columns have which likelihood, like ones together."""
    names = tuple(column.name for column in schema.modelled)
    chosen = likelihood.for_columns(names)
    groups = {
        part: [n for n, own in zip(names, chosen, strict=True) if own == part]
        for part in dict.fromkeys(chosen)
    }
    if len(groups) == 1:
        return f"{to_string(chosen[0])}, all columns"
    return "; ".join(f"{to_string(part)}: {_some(own)}" for part, own in groups.items())


def _some(names: list[str]) -> str:
    shown = ", ".join(as_text(name, 40) for name in names[:LIKELIHOOD_NAMES])
    return shown if len(names) <= LIKELIHOOD_NAMES else f"{shown}, … ({len(names):,} columns)"


def code_lines(model: Any) -> str:
    """Return Python lines that use the saved model."""
    k = model.n_components_
    lines = [
        ('model = isthmus.load("MODEL")', "the folder it was saved to"),
        ('rows = isthmus.read("DATA")', "a file; arrays, frames go as they are"),
        ("codes = model.transform(rows)", f"{number(k, 'float32 number')} a row"),
        ("again = model.reconstruct(rows)", "encoded and decoded"),
        ("back = model.inverse_transform(codes)", "rows from any codes"),
        ("nats = model.score_samples(rows)", "log p(x given its code)"),
    ]
    return "\n\n".join(["import isthmus", *(f"# {comment}\n{code}" for code, comment in lines)])
