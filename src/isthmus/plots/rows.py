"""Rows for a picture: a sample of them, their codes, and their values as the likelihood sees them."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.batches import Batch, concatenate
from isthmus.data.sources import Source, as_source
from isthmus.errors import InputError
from isthmus.estimators.conditions import condition_sides
from isthmus.estimators.fitting import open_known
from isthmus.estimators.preparing import value_blocks

__all__ = ["batch_of", "known_source", "native", "sample_rows"]


def native(block: Any) -> Any:
    """Return a source's block as what a user would have given."""
    return nw.to_native(block) if isinstance(block, nw.DataFrame) else block


def known_source(model: Any, X: Any) -> Source:
    """Return `X` as a Source without the columns that `model` was not fitted on, such as labels."""
    source = as_source(X)
    if source.kind != "frame" or model.schema_.container != "frame":
        return source
    known = {column.name for column in model.schema_.features}
    return source.drop([name for name in source.columns or () if name not in known])


def batch_of(model: Any, source: Source, index: NDArray[np.intp]) -> Batch:
    """Return some rows as the likelihood sees them."""
    rows = open_known(model, native(source.take(index)))
    sides = condition_sides(model, rows, None)
    return concatenate(list(value_blocks(rows, model.schema_, model.model_.features, sides=sides)))


def sample_rows(n_rows: int, most: int, random_state: int = 0) -> NDArray[np.intp]:
    """Return the positions of all rows, or of a random part of them, in a random order.

    In the order of the data, rows of the last class would lie on top of all the others.
    """
    if most < 1:
        raise InputError(f"a picture of {most} rows was asked for; give a number of 1 or more")
    return np.random.default_rng(random_state).permutation(n_rows)[:most]
