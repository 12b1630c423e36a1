"""``compare``: maps of the same rows by several methods, in one table and one picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from isthmus.cli.options import Array, Data, Force, Resize, Seed
from isthmus.cli.parameters import check_whole
from isthmus.cli.printing import aligned
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.schema import Schema
    from isthmus.data.sources import Source
    from isthmus.tasks.comparison import Comparison
    from isthmus.tasks.methods import Method

__all__ = ["compare", "label_values"]

# Written down since help imports no library.
METHODS = ("pca", "isomap", "lle", "tsne", "umap", "isthmus")
SUPERVISED = "lda"
ALIAS = "isthmus"
PAGE, PICTURE = ".html", ".png"
LEAST_ROWS = 100


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is compared, and what is written."""

    methods: Annotated[
        list[str] | None,
        Parameter(
            help=f"Which, with commas between: {','.join(METHODS)} (all by default), {SUPERVISED}, which "
            "learns from the labels, or other models of isthmus models; isthmus is ManifoldAutoencoder.",
            consume_multiple=True,
        ),
    ] = None
    label: Annotated[
        str | None,
        Parameter(
            help=f"Colours the maps, as classes measures them, and is learned from by {SUPERVISED} alone: a "
            'column, another array of an .npz, a file with one value a row, or "folder" (the subfolder of '
            "each image)."
        ),
    ] = None
    held_out: Annotated[
        Path | None, Parameter(help="Rows to measure on, as DATA; by default a fifth of DATA is held out.")
    ] = None
    rows: Annotated[
        int,
        Parameter(
            help="Of more rows (also held out) this many are drawn: some methods take time with their square."
        ),
    ] = 5000
    set: Annotated[
        list[str] | None,
        Parameter(help="Set a parameter of isthmus's models, such as max_epochs=50; may be given again."),
    ] = None
    output: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], help="A page (.html) or a picture of the maps (.png) to write."),
    ] = None
    json: Annotated[Path | None, Parameter(help="A JSON file of all numbers to write.")] = None
    ignore: Annotated[list[str] | None, Parameter(help="Leave out a column; may be given again.")] = None
    seed: Seed = 0
    array: Array = None
    resize: Resize = None
    force: Force = False


def compare(data: Data, /, *, options: CompareOptions | None = None) -> None:
    """Map the same rows by several methods, and measure the maps on held-out rows.

    A fifth of the rows is held out, or other rows are given for it. All methods see the same numbers: those
    of an array as they are, a table as models see it (numbers scaled to unit spread, categories one-hot). A
    method whose library is not installed is named and left out.
    """
    options = options or CompareOptions()
    _check(data, options)
    methods = _methods(options)
    source, schema, values = _open(data, options)
    held_out = _held_out(options, schema)
    from isthmus.cli.running import note
    from isthmus.tasks import compare_maps

    found = compare_maps(
        source,
        methods,
        labels=values,
        **held_out,
        schema=schema,
        max_rows=options.rows,
        random_state=options.seed or 0,
        on_method=lambda name, outcome: note(f"{name}: {outcome}"),
    )
    if not found.maps:
        raise InputError(f"no method could be run: {'; '.join(map(': '.join, found.not_run))}")
    print(_told(data, options.held_out, found))
    _write(options, data, found)


def _check(data: Path, options: CompareOptions) -> None:
    """Refuse what cannot be done, before any work is spent."""
    from isthmus.cli.paths import check_picture_and_json

    if options.output is not None and options.output.suffix.lower() not in (PAGE, PICTURE):
        raise InputError(f"{options.output}: unknown format; the name must end in {PAGE} or {PICTURE}")
    read = (data, options.held_out, options.label)
    check_picture_and_json(options.output, options.json, *read, overwrite=options.force)
    check_whole("--rows", options.rows, LEAST_ROWS)
    if options.label is None and SUPERVISED in _asked(options):
        raise InputError(f"--methods {SUPERVISED} learns from labels; name them with --label")
    for text in options.set or ():
        if text.startswith(("n_components=", "random_state=")):
            raise InputError(f"--set {text}: maps have two components, and --seed is that of all methods")


def _asked(options: CompareOptions) -> list[str]:
    return [name.lower() for text in options.methods or METHODS for name in text.split(",") if name]


