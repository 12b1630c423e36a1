"""Columns of a frame with the data types that the schema remembers, in any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import Column, Scalar
from isthmus.data.dtypes import (
    arrow_name,
    arrow_type,
    library,
    pandas_dtype,
    pandas_name,
    time_unit,
    time_zone,
    to_narwhals,
)
from isthmus.errors import InputError

__all__ = ["Cells", "build_frame", "build_series"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """A column's values without its data type: numbers, integers (or ticks), codes of levels, or a copy."""

    missing: NDArray[np.bool_] | None = None
    numbers: NDArray[np.float64] | None = None
    whole: NDArray[Any] | None = None
    codes: NDArray[np.int64] | None = None
    levels: tuple[Scalar | None, ...] = ()
    copied: nw.Series[Any] | None = None


def build_frame(columns: Mapping[str, Any], backend: str, index: Any) -> Any:
    """Return the library's own frame of its own columns."""
    if backend == "polars":
        pl = library("polars")

        return pl.DataFrame(columns)
    if backend == "pyarrow":
        pa = library("pyarrow")

        return pa.table(columns)
    pd = library("pandas")

    # Copied columns bring an index along, by which pandas would sort the rows.
    frame = pd.DataFrame({name: series.reset_index(drop=True) for name, series in columns.items()})
    if index is not None:
        frame.index = index
    return frame


def build_series(column: Column, cells: Cells, backend: str, *, native: bool) -> Any:
    """Return a library's own column.

    Parameters
    ----------
    column : Column
    cells : Cells
    backend : str
    native : bool
        Whether the library is the one the data came from, whose own data type is restored.
    """
    try:
        if cells.copied is None:
            return _BUILDERS[backend](column, cells, native)
        if str(cells.copied.implementation) == backend:
            return cells.copied.to_native()
        return _BUILDERS[backend](column, _listed(cells.copied), native)
    except (TypeError, ValueError, ArithmeticError, NotImplementedError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f'column "{column.name}" of type {column.native_dtype or column.dtype} cannot be made as a '
            f"{backend} column ({reason}); choose another library"
        ) from error


def _listed(copied: nw.Series[Any]) -> Cells:
    """Return a column of another library, value by value."""
    values = copied.to_list()
    missing = np.asarray(copied.is_null().to_numpy(), dtype=bool)
    return Cells(codes=np.arange(len(values)), levels=tuple(values), missing=missing)


def _objects(cells: Cells) -> NDArray[Any]:
    """Return the levels that stand in the rows, None where missing."""
    levels = np.empty(len(cells.levels) + 1, dtype=object)
    levels[:-1] = list(cells.levels)
    assert cells.codes is not None
    return levels[np.where(_gaps(cells), len(cells.levels), cells.codes)]


def _gaps(cells: Cells) -> NDArray[np.bool_]:
    assert cells.missing is not None
    return cells.missing


def _whole(column: Column, cells: Cells, units: tuple[str, ...]) -> NDArray[Any]:
    """Return integers as they are, ticks as NumPy's times in the column's unit or else the first given."""
    assert cells.whole is not None
    if column.storage == "integer":
        return cells.whole
    letter, unit = ("m" if column.storage == "duration" else "M"), time_unit(column.dtype)
    values = cells.whole.astype(np.int64).view(f"{letter}8[{unit}]")
    values[_gaps(cells)] = "NaT"
    return values if unit in units else values.astype(f"{letter}8[{units[0]}]")


def _text(cells: Cells) -> bool:
    return all(level is None or isinstance(level, str) for level in cells.levels)


# One builder per library: from values without a data type to the library's own column.


