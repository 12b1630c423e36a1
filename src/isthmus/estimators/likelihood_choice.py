"""Which likelihood each column gets, where it is left at "auto", and whether a given one suits."""

from __future__ import annotations

from isthmus.data.schema import Column, Schema
from isthmus.errors import InputError
from isthmus.parts.likelihoods import (
    Bernoulli,
    Categorical,
    Gaussian,
    Likelihood,
    NegativeBinomial,
    PerColumn,
)

__all__ = ["DEFAULTS", "column_names", "resolve_likelihood", "soft_targets"]

# The supports that a likelihood may have over a column of a kind; that of the default stands first.
SUPPORTS = {
    "continuous": ("real",),
    "datetime": ("real",),
    "pixel": ("real", "unit"),
    "count": ("count", "real"),
    "binary": ("unit", "real"),
    "categorical": ("category",),
}
DEFAULTS: dict[str, Likelihood] = {
    "pixel": Gaussian(scale="shared"),
    "continuous": Gaussian(scale="per_feature"),
    "datetime": Gaussian(scale="per_feature"),
    "binary": Bernoulli(),
    "categorical": Categorical(),
    "count": NegativeBinomial(),
}


def resolve_likelihood(likelihood: Likelihood | None, schema: Schema) -> Likelihood:
    """Choose the likelihood of "auto" from the schema, and check that a given one suits every column.

    An array is one block of like features: one Gaussian whose scale they share (if binary, Bernoulli). A
    frame's columns each get the likelihood of their kind.
    """
    if likelihood is None:
        if schema.container == "array":
            binary = schema.modelled[0].kind == "binary"
            likelihood = Bernoulli() if binary else Gaussian(scale="shared")
        else:
            likelihood = PerColumn()
    if isinstance(likelihood, PerColumn):
        likelihood = _complete(likelihood, schema)
    for column, part in zip(schema.modelled, likelihood.for_columns(column_names(schema)), strict=True):
        _check_support(column, part)
    return likelihood


def _complete(likelihood: PerColumn, schema: Schema) -> PerColumn:
    """Give every modelled column that `likelihood` does not name the likelihood of its kind."""
    if likelihood.otherwise is not None:
        return likelihood
    given = dict(likelihood.columns)
    rest = [column for column in schema.modelled if column.name not in given]
    return PerColumn((*likelihood.columns, *((column.name, DEFAULTS[column.kind]) for column in rest)))


def column_names(schema: Schema) -> tuple[str, ...]:
    """Return the names of the modelled columns."""
    return tuple(column.name for column in schema.modelled)


def _check_support(column: Column, likelihood: Likelihood) -> None:
    support = likelihood.support
    if support in SUPPORTS[column.kind]:
        return
    within = (support == "unit" and column.low >= 0 and column.high <= 1) or (
        support == "count" and column.low >= 0 and column.kind in ("continuous", "pixel")
    )
    if column.kind in ("continuous", "pixel") and within:
        return
    needs = {"unit": "values in [0, 1]", "count": "counts >= 0", "category": "categories", "real": "numbers"}
    span = "" if column.levels else f" (from {column.low:g} to {column.high:g})"
    raise InputError(
        f"{type(likelihood).__name__} needs {needs[support]}, but column {column.name!r} is "
        f"{column.kind}{span}; choose another likelihood or rescale the column"
    )


def soft_targets(likelihood: Likelihood, schema: Schema) -> bool:
    """Tell whether some grey value is scored as a probability of 1: cross-entropy, which is no density."""
    parts = zip(schema.modelled, likelihood.for_columns(column_names(schema)), strict=True)
    return any(
        isinstance(part, Bernoulli) and part.binarize != "threshold" and column.kind != "binary"
        for column, part in parts
    )