def _methods(options: CompareOptions) -> list[str | Method]:
    """Return what is asked for: estimators with what is set, others by their names."""
    from isthmus.estimators.registry import ESTIMATORS

    asked = _asked(options)
    models = {name.lower(): name for name in ESTIMATORS} | {ALIAS: "ManifoldAutoencoder"}
    own = {name: models[name] for name in asked if name in models}
    if options.set and not own:
        raise InputError("--set is for isthmus's models, and --methods names none of them; leave it out")
    return [_own(own[name], name, options) if name in own else _known(name) for name in asked]


def _own(model: str, name: str, options: CompareOptions) -> Method:
    from isthmus.cli.parameters import make_estimator
    from isthmus.tasks.methods import estimator_method

    estimator = make_estimator(model, options.set or (), {})
    return estimator_method(estimator, ALIAS if name.lower() == ALIAS else "")


def _known(name: str) -> str:
    """Refuse a method that there is not; whether its library is there is told in its row."""
    from isthmus.tasks.methods import check_method

    check_method(name)
    return name


def _open(data: Path, options: CompareOptions) -> tuple[Source, Schema, Any]:
    """Return rows, what their columns are, and labels."""
    from isthmus import read
    from isthmus.cli.sides import find_side
    from isthmus.data.inference import infer_schema

    source = read(data, array=options.array, resize=options.resize)
    side = None if options.label is None else find_side(source, options.label, "--label")
    roles = {side.name: "label"} if side is not None and side.values is None else {}
    schema = infer_schema(source, kinds=dict.fromkeys(options.ignore or (), "ignored"), roles=roles)
    return source, schema, None if side is None else label_values(source, options.label)


def _held_out(options: CompareOptions, schema: Schema) -> dict[str, Any]:
    """Return rows to measure on and their labels, where they are given."""
    from isthmus import read
    from isthmus.cli.sides import find_side

    if options.held_out is None:
        return {}
    source = read(options.held_out, array=options.array, resize=options.resize, text=schema.texts)
    if options.label is None:
        return {"held_out": source}
    side = find_side(source, options.label, "--held-out: --label", file=False)
    return {"held_out": source, "held_out_labels": side.read(source).to_numpy()}


def label_values(source: Source, label: str | None) -> Any:
    """Return the labels that ``--label`` names as an array, or None."""
    from isthmus.cli.sides import find_side

    return None if label is None else find_side(source, label, "--label").read(source).to_numpy()


# Telling and writing --------------------------------------------------------------------------------------


def _told(data: Path, held_out: Path | None, found: Comparison) -> str:
    from isthmus.report.comparison import comparison_rows
    from isthmus.report.map_figures import ARROWS, cell

    rows, where = found.rows, "" if held_out is None else f" of {held_out}"
    head = (
        f"maps of {data}: learned from {len(rows.training):,} rows of {rows.training.shape[1]:,} numbers, "
        f"measured on {len(rows.held_out):,} held-out rows{where} unless it says training"
    )
    titles = ("", "", *(one.method.title for one in found.maps))
    lines = [(f"  {row.name}", row.note.strip(), *row.cells) for row in comparison_rows(found)]
    missing = [f"  {name}: {why}" for name, why in found.not_run]
    error = cell("squared_error", found.pca_squared_error)
    end = f"PCA's squared error: {error} per held-out row ({rows.units})"
    return "\n".join([head, aligned([titles, *lines]), *missing, f"{ARROWS}. {end}"])


def _write(options: CompareOptions, data: Path, found: Comparison) -> None:
    from isthmus.store import json_bytes, write_file

    if options.output is not None:
        _write_output(options.output, options, data, found)
        print(f"{options.output}: the maps side by side")
    if options.json is not None:
        write_file(options.json, json_bytes(found.as_dict()), overwrite=options.force)
        print(f"{options.json}: all numbers")


def _write_output(output: Path, options: CompareOptions, data: Path, found: Comparison) -> None:
    from isthmus.plots import MapsDisplay
    from isthmus.report.comparison import write_comparison
    from isthmus.store import open_output

    name = _label_name(options)
    if output.suffix.lower() == PAGE:
        write_comparison(found, output, label_name=name, data=data.name, overwrite=options.force)
        return
    with open_output(output, overwrite=options.force) as file:
        MapsDisplay.from_comparison(found, label_name=name).figure_.savefig(file, format="png", dpi=200)


def _label_name(options: CompareOptions) -> str:
    return "label" if options.label is None else Path(options.label).name
