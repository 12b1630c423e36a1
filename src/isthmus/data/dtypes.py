"""The types of columns as text that a schema can keep, and back: how values are kept, not what they mean."""

from __future__ import annotations

import importlib
import re
import zoneinfo
from functools import lru_cache
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np

from isthmus.errors import InputError

__all__ = [
    "Storage",
    "arrow_name",
    "arrow_type",
    "dtype_name",
    "library",
    "native_name",
    "pandas_dtype",
    "pandas_name",
    "storage",
    "time_unit",
    "time_zone",
    "to_narwhals",
]

Storage = Literal[
    "float",
    "integer",
    "boolean",
    "decimal",
    "duration",
    "datetime",
    "date",
    "text",
    "category",
    "object",
    "other",
]

_PLAIN: dict[str, Storage] = {
    "boolean": "boolean",
    "bool": "boolean",
    "string": "text",
    "categorical": "category",
    "enum": "category",
    "date": "date",
    "object": "object",
}
_FLOAT: Storage = "float"
_INTEGER: Storage = "integer"
_PLAIN |= {f"float{bits}": _FLOAT for bits in (16, 32, 64)}
_PLAIN |= {f"{sign}int{bits}": _INTEGER for sign in ("", "u") for bits in (8, 16, 32, 64)}

_ZONE = r"[A-Za-z0-9_+\-/:]{1,64}"
_OFFSET = re.compile(r"(UTC)?[+-]\d\d:\d\d")
_TEMPORAL = re.compile(
    r"(?P<kind>Datetime|Duration)\(time_unit='(?P<unit>s|ms|us|ns)'"
    rf"(, time_zone=(None|'(?P<zone>{_ZONE})'))?\)"
)
_DECIMAL = re.compile(r"Decimal\(precision=(?P<precision>\d{1,2}), scale=(?P<scale>\d{1,2})\)")

# Longer descriptions (structs of many fields) belong to types that are not read.
_LONGEST = 200


def library(name: str) -> Any:
    """Import a frame library, untyped: what is built in it depends on types known only when it runs."""
    return importlib.import_module(name)


def dtype_name(dtype: Any) -> str:
    """Return the text kept for a narwhals data type; an Enum's categories are kept beside it."""
    if isinstance(dtype, nw.Enum):
        return "Enum"
    text = str(dtype)
    return text if len(text) <= _LONGEST else "Unknown"


@lru_cache(maxsize=4096)
def storage(dtype: str) -> Storage:
    """Return how values of a data type (the text of narwhals' or NumPy's) are stored; "other": not read."""
    temporal = _TEMPORAL.fullmatch(dtype)
    if temporal:
        return _temporal_storage(temporal)
    if _DECIMAL.fullmatch(dtype):
        return "decimal"
    return _PLAIN.get(dtype.lower(), "other")


def _temporal_storage(found: re.Match[str]) -> Storage:
    if found["kind"] == "Duration":
        return "duration"
    return "datetime" if found["zone"] is None or _zone_exists(found["zone"]) else "other"


@lru_cache(maxsize=4096)
def _zone_exists(name: str) -> bool:
    if _OFFSET.fullmatch(name):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def time_unit(dtype: str) -> str:
    """Return the unit in which a datetime, date or duration counts, as NumPy names it."""
    found = _TEMPORAL.fullmatch(dtype)
    return found["unit"] if found else "D"


def time_zone(dtype: str) -> str | None:
    """Return the time zone of a datetime, None for wall-clock times."""
    found = _TEMPORAL.fullmatch(dtype)
    return found["zone"] if found else None


def to_narwhals(dtype: str, categories: tuple[Any, ...] = ()) -> Any:
    """Return the narwhals data type of a text, or None for one that is not read."""
    if dtype == "Enum":
        return nw.Enum([str(category) for category in categories])
    temporal, decimal = _TEMPORAL.fullmatch(dtype), _DECIMAL.fullmatch(dtype)
    if temporal and temporal["kind"] == "Duration":
        return nw.Duration(temporal["unit"])  # type: ignore[arg-type]
    if temporal:
        return nw.Datetime(temporal["unit"], temporal["zone"])  # type: ignore[arg-type]
    if decimal:
        return nw.Decimal(int(decimal["precision"]), int(decimal["scale"]))
    return getattr(nw, dtype)() if dtype.lower() in _PLAIN else None


