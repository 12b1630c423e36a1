"""What `fit` is given, read and checked: rows, and what stands beside them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.batches import Batch, concatenate
from isthmus.data.features import Features
from isthmus.data.inference import UNREAD, infer_schema
from isthmus.data.loaders import LoaderSource
from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.statistics import Statistics
from isthmus.errors import InputError
from isthmus.estimators import building, preparing
from isthmus.estimators.conditions import (
    ConditionRows,
    check_told,
    condition_kinds,
    known_rows,
    read_condition,
)
from isthmus.estimators.inputs import check_weight, open_input
from isthmus.estimators.labels import label_codes
from isthmus.estimators.likelihood_choice import resolve_likelihood
from isthmus.estimators.loader_conditions import loader_conditions, loader_pieces
from isthmus.estimators.preparing import Prepared, Sides

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["Given", "find_condition", "find_labels", "load", "open_known", "read_input"]


@dataclass(frozen=True, eq=False)
class Given:
    """What was given beside the rows: weights, conditions, labels as integers."""

    weight: NDArray[np.float64] | None = None
    condition: ConditionRows | None = None
    labels: NDArray[np.int64] | None = None

    def arrays(self) -> list[NDArray[Any]]:
        """Return all of it as arrays."""
        condition = None if self.condition is None else self.condition.values()
        return [array for array in (self.weight, condition, self.labels) if array is not None]


def read_input(estimator: BaseAutoencoder, X: Any) -> tuple[Source, Schema]:
    """Check the rows and find what each column is."""
    given = estimator.schema if isinstance(estimator.schema, Schema) else None
    aside = estimator._label_names()
    source = open_input(estimator, X, schema=given, reset=True, aside=aside)
    if len(source) < 2:
        raise InputError(f"{source.name} has n_samples=1, 1 sample only; give at least 2 rows to learn from")
    schema = given or _infer(estimator, as_source(X) if aside else source)
    _check_roles(estimator, schema)
    if given is None:
        _warn_of_unread(schema)
    if not schema.modelled:
        reasons = {column.kind for column in schema.columns}
        raise InputError(
            f"{source.name}: there is nothing to learn, every column is {' or '.join(sorted(reasons))}"
        )
    return source, schema


def _warn_of_unread(schema: Schema) -> None:
    """Say which columns have values of types that are not learned."""
    for column in schema.features:
        if column.kind == "ignored" and column.reason.startswith(UNREAD):
            warnings.warn(
                f'column "{column.name}" is left out: {column.reason}; drop it, or give it a type of '
                "numbers, texts or times (of a pandas frame X, X.convert_dtypes() finds one)",
                UserWarning,
                stacklevel=5,
            )


def _check_roles(estimator: BaseAutoencoder, schema: Schema) -> None:
    """See that a given schema agrees with the columns that the estimator names."""
    named = dict.fromkeys(estimator._condition_names(), "condition")
    for name, role in (named | dict.fromkeys(estimator._label_names(), "label")).items():
        if schema[name].role != role:
            raise InputError(
                f'column "{name}" is to be a {role}, and the given schema has it as a {schema[name].role}; '
                f'use schema.edit(roles={{"{name}": "{role}"}})'
            )
        if name in named:
            check_told(schema[name])
    if named and not schema.conditions.modelled:
        raise InputError(f"condition={list(named)} says nothing: it is the same for all rows; leave it out")


def _infer(estimator: BaseAutoencoder, source: Source) -> Schema:
    names = estimator._condition_names()
    roles = dict.fromkeys(names, "condition") | dict.fromkeys(estimator._label_names(), "label")
    return infer_schema(source, kinds=condition_kinds(source, names), roles=roles)


def find_condition(
    estimator: BaseAutoencoder, source: Source, schema: Schema, condition: Any
) -> ConditionRows | None:
    """Find what the networks are told: columns of the rows themselves, or what was given apart."""
    inside = schema.conditions
    if isinstance(source, LoaderSource) and source.told:
        condition = loader_conditions(source)
    if not inside.modelled:
        found = None if condition is None else read_condition(condition, len(source))
    elif source.kind == "array":
        names = ", ".join(column.name for column in inside.modelled)
        raise InputError(
            f"{source.name}: its column {names} cannot be a condition, since an array has no names; give "
            "condition=... beside the rows"
        )
    elif condition is not None:
        raise InputError("condition= and columns with the role of a condition say the same; give one of them")
    else:
        found = ConditionRows(source, inside)
    estimator.condition_schema_ = None if found is None else found.schema
    estimator._check_condition(found)
    return found


def find_labels(estimator: BaseAutoencoder, X: Any, labels: Any, n_rows: int) -> Any:
    """Return what an opponent is told as integers (-1: unknown), and keep the labels' values."""
    names = estimator._label_names()
    if labels is None and names:
        labels = as_source(X).column(names[0])
    if labels is None:
        return None
    estimator.labels_, codes = label_codes(labels, n_rows)
    return codes


def open_known(estimator: BaseAutoencoder, X: Any) -> Source:
    """Open rows for a fitted estimator."""
    return open_input(estimator, X, schema=estimator.schema_, reset=False)


def load(
    estimator: BaseAutoencoder,
    source: Source,
    schema: Schema,
    given: Given,
    validation_data: Any,
    device: torch.device,
    *,
    fraction: float | None = None,
) -> Prepared:
    """Bring the rows into value units; held-out ones come from `validation_data` or else from `source`."""
    likelihood = resolve_likelihood(estimator._likelihood(), schema)

    def make_features(statistics: Statistics) -> Features:
        return building.build_features(schema, statistics, likelihood, estimator._corruption())

    streamed, pieces = isinstance(source, LoaderSource), None
    if isinstance(source, LoaderSource) and source.told and given.condition is not None:
        pieces = loader_pieces(source, schema, given.condition.schema)
    if fraction is None:
        fraction = 0.0 if validation_data is not None or streamed else float(estimator.validation_fraction)
    prepared = preparing.prepare(
        source,
        schema,
        given.weight,
        make_features,
        condition=given.condition,
        labels=given.labels,
        fraction=fraction,
        seed=estimator.seed_,
        device=device,
        streamed=streamed,
        pieces=pieces,
    )
    if validation_data is not None:
        held_out = load_validation(estimator, validation_data, schema, prepared, device)
        prepared = replace(prepared, held_out=held_out)
    return prepared


def load_validation(
    estimator: BaseAutoencoder, validation_data: Any, schema: Schema, prepared: Prepared, device: torch.device
) -> Batch:
    """Read rows that the caller holds out himself: X, or (X, y[, sample_weight[, condition]])."""
    X, _, sample_weight, condition = validation_data, None, None, None
    if isinstance(validation_data, tuple):
        X, _, sample_weight, condition = (*validation_data, None, None, None)[:4]
    source = open_input(estimator, X, schema=schema, reset=False)
    weight = check_weight(sample_weight, source, schema, X)
    rows, told = known_rows(estimator, source, condition), None
    if rows is not None and prepared.condition is not None:
        told = rows.tensor(prepared.condition)
    n_labels = getattr(estimator, "labels_", None)
    labels = None if n_labels is None else np.full(len(source), -1)
    sides = Sides(weight, told, labels)
    blocks = preparing.value_blocks(source, schema, prepared.features, sides=sides)
    return concatenate(list(blocks)).to(device)
