"""What clock and calendar say of a datetime: hour, weekday and day of the year, as points on circles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import Column
from isthmus.data.dtypes import storage, time_zone

__all__ = ["calendar_names", "calendar_values", "circles"]

_ALL = ("hour", "weekday", "yearday")


def circles(column: Column) -> tuple[str, ...]:
    """Return the cycles on which a column lies: none unless it holds datetimes, and a date has no hour."""
    if column.kind != "datetime":
        return ()
    return _ALL if storage(column.dtype) == "datetime" else _ALL[1:]


def calendar_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return a name for each calendar column of modelled columns: ``sin(hour of when)``."""
    return tuple(
        f"{wave}({cycle} of {column.name})"
        for column in columns
        for cycle in circles(column)
        for wave in ("sin", "cos")
    )


def calendar_values(series: nw.Series[Any], column: Column) -> NDArray[np.float64]:
    """Return the calendar columns of a datetime column, in its own time zone, NaN where it is missing.

    Parameters
    ----------
    series : narwhals Series
        Datetimes or dates.
    column : Column
        What the schema says of it.

    Returns
    -------
    ndarray of shape (n, 2 * number of cycles)
        Sine and cosine of each cycle, which starts at midnight, Monday and New Year.
    """
    local = _local(series, column)
    day = local.astype("M8[D]")
    year = local.astype("M8[Y]")
    start, end = year.astype("M8[D]"), (year + 1).astype("M8[D]")
    weekday = (day.astype(np.int64) + 3) % 7  # 1 January 1970, day 0, was a Thursday
    turns = {
        "hour": np.divide(local - day, np.timedelta64(1, "D")),
        "weekday": weekday / 7,
        "yearday": (day - start) / (end - start),
    }
    angles = 2 * np.pi * np.column_stack([turns[cycle] for cycle in circles(column)])
    values = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(angles), -1)
    values[np.isnat(local)] = np.nan
    return values


def _local(series: nw.Series[Any], column: Column) -> NDArray[np.datetime64]:
    """Return the wall-clock times of a column as the schema's time zone has them."""
    zone = time_zone(column.dtype)
    if isinstance(series.dtype, nw.Date):
        series = series.cast(nw.Datetime("ms"))
    elif zone is not None:
        series = series.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return np.asarray(series.to_numpy())
