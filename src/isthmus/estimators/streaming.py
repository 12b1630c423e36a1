"""Rows through a fitted model a block at a time, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.batches import Batch
from isthmus.data.encoding import decode
from isthmus.data.series import as_frame
from isthmus.data.sources import Source, as_source
from isthmus.errors import InputError
from isthmus.estimators.baseline import expected
from isthmus.estimators.conditions import condition_sides, known_rows
from isthmus.estimators.density import Scorer
from isthmus.estimators.importance import DEFAULT_SAMPLES
from isthmus.estimators.inputs import is_frame
from isthmus.estimators.preparing import BLOCK_ROWS
from isthmus.estimators.reading import open_known
from isthmus.estimators.scoring import apply_to_source
from isthmus.parts.posteriors.base import DiscreteCode

if TYPE_CHECKING:
    from isthmus.estimators.applying import Applying

__all__ = ["codes", "reconstructions", "scores", "tokens"]


def codes(estimator: Applying, X: Any, condition: Any = None) -> Iterator[NDArray[np.float32]]:
    """Yield the codes of each block of rows."""
    model = estimator.model_
    return _apply(estimator, X, condition, lambda piece: model.encode(piece.rows, piece.condition))


def tokens(estimator: Applying, X: Any) -> Iterator[NDArray[np.int64]]:
    """Yield the integers that the codes of each block of rows are made of."""
    model = estimator.model_
    code = model.code
    if not isinstance(code, DiscreteCode):
        raise InputError(
            f"{type(estimator).__name__} with posterior {estimator.architecture_.posterior} has no tokens"
        )
    return _apply(
        estimator, X, None, lambda piece: code.indices(model.encoder_outputs(piece.rows, piece.condition))
    )


def reconstructions(estimator: Applying, X: Any, condition: Any = None) -> Iterator[Any]:
    """Yield each block of rows encoded and decoded again, in the library and with the columns of `X`."""
    source, model, schema = open_known(estimator, X), estimator.model_, estimator.schema_
    # What the model need not know (labels, weights, identifiers) is copied from the rows as they were given.
    named = source.kind == "frame" and (is_frame(X) or isinstance(X, Source))
    whole = as_source(X) if named else source
    sides = condition_sides(estimator, source, condition)
    encoded = apply_to_source(
        model, source, schema, lambda piece: model.features.to_data(expected(model, piece)), sides
    )
    blocks = whole.blocks(BLOCK_ROWS)
    rows = None if condition is None else known_rows(estimator, source, condition)
    told = rows.frame(schema, whole.library) if rows is not None and whole.kind == "frame" else None
    if told is not None:
        blocks = _told(blocks, told)
    for values, block in zip(encoded, blocks, strict=True):
        decoded = decode(schema, np.asarray(values, np.float64), library=source.library, passthrough=block)
        yield decoded if isinstance(decoded, np.ndarray) else _only(decoded, block)


def _told(blocks: Iterator[Any], told: Any) -> Iterator[Any]:
    """Yield blocks of a frame whose columns say what the model was told instead of what the rows say."""
    columns, position = as_frame(told), 0
    for block in blocks:
        frame = as_frame(block)
        piece = columns[position : position + len(frame)]
        yield frame.with_columns(*(piece[name] for name in piece.columns if name in frame.columns))
        position += len(frame)


def _only(frame: Any, like: Any) -> Any:
    """Return the columns of a frame that another one has, in its order."""
    given = nw.from_native(frame, eager_only=True)
    return frame if given.columns == like.columns else given.select(like.columns).to_native()


def scores(
    estimator: Applying, X: Any, condition: Any = None, score: Scorer | None = None
) -> Iterator[NDArray[np.float64]]:
    """Yield, for each block of rows, log p in nats, its standard error, and the observed modelled entries."""
    score = score or Scorer(estimator.model_, DEFAULT_SAMPLES, None)
    return score.watch(_apply(estimator, X, condition, score))


def _apply(estimator: Applying, X: Any, condition: Any, function: Callable[[Batch], Tensor]) -> Any:
    source = open_known(estimator, X)
    sides = condition_sides(estimator, source, condition)
    return apply_to_source(estimator.model_, source, estimator.schema_, function, sides)
