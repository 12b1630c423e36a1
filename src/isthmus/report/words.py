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
from isthmus.estimators.architecture import Architecture, layer_words, part_words
from isthmus.estimators.density import density_note
from isthmus.estimators.generative import Generative
from isthmus.estimators.importance import gives_density
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.registry import Part, to_string
from isthmus.plots.style import as_text
from isthmus.report.figures import density_sentence, explained, number, percentage

__all__ = [
    "Tile",
    "code_lines",
    "lead",
    "left_out",
    "parts",
    "source_name",
    "tiles",
    "title",
    "told_apart",
]

# Of parameters, these are told elsewhere or say nothing of the model.
TOLD_ELSEWHERE = ("schema", "encoder", "decoder", "checkpoint", "checkpoint_seconds", "verbose", "device")
LIKELIHOOD_NAMES = 6


@dataclass(frozen=True)
class Tile:
    """One figure, large, and what it is."""

    figure: str
    what: str


def source_name(source: Source) -> str:
    """Return a file's name without the folders it lies in; nothing for what is in memory."""
    return "" if source.name in ("array", "frame", "a query") else as_text(Path(source.name).name, 60)


def row_words(schema: Schema, many: str = "") -> str:
    """Return what a row is, with `many` ("s") what rows are."""
    if schema.holds_images:
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
    if "log_likelihood" in metrics:
        sentences.append(density_sentence(metrics))
    where = f"On {number(metrics['n_rows'], metrics['rows'] + ' row')}"
    here, pca = explained(metrics, ""), explained(metrics, "pca_")
    if here is not None and pca is not None:
        sentences.append(
            f"{where}, the codes account for {percentage(here)} of how the numbers spread around their "
            f"means; PCA with as many components accounts for {percentage(pca)}."
        )
    if "accuracy" in metrics:
        sentences.append(
            f"{where}, {percentage(metrics['accuracy'])} of the categories come back right; "
            f"with PCA {percentage(metrics['pca_accuracy'])}."
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
            found.append(Tile(percentage(share), f"{what}, {metrics['rows']} rows (PCA {percentage(pca)})"))
    found.append(Tile(f"{model.n_training_rows_:,}", f"training rows, {number(model.n_iter_, 'epoch')}"))
    return found


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
    n_weights = sum(weight.numel() for weight in model.model_.parameters())
    own = [name for name in ("encoder", "decoder") if getattr(model, name, None) is not None]
    found = [
        ("estimator", f"{type(model).__name__}({_set_by_hand(model)})"),
        ("hidden layers", _layers(architecture)),
        ("code", number(architecture.n_components, "number")),
        ("weights", f"{n_weights:,}"),
        ("likelihood", likelihood_words(architecture.likelihood, model.schema_)),
        *part_words(architecture),
        ("seed", str(model.seed_)),
    ]
    return found + [("own networks", " and ".join(own))] * bool(own)


def _layers(architecture: Architecture) -> str:
    if architecture.network != "mlp" or architecture.linear:
        return layer_words(architecture)
    return f"{', '.join(map(str, architecture.hidden_sizes))} units, {architecture.activation}"


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
    k, told = model.n_components_, ", condition=..." if told_apart(model) else ""
    lines = [
        ('model = isthmus.load("MODEL")', "the folder it was saved to"),
        ('rows = isthmus.read("DATA")', "a file; arrays, frames go as they are"),
        (f"codes = model.transform(rows{told})", f"{number(k, 'float32 number')} a row"),
        (f"again = model.reconstruct(rows{told})", "encoded and decoded"),
        (f"back = model.inverse_transform(codes{_any_condition(model)})", "rows from any codes"),
        (f"nats = model.score_samples(rows{told})", _score_words(model)),
    ]
    if isinstance(model, Generative):
        lines.append((f"new = model.sample(10{_any_condition(model)})", "rows drawn from the prior"))
    return "\n\n".join(["import isthmus", *(f"# {comment}\n{code}" for code, comment in lines)])


def told_apart(model: Any, columns: Sequence[str] | None = None) -> list[str]:
    """Return what a conditional model is told of each row that its columns, or those given, do not say."""
    schema = model.condition_schema_
    if columns is None:
        columns = model.schema_.names if model.schema_.container == "frame" else ()
    return [] if schema is None else [column.name for column in schema.modelled if column.name not in columns]


def left_out(apart: Sequence[str]) -> str:
    """Say why the page shows no rows: none were given, or not what the model is told of them."""
    if not apart:
        return (
            "No rows were given, so this page shows what the model itself knows: no map of codes, no rows "
            "and their reconstructions, and the codes were not checked."
        )
    names = ", ".join(f"“{as_text(name)}”" for name in apart)
    return (
        f"This model is told {names} of each row, which stands apart from the rows given. Pictures of rows, "
        "their codes and figures on them need it and are left out, and the codes were not checked: give it "
        "beside the rows, as condition=..., on the command line as --condition."
    )


def _any_condition(model: Any) -> str:
    return "" if model.condition_schema_ is None else ", condition=..."


def _score_words(model: Any) -> str:
    if not gives_density(model.model_):
        return "log p(x given its code)"
    return density_note(model).partition(" (")[0] if "(of" in density_note(model) else density_note(model)
