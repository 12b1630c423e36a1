"""Rows as the networks see them, before there is a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.statistics import measure
from isthmus.errors import InputError
from isthmus.estimators.building import build_features
from isthmus.estimators.likelihood_choice import resolve_likelihood
from isthmus.estimators.preparing import encoded_blocks, value_blocks

__all__ = ["encoded_inputs", "inputs", "taken"]


def encoded_inputs(
    source: Source,
    schema: Schema,
    *,
    max_rows: int = 5000,
    random_state: int | np.random.RandomState | None = 0,
) -> NDArray[np.float32]:
    """Return rows as an encoder reads them: what `n_components="auto"` measures the dimension of.

    Parameters
    ----------
    source : Source
    schema : Schema
        What its columns are.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement, and kept in order.
    random_state : int, RandomState or None, default=0
        Draws those rows.

    Returns
    -------
    ndarray of float32 of shape (n_rows, n_inputs)
        Numbers are centred and scaled to unit spread (in an array, columns that hardly vary are not blown
        up), categories one-hot. A missing entry is the mean, with a flag beside it.
    """
    if not schema.modelled:
        raise InputError(f"{source.name}: there is nothing to measure, no column is one that models learn")
    if len(source) > max_rows:
        chosen = check_random_state(random_state).choice(len(source), max_rows, replace=False)
        source = taken(source, np.sort(chosen))
    return inputs(schema, source)[0]


def inputs(schema: Schema, training: Source, *others: Source) -> list[NDArray[np.float32]]:
    """Return each source's rows as an encoder reads them that was built for the first one's."""
    statistics = measure(schema, (values for _, values in encoded_blocks(training, schema)))
    features = build_features(schema, statistics, resolve_likelihood(None, schema), None)
    return [
        np.concatenate([features(block.rows).numpy() for block in value_blocks(source, schema, features)])
        for source in (training, *others)
    ]


def taken(source: Source, index: NDArray[np.intp]) -> Source:
    """Return some rows of a source as one of their own."""
    rows = source.take(index)
    return as_source(rows if isinstance(rows, np.ndarray) else rows.to_native())
