"""Rows through a fitted model a block at a time, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.encoding import decode
from isthmus.data.features import Values
from isthmus.estimators.baseline import row_log_likelihood
from isthmus.estimators.fitting import open_known
from isthmus.estimators.preparing import BLOCK_ROWS
from isthmus.estimators.scoring import apply_to_source

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["codes", "reconstructions", "scores"]


def codes(estimator: BaseAutoencoder, X: Any) -> Iterator[NDArray[np.float32]]:
    """Yield the codes of each block of rows."""
    return _apply(estimator, X, estimator.model_.encode)


def reconstructions(estimator: BaseAutoencoder, X: Any) -> Iterator[Any]:
    """Yield each block of rows encoded and decoded again, in the library of `X`."""
    source, model = open_known(estimator, X), estimator.model_

    def reconstruct(rows: Values) -> Tensor:
        return model.features.to_data(model.density.mean(model.decode(model.encode(rows))))

    encoded = apply_to_source(model, source, estimator.schema_, reconstruct)
    for values, block in zip(encoded, source.blocks(BLOCK_ROWS), strict=True):
        yield decode(estimator.schema_, np.asarray(values, np.float64), library=source.library, passthrough=block)


def scores(estimator: BaseAutoencoder, X: Any) -> Iterator[NDArray[np.float64]]:
    """Yield, for each block of rows, log p(x | z(x)) in nats and the number of observed modelled entries."""
    model = estimator.model_

    def score(rows: Values) -> Tensor:
        n_observed = torch.full((len(rows.values),), float(rows.values.shape[1]), dtype=torch.float64)
        if rows.observed is not None:
            n_observed = rows.observed.sum(dim=1).double()
        return torch.stack([row_log_likelihood(model, rows), n_observed.to(rows.values.device)], dim=1)

    return _apply(estimator, X, score)


def _apply(estimator: BaseAutoencoder, X: Any, function: Callable[[Values], Tensor]) -> Any:
    return apply_to_source(estimator.model_, open_known(estimator, X), estimator.schema_, function)
