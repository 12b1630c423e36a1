"""Learning chunk by chunk: what `partial_fit` does."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch

from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import derive_seed
from isthmus.estimators import building, preparing
from isthmus.estimators.choices import choose_architecture, choose_device, choose_settings, draw_seed
from isthmus.estimators.fitting import adopt, load, open_known, publish, read_input
from isthmus.estimators.inputs import check_weight
from isthmus.estimators.preparing import Prepared
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated
from isthmus.training.settings import endless

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["partial_fit"]


def partial_fit(estimator: BaseAutoencoder, X: Any, sample_weight: Any) -> None:
    """Go once through a chunk; the first one fixes the schema, the scales and the networks."""
    first = not hasattr(estimator, "model_")
    source, schema = read_input(estimator, X) if first else (open_known(estimator, X), estimator.schema_)
    if first:
        estimator.seed_ = draw_seed(estimator.random_state)
    weight = check_weight(sample_weight, source, schema, X)
    device = choose_device(estimator.device)
    prepared = load_chunk(estimator, source, schema, weight, device)
    trainer = getattr(estimator, "_trainer", None)
    n_rows = 0 if first else estimator.n_training_rows_
    with isolated(derive_seed(estimator.seed_, 6, getattr(estimator, "n_iter_", 0)), device):
        if trainer is None:
            trainer = start_chunks(estimator, schema, prepared, device)
        trainer.batches = prepared.batches
        trainer.n_batches = prepared.batches.n_batches(trainer.settings.batch_size)
        trainer.epoch()
    trainer.model.eval()
    publish(estimator, trainer)
    estimator.n_training_rows_ = n_rows + prepared.batches.n_rows


def load_chunk(
    estimator: BaseAutoencoder, source: Source, schema: Schema, weight: Any, device: torch.device
) -> Prepared:
    """Bring a chunk into value units, with the scales of the first chunk."""
    if not hasattr(estimator, "model_"):
        return load(estimator, source, schema, weight, None, device, fraction=0.0)
    features = copy.deepcopy(estimator.model_.features).cpu()
    return preparing.prepare(
        source,
        schema,
        weight,
        lambda statistics: features,
        fraction=0.0,
        seed=estimator.seed_,
        device=device,
        statistics=features.statistics,
    )


def start_chunks(
    estimator: BaseAutoencoder, schema: Schema, prepared: Prepared, device: torch.device
) -> Trainer:
    """Begin (or, after `fit` or loading, take up) training with a warm-up and no end in sight."""
    if hasattr(estimator, "model_"):
        model, architecture = estimator.model_, estimator.architecture_
    else:
        architecture = choose_architecture(estimator, schema, prepared)
        model = building.build_model(architecture, prepared.features, estimator.encoder, estimator.decoder)
    model.set_device(device)
    settings = endless(choose_settings(estimator, architecture, prepared))
    trainer = Trainer(model, prepared.batches, None, settings)
    trainer.progress.history = list(getattr(estimator, "history_", []))
    trainer.progress.epoch = getattr(estimator, "n_iter_", 0)
    if trainer.progress.history:
        trainer.progress.seconds = trainer.progress.history[-1]["seconds"]
    adopt(estimator, trainer, schema, architecture)
    estimator.metrics_ = {}
    estimator._trainer = trainer
    return trainer
