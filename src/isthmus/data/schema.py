"""What the columns of the data are: the one place that every consumer asks; saved with the model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import MAX_COLUMNS, ROLES, Column, Kind, Role, column_from_json, column_to_json
from isthmus.data.dtypes import storage
from isthmus.data.kinds import recast
from isthmus.data.table import render
from isthmus.errors import InputError, did_you_mean

__all__ = ["Column", "Kind", "Role", "Schema", "is_image"]

LIBRARIES = ("polars", "pandas", "pyarrow")


@dataclass(frozen=True)
class Schema:
    """What every column of the data is; saved with the model, and asked by all that handle data.

    Attributes
    ----------
    columns : tuple of Column
    container : {"array", "frame"}
    library : str
        "numpy", "polars", "pandas" or "pyarrow": where frames came from, and are made for again.
    shape : tuple of int
        The shape of one row.
    dtype : str or None
        The type of an array's entries.
    """

    columns: tuple[Column, ...]
    container: Literal["array", "frame"]
    library: str
    shape: tuple[int, ...]
    dtype: str | None = None

    def __post_init__(self) -> None:
        problem = self._problem()
        if problem:
            raise InputError(f"this schema cannot be used: {problem}; let infer_schema make it")
        if len(self._position) != len(self.columns):
            twice = Counter(self.names).most_common(1)[0][0]
            raise InputError(f'two columns are called "{twice}"; rename one of them')

    def _problem(self) -> str:
        if not isinstance(self.columns, tuple) or not all(
            isinstance(column, Column) for column in self.columns
        ):
            return "columns must be a tuple of Column"
        if not 0 < len(self.columns) <= MAX_COLUMNS:
            return f"it has {len(self.columns)} columns"
        if not isinstance(self.shape, tuple) or not all(
            type(n) is int and 0 < n <= MAX_COLUMNS for n in self.shape
        ):
            return "shape must be a tuple of positive integers"
        if not 1 <= len(self.shape) <= 3 or math.prod(self.shape) != len(self.columns):
            return f"{len(self.columns)} columns do not fill rows of shape {self.shape[:9]}"
        return self._container_problem()

    def _container_problem(self) -> str:
        if self.container == "frame":
            fits = self.library in LIBRARIES and self.dtype is None and len(self.shape) == 1
            return "" if fits else f"a frame's library is one of {', '.join(LIBRARIES)}, and it has no dtype"
        if self.container != "array" or self.library != "numpy":
            return 'container is "array" (of library "numpy") or "frame"'
        if type(self.dtype) is not str or storage(self.dtype) not in ("float", "integer", "boolean"):
            return "dtype must name a NumPy type of numbers"
        return (
            ""
            if all(column.dtype == self.dtype for column in self.columns)
            else "columns must be of its dtype"
        )

    @cached_property
    def _position(self) -> dict[str, int]:
        return {column.name: i for i, column in enumerate(self.columns)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def modelled(self) -> tuple[Column, ...]:
        """The columns the model learns: features that are neither constant nor ignored."""
        return tuple(column for column in self.columns if column.modelled)

    @cached_property
    def modelled_index(self) -> NDArray[np.intp]:
        """The positions of the modelled columns among all."""
        return np.flatnonzero([column.modelled for column in self.columns])

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """The columns given to `fit` as features or conditions."""
        return tuple(column for column in self.columns if column.role in ("feature", "condition"))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The names of the columns of texts: what `read` is to leave as it is in a file of other rows."""
        return tuple(
            column.name
            for column in self.columns
            if column.storage in ("text", "category") and all(isinstance(v, str) for v in column.levels)
        )

    @cached_property
    def conditions(self) -> Schema:
        """The same columns seen from the other side: conditions become features, and features conditions.

        Encoding with it gives the condition's matrix.
        """
        swap: dict[Role, Role] = {"feature": "condition", "condition": "feature"}
        columns = tuple(replace(column, role=swap.get(column.role, column.role)) for column in self.columns)
        return replace(self, columns=columns)

    @property
    def holds_images(self) -> bool:
        """Whether rows are images that can be drawn."""
        return self.container == "array" and is_image(self.shape)

    def needed(self, given: Iterable[str]) -> list[str]:
        """Return the names of the features in order, of dispensable ones those that rows have (`given`)."""
        there = set(given)
        return [column.name for column in self.features if not column.dispensable or column.name in there]

    def __getitem__(self, name: str) -> Column:
        if name not in self._position:
            raise InputError(f'there is no column "{name}".{did_you_mean(name, self.names)}')
        return self.columns[self._position[name]]

    def edit(self, kinds: Mapping[str, str] | None = None, roles: Mapping[str, str] | None = None) -> Schema:
        """Return a schema in which some columns have another kind or role.

        Parameters
        ----------
        kinds, roles : mapping of str to str, optional
            From column names. What needs the data to be seen again (levels) is refused:
            name it in ``infer_schema(..., kinds=...)``.
        """
        columns = list(self.columns)
        for name, kind in (kinds or {}).items():
            columns[self._position[self[name].name]] = recast(self[name], kind)
        for name, role in (roles or {}).items():
            i = self._position[self[name].name]
            columns[i] = replace(columns[i], role=check_role(columns[i], role))
        return replace(self, columns=tuple(columns))

    def to_json(self) -> dict[str, Any]:
        """Return the schema as JSON values."""
        return {
            "container": self.container,
            "library": self.library,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "columns": [column_to_json(column) for column in self.columns],
        }

    @classmethod
    def from_json(cls, given: object) -> Schema:
        """Return the schema that `to_json` wrote; anything else is refused with an InputError."""
        keys = {"container", "library", "shape", "dtype", "columns"}
        if not isinstance(given, dict) or given.keys() != keys:
            raise InputError(f"a schema must have the keys {', '.join(sorted(keys))}; save it again")
        columns, shape = given["columns"], given["shape"]
        if not isinstance(columns, list) or not isinstance(shape, list) or len(columns) > MAX_COLUMNS:
            raise InputError("a schema's columns and shape must be lists of reasonable length; save it again")
        read = tuple(map(column_from_json, columns))
        return cls(read, given["container"], given["library"], tuple(shape), given["dtype"])

    def __str__(self) -> str:
        return render(self)


def is_image(shape: tuple[int, ...]) -> bool:
    """Tell whether rows of this shape are images: (height, width), or with 1, 3 or 4 channels last."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def check_role(column: Column, role: str) -> Role:
    """Return a role that the caller asks for, or raise."""
    if role not in ROLES:
        raise InputError(
            f'column "{column.name}": "{role}" is not a role.{did_you_mean(role, ROLES)} '
            f"Roles: {', '.join(ROLES)}"
        )
    if role == "weight" and (column.storage not in ("float", "integer", "boolean") or column.low < 0):
        raise InputError(f'column "{column.name}" cannot be a weight: weights are numbers of at least 0')
    return role  # type: ignore[return-value]
