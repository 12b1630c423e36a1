"""A schema as a table to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.data.schema import Column, Schema

__all__ = ["render", "summary_rows"]

# More columns of an array than this are told in runs of like ones, and more runs than this by kind.
MOST_ROWS = 12
MOST_FRAME_ROWS = 200
_WIDEST_NAME = 40
Row = tuple[str, str, str, str]


def render(schema: Schema) -> str:
    """Return a title and an aligned table: name, kind, role and reason of each column."""
    return "\n".join(
        [_title(schema), "", *_aligned([("name", "kind", "role", "reason"), *summary_rows(schema)])]
    )


def _title(schema: Schema) -> str:
    n, learned = len(schema.columns), len(schema.modelled)
    of = f"{schema.library} frame" if schema.container == "frame" else f"{schema.dtype} array"
    shape = "" if len(schema.shape) == 1 else f" (rows of shape {' x '.join(map(str, schema.shape))})"
    return f"{n:,} {'column' if n == 1 else 'columns'} of a {of}{shape}, {learned:,} modelled"


def summary_rows(schema: Schema) -> list[Row]:
    """Return (name, kind, role, reason) of each column, of many columns by runs of like ones."""
    columns = schema.columns
    if len(columns) <= (MOST_FRAME_ROWS if schema.container == "frame" else MOST_ROWS):
        return [(_name(column), column.kind, column.role, column.reason) for column in columns]
    runs = [list(run) for _, run in groupby(columns, _likeness)]
    if len(runs) > MOST_ROWS:
        runs = [list(run) for _, run in groupby(sorted(columns, key=_likeness), _likeness)]
    return [_summary(run) for run in runs]


def _likeness(column: Column) -> tuple[str, str]:
    return column.kind, column.role


def _name(column: Column) -> str:
    name = column.name if column.name.isprintable() else repr(column.name)
    return name if len(name) <= _WIDEST_NAME else name[: _WIDEST_NAME - 3] + "..."


def _summary(run: Sequence[Column]) -> Row:
    if len(run) == 1:
        return _name(run[0]), run[0].kind, run[0].role, run[0].reason
    names = f"{_name(run[0])} ... {_name(run[-1])} ({len(run):,} columns)"
    reasons = Counter(column.reason for column in run)
    if len(reasons) == 1:
        reason = run[0].reason
    elif run[0].kind in ("continuous", "pixel", "count"):
        low, high = min(column.low for column in run), max(column.high for column in run)
        reason = f"numbers from {low:g} to {high:g}"
    else:
        reason = f"for instance: {reasons.most_common(1)[0][0]}"
    return names, run[0].kind, run[0].role, reason


def _aligned(rows: Iterable[Row]) -> list[str]:
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]
        ).rstrip()
        for row in rows
    ]