def _build_polars(column: Column, cells: Cells, native: bool) -> Any:
    pl = library("polars")

    # polars does not count in seconds.
    target = to_narwhals(column.dtype.replace("time_unit='s'", "time_unit='us'"), column.categories)
    if cells.numbers is not None:
        series = pl.Series(cells.numbers)
    elif cells.whole is not None:
        series = pl.Series(_whole(column, cells, ("us", "ms", "ns", "D")))
        zone = time_zone(column.dtype)
        series = series if zone is None else series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        target = target if column.storage == "integer" else None
    elif cells.codes is not None:
        series = pl.Series(_objects(cells).tolist())
        # polars' categories are texts; numbers that pandas calls categories stay numbers.
        target = target if _text(cells) or column.storage not in ("category", "object") else None
    else:
        series = pl.Series([None] * len(_gaps(cells)))
    if _gaps(cells).any() and series.dtype != pl.Null:
        series = series.set(pl.Series(_gaps(cells)), None)
    return series if target is None else _cast(series, target)


def _cast(series: Any, target: Any) -> Any:
    return nw.from_native(series, series_only=True).cast(target).to_native()


def _build_pandas(column: Column, cells: Cells, native: bool) -> Any:
    pd = library("pandas")

    name = column.native_dtype if native and column.native_dtype else pandas_name(column.dtype)
    if cells.numbers is not None:
        series = pd.Series(cells.numbers)
    elif cells.whole is not None and column.storage == "integer":
        series = pd.Series(pd.arrays.IntegerArray(cells.whole, _gaps(cells)))
    elif cells.whole is not None:
        # pandas counts days in seconds.
        series = pd.Series(_whole(column, cells, ("s", "ms", "us", "ns")))
        zone = time_zone(column.dtype)
        series = series if zone is None else series.dt.tz_localize("UTC").dt.tz_convert(zone)
    elif cells.codes is not None:
        series = pd.Series(_objects(cells), dtype=object)
    else:
        series = pd.Series([None] * len(_gaps(cells)), dtype=object)
    if column.storage == "other":
        name = "object"
    if _gaps(cells).any() and column.storage in ("integer", "boolean"):
        name = _WITH_GAPS.get(name, name)
    categories = column.categories
    if column.storage == "category" and not categories:
        categories = tuple(dict.fromkeys(level for level in cells.levels if level is not None))
    return series.astype(pandas_dtype(name, categories, ordered=column.dtype == "Enum"))


# NumPy's integers and truth values have no missing ones; pandas' own do.
_WITH_GAPS = {
    f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_WITH_GAPS["bool"] = "boolean"


def _build_pyarrow(column: Column, cells: Cells, native: bool) -> Any:
    pa = library("pyarrow")

    name = column.native_dtype if native and column.native_dtype else arrow_name(column.dtype)
    gaps = _gaps(cells)
    if cells.codes is not None:
        return pa.chunked_array([_arrow_levels(column, cells, name)])
    if cells.numbers is not None:
        array = pa.array(cells.numbers, mask=gaps)
    elif cells.whole is not None:
        array = pa.array(cells.whole, mask=gaps)
        array = array.cast(pa.int32()) if column.storage == "date" else array
    else:
        array, name = pa.nulls(len(gaps)), name if column.storage != "other" else "null"
    return pa.chunked_array([array.cast(arrow_type(name))])


def _arrow_levels(column: Column, cells: Cells, name: str) -> Any:
    pa = library("pyarrow")

    objects = _objects(cells).tolist()
    # Structures, and categories that are no texts, keep the type that pyarrow itself finds.
    found = column.storage == "other" or (column.storage in ("category", "object") and not _text(cells))
    target = None if found else arrow_type(name)
    if target is None or not pa.types.is_dictionary(target):
        return pa.array(objects, type=target)
    encoded = pa.array(objects, type=target.value_type).dictionary_encode()
    indices = encoded.indices.cast(target.index_type)
    return pa.DictionaryArray.from_arrays(indices, encoded.dictionary, ordered=target.ordered)


_BUILDERS: dict[str, Callable[[Column, Cells, bool], Any]] = {
    "polars": _build_polars,
    "pandas": _build_pandas,
    "pyarrow": _build_pyarrow,
}
