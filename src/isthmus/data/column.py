"""What one column of the data is: kind, role and the reason, with all that is needed to write it back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np

from isthmus.data.dtypes import Storage, storage
from isthmus.errors import InputError

__all__ = [
    "KINDS",
    "NUMERIC",
    "ROLES",
    "TEMPORAL",
    "Column",
    "Kind",
    "Role",
    "Scalar",
    "column_from_json",
    "column_to_json",
    "is_scalar",
    "pixel_bounds",
]

Kind = Literal["continuous", "count", "binary", "categorical", "pixel", "datetime", "constant", "ignored"]
Role = Literal["feature", "condition", "label", "weight", "id"]
Scalar = str | bool | int | float

KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES: tuple[Role, ...] = get_args(Role)
NUMERIC: tuple[Storage, ...] = ("float", "integer", "boolean", "decimal", "duration")
TEMPORAL: tuple[Storage, ...] = ("datetime", "date")

# Limits on what a schema holds, so that a hostile file cannot make us reserve memory.
MAX_COLUMNS = 1 << 22
MAX_LEVELS = 10_000
MAX_CATEGORIES = 100_000
MAX_TEXT = 1_000
_MAX_INTEGER = 1 << 65
_MAX_FLOAT = float(np.finfo(np.float64).max)


def pixel_bounds(dtype: str) -> tuple[float, float]:
    """Return the range a pixel of a NumPy type can have."""
    return (0.0, 255.0) if dtype == "uint8" else (0.0, 1.0)


def is_scalar(value: object) -> bool:
    """Whether a value is text, a truth value or a finite number that a schema can hold."""
    if type(value) is str:
        return len(value) <= MAX_TEXT
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is bool or (type(value) is int and abs(value) < _MAX_INTEGER)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and -_MAX_FLOAT <= value <= _MAX_FLOAT  # type: ignore[operator]


def _are_scalars(value: object, most: int) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) <= most
        and all(map(is_scalar, value))
        and len(set(map(type, value))) <= 1
    )


def _is_text(value: object) -> bool:
    return type(value) is str and len(value) <= MAX_TEXT


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_integer(value: object) -> bool:
    return type(value) is int and is_scalar(value)


def _are_levels(value: Any) -> bool:
    return _are_scalars(value, MAX_LEVELS) and all(a < b for a, b in pairwise(value))


def _are_categories(value: Any) -> bool:
    return _are_scalars(value, MAX_CATEGORIES) and len(set(value)) == len(value)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("name", "dtype", "reason"), _is_text),
    **dict.fromkeys(("other", "missing", "integer"), _is_flag),
    **dict.fromkeys(("low", "high"), _is_number),
    **dict.fromkeys(("origin", "step", "most_frequent"), _is_integer),
    "kind": lambda value: value in KINDS,
    "role": lambda value: value in ROLES,
    "native_dtype": lambda value: value is None or _is_text(value),
    "levels": _are_levels,
    "categories": _are_categories,
    "value": lambda value: value is None or is_scalar(value),
    "resolution": lambda value: _is_number(value) and value >= 0,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the data.

    Attributes
    ----------
    name : str
        Its name; columns of arrays are called ``x0``, ``x1``, ...
    kind : str
        "continuous", "count", "binary", "categorical", "pixel", "datetime", "constant" or "ignored".
    role : str
        "feature", "condition", "label", "weight" or "id".
    reason : str
        Why it is of this kind, in words.
    dtype : str
        How narwhals calls its data type ("Int64", "Datetime(time_unit='us', time_zone=None)"), or NumPy in
        arrays.
    native_dtype : str or None
        The data type in the library it came from, so that it can be restored.
    levels : tuple
        Values of a binary or categorical column, sorted: a value's code is its position.
    other : bool
        Whether there is one more code, ``len(levels)``, for values not seen at fit.
    most_frequent : int
        The code of the most frequent level, to which "other" decodes.
    categories : tuple
        The categories that the data type itself declares, in its order.
    value : scalar or None
        What a constant column holds; a datetime's as integer ticks.
    low, high : float
        The range observed, as encoded.
    resolution : float
        The smallest gap between different values in a sample of rows, 0 where unknown.
    missing : bool
        Whether entries were missing at fit.
    integer : bool
        Whether the data type holds whole numbers only.
    origin : int
        Subtracted from large whole numbers (ticks of datetimes) before they become float64: keeps them exact.
    step : int
        The largest number of ticks of which all observed differences are multiples.
    """

    name: str
    kind: Kind
    role: Role = "feature"
    reason: str = ""
    dtype: str = "Float64"
    native_dtype: str | None = None
    levels: tuple[Scalar, ...] = ()
    other: bool = False
    most_frequent: int = 0
    categories: tuple[Scalar, ...] = ()
    value: Scalar | None = None
    low: float = 0.0
    high: float = 0.0
    resolution: float = 0.0
    missing: bool = False
    integer: bool = False
    origin: int = 0
    step: int = 1

    def __post_init__(self) -> None:
        for name, valid in _CHECKS.items():
            if not valid(getattr(self, name)):
                shown = repr(getattr(self, name))[:80]
                raise InputError(f"column {self.name!r:.80}: {name} cannot be {shown}; see isthmus.Schema")
        problem = self._problem()
        if problem:
            raise InputError(f"column {self.name!r:.80}: {problem}; let infer_schema make it")

    def _problem(self) -> str:
        n_levels, leveled = len(self.levels), self.kind in ("binary", "categorical")
        if self.low > self.high:
            return "low is above high"
        if self.step < 1 or not 0 <= self.most_frequent < max(1, n_levels):
            return "step or most_frequent is out of range"
        if leveled != bool(n_levels) or n_levels == 1 or (self.kind == "binary" and n_levels != 2):
            return f"a {self.kind} column cannot have {n_levels} levels"
        if self.other and self.kind != "categorical":
            return "only a categorical column has an other level"
        if (self.kind == "constant") != (self.value is not None):
            return "a constant column has a value, and no other column has"
        return self._storage_problem()

    def _storage_problem(self) -> str:
        kept = self.storage
        if self.kind != "ignored" and kept == "other":
            return f"a {self.kind} column cannot hold {self.dtype:.80}"
        if self.kind in ("continuous", "count", "pixel") and kept not in (*NUMERIC, *TEMPORAL):
            return f"a {self.kind} column cannot hold {self.dtype:.80}"
        if self.kind == "datetime" and kept not in TEMPORAL:
            return f"a datetime column cannot hold {self.dtype:.80}"
        held = (*self.levels, self.value) if self.value is not None else self.levels
        if any(type(value) not in _HELD[kept] for value in held):
            return f"levels and value must be of the type that {self.dtype:.80} holds"
        return ""

    @property
    def storage(self) -> Storage:
        """How its values are stored, whatever they mean."""
        return storage(self.dtype)

    @property
    def modelled(self) -> bool:
        """Whether the model learns it."""
        return self.role == "feature" and self.kind not in ("constant", "ignored")

    @property
    def dispensable(self) -> bool:
        """Whether rows may come without it: what is ignored, and conditions, which can be told apart."""
        return self.role == "condition" or self.kind == "ignored"

    @property
    def bounds(self) -> tuple[float, float]:
        """The range a pixel can have: 0 to 255 in eight bits, else 0 to 1."""
        return pixel_bounds(self.dtype)


