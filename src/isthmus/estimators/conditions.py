"""What the networks are told beside each row: columns of the rows' own frame, or values given apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.features import Features, Values
from isthmus.data.inference import infer_schema
from isthmus.data.restoring import Cells, build_frame, build_series
from isthmus.data.schema import Column, Schema
from isthmus.data.series import as_frame
from isthmus.data.sources import Source, as_source
from isthmus.data.statistics import measure
from isthmus.errors import InputError
from isthmus.estimators.building import build_condition
from isthmus.estimators.given_conditions import given_condition
from isthmus.estimators.inputs import is_frame, open_input
from isthmus.estimators.preparing import Sides, encoded_blocks, warn

if TYPE_CHECKING:
    from isthmus.estimators.applying import Applying

__all__ = [
    "ConditionRows",
    "as_keyword",
    "check_told",
    "common_condition",
    "condition_kinds",
    "condition_sides",
    "find_apart",
    "find_rows",
    "holds_condition",
    "known_rows",
    "read_condition",
]

# Integers with at most this many distinct values are names (of classes, sites, weekdays), not amounts.
MOST_NAMES = 50


@dataclass(frozen=True, eq=False)
class ConditionRows:
    """The conditions of some rows: where they are, and what their columns are."""

    source: Source
    schema: Schema

    def values(self, notices: Counter[str] | None = None) -> NDArray[np.float64]:
        """Return them encoded, of shape (n, C)."""
        return np.concatenate([values for _, values in encoded_blocks(self.source, self.schema, notices)])

    def stage(self, training: NDArray[np.bool_]) -> Features:
        """Build what turns them into the networks' inputs, from the training rows' statistics."""
        return build_condition(self.schema, measure(self.schema, [self.values()[training]]))

    def tensor(self, stage: Features) -> Tensor:
        """Return what the networks are told, of shape (n, E), on the CPU; warns of what was never seen."""
        notices: Counter[str] = Counter()
        rows = stage.to_values(torch.from_numpy(self.values(notices)).to(stage.centre.device))
        warn(notices + _gaps(rows, stage))
        return stage(rows).cpu()

    def frame(self, schema: Schema, library: str | None = None) -> Any:
        """Return them as columns of the types that they have in `schema`, the rows' own; None if of none."""
        block, library = _all_rows(self.source), library or schema.library
        native = library == schema.library
        columns = {
            column.name: build_series(column, _cells(column, block[column.name]), library, native=native)
            for column in schema.columns
            if column.role == "condition" and column.name in block.columns
        }
        return build_frame(columns, library, None) if columns else None


def _gaps(rows: Values, stage: Features) -> Counter[str]:
    """Count the rows that are not told something which every training row was told."""
    if rows.observed is None:
        return Counter()
    missing = (~rows.observed).cpu()
    missing[:, stage.flagged.cpu()] = False
    names = ", ".join(f'"{stage.names[j]}"' for j in np.flatnonzero(missing.any(dim=0)))
    sentence = f"conditions complete at fit lack entries, which count as average: {names}"
    return +Counter({sentence: int(missing.any(dim=1).sum())})


def _cells(column: Column, given: nw.Series[Any]) -> Cells:
    """Return values as they were given, but for categories that the column's type cannot hold."""
    values = [
        None if column.categories and value not in column.categories else value for value in given.to_list()
    ]
    missing = np.array([value is None for value in values], dtype=bool)
    return Cells(codes=np.arange(len(values)), levels=tuple(values), missing=missing)


def condition_kinds(source: Source, names: Sequence[str]) -> dict[str, str]:
    """Say which of the columns are names written as integers: they are categories to a network."""
    kinds = {}
    for name in names:
        if source.kind == "frame" and _is_whole(source, name):
            values = source.column(name)
            known = values[values == values]  # gaps make NaN of some
            if 1 < len(np.unique(known)) <= MOST_NAMES:
                kinds[name] = "categorical"
    return kinds


def _is_whole(source: Source, name: str) -> bool:
    """Tell whether a column's own type is that of whole numbers, gaps or not."""
    block = next(iter(source.select(name).blocks(1)))
    return isinstance(block, nw.DataFrame) and block[name].dtype.is_integer()


def read_condition(condition: Any, n_rows: int) -> ConditionRows:
    """Read the conditions that `fit` is given apart from the rows, and find what their columns are."""
    source = given_condition(condition)
    _check_length(source, n_rows)
    schema = infer_schema(source, kinds=condition_kinds(source, source.columns or ()))
    for column in schema.columns:
        check_told(column)
    if not schema.modelled:
        raise InputError("condition says nothing: every column of it is constant or ignored; leave it out")
    return ConditionRows(source, schema)


