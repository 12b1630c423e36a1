"""What the commands share that make rows instead of reading them: models, and where rows go to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.paths import check_rows_output, is_picture
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.schema import Schema
    from isthmus.estimators.generative import Generative

__all__ = ["check_kind", "load_generative", "write_made"]


def load_generative(model: Path, command: str) -> Generative:
    """Load a model that has a prior, or say which have one."""
    from isthmus.cli.opening import load_model
    from isthmus.estimators.generative import Generative

    fitted = load_model(model)
    if not isinstance(fitted, Generative):
        raise InputError(
            f"{command} needs a generative model, {model} holds {type(fitted).__name__}; fit with "
            "--model VariationalAutoencoder, or another that isthmus models calls generative"
        )
    return fitted


def check_kind(schema: Schema, output: Path, overwrite: bool) -> None:
    """Refuse an output that cannot hold the model's kind of data."""
    if is_picture(output) and not schema.holds_images:
        raise InputError(
            f"{output}: a picture shows images, and this model was fitted on rows of {len(schema.columns)} "
            "columns; choose a name ending in .csv, .parquet or .npy"
        )
    table = "a table, which the data of this model are" if schema.container == "frame" else ""
    check_rows_output(output, overwrite, table, pictures=True)


def write_made(
    output: Path,
    rows: Any,
    schema: Schema,
    *,
    overwrite: bool,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write rows as an array (.npy) or a table, in a table with columns before and after the data's own."""
    import polars as pl

    from isthmus.cli.output import as_table, write_arrays, write_frames

    if output.suffix.lower() == ".npy":
        write_arrays(output, [rows], len(rows), overwrite=overwrite)
        return
    table, first, last = as_table(rows, schema), pl.DataFrame(before or {}), pl.DataFrame(after or {})
    twice = sorted(set(table.columns) & {*first.columns, *last.columns})
    if twice:
        raise InputError(
            f'{output}: the data have a column "{twice[0]}" of their own; rename it and fit again'
        )
    parts = [part for part in (first, table, last) if part.width]
    write_frames(output, [pl.concat(parts, how="horizontal")], overwrite=overwrite)