def native_name(native: Any, backend: str) -> str | None:
    """Return the text from which the library's own type of a column can be made again (polars needs none)."""
    if backend == "pandas":
        return _pandas_name(native.dtype)
    return str(native.type)[:_LONGEST] if backend == "pyarrow" else None


def _pandas_name(dtype: Any) -> str:
    pd = library("pandas")

    if isinstance(dtype, pd.ArrowDtype):
        name = f"arrow[{dtype.pyarrow_dtype}]"
    elif isinstance(dtype, pd.StringDtype):
        name = f"{dtype}[{dtype.storage}]"
    elif isinstance(dtype, pd.CategoricalDtype):
        name = f"category[{_pandas_name(dtype.categories.dtype)}]"
    else:
        name = str(dtype)
    return name[:_LONGEST]


_FLOATS = {"float16": "halffloat", "float32": "float", "float64": "double"}


def pandas_name(dtype: str) -> str:
    """Return what `native_name` would say of a column that came from another library, in pandas."""
    kept = storage(dtype)
    if kept in ("float", "integer"):
        return dtype.lower()
    if kept in ("datetime", "duration"):
        letter, zone = ("datetime" if kept == "datetime" else "timedelta"), time_zone(dtype)
        return f"{letter}64[{time_unit(dtype)}{f', {zone}' if zone else ''}]"
    if kept in ("date", "decimal"):
        return f"arrow[{arrow_name(dtype)}]"
    return {"boolean": "bool", "text": "str", "category": "category[object]"}.get(kept, "object")


def arrow_name(dtype: str) -> str:
    """Return what `native_name` would say of a column that came from another library, in pyarrow."""
    kept, zone = storage(dtype), time_zone(dtype)
    if kept == "datetime":
        return f"timestamp[{time_unit(dtype)}{f', tz={zone}' if zone else ''}]"
    if kept == "decimal":
        return dtype.replace("Decimal(precision=", "decimal128(").replace("scale=", "")
    if kept == "duration":
        return f"duration[{time_unit(dtype)}]"
    if kept in ("float", "integer"):
        return _FLOATS.get(dtype.lower(), dtype.lower())
    names = {"boolean": "bool", "text": "string", "date": "date32[day]", "object": "string"}
    return names.get(kept, "dictionary<values=string, indices=int32, ordered=0>")


def pandas_dtype(name: str, categories: tuple[Any, ...], *, ordered: bool) -> Any:
    """Return the pandas type of a text made by `native_name`."""
    pd = library("pandas")

    outer, _, inner = name.removesuffix("]").partition("[")
    if outer == "arrow":
        return pd.ArrowDtype(arrow_type(inner))
    if outer in ("str", "string") and inner:
        return pd.StringDtype(inner, na_value=np.nan if outer == "str" else pd.NA)  # type: ignore[arg-type]
    if outer == "category":
        index = pd.Index(list(categories), dtype=pandas_dtype(inner, (), ordered=False))
        return pd.CategoricalDtype(index, ordered=ordered)
    return pd.api.types.pandas_dtype(name)


_TIMESTAMP = re.compile(rf"timestamp\[(?P<unit>s|ms|us|ns), tz=(?P<zone>{_ZONE})\]")
_ARROW_DECIMAL = re.compile(r"decimal(?P<bits>32|64|128|256)\((?P<precision>\d+), (?P<scale>\d+)\)")
_DICTIONARY = re.compile(
    r"dictionary<values=(?P<values>.+), indices=(?P<indices>\w+), ordered=(?P<ordered>[01])>"
)


def arrow_type(name: str) -> Any:
    """Return the pyarrow type of its text."""
    pa = library("pyarrow")

    timestamp, decimal = _TIMESTAMP.fullmatch(name), _ARROW_DECIMAL.fullmatch(name)
    dictionary = _DICTIONARY.fullmatch(name)
    if timestamp:
        return pa.timestamp(timestamp["unit"], timestamp["zone"])
    if decimal:
        make = getattr(pa, f"decimal{decimal['bits']}")
        return make(int(decimal["precision"]), int(decimal["scale"]))
    if dictionary:
        values, indices = arrow_type(dictionary["values"]), arrow_type(dictionary["indices"])
        return pa.dictionary(indices, values, ordered=dictionary["ordered"] == "1")
    try:
        return pa.type_for_alias(name)
    except ValueError as error:
        raise InputError(
            f'"{name}" is not a pyarrow type that can be made again; cast the column first'
        ) from error