def check_told(column: Column) -> None:
    """Refuse a column that says nothing that a network could be told."""
    if column.kind == "ignored":
        raise InputError(f'column "{column.name}" cannot be a condition: {column.reason}; leave it out')


def known_rows(
    estimator: Applying, source: Source | None, condition: Any, n_rows: int | None = None
) -> ConditionRows | None:
    """Find what a fitted model is told beside the rows of `source`, or None if it was fitted without.

    With `n_rows`, there are no rows, only codes, and the condition is given apart; one row of it speaks for
    all.
    """
    schema: Schema | None = getattr(estimator, "condition_schema_", None)
    if schema is None:
        if condition is not None:
            raise InputError("condition: this model was fitted without one; leave it out, or fit with it")
        return None
    return find_rows(schema, source, condition, n_rows)


def condition_sides(estimator: Applying, source: Source | None, condition: Any) -> Sides | None:
    """Return what a fitted model is told beside the rows of `source`, or None if it was fitted without."""
    found, stage = known_rows(estimator, source, condition), estimator.model_.condition
    return None if found is None or stage is None else Sides(condition=found.tensor(stage))


def find_apart(estimator: Applying, source: Source, condition: Any) -> Source | None:
    """Find what a fitted model is told of rows, one row for each, where the columns it knows do not say it.

    That is `condition`, or without one other columns of `source`. None where the columns say it, or where the
    model is told nothing; then giving a condition is an InputError.
    """
    schema: Schema | None = getattr(estimator, "condition_schema_", None)
    if condition is None and schema is not None and set(_needed(schema)) <= set(source.columns or ()):
        known = set(_needed(schema)) <= set(estimator.schema_.names)
        return None if known else source.select(_needed(schema))
    found = known_rows(estimator, source, condition)
    return None if found is None else found.source


def as_keyword(condition: Any) -> dict[str, Any]:
    """Return the keyword of methods that conditional models alone have; none where nothing is told apart."""
    return {} if condition is None else {"condition": condition}


def common_condition(estimator: Applying, rows: Sequence[Any]) -> Any:
    """Return the condition that single rows share as columns of their own; None if they hold none."""
    schema: Schema | None = getattr(estimator, "condition_schema_", None)
    if schema is None:
        return None
    names = _needed(schema)
    found: list[nw.DataFrame[Any]] = []
    for row in rows:
        source = open_input(estimator, row, schema=estimator.schema_, reset=False)
        if not set(names) <= set(source.columns or ()):
            return None
        found.append(_all_rows(source.select(names)))
    values = [block.rows(named=True) for block in found]
    if any(value != values[0] for value in values):
        raise InputError("the rows have different conditions; say under which one to decode: condition=...")
    return found[0].to_native()


def holds_condition(estimator: Applying, rows: Any) -> bool:
    """Tell whether rows hold what a fitted model is told beside them, as columns of their own."""
    schema: Schema | None = getattr(estimator, "condition_schema_", None)
    if schema is None or not (is_frame(rows) or isinstance(rows, Source)):
        return False
    source = rows if isinstance(rows, Source) else as_source(rows)
    return set(_needed(schema)) <= set(source.columns or ())


def _needed(schema: Schema) -> list[str]:
    return [column.name for column in schema.modelled]


def find_rows(
    schema: Schema, source: Source | None, condition: Any, n_rows: int | None = None
) -> ConditionRows:
    """Find the conditions of rows, as columns of their own frame or as given apart."""
    names = _needed(schema)
    inside = source is not None and set(names) <= set(source.columns or ())
    if condition is None:
        if not inside or source is None:
            raise InputError(
                f"this model was fitted with a condition ({', '.join(names[:5])}); give condition=..."
            )
        return ConditionRows(source, schema)
    given = given_condition(condition, names)
    wanted = len(source) if source is not None else n_rows or len(given)
    if len(given) == 1 and wanted > 1:
        given = as_source(_all_rows(given)[[0] * wanted].to_native())
    _check_length(given, wanted)
    return ConditionRows(_with_constants(given, schema), schema)


def _with_constants(given: Source, schema: Schema) -> Source:
    """Add the columns that are always the same, which need not be given."""
    left_out = [column for column in schema.features if column.value is not None and column.role == "feature"]
    left_out = [column for column in left_out if column.name not in (given.columns or ())]
    if not left_out:
        return given
    constants = [nw.lit(column.value).alias(column.name) for column in left_out]
    return as_source(_all_rows(given).with_columns(constants).to_native())


def _all_rows(source: Source) -> nw.DataFrame[Any]:
    return nw.concat([as_frame(block) for block in source.blocks()])


def _check_length(source: Source, n_rows: int) -> None:
    if len(source) != n_rows:
        raise InputError(f"condition has {len(source)} rows and the data {n_rows}; give one row for each")
