"""A float64 matrix back to rows: an array, or a frame with the columns, types and categories of the data."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import TEMPORAL, Column
from isthmus.data.restoring import Cells, build_frame, build_series
from isthmus.data.schema import LIBRARIES, Schema
from isthmus.data.series import as_frame, numbers
from isthmus.errors import InputError, did_you_mean

__all__ = ["decode"]

Floats = NDArray[np.float64]
_SMALL = ("float16", "float32", "uint8", "bool")


def decode(
    schema: Schema,
    values: NDArray[np.floating[Any]],
    *,
    library: str | None = None,
    passthrough: Any = None,
    index: Any = None,
) -> Any:
    """Return encoded rows as data of the schema's types.

    In frames, codes, counts, integers and ticks are rounded and brought into their range; arrays are not
    rounded. Pixels are clipped to their range.

    Parameters
    ----------
    schema : Schema
    values : ndarray of shape (n, C)
        The modelled columns, as `encode` gives them; NaN becomes a missing entry.
    library : str, optional
        "polars", "pandas" or "pyarrow": what frame to make; the schema's by default. Arrays stay arrays.
    passthrough : ndarray or frame, optional
        The rows from which the columns that are not modelled are copied; else they are empty.
    index : pandas Index, optional
        The index of a pandas frame; that of `passthrough` by default.

    Returns
    -------
    ndarray or frame
    """
    values = np.asarray(values, dtype=np.float64)
    n_columns = len(schema.modelled)
    if values.ndim != 2 or values.shape[1] != n_columns:
        raise InputError(f"got encoded values of shape {values.shape}, expected {n_columns} modelled columns")
    if schema.container == "array":
        return _decode_array(schema, values, passthrough)
    return _decode_frame(schema, values, library or schema.library, passthrough, index)


# Arrays.


def _decode_array(schema: Schema, values: Floats, passthrough: Any) -> NDArray[Any]:
    dtype = np.float32 if schema.dtype in _SMALL else np.float64
    rows = _array_values(schema, values)
    if len(schema.modelled) < len(schema.columns):
        modelled, rows = rows, _unmodelled_rows(schema, len(values), passthrough)
        rows[:, schema.modelled_index] = modelled
    return rows.astype(dtype, copy=False).reshape(len(values), *schema.shape)


def _unmodelled_rows(schema: Schema, n_rows: int, passthrough: Any) -> Floats:
    """Return a matrix of all columns in which those that are not modelled stand already."""
    rows = np.full((n_rows, len(schema.columns)), np.nan)
    for i, column in enumerate(schema.columns):
        if column.kind == "constant" and column.role == "feature":
            rows[:, i] = column.value
    others = [i for i, column in enumerate(schema.columns) if not column.modelled and column.value is None]
    if passthrough is not None and others:
        rows[:, others] = _flat(passthrough, n_rows, len(schema.columns))[:, others]
    return rows


def _flat(passthrough: Any, n_rows: int, n_columns: int) -> NDArray[Any]:
    if not isinstance(passthrough, np.ndarray):
        frame = as_frame(passthrough)
        passthrough = np.column_stack([numbers(frame[name]) for name in frame.columns])
    flat = passthrough.reshape(len(passthrough), -1)
    if flat.shape != (n_rows, n_columns):
        raise InputError(f"rows to copy from have shape {flat.shape}, expected ({n_rows}, {n_columns})")
    return flat


def _array_values(schema: Schema, values: Floats) -> Floats:
    values = values.copy()
    pixels = np.array([column.kind == "pixel" for column in schema.modelled], dtype=bool)
    if pixels.any():
        low, high = schema.columns[0].bounds
        np.clip(values, low, high, out=values, where=pixels)
    for j, column in enumerate(schema.modelled):
        if column.kind == "categorical":
            codes, missing = _codes(column, values[:, j])
            values[:, j] = np.where(missing, np.nan, np.array(column.levels, dtype=np.float64)[codes])
        elif column.kind == "binary" and column.levels != (False, True):
            # Not rounded, as nothing is in arrays: half-way between the codes is half-way between the levels.
            low, high = float(column.levels[0]), float(column.levels[1])
            values[:, j] = (1 - values[:, j]) * low + values[:, j] * high
    return values


# Frames.


def _decode_frame(schema: Schema, values: Floats, library: str, passthrough: Any, index: Any) -> Any:
    if library not in LIBRARIES:
        raise InputError(
            f'there are no frames of library "{library}".{did_you_mean(library, LIBRARIES)} '
            f"Libraries: {', '.join(LIBRARIES)}"
        )
    source = None if passthrough is None else as_frame(passthrough)
    if source is not None and len(source) != len(values):
        raise InputError(f"the frame to copy from has {len(source)} rows, expected {len(values)}")
    native = library == schema.library
    position = {column.name: j for j, column in enumerate(schema.modelled)}
    columns = {}
    for column in schema.columns:
        if column.name in position:
            cells = _cells(column, values[:, position[column.name]])
        else:
            cells = _unmodelled_cells(column, len(values), source)
        columns[column.name] = build_series(column, cells, library, native=native)
    if index is None and source is not None and library == "pandas" and source.implementation.is_pandas():
        index = source.to_native().index
    return build_frame(columns, library, index)


def _unmodelled_cells(column: Column, n_rows: int, source: nw.DataFrame[Any] | None) -> Cells:
    if column.value is not None and (column.role == "feature" or source is None):
        return _constant(column, n_rows)
    if source is not None and column.name in source.columns:
        return Cells(copied=source[column.name])
    return Cells(missing=np.ones(n_rows, dtype=bool))


def _constant(column: Column, n_rows: int) -> Cells:
    missing = np.zeros(n_rows, dtype=bool)
    if column.storage in (*TEMPORAL, "duration", "integer"):
        return Cells(whole=_integers([column.value] * n_rows), missing=missing)
    if column.storage in ("float", "decimal"):
        return Cells(numbers=np.full(n_rows, float(column.value or 0)), missing=missing)
    return Cells(codes=np.zeros(n_rows, dtype=np.int64), levels=(column.value,), missing=missing)


def _integers(values: list[Any]) -> NDArray[Any]:
    wide = np.uint64 if values and values[0] > np.iinfo(np.int64).max else np.int64
    return np.array(values, dtype=wide)


def _cells(column: Column, values: Floats) -> Cells:
    """Return the values of a modelled column before they get their data type."""
    missing = np.isnan(values)
    if column.levels:
        codes, _ = _codes(column, values)
        return Cells(codes=codes, levels=column.levels, missing=missing)
    if column.storage in (*TEMPORAL, "duration", "integer"):
        return Cells(whole=_whole(column, values, missing), missing=missing)
    if column.storage == "boolean":
        return Cells(codes=(values >= 0.5).astype(np.int64), levels=(False, True), missing=missing)
    if column.kind == "count":
        values = np.maximum(np.round(values), 0)
    elif column.kind == "pixel":
        values = np.clip(values, *column.bounds)
    return Cells(numbers=values, missing=missing)


def _codes(column: Column, values: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the nearest code of a level; "other" becomes the most frequent one."""
    missing = np.isnan(values)
    last = len(column.levels) - 1
    codes = np.clip(np.rint(np.where(missing, 0, values)), 0, last + column.other).astype(np.int64)
    return np.where(codes > last, column.most_frequent, codes), missing


