"""Rows to a float64 matrix (NaN where missing, codes for levels, ticks for times), exactly invertible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.calendar import calendar_values, circles
from isthmus.data.column import TEMPORAL, Column
from isthmus.data.decoding import decode
from isthmus.data.dtypes import dtype_name, time_unit, time_zone
from isthmus.data.schema import Schema
from isthmus.data.series import (
    as_frame,
    distinct,
    factorize,
    integers,
    numbers,
    refuse_infinity,
    stored_as,
    ticks,
)
from isthmus.errors import InputError, did_you_mean

__all__ = ["Encoded", "calendar_parents", "decode", "encode"]

Floats = NDArray[np.float64]
Notices = dict[str, int]


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows as numbers.

    Attributes
    ----------
    values : ndarray of shape (n, C + E)
        The modelled columns, then the calendar columns of those that hold datetimes; NaN where missing.
    notices : dict of str to int
        What is worth telling, with the number of rows concerned. Blocks say it in the same words, so that
        their numbers can be added up.
    """

    values: Floats
    notices: Notices


def calendar_parents(schema: Schema) -> NDArray[np.int64]:
    """Return, for each calendar column, the position of its datetime column among the modelled ones."""
    parents = [j for j, column in enumerate(schema.modelled) for _ in range(2 * len(circles(column)))]
    return np.array(parents, dtype=np.int64)


def encode(schema: Schema, block: Any, *, first_row: int = 0) -> Encoded:
    """Return rows as float64 numbers.

    Parameters
    ----------
    schema : Schema
    block : ndarray or frame
        Rows with the schema's columns. Columns of a frame may stand in any order, and those that the model
        does not need (ignored ones, labels, weights, identifiers, conditions) may be left out.
    first_row : int, default=0
        The position of the block's first row, for messages.

    Returns
    -------
    Encoded
    """
    if schema.container == "array":
        return _encode_array(schema, block, first_row)
    return _encode_frame(schema, as_frame(block), first_row)


# Arrays: all columns at once.


def _encode_array(schema: Schema, block: Any, first_row: int) -> Encoded:
    rows = _rows(schema, block)
    index = schema.modelled_index
    chosen = rows if len(index) == rows.shape[1] else rows[:, index]
    values = np.array(chosen, dtype=np.float64)
    refuse_infinity(values, [column.name for column in schema.modelled], first_row)
    return Encoded(values, _constants_of_array(schema, rows) | _codes_of_array(schema, values))


def _rows(schema: Schema, block: Any) -> NDArray[Any]:
    """Return the rows of an array (or of a frame of numbers) as a matrix, or refuse what does not fit."""
    if not isinstance(block, np.ndarray):
        frame = as_frame(block)
        block = np.column_stack([_numbers(frame[name], name, 0, 0) for name in frame.columns])
    if block.dtype.kind not in "biuf":
        raise InputError(f"expected an array of numbers, as at fit, got {block.dtype}; convert it first")
    if block.shape[1:] not in (schema.shape, (len(schema.columns),)):
        raise InputError(
            f"X has {math.prod(block.shape[1:])} features, in rows of shape {block.shape[1:]}, but the model "
            f"is expecting {len(schema.columns)} features, in rows of shape {schema.shape}; give such rows"
        )
    return block.reshape(len(block), -1)


def _constants_of_array(schema: Schema, rows: NDArray[Any]) -> Notices:
    constants = [(i, column) for i, column in enumerate(schema.columns) if _is_constant(column)]
    if not constants:
        return {}
    found = rows[:, [i for i, _ in constants]].astype(np.float64)
    expected = np.array([column.value for _, column in constants], dtype=np.float64)
    differ = ((found != expected) & ~np.isnan(found)).sum(axis=0)
    return {_differs(constants[k][1]): int(differ[k]) for k in np.flatnonzero(differ)}


def _codes_of_array(schema: Schema, values: Floats) -> Notices:
    """Replace, in place, the levels of an array's binary and categorical columns by their codes."""
    notices: Notices = {}
    truths = np.flatnonzero([column.levels == (False, True) for column in schema.modelled])
    for j in truths[((values[:, truths] != 0) & (values[:, truths] != 1)).any(axis=0)]:
        _set_codes(schema.modelled[j], values[:, j], notices)
    for j, column in enumerate(schema.modelled):
        if column.levels and column.levels != (False, True):
            _set_codes(column, values[:, j], notices)
    return notices


def _set_codes(column: Column, values: Floats, notices: Notices) -> None:
    values[:], unseen = _codes(column, *distinct(values))
    if unseen:
        notices[_unseen(column)] = unseen


# Frames: column by column.


def _encode_frame(schema: Schema, frame: nw.DataFrame[Any], first_row: int) -> Encoded:
    _check_columns(schema, frame.columns)
    modelled, parents = schema.modelled, calendar_parents(schema)
    values = np.empty((len(frame), len(modelled) + len(parents)))
    notices: Notices = {}
    for j, column in enumerate(modelled):
        values[:, j], unseen = _encode_column(column, frame[column.name], first_row)
        if unseen:
            notices[_unseen(column)] = unseen
    refuse_infinity(values[:, : len(modelled)], [column.name for column in modelled], first_row)
    for j in np.unique(parents):
        at = len(modelled) + np.flatnonzero(parents == j)
        values[:, at] = _calendar(modelled[j], frame[modelled[j].name])
    for column in schema.columns:
        if _is_constant(column) and (differ := _differing(column, frame[column.name])):
            notices[_differs(column)] = differ
    return Encoded(values, notices)


