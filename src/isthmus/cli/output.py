"""Writing rows as they come, in memory that does not grow with their number: CSV, Parquet or .npy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from isthmus.cli.sides import Side
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.errors import InputError
from isthmus.store import open_output

__all__ = ["as_frames", "as_table", "beside", "check_flat", "to_polars", "write_arrays", "write_frames"]


def write_arrays(path: Path, pieces: Iterable[NDArray[Any]], n_rows: int, *, overwrite: bool) -> None:
    """Write pieces of one array of `n_rows` rows to an .npy file."""
    with open_output(path, overwrite=overwrite) as file:
        written = 0
        for piece in pieces:
            if not written:
                shape = (n_rows, *piece.shape[1:])
                descr = np.lib.format.dtype_to_descr(piece.dtype)
                header = {"descr": descr, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(piece).tobytes())
            written += len(piece)
        if written != n_rows:
            raise InputError(
                f"{path}: got {written} rows instead of {n_rows}; did the data change meanwhile?"
            )


def write_frames(path: Path, frames: Iterable[pl.DataFrame], *, overwrite: bool) -> None:
    """Write frames with the same columns, one below the other, to a .csv or .parquet file."""
    write: Callable[[BinaryIO, Iterable[pl.DataFrame], Path], None]
    write = _write_csv if path.suffix.lower() == ".csv" else _write_parquet
    try:
        with open_output(path, overwrite=overwrite) as file:
            write(file, frames, path)
    except pl.exceptions.PolarsError as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} cannot be written as {path.suffix}: {reason}") from error


def check_flat(path: Path, frame: pl.DataFrame) -> None:
    """Refuse columns of lists or records where they are to be written as .csv."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    if nested and path.suffix.lower() == ".csv":
        raise InputError(
            f'{path}: column "{nested[0]}" holds {frame.schema[nested[0]]}, which a .csv file cannot; '
            "choose a name ending in .parquet, or leave the column out"
        )


def _write_csv(file: BinaryIO, frames: Iterable[pl.DataFrame], path: Path) -> None:
    for position, frame in enumerate(frames):
        check_flat(path, frame)
        file.write(frame.write_csv(include_header=position == 0).encode())


def _write_parquet(file: BinaryIO, frames: Iterable[pl.DataFrame], path: Path) -> None:
    # polars writes a Parquet file at once, or from a query: so pieces are put beside and then joined by one.
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent) as folder:
        parts = []
        for position, frame in enumerate(frames):
            parts.append(Path(folder) / f"{position}.parquet")
            frame.write_parquet(parts[-1])
        pl.scan_parquet(parts, glob=False, hive_partitioning=False).sink_parquet(file)


# Columns of arrays of floats that hold whole numbers.
WHOLE = ("n_observed",)


def as_frames(arrays: Iterable[NDArray[Any]], names: list[str]) -> Iterator[pl.DataFrame]:
    """Give the columns of arrays names; images are laid out flat."""
    for array in arrays:
        frame = pl.from_numpy(array.reshape(len(array), -1), schema=names, orient="row")
        yield frame.with_columns(pl.col(name).cast(pl.Int64) for name in names if name in WHOLE)


def as_table(rows: Any, schema: Schema) -> pl.DataFrame:
    """Return rows of a model's data as a table, without what stands beside rows: a model cannot give it."""
    if isinstance(rows, np.ndarray):
        return next(as_frames([rows], list(schema.names)))
    sides = [column.name for column in schema.columns if column.role in ("label", "weight", "id")]
    return to_polars(rows).drop(sides, strict=False)


def to_polars(frame: Any) -> pl.DataFrame:
    """Return a frame of any library as polars'."""
    return nw.from_native(frame, eager_only=True).to_polars()


def beside(frames: Iterable[pl.DataFrame], side: Side | None, source: Source) -> Iterator[pl.DataFrame]:
    """Put what stands beside the rows in front of frames, in the place of a column of the same name."""
    if side is None:
        yield from frames
        return
    for frame, column in zip(frames, side.blocks(source), strict=True):
        yield column.to_frame().hstack(frame.drop(column.name, strict=False))
