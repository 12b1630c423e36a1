"""Lists as arrays: to numpy all entries are texts where one is, and then a gap is a text too."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_column", "as_entries", "is_gap", "plain", "plain_entries"]


def as_entries(values: Any) -> NDArray[Any]:
    """Return what is array-like; the entries of a list keep their own types."""
    return np.asarray(values, dtype=None if hasattr(values, "dtype") else object)


def plain_entries(entries: NDArray[Any]) -> list[Any]:
    """Return entries of shape (n,) as Python's own objects, None for what pandas and numpy write for it."""
    if entries.dtype.kind in "mM":
        entries = entries.astype(f"{entries.dtype.kind}8[us]")  # of finer ones numpy makes integers
    return [plain(value) for value in entries.tolist()]


def plain(value: Any) -> Any:
    """Return one entry as Python's own object."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return plain_entries(np.array([value]))[0]
    if str(value) in ("NaT", "<NA>") and not isinstance(value, str):
        return None
    return value.item() if hasattr(value, "item") else value


def is_gap(value: Any) -> bool:
    """Tell whether a plain entry is None or NaN."""
    return value is None or value != value


def as_column(entries: NDArray[Any]) -> NDArray[Any]:
    """Return entries of shape (n,) as a column of one type: beside texts, all others but gaps are texts."""
    if entries.dtype.kind not in "OmM":
        return entries
    values = plain_entries(entries)
    if any(isinstance(value, str) for value in values):
        return np.array([None if is_gap(value) else str(value) for value in values], dtype=object)
    return np.asarray(values, dtype=object if None in values else None)