def _check_columns(schema: Schema, given: Sequence[str]) -> None:
    needed = [
        column.name for column in schema.columns if column.role == "feature" and column.kind != "ignored"
    ]
    missing = sorted(set(needed) - set(given))
    unexpected = sorted(set(given) - set(schema.names))
    if missing or unexpected:
        told = [f"{what}: {_listed(names)}" for what, names in _pairs(missing, unexpected) if names]
        near = did_you_mean(missing[0], unexpected) if missing else ""
        raise InputError(f"the columns are not those of fit; {'; '.join(told)}.{near} Give the same columns")


def _pairs(missing: list[str], unexpected: list[str]) -> list[tuple[str, list[str]]]:
    return [("missing", missing), ("unexpected", unexpected)]


def _listed(names: list[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def _encode_column(column: Column, series: nw.Series[Any], first_row: int) -> tuple[Floats, int]:
    """Return a column as numbers, and how many of its values were not seen at fit."""
    if series.null_count() == len(series):
        return np.full(len(series), np.nan), 0
    if column.levels:
        found, codes = factorize(series)
        _check_levels(column, found, codes, first_row)
        return _codes(column, found, codes)
    if column.storage in (*TEMPORAL, "duration"):
        return _times(column, series, first_row), 0
    return _numbers(series, column.name, column.origin, first_row), 0


def _numbers(series: nw.Series[Any], name: str, origin: int, first_row: int) -> Floats:
    kept = stored_as(series)
    if kept not in ("float", "integer", "boolean", "decimal"):
        raise _wrong_type(series, name, "numbers", first_row)
    if origin == 0 or kept != "integer":
        return numbers(series) - origin
    values, missing = integers(series)
    return np.where(missing, np.nan, _less(values, origin))


def _times(column: Column, series: nw.Series[Any], first_row: int) -> Floats:
    kept, zoned = stored_as(series), time_zone(dtype_name(series.dtype)) is not None
    lengths = column.storage == "duration"
    if kept not in (("duration",) if lengths else TEMPORAL):
        expected = "lengths of time" if lengths else "dates or times"
        raise _wrong_type(series, column.name, expected, first_row)
    if zoned != (time_zone(column.dtype) is not None):
        expected = (
            "times without a time zone" if zoned else f"times with a time zone ({time_zone(column.dtype)})"
        )
        raise _wrong_type(series, column.name, expected, first_row)
    values, missing = ticks(series, time_unit(column.dtype))
    return np.where(missing, np.nan, _less(values, column.origin))


def _calendar(column: Column, series: nw.Series[Any]) -> Floats:
    if series.null_count() == len(series):
        return np.full((len(series), 2 * len(circles(column))), np.nan)
    return calendar_values(series, column)


def _less(values: NDArray[Any], origin: int) -> Floats:
    """Return 64-bit integers less an origin, exactly where the difference is a float64 number."""
    exact = (values.astype(np.uint64) - np.uint64(origin & _WRAP)).view(np.int64).astype(np.float64)
    rough = values.astype(np.float64) - float(origin)
    return np.where(np.abs(rough) < _HALF, exact, rough)


_WRAP, _HALF = (1 << 64) - 1, float(1 << 62)


def _codes(column: Column, found: list[Any], codes: NDArray[np.int64]) -> tuple[Floats, int]:
    """Return each row's level code, and how many rows have none."""
    positions = {level: float(code) for code, level in enumerate(column.levels)}
    unknown = float(len(column.levels)) if column.other else np.nan
    table = np.array([*(positions.get(value, unknown) for value in found), np.nan])
    strange = np.array([*(value not in positions for value in found), False])
    return table[codes], int(strange[codes].sum())


def _check_levels(column: Column, found: list[Any], codes: NDArray[np.int64], first_row: int) -> None:
    text = type(column.levels[0]) is str
    for position, value in enumerate(found):
        if not isinstance(value, str if text else (bool, int, float)):
            row = first_row + int(np.argmax(codes == position))
            expected = "text" if text else "numbers or truth values"
            raise InputError(_told(column.name, value, row, expected))


def _wrong_type(series: nw.Series[Any], name: str, expected: str, first_row: int) -> InputError:
    row = int(np.argmin(np.asarray(series.is_null().to_numpy(), dtype=bool)))
    return InputError(_told(name, series[row], first_row + row, expected))


def _told(name: str, value: Any, row: int, expected: str) -> str:
    shown = repr(value)[:60] if isinstance(value, str) else str(value)[:60]
    return (
        f'column "{name}" holds {shown} (row {row}), expected {expected} as at fit; convert the column first'
    )


# Notices.


def _unseen(column: Column) -> str:
    return f'column "{column.name}": unseen values, encoded as {_OTHER if column.other else "missing"}'


_OTHER = '"other"'


def _is_constant(column: Column) -> bool:
    return column.kind == "constant" and column.role == "feature"


def _differs(column: Column) -> str:
    return f'constant column "{column.name}": values that differ from {column.value!r}'


def _differing(column: Column, series: nw.Series[Any]) -> int:
    """Return how many entries of a constant column are neither missing nor its value."""
    kept = stored_as(series)
    if kept == column.storage and kept in (*TEMPORAL, "duration"):
        values, missing = ticks(series, time_unit(column.dtype))
        return int(((values != column.value) & ~missing).sum())
    if kept == "other":
        return len(series) - series.null_count()
    found, codes = factorize(series)
    strange = np.array([*(value != column.value for value in found), False])
    return int(strange[codes].sum())