_HELD: dict[Storage, tuple[type, ...]] = {
    "float": (float, int),
    "integer": (int,),
    "boolean": (bool,),
    "decimal": (float,),
    "duration": (int,),
    "datetime": (int,),
    "date": (int,),
    "text": (str,),
    "category": (str, bool, int, float),
    "object": (str, bool),
    "other": (),
}
_COLUMN_DEFAULTS = {f.name: f.default for f in fields(Column)}
_REQUIRED = {name for name, default in _COLUMN_DEFAULTS.items() if default is MISSING}


def column_to_json(column: Column) -> dict[str, Any]:
    """Return the fields that differ from their defaults: a schema may have thousands of columns."""
    values = {name: getattr(column, name) for name in _COLUMN_DEFAULTS}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if name in _REQUIRED or value != _COLUMN_DEFAULTS[name]
    }


def column_from_json(given: object) -> Column:
    """Return the column that `column_to_json` wrote; anything else is refused."""
    if not isinstance(given, dict) or not _REQUIRED <= given.keys() <= _COLUMN_DEFAULTS.keys():
        shown = sorted(map(str, given)) if isinstance(given, dict) else type(given).__name__
        raise InputError(f"a schema's column cannot be read: got {str(shown)[:200]}; save the schema again")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return Column(**values)
