"""Conditions in all the forms in which they are given apart from rows, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.lists import as_column, as_entries
from isthmus.data.loaders import as_array
from isthmus.data.sources import Source, as_source
from isthmus.errors import InputError
from isthmus.estimators.inputs import is_frame

__all__ = ["given_columns", "given_condition"]


def given_condition(condition: Any, names: Sequence[str] | None = None) -> Source:
    """Return conditions given apart from the rows as a frame's source.

    Parameters
    ----------
    condition : frame, Source, mapping, scalar, or array-like or Tensor of shape (n,) or (n, k)
        A mapping is of values or columns; a scalar is one row.
    names : sequence of str, optional
        The columns that a fitted model knows.
    """
    if isinstance(condition, Source):
        return condition
    if is_frame(condition):
        return as_source(condition)
    listed = {name: values.tolist() for name, values in given_columns(condition, names).items()}
    return as_source(nw.from_dict(listed, backend="polars").to_native())


def given_columns(condition: Any, names: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the columns of conditions that are neither a frame nor a Source."""
    if isinstance(condition, Mapping):
        return _as_long({str(name): np.atleast_1d(_array(value)) for name, value in condition.items()})
    return _named_columns(condition, names)


def _array(values: Any) -> NDArray[Any]:
    return as_array(values) if isinstance(values, Tensor) else as_entries(values)


def _as_long(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return columns of one length; one value speaks for all rows."""
    lengths = {name: len(values) for name, values in columns.items()}
    longest = max(lengths.values(), default=0)
    if not set(lengths.values()) <= {1, longest}:
        told = ", ".join(f'"{name}" {length}' for name, length in lengths.items())
        raise InputError(
            f"condition has columns of unlike lengths ({told}); give each one value, or one a row"
        )
    return {
        name: as_column(values if len(values) == longest else np.repeat(values, longest))
        for name, values in columns.items()
    }


def _named_columns(condition: Any, names: Sequence[str] | None) -> dict[str, NDArray[Any]]:
    values = _array(condition)
    if values.ndim > 2 or values.size == 0:
        raise InputError(
            f"condition has the shape {values.shape}; give one value, or one row of values, a row"
        )
    matrix = values.reshape(-1, 1) if values.ndim < 2 else values
    default = ["condition"] if matrix.shape[1] == 1 else [f"condition{j}" for j in range(matrix.shape[1])]
    names = list(names or default)
    if len(names) != matrix.shape[1]:
        raise InputError(
            f"condition has {matrix.shape[1]} columns, the model was fitted with {len(names)}: "
            f"{', '.join(names)}"
        )
    return {name: as_column(matrix[:, j]) for j, name in enumerate(names)}
