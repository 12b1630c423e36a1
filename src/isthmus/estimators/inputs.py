"""Whatever a user hands to an estimator becomes a checked Source; weights become an array."""

from __future__ import annotations

from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    validate_data,
)

from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.sources.arrays import as_numbers
from isthmus.errors import InputError

__all__ = ["check_weight", "is_frame", "open_input", "refuse_array", "restore_shape"]

SIDE_ROLES = ("label", "weight", "id")


def is_frame(X: object) -> bool:
    """Tell whether `X` is a data frame that narwhals reads, or a polars query."""
    return nw.dependencies.is_into_dataframe(X) or nw.dependencies.is_polars_lazyframe(X)


def open_input(
    estimator: BaseEstimator,
    X: Any,
    *,
    schema: Schema | None,
    reset: bool,
    aside: tuple[str, ...] = (),
) -> Source:
    """Check `X` as scikit-learn asks and return it as a Source.

    Columns whose role is label, weight or id are left aside: a model can be used where they are not known.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_`` when `reset`, and is checked against them otherwise.
    X : array, sparse matrix, frame or Source
    schema : Schema or None
        The fitted or given schema, for the roles and an image's shape.
    reset : bool
    aside : tuple of str
        Columns of a frame that are left aside too, where no schema says so.
    """
    fitted_on = None if schema is None or reset else schema.container
    if isinstance(X, Source) or (is_frame(X) and fitted_on != "array"):
        source = as_source(X)
        if aside and source.kind == "frame":
            source = source.drop([name for name in aside if name in (source.columns or ())])
        return _check_source(estimator, source, schema, reset)
    checked = _check_array(estimator, X, schema, reset)
    return as_source(_named(checked, schema) if fitted_on == "frame" else checked)


def _named(rows: NDArray[Any], schema: Schema | None) -> Any:
    """Give plain rows the names of the columns that the model was fitted on, as scikit-learn does."""
    columns = () if schema is None else schema.features
    named = {column.name: rows[:, j] for j, column in enumerate(columns)}
    return nw.from_dict(named, backend="polars").to_native()


def _check_source(estimator: BaseEstimator, source: Source, schema: Schema | None, reset: bool) -> Source:
    if source.kind == "frame":
        source = source.drop(_side_columns(source, schema))
        # Names, their order and number are scikit-learn's to check; it needs one row of the frame for that.
        dispensable = [] if reset else _dispensable(estimator, schema)
        validate_data(estimator, _head(source, dispensable), reset=reset, skip_check_array=True)
        return source
    if schema is not None:
        refuse_array(source, schema)
    validate_data(estimator, np.zeros((1, int(np.prod(source.shape)))), reset=reset)
    return source


def refuse_array(source: Source, schema: Schema) -> None:
    """Refuse an array's source where the model knows the columns of a frame."""
    if source.kind == "array" and schema.container == "frame":
        raise InputError(
            f"{source.name} is an array and the model was fitted on a frame with columns "
            f"{_some(schema.features)}; pass a frame or table with these columns"
        )


def _dispensable(estimator: BaseEstimator, schema: Schema | None) -> list[tuple[int, str]]:
    """Return position and name of each column that `fit` was given and later rows may lack."""
    if schema is None:
        return []
    fitted_on = getattr(estimator, "feature_names_in_", [column.name for column in schema.features])
    return [(i, name) for i, name in enumerate(fitted_on) if schema[name].dispensable]


def _head(source: Source, dispensable: list[tuple[int, str]]) -> Any:
    """Return one row, with a place for each dispensable column that was left out."""
    given = list(source.columns or ())
    names = given.copy()
    for position, name in dispensable:
        if name not in given:
            names.insert(position, name)
    left_out = [nw.lit(None).alias(name) for name in names if name not in given]
    head = next(iter(source.blocks(1))).head(1)  # type: ignore[union-attr]
    return head.with_columns(left_out).select(names).to_native()


def _side_columns(source: Source, schema: Schema | None) -> list[str]:
    if schema is None:
        return []
    names = source.columns or ()
    return [column.name for column in schema.columns if column.role in SIDE_ROLES and column.name in names]


def _check_array(estimator: BaseEstimator, X: Any, schema: Schema | None, reset: bool) -> Any:
    if isinstance(X, np.ma.MaskedArray):
        X = as_numbers(X)  # scikit-learn would take what the mask hides for values
    shape = X.shape if isinstance(X, np.ndarray) and X.ndim > 2 else None
    flat = X if shape is None else X.reshape(len(X), -1)
    checked = validate_data(
        estimator,
        flat,
        reset=reset,
        accept_sparse=("csr", "csc", "coo"),
        ensure_all_finite="allow-nan",
        dtype="numeric",
    )
    fitted_on = None if schema is None or reset else schema.container
    if fitted_on == "frame" and not isinstance(checked, np.ndarray):
        checked = checked.toarray()  # a table has no sparse columns
    row_shape = shape[1:] if shape is not None else _row_shape(schema, reset)
    return checked if row_shape is None else checked.reshape(len(checked), *row_shape)


def _row_shape(schema: Schema | None, reset: bool) -> tuple[int, ...] | None:
    """Return the image shape that flat rows are given back, if the model was fitted on images."""
    if schema is None or reset or len(schema.shape) == 1:
        return None
    return schema.shape


def restore_shape(result: Any, X: object) -> Any:
    """Give flat rows back where flat rows were given, and pandas' columns under names that are no texts."""
    if nw.dependencies.is_pandas_dataframe(X) and nw.dependencies.is_pandas_dataframe(result):
        result.columns = X.columns
    if isinstance(X, np.ndarray) and isinstance(result, np.ndarray) and result.shape != X.shape:
        return result.reshape(X.shape)
    return result


def check_weight(
    sample_weight: ArrayLike | None, source: Source, schema: Schema, given: Any
) -> NDArray[np.float64] | None:
    """Return the rows' training weights as float64: those passed, or the schema's weight column, or None."""
    names = [column.name for column in schema.columns if column.role == "weight"]
    if sample_weight is None and names:
        whole = given if isinstance(given, Source) else as_source(given) if is_frame(given) else None
        if whole is not None and names[0] in (whole.columns or ()):
            sample_weight = cast("ArrayLike", whole.column(names[0]))
    if sample_weight is None:
        return None
    stand_in = np.empty((len(source), 1))
    weight = _check_sample_weight(sample_weight, stand_in, dtype=np.float64, ensure_non_negative=True)
    check_consistent_length(stand_in, weight)
    return weight


def _some(columns: Any) -> str:
    names = [column.name for column in columns]
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