def _whole(column: Column, values: Floats, missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Return integers or ticks, within what the data type holds; 0 where missing."""
    low, high = _limits(column)
    shifts = np.rint(np.clip(np.where(missing, 0.0, values), _inside(low), _inside(high)))
    sizes = np.abs(shifts).astype(np.uint64)
    # Beyond 2**53 a float64 is not exact; the steps in which the data move tell which integer was meant.
    far = sizes >= _EXACT
    if column.step > 1 and far.any():
        step = np.uint64(column.step)
        sizes[far] = (sizes[far] + step // np.uint64(2)) // step * step
    # Unsigned arithmetic wraps around, so that 64 bits suffice for any difference of 64-bit integers.
    whole = np.where(shifts < 0, ~sizes + np.uint64(1), sizes) + np.uint64(column.origin & _WRAP)
    whole[missing] = 0
    return whole if column.dtype.startswith("UInt") else whole.view(np.int64)


_EXACT, _WRAP = np.uint64(1 << 53), (1 << 64) - 1


def _limits(column: Column) -> tuple[int, int]:
    """Return the least and the greatest difference from the origin that the data type allows."""
    kept = np.iinfo(column.dtype.lower() if column.storage == "integer" else "int64")
    # The least of the ticks stands for a missing time.
    low = int(kept.min) + (column.storage != "integer")
    return (max(0, low) if column.kind == "count" else low) - column.origin, int(kept.max) - column.origin


def _inside(bound: int) -> float:
    """Return the float64 nearest to a bound that is not beyond it."""
    near = float(bound)
    return near if abs(near) <= abs(bound) else float(np.nextafter(near, 0))
