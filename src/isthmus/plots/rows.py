"""Rows for a picture: some of them, what is told of them, and their values as the likelihood sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from isthmus.data.batches import Batch, concatenate
from isthmus.data.sources import Source, as_source
from isthmus.errors import InputError
from isthmus.estimators.conditions import as_keyword, condition_sides, find_apart
from isthmus.estimators.fitting import open_known
from isthmus.estimators.preparing import value_blocks

__all__ = ["Rows", "known_source", "native", "open_rows", "sample_rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows, and what a conditional model is told of each apart from the columns it was fitted on.

    Attributes
    ----------
    model : fitted estimator
    source : Source
        The columns that it was fitted on.
    condition : Source or None
        As many rows; None where nothing is told, or the columns say it.
    """

    model: Any
    source: Source
    condition: Source | None = None

    def __len__(self) -> int:
        return len(self.source)

    def take(self, index: NDArray[np.intp]) -> Any:
        """Return some rows as a user would give them."""
        return native(self.source.take(index))

    def condition_of(self, index: NDArray[np.intp]) -> Any:
        """Return the condition of some rows as a user would give it, or None."""
        return None if self.condition is None else native(self.condition.take(index))

    def told(self, index: NDArray[np.intp]) -> dict[str, Any]:
        """Return it as the keyword of a model's methods, which others than conditional ones lack."""
        return as_keyword(self.condition_of(index))

    def batch(self, index: NDArray[np.intp]) -> Batch:
        """Return some rows as the likelihood sees them."""
        rows, model = open_known(self.model, self.take(index)), self.model
        sides = condition_sides(model, rows, self.condition_of(index))
        return concatenate(list(value_blocks(rows, model.schema_, model.model_.features, sides=sides)))


def open_rows(model: Any, X: Any, condition: Any = None) -> Rows:
    """Return rows without the columns that `model` was not fitted on, such as labels, and their condition.

    Parameters
    ----------
    model : fitted estimator
    X : rows as in `fit`
        A frame may hold other columns besides, the condition among them.
    condition : frame, Source, or array-like of shape (n,) or (n, k), or one row for all, optional
        As in the methods of a conditional model; an InputError for models that were fitted without one.
    """
    source = as_source(X)
    return Rows(model, known_source(model, source), find_apart(model, source, condition))


def native(block: Any) -> Any:
    """Return a source's block as what a user would have given."""
    return nw.to_native(block) if isinstance(block, nw.DataFrame) else block


def known_source(model: Any, X: Any) -> Source:
    """Return `X` as a Source without the columns that `model` was not fitted on, such as labels.

    Columns of an array are called x0, x1, ...; a frame without these names is taken as it is.
    """
    source = as_source(X)
    if source.kind != "frame":
        return source
    given = set(source.columns or ())
    names = model.schema_.needed(given)
    if model.schema_.container == "array" and not given.issuperset(names):
        return source
    return source.select([name for name in names if name in given])


def sample_rows(n_rows: int, most: int, random_state: int = 0) -> NDArray[np.intp]:
    """Return the positions of all rows, or of a random part of them, in a random order.

    In the order of the data, rows of the last class would lie on top of all the others.
    """
    if most < 1:
        raise InputError(f"a picture of {most} rows was asked for; give a number of 1 or more")
    return np.random.default_rng(random_state).permutation(n_rows)[:most]
