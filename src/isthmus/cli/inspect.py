"""``info`` and ``report``: what is in a model or a file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from isthmus.cli.options import Array, Condition, Data, Force, Model, Resize
from isthmus.cli.printing import aligned, figures
from isthmus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder
    from isthmus.parts.likelihoods import Likelihood
    from isthmus.plots import Labels

__all__ = ["info", "report"]


def info(
    path: Annotated[Path, Parameter(help="A model folder, or data: a file or a folder of images.")],
    /,
    *,
    array: Array = None,
    resize: Resize = None,
) -> None:
    """Describe a model: its parts, data and figures; or what each column of a file is, and why."""
    if _is_model(path):
        from isthmus.cli.opening import load_model

        print(describe(load_model(path), path))
        return
    from isthmus import read
    from isthmus.data.inference import infer_schema

    source = read(path, array=array, resize=resize)
    print(f"{path}: {len(source):,} rows\n{infer_schema(source)}")


def _is_model(path: Path) -> bool:
    return any((path / name).exists() for name in ("config.json", "weights.safetensors"))


def describe(model: BaseAutoencoder, path: Path) -> str:
    """Return what there is to know about a saved model, in a screenful."""
    from isthmus.estimators.architecture import layer_words, part_words
    from isthmus.store import FORMAT_VERSION

    architecture = model.architecture_
    n_weights = sum(parameter.numel() for parameter in model.model_.parameters())
    facts = [
        ("latent components", str(architecture.n_components)),
        ("hidden layers", layer_words(architecture)),
        ("activation", architecture.activation),
        ("likelihood", _likelihood(architecture.likelihood)),
        *part_words(architecture),
        *_told(model),
        ("weights", f"{n_weights:,}"),
        ("training", f"{model.n_training_rows_:,} rows, {model.n_iter_:,} epochs, seed {model.seed_}"),
    ]
    title = f"{path}: {type(model).__name__} (model folder of format version {FORMAT_VERSION})"
    return "\n\n".join(
        [title, aligned(facts), str(model.schema_), figures(model.metrics_, architecture.n_components)]
    )


def _told(model: BaseAutoencoder) -> list[tuple[str, str]]:
    """Return what the networks, or a discriminator, are told of rows beside what is learned."""
    condition, labels = model.condition_schema_, getattr(model, "labels_", None)
    columns = () if condition is None else condition.modelled
    told = ", ".join(f"{column.name} ({column.kind})" for column in columns)
    found = [("told of each row", told)] if told else []
    return found if labels is None else [*found, ("discriminator told", f"{len(labels)} labels")]


def _likelihood(likelihood: Likelihood) -> str:
    """Return a likelihood's text; of those of many columns, how many there are of each."""
    columns = getattr(likelihood, "columns", ())
    if not columns:
        return str(likelihood)
    counts = Counter(str(part) for _, part in columns)
    return ", ".join(f"{part} ({n} {'column' if n == 1 else 'columns'})" for part, n in counts.most_common())


def report(
    model: Model,
    data: Data | None = None,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The page to write.")] = Path(
        "report.html"
    ),
    label: Annotated[
        str | None,
        Parameter(
            help="Colours the map: a column, another array of an .npz, a file with one value a row, or "
            '"folder" (the subfolder of each image).'
        ),
    ] = None,
    condition: Condition = None,
    array: Array = None,
    resize: Resize = None,
    force: Force = False,
) -> None:
    """Write one self-contained web page: what was learned, the map of codes, and figures beside PCA's."""
    from isthmus.cli.paths import check_apart
    from isthmus.store import check_output

    check_apart(output, data, label, *(condition or ()))
    check_output(output, overwrite=force)
    if data is None and label is not None:
        raise InputError(f"--label {label}: a label belongs to rows; give the data too")
    if data is None and condition:
        raise InputError(f"--condition {condition[0]}: it is told of rows; give the data too")
    from isthmus.cli.opening import load_model, read_rows
    from isthmus.report import write_report

    fitted = load_model(model)
    source = None if data is None else read_rows(fitted, data, array=array, resize=resize)
    labels = None if source is None or label is None else _labels(source, label)
    told = None if source is None else _condition(fitted, source, condition)
    write_report(fitted, output, source, labels, condition=told, overwrite=force)
    print(f"{output}: open it in a browser")


def _condition(fitted: BaseAutoencoder, source: Source, given: list[str] | None) -> pl.DataFrame | None:
    """Return what is told of the rows apart from their columns; without it, say what the page will lack."""
    from isthmus.cli.conditions import read_condition
    from isthmus.cli.running import note
    from isthmus.report.words import told_apart

    if given:
        return read_condition(fitted, given, source, inside=source.columns or ())
    apart = told_apart(fitted, source.columns or ())
    if apart:
        note(
            f"this model is told {', '.join(apart)} of each row; without --condition the page leaves out "
            "pictures of rows, their codes and figures on them"
        )
    return None


def _labels(source: Source, label: str) -> Labels:
    from isthmus.cli.sides import find_side
    from isthmus.plots import Labels

    side = find_side(source, label, "--label")
    return Labels.read(source.column(side.name) if side.values is None else side.values, side.name)
