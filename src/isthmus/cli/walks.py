"""``interpolate`` and ``traverse``: walks through the space of codes that begin at rows of data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from isthmus.cli.made import check_kind, load_generative, write_made
from isthmus.cli.options import Array, Data, Force, MadeOutput, Model, Resize, Told
from isthmus.cli.parameters import check_whole
from isthmus.cli.paths import check_apart, check_rows_output, is_picture
from isthmus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from isthmus.data.sources import Source
    from isthmus.estimators.generative import Generative

__all__ = ["interpolate", "traverse"]

# Codes that a way through the data is looked for among: found in about a second.
GRAPH_ROWS = 5_000


@dataclass(frozen=True, kw_only=True)
class WalkOptions:
    """Where a walk is written to, how many steps it has, and how its data are read."""

    output: MadeOutput
    number: Annotated[int, Parameter(name=["--number", "-n"], help="How many steps.")] = 10
    condition: Told = None
    array: Array = None
    resize: Resize = None
    force: Force = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class InterpolateOptions(WalkOptions):
    """From where to where, and how."""

    start: Annotated[int, Parameter(name="--from", help="The first row, counted from 0.")]
    end: Annotated[int, Parameter(name="--to", help="The last row, counted from 0.")]
    path: Annotated[
        Literal["spherical", "straight", "graph", "geodesic"],
        Parameter(
            help="The arc between the codes, the line, the way from neighbour to neighbour through the codes "
            f"of the data (at most {GRAPH_ROWS:,} rows), or the shortest way along decoded data."
        ),
    ] = "spherical"


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TraverseOptions(WalkOptions):
    """Which row, and which of its latents."""

    row: Annotated[int, Parameter(help="The row, counted from 0.")]
    dim: Annotated[str, Parameter(help="The latent that moves, counted from 0; all: one after the other.")]


def interpolate(model: Model, data: Data, /, *, options: InterpolateOptions) -> None:
    """Decode codes on the way between the codes of two rows, which the model sees as it gives them back."""
    fitted, rows, condition = _open(model, data, options, "interpolate")
    from isthmus.estimators.conditions import as_keyword

    a, b = (_row(fitted, rows, position) for position in (options.start, options.end))
    through = _some_rows(fitted, rows) if options.path in ("graph", "geodesic") else None
    with _in_words(fitted):
        made = fitted.interpolate(
            a, b, options.number, path=options.path, through=through, **as_keyword(condition)
        )
    words = f"from row {options.start} to row {options.end} of {data}, path {options.path}"
    _write(made, fitted, options, note=words, n_columns=options.number)
    print(f"{options.output}: {options.number} rows {words}")


def traverse(model: Model, data: Data, /, *, options: TraverseOptions) -> None:
    """Decode a row's code while one latent takes the prior's quantiles, or each in its turn."""
    fitted, rows, condition = _open(model, data, options, "traverse")
    from isthmus.estimators.conditions import as_keyword

    dims = _dims(options.dim, fitted.n_components_)
    row = _row(fitted, rows, options.row)
    made = [fitted.traverse(row, dim, options.number, **as_keyword(condition)) for dim in dims]
    before = {"latent": [dim for dim in dims for _ in range(options.number)]} if len(dims) > 1 else None
    titles = [f"z{dim}" for dim in dims]
    words = f"row {options.row} of {data}, latents at the prior's quantiles"
    _write(_joined(made), fitted, options, before, note=words, n_columns=options.number, row_titles=titles)
    along = f"each of {', '.join(titles)}" if len(dims) > 1 else titles[0]
    print(f"{options.output}: {options.number} rows along {along}; {words}")


# Reading --------------------------------------------------------------------------------------------------


def _open(
    model: Path, data: Path, options: WalkOptions, command: str
) -> tuple[Generative, Source, pl.DataFrame | None]:
    """Open data and model; the rows have the columns that it was fitted on."""
    check_apart(options.output, data)
    check_rows_output(options.output, options.force, pictures=True)
    check_whole("--number", options.number, 1)
    from isthmus.cli.conditions import read_condition
    from isthmus.cli.opening import read_rows
    from isthmus.cli.rows import features_of

    fitted = load_generative(model, command)
    source = read_rows(fitted, data, array=options.array, resize=options.resize)
    check_kind(fitted.schema_, options.output, options.force)
    rows = features_of(fitted, source)
    # Rows whose own columns say the condition need not be told it.
    own = rows.columns if fitted.schema_.container == "frame" else ()
    return fitted, rows, read_condition(fitted, options.condition, inside=own or ())


@contextmanager
def _in_words(fitted: Generative) -> Iterator[None]:
    """Say what to type where the library asks for a condition."""
    from isthmus.cli.conditions import condition_example

    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace("condition=...", " ".join(condition_example(fitted)))) from error


def _row(fitted: Generative, rows: Source, position: int) -> Any:
    return _native(fitted, rows.take([position]))


def _some_rows(fitted: Generative, rows: Source) -> Any:
    """Return the rows that a way is looked for among: all, or some at random."""
    import numpy as np

    chosen = np.random.default_rng(0).permutation(len(rows))[:GRAPH_ROWS]
    return _native(fitted, rows.take(np.sort(chosen)))


def _native(fitted: Generative, block: Any) -> Any:
    """Return a block as what `fit` was given: a frame or an array."""
    if not hasattr(block, "to_native"):
        return block
    return block.to_native() if fitted.schema_.container == "frame" else block.to_numpy()


def _dims(given: str, n_components: int) -> list[int]:
    if given == "all":
        return list(range(n_components))
    if given.isascii() and given.isdigit() and int(given) < n_components:
        return [int(given)]
    raise InputError(f"--dim {given}: expected the number of a latent, from 0 to {n_components - 1}, or all")


# Writing --------------------------------------------------------------------------------------------------


def _joined(pieces: list[Any]) -> Any:
    import numpy as np
    import polars as pl

    from isthmus.cli.output import to_polars

    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    return pl.concat([to_polars(piece) for piece in pieces])


def _write(
    rows: Any, fitted: Generative, options: WalkOptions, before: dict[str, Any] | None = None, **how: Any
) -> None:
    if is_picture(options.output):
        from isthmus.cli.pictures import draw_grid

        draw_grid(options.output, rows, fitted.schema_, overwrite=options.force, **how)
    else:
        write_made(options.output, rows, fitted.schema_, overwrite=options.force, before=before)
