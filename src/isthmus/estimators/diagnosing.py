"""Takes from a fitted model what `health` judges: means, draws, KL per latent, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.batches import Batch, concatenate
from isthmus.data.splitting import derive_seed
from isthmus.estimators import health
from isthmus.estimators.baseline import column_errors
from isthmus.estimators.conditions import condition_sides
from isthmus.estimators.latents import prior_draws
from isthmus.estimators.preparing import value_blocks
from isthmus.estimators.reading import open_known
from isthmus.estimators.scoring import PIECE_ROWS, apply
from isthmus.model import Model
from isthmus.parts.posteriors.base import DiscreteCode

if TYPE_CHECKING:
    from isthmus.estimators.applying import Applying

__all__ = ["diagnose"]

MAX_ROWS = 5_000
NOISE_SEED = 9


def diagnose(estimator: Applying, X: Any, condition: Any) -> health.Diagnosis:
    """Measure and judge the codes of rows."""
    batch = _some_rows(estimator, X, condition)
    model = estimator.model_
    means = apply(model, batch, lambda piece: model.encode(piece.rows, piece.condition)).astype(np.float64)
    draws = apply(model, batch, lambda piece: _draw(model, piece)).astype(np.float64)
    discrete = model.code if isinstance(model.code, DiscreteCode) else None
    indices = None
    if discrete is not None:
        indices = apply(model, batch, lambda piece: discrete.indices(_outputs(model, piece)))
    return health.diagnose(
        means,
        draws,
        prior_draws(model, len(batch), 0).astype(np.float64),
        kl=_divergences(model, batch),
        indices=indices,
        vocabulary=None if discrete is None else discrete.vocabulary,
        figures=_errors(model, batch),
    )


def _errors(model: Model, batch: Batch) -> dict[str, float]:
    """Return the squared error of the same rows, and that of the training means."""
    errors = column_errors(model, batch)
    numbers = ~errors["label"].astype(bool)
    if not numbers.any():
        return {}
    names = ("squared_error", "mean_squared_error")
    return {name: float(errors[name][numbers].sum()) for name in names}


def _some_rows(estimator: Applying, X: Any, condition: Any) -> Batch:
    """Return at most `MAX_ROWS` rows, evenly spaced: the first ones of sorted rows would all be alike."""
    source = open_known(estimator, X)
    sides = condition_sides(estimator, source, condition)
    chosen = np.zeros(len(source), dtype=bool)
    chosen[np.linspace(0, len(source) - 1, min(MAX_ROWS, len(source))).round().astype(int)] = True
    kept = []
    for block in value_blocks(source, estimator.schema_, estimator.model_.features, sides=sides):
        here = torch.from_numpy(np.flatnonzero(chosen[block.index.numpy()]))
        kept.append(block.take(here))
    return concatenate([block for block in kept if len(block)])


def _outputs(model: Model, piece: Batch) -> Tensor:
    return model.encoder_outputs(piece.rows, piece.condition)


def _draw(model: Model, piece: Batch) -> Tensor:
    """Draw one code for each row, always the same."""
    outputs = _outputs(model, piece)
    seed = derive_seed(NOISE_SEED, int(piece.index[0]))
    shape = (1, PIECE_ROWS, model.code.n_components)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return model.code.sample(outputs, noise.to(outputs.device))[0]


def _divergences(model: Model, batch: Batch) -> NDArray[np.float64] | None:
    """Return KL(q || p) in nats per latent, or per row where only a draw tells it; None for points."""
    prior = model.prior
    if prior is None or not (model.code.stochastic and prior.scored):
        return None
    with torch.no_grad():
        anchors = model.eval().anchors()

    def divergence(piece: Batch) -> Tensor:
        outputs = _outputs(model, piece)
        known = model.code.divergence(outputs, prior)
        if known is not None:
            return known
        z = _draw(model, piece)
        return (model.code.log_prob(outputs, z[None])[0] - prior.log_prob(z, anchors))[:, None]

    return apply(model, batch, divergence).astype(np.float64)
