"""What a walk begins and ends at: single rows, given as arrays, frames or sources, and their condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.data.lists import plain
from isthmus.data.sources import Source
from isthmus.errors import InputError
from isthmus.estimators.applying import Applying
from isthmus.estimators.conditions import common_condition, holds_condition

__all__ = ["end_code", "one_row", "own_condition", "told_between", "whole"]


def whole(name: str, value: Any, low: int = 1) -> int:
    """Return a parameter that must be a whole number of at least `low`."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise InputError(f"{name}={value!r}: give a whole number of at least {low}")
    return int(value)


def one_row(model: Applying, row: Any) -> Any:
    """Return one row as rows, or refuse more."""
    check_is_fitted(model)
    if not hasattr(row, "columns") and not isinstance(row, Source):
        named = _named(model, row)
        row = _rows(model, row) if named is None else nw.from_dict(named, backend="polars").to_native()
    if len(row) != 1:
        raise InputError(f"expected one row, got {len(row)}")
    return row


def _named(model: Applying, row: Any) -> dict[str, list[Any]] | None:
    """Return the entries of a row of a frame by their columns' names; None for an array."""
    if model.schema_.container != "frame":
        return None
    if isinstance(row, Sequence) and np.shape(np.asarray(row, dtype=object)) == (model.n_features_in_,):
        row = dict(zip(model.feature_names_in_, row, strict=True))
    elif nw.dependencies.is_pandas_series(row):
        row = row.to_dict()
    if not isinstance(row, Mapping):
        return None
    return {str(name): [plain(value)] for name, value in row.items()}


def _rows(model: Applying, row: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.atleast_1d(np.asarray(row))
    return array[None] if array.shape == model.schema_.shape or array.ndim == 1 else array


def own_condition(model: Applying, rows: Any, condition: Any) -> Any:
    """Return under which condition to encode rows: None (their own) if their columns hold one."""
    return None if holds_condition(model, rows) else condition


def end_code(model: Applying, row: Any, condition: Any) -> NDArray[np.float32]:
    """Return the code of one row, of shape (n_components,)."""
    return model._transform(row, own_condition(model, row, condition))[0]


def told_between(model: Applying, rows: Sequence[Any], condition: Any) -> Any:
    """Return under which condition to decode the way between single rows: by default that they share."""
    return common_condition(model, rows) if condition is None else condition
