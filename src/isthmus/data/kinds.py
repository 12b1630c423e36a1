"""Which kinds a column can be, given what is known of its values, and what to say of the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from isthmus.data.column import KINDS, NUMERIC, TEMPORAL, Column, Kind, pixel_bounds
from isthmus.data.dtypes import Storage, storage
from isthmus.errors import InputError, did_you_mean

__all__ = ["CHOSEN", "Known", "check_kind", "recast"]

CHOSEN = "chosen by the user"


@dataclass(frozen=True)
class Known:
    """What is known of a column's values; `whole` and `n_levels` are None where they were not looked at."""

    dtype: str
    low: float
    high: float
    origin: int
    constant: bool
    empty: bool
    whole: bool | None
    n_levels: int | None

    @property
    def storage(self) -> Storage:
        return storage(self.dtype)


def _refusal(kind: Kind, known: Known) -> str:
    """Return why a column cannot be of a kind, or an empty string."""
    if kind == "ignored":
        return ""
    if known.empty:
        return "it has no values to learn from"
    if kind == "constant" or known.constant:
        return "" if kind == "constant" and known.constant else _count_refusal(known)
    if kind in ("binary", "categorical"):
        return _level_refusal(kind, known)
    return _number_refusal(kind, known)


def _count_refusal(known: Known) -> str:
    return "it has one value only" if known.constant else "it has more than one value"


def _level_refusal(kind: Kind, known: Known) -> str:
    if known.storage in (*TEMPORAL, "duration", "decimal", "other"):
        return f"it holds values of type {known.dtype}"
    if known.n_levels is None:
        return "its distinct values are too many, or were not kept; name it in infer_schema(..., kinds=...)"
    if kind == "binary" and known.n_levels != 2:
        return f"it has {known.n_levels} distinct values, not 2"
    return ""


def _number_refusal(kind: Kind, known: Known) -> str:
    low, high = pixel_bounds(known.dtype)
    if kind == "datetime":
        return "" if known.storage in TEMPORAL else "it does not hold dates"
    if known.storage not in (NUMERIC if kind == "continuous" else ("float", "integer", "boolean", "decimal")):
        return "" if kind == "continuous" and known.storage in TEMPORAL else "it does not hold numbers"
    if kind == "count" and known.low < 0:
        return f"it has negative values, down to {known.low:g}"
    if kind == "count" and not (known.whole and known.origin == 0):
        return "not all of its values are known to be whole numbers"
    if kind == "pixel" and not (low <= known.low and known.high <= high):
        return f"its values from {known.low:g} to {known.high:g} are not within 0 and {high:g}"
    return ""


def check_kind(name: str, kind: str, known: Known) -> Kind:
    """Return a kind that the caller asks for, or raise and say which ones the column can be."""
    if kind not in KINDS:
        raise InputError(
            f'column "{name}": "{kind}" is not a kind of column.{did_you_mean(kind, KINDS)} '
            f"Kinds: {', '.join(KINDS)}"
        )
    why = _refusal(kind, known)
    if why:
        possible = ", ".join(f'"{option}"' for option in KINDS if not _refusal(option, known))
        raise InputError(f'column "{name}" cannot be "{kind}": {why}; it can be {possible}')
    return kind


def recast(column: Column, kind: str) -> Column:
    """Return a column as another kind, from what the schema knows of it, without seeing the data again."""
    if kind == column.kind:
        return column
    leveled = column.kind in ("binary", "categorical")
    known = Known(
        column.dtype,
        column.low,
        column.high,
        column.origin,
        constant=column.kind == "constant",
        empty=column.kind == "ignored" and not _has_range(column),
        whole=column.integer or column.kind == "count" or None,
        n_levels=len(column.levels) if leveled else None,
    )
    kind = check_kind(column.name, kind, known)
    changes: dict[str, Any] = {"kind": kind, "reason": CHOSEN, "value": None, "other": kind == "categorical"}
    if kind not in ("binary", "categorical"):
        changes |= {"levels": (), "most_frequent": 0}
    return replace(column, **changes)


def _has_range(column: Column) -> bool:
    return column.low < column.high or column.storage in ("text", "category", "object")
