"""What the commands that take rows share: opening a model and its rows, and writing what comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.options import ReadOptions, RowOptions
from isthmus.cli.paths import check_apart, check_rows_output, is_picture
from isthmus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from isthmus.cli.sides import Side
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = [
    "Opened",
    "check_output",
    "features_of",
    "listed",
    "names_of",
    "open_rows",
    "write_data",
    "write_values",
]


# More would be too small to see.
MOST_IMAGES = 400


@dataclass(frozen=True, eq=False)
class Opened:
    """A model, rows, and what stands beside them.

    Attributes
    ----------
    fitted : fitted estimator
    source : Source
        All that the file holds.
    side : Side or None
        What is kept in front of the output.
    condition : polars DataFrame or None
        What the model is told, unless the rows say it themselves.
    """

    fitted: BaseAutoencoder
    source: Source
    side: Side | None
    condition: Any

    @property
    def features(self) -> Source:
        """The columns that the model was fitted on."""
        return features_of(self.fitted, self.source)

    @property
    def told(self) -> dict[str, Any]:
        """The keyword of methods that conditional models alone have."""
        from isthmus.estimators.conditions import as_keyword

        return as_keyword(self.condition)


def check_output(options: ReadOptions, output: Path | None, data: Path, *, pictures: bool = False) -> None:
    """Refuse an output that cannot be written, before any work is spent."""
    check_apart(output, data, options.id, *(options.condition or ()))
    if output is not None:
        beside = "an id column" if options.id is not None else ""
        check_rows_output(output, options.force, beside, pictures=pictures)


def open_rows(model: Path, data: Path, options: ReadOptions) -> Opened:
    """Open the model, the data as it knows them, and what stands beside them."""
    from isthmus.cli.conditions import read_condition
    from isthmus.cli.opening import load_model, read_rows
    from isthmus.cli.sides import find_side

    fitted = load_model(model)
    source = read_rows(fitted, data, array=options.array, resize=options.resize)
    side = None if options.id is None else find_side(source, options.id, "--id")
    condition = read_condition(fitted, options.condition, source, inside=source.columns or ())
    if condition is None:
        condition = _in_other_columns(fitted, source)
    return Opened(fitted, source, side, condition)


def _in_other_columns(fitted: BaseAutoencoder, source: Source) -> pl.DataFrame | None:
    """Return what the model is told where columns say it that it was not fitted on."""
    import polars as pl

    from isthmus.estimators.conditions import find_apart

    found = find_apart(fitted, source, None)
    return None if found is None else pl.concat([block.to_polars() for block in found.blocks()])  # type: ignore[union-attr]


def features_of(fitted: BaseAutoencoder, source: Source) -> Source:
    """Return the columns that the model was fitted on, in its order; others are left aside.

    Those of an array are called x0, x1, ..., as `reconstruct` writes them.
    """
    from isthmus.estimators.inputs import refuse_array

    refuse_array(source, fitted.schema_)
    if source.kind == "array":
        return source
    given = set(source.columns or ())
    names = fitted.schema_.needed(given)
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(
            f"{source.name} lacks {len(missing)} of the {len(names)} columns that the model was fitted on: "
            f"{listed(missing)}"
        )
    return source.select(names)


def listed(names: Sequence[str]) -> str:
    """Return the first names, in quotes."""
    return ", ".join(f'"{name}"' for name in names[:6]) + (", ..." if len(names) > 6 else "")


def names_of(prefix: str, n: int) -> list[str]:
    """Return the names of n columns of numbers."""
    return [f"{prefix}{i}" for i in range(n)]


# Writing --------------------------------------------------------------------------------------------------


def write_data(rows: Iterable[Any], opened: Opened, options: RowOptions) -> None:
    """Write rows of the kind of data that the model was fitted on."""
    from isthmus.cli.output import as_table, beside, write_frames

    schema = opened.fitted.schema_
    if is_picture(options.output):
        _draw(rows, opened, options)
        return
    if schema.container == "array":
        write_values(rows, list(schema.names), opened, options)
        return
    check_rows_output(options.output, options.force, "a table, which the data of this model are")
    frames = (as_table(frame, schema) for frame in rows)
    write_frames(options.output, beside(frames, opened.side, opened.source), overwrite=options.force)


def _draw(rows: Iterable[Any], opened: Opened, options: RowOptions) -> None:
    """Draw images, which are made after it is certain that they can be drawn."""
    import numpy as np

    from isthmus.cli.made import check_kind
    from isthmus.cli.pictures import draw_grid

    schema, n_rows = opened.fitted.schema_, len(opened.source)
    check_kind(schema, options.output, options.force)
    if n_rows > MOST_IMAGES or options.id is not None:
        why = f"{n_rows:,} images" if n_rows > MOST_IMAGES else "an id column"
        raise InputError(
            f"{options.output}: a picture holds up to {MOST_IMAGES} images and no columns, not {why}; choose "
            "a name ending in .csv, .parquet or .npy"
        )
    draw_grid(options.output, np.concatenate(list(rows)), schema, overwrite=options.force)


def write_values(arrays: Iterable[Any], names: list[str], opened: Opened, options: RowOptions) -> None:
    """Write arrays as they are (.npy), or as columns with these names."""
    from isthmus.cli.output import as_frames, beside, write_arrays, write_frames

    output, side, source = options.output, opened.side, opened.source
    if output.suffix.lower() == ".npy":
        write_arrays(output, arrays, len(source), overwrite=options.force)
        return
    if side is not None and side.name in names:
        raise InputError(f'--id: the output has its own column "{side.name}"; rename yours')
    write_frames(output, beside(as_frames(arrays, names), side, source), overwrite=options.force)
