"""Rows through a fitted model a block at a time, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.encoding import decode
from isthmus.data.features import Values
from isthmus.data.sources import Source, as_source
from isthmus.estimators.baseline import row_log_likelihood
from isthmus.estimators.fitting import open_known
from isthmus.estimators.inputs import is_frame
from isthmus.estimators.preparing import BLOCK_ROWS
from isthmus.estimators.scoring import apply_to_source

if TYPE_CHECKING:
    from isthmus.estimators.applying import Applying

__all__ = ["codes", "reconstructions", "scores"]


def codes(estimator: Applying, X: Any) -> Iterator[NDArray[np.float32]]:
    """Yield the codes of each block of rows."""
    return _apply(estimator, X, estimator.model_.encode)


def reconstructions(estimator: Applying, X: Any) -> Iterator[Any]:
    """Yield each block of rows encoded and decoded again, in the library and with the columns of `X`."""
    source, model, schema = open_known(estimator, X), estimator.model_, estimator.schema_
    # What the model need not know (labels, weights, identifiers) is copied from the rows as they were given.
    named = source.kind == "frame" and (is_frame(X) or isinstance(X, Source))
    whole = as_source(X) if named else source

    def reconstruct(rows: Values) -> Tensor:
        return model.features.to_data(model.density.mean(model.decode(model.encode(rows))))

    encoded = apply_to_source(model, source, schema, reconstruct)
    for values, block in zip(encoded, whole.blocks(BLOCK_ROWS), strict=True):
        decoded = decode(schema, np.asarray(values, np.float64), library=source.library, passthrough=block)
        yield decoded if isinstance(decoded, np.ndarray) else _only(decoded, block)


def _only(frame: Any, like: Any) -> Any:
    """Return the columns of a frame that another one has, in its order."""
    given = nw.from_native(frame, eager_only=True)
    return frame if given.columns == like.columns else given.select(like.columns).to_native()


def scores(estimator: Applying, X: Any) -> Iterator[NDArray[np.float64]]:
    """Yield, for each block of rows, log p(x | z(x)) in nats and the number of observed modelled entries."""
    model = estimator.model_

    def score(rows: Values) -> Tensor:
        n_observed = torch.full((len(rows.values),), float(rows.values.shape[1]), dtype=torch.float64)
        if rows.observed is not None:
            n_observed = rows.observed.sum(dim=1).double()
        return torch.stack([row_log_likelihood(model, rows), n_observed.to(rows.values.device)], dim=1)

    return _apply(estimator, X, score)


def _apply(estimator: Applying, X: Any, function: Callable[[Values], Tensor]) -> Any:
    return apply_to_source(estimator.model_, open_known(estimator, X), estimator.schema_, function)
