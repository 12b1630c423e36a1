"""Columns of any frame library as NumPy arrays: numbers, integers, ticks of time, codes of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.dtypes import Storage, dtype_name, storage, time_unit
from isthmus.data.sources import frames
from isthmus.errors import InputError

__all__ = [
    "Unhashable",
    "as_frame",
    "factorize",
    "integers",
    "numbers",
    "refuse_infinity",
    "stored_as",
    "ticks",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.signedinteger[Any] | np.unsignedinteger[Any]]
Mask = NDArray[np.bool_]


def as_frame(block: Any) -> nw.DataFrame[Any]:
    """Return a frame of any supported library as a narwhals frame, or raise."""
    frame = frames.as_frame(block)
    if frame is None:
        raise InputError(
            f"expected a frame with named columns, got {type(block).__name__}; "
            "give a polars, pandas or pyarrow frame"
        )
    return frame


def stored_as(series: nw.Series[Any]) -> Storage:
    """Return how the values of a column are stored."""
    return storage(dtype_name(series.dtype))


def numbers(series: nw.Series[Any]) -> Floats:
    """Return a numeric column as float64, NaN where missing."""
    return np.asarray(series.cast(nw.Float64()).to_numpy(), dtype=np.float64)


def integers(series: nw.Series[Any]) -> tuple[Integers, Mask]:
    """Return a column of whole numbers exactly, 0 where missing, and where it is missing."""
    values = np.asarray(series.fill_null(0).to_numpy())
    wide = np.dtype(np.uint64 if values.dtype.kind == "u" else np.int64)
    return values.astype(wide), _missing(series)


def ticks(series: nw.Series[Any], unit: str | None = None) -> tuple[NDArray[np.int64], Mask]:
    """Return a column of datetimes (UTC), dates or durations as integers, and where it is missing.

    Parameters
    ----------
    series : narwhals Series
    unit : str, optional
        The unit to count in; the column's own by default.
    """
    unit = unit or time_unit(dtype_name(series.dtype))
    letter = "m" if isinstance(series.dtype, nw.Duration) else "M"
    # pandas has dates only as Arrow's, which NumPy does not read; datetimes it reads from any library.
    whole = series.cast(nw.Datetime("ms")) if isinstance(series.dtype, nw.Date) else series
    values = np.asarray(whole.to_numpy()).astype(f"{letter}8[{unit}]")
    return values.view(np.int64), np.isnat(values)


def _missing(series: nw.Series[Any]) -> Mask:
    return np.asarray(series.is_null().to_numpy(), dtype=bool)


def factorize(series: nw.Series[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return a column's distinct values, as Python objects, and each row's position in them (-1: missing)."""
    kept = stored_as(series)
    if kept in ("float", "decimal"):
        return distinct(numbers(series))
    if kept == "integer":
        values, missing = integers(series)
        found, codes = distinct(values)
        return found, np.where(missing, -1, codes)
    if kept == "object":
        return _factorize_objects(series)
    return _factorize_hashed(series)


def distinct(values: NDArray[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the distinct values of an array, sorted, and each entry's position among them (-1: NaN)."""
    found, codes = np.unique(values, return_inverse=True)
    if found.dtype.kind == "f" and len(found) and np.isnan(found[-1]):
        found = found[:-1]
        codes = np.where(codes == len(found), -1, codes)
    return found.tolist(), codes.astype(np.int64)


def _factorize_hashed(series: nw.Series[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    if str(getattr(series.to_native(), "type", "")) == "string_view":
        # pyarrow does not filter its newest kind of text.
        series = nw.new_series(series.name, series.to_list(), nw.String(), backend=series.implementation)
    found = series.drop_nulls().unique().to_list()
    if not found:
        return [], np.full(len(series), -1, dtype=np.int64)
    codes = series.replace_strict(found, list(range(len(found))), default=-1, return_dtype=nw.Int64())
    return found, np.asarray(codes.to_numpy(), dtype=np.int64)


@dataclass(frozen=True)
class Unhashable:
    """Stands for a value that cannot be compared with others, such as a list."""

    kind: str


def _factorize_objects(series: nw.Series[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    # True equals 1, so that types are told apart too.
    positions: dict[tuple[type, Any], int] = {}
    missing, values = _missing(series), series.to_list()
    codes = np.full(len(values), -1, dtype=np.int64)
    for row in np.flatnonzero(~missing):
        kind = type(values[row])
        value = values[row] if kind.__hash__ else Unhashable(kind.__name__)
        codes[row] = positions.setdefault((kind, value), len(positions))
    return [value for _, value in positions], codes


def refuse_infinity(values: NDArray[Any], names: Sequence[str], first_row: int = 0) -> None:
    """Raise an InputError that names the first infinite entry, if there is one."""
    infinite = np.isinf(values)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InputError(
            f'Input X contains infinity: column "{names[column]}", row {first_row + row}; '
            "replace it by a number, or by NaN if it is missing"
        )
