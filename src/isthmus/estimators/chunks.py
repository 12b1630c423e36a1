"""Learning chunk by chunk: what `partial_fit` does."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import derive_seed
from isthmus.errors import InputError
from isthmus.estimators import preparing
from isthmus.estimators.choices import choose_architecture, choose_device, choose_settings, draw_seed
from isthmus.estimators.conditions import known_rows
from isthmus.estimators.fitting import adopt, build, publish
from isthmus.estimators.inputs import check_weight
from isthmus.estimators.labels import warn_of_idle_parts
from isthmus.estimators.neighboring import make_positions, with_neighbors
from isthmus.estimators.preparing import Prepared
from isthmus.estimators.reading import Given, find_condition, find_labels, load, open_known, read_input
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated
from isthmus.training.settings import endless

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["partial_fit"]


def partial_fit(
    estimator: BaseAutoencoder, X: Any, sample_weight: Any, *, condition: Any = None, labels: Any = None
) -> None:
    """Go once through a chunk; the first one fixes the schema, the scales and the networks."""
    first = not hasattr(estimator, "model_")
    source, schema = read_input(estimator, X) if first else (open_known(estimator, X), estimator.schema_)
    if first:
        estimator.seed_ = draw_seed(estimator.random_state)
    weight = check_weight(sample_weight, source, schema, X)
    device = choose_device(estimator.device)
    if first:
        told = find_condition(estimator, source, schema, condition)
    else:
        told = known_rows(estimator, source, condition)
    given = Given(weight, told, chunk_labels(estimator, X, labels, len(source), first=first))
    prepared = load_chunk(estimator, source, schema, given, device)
    trainer = getattr(estimator, "_trainer", None)
    n_rows = 0 if first else estimator.n_training_rows_
    with isolated(derive_seed(estimator.seed_, 6, getattr(estimator, "n_iter_", 0)), device):
        if trainer is None:
            trainer = start_chunks(estimator, schema, prepared, device)
            if first:
                warn_of_idle_parts(trainer.model.prior, getattr(estimator, "labels_", ()), given.labels)
        else:
            batches = with_neighbors(estimator, prepared, estimator.architecture_).batches
            trainer.take_up(batches, make_positions(trainer.model, batches, trainer.settings))
        try:
            trainer.epoch()
        finally:  # an interrupted chunk leaves no positions behind either
            trainer.model.positions = None
    trainer.model.eval()
    publish(estimator, trainer)
    estimator.n_training_rows_ = n_rows + prepared.batches.n_rows


def chunk_labels(estimator: BaseAutoencoder, X: Any, labels: Any, n_rows: int, *, first: bool) -> Any:
    """Return a chunk's labels as integers; the first chunk says which labels there are."""
    known = None if first else getattr(estimator, "labels_", None)
    codes = find_labels(estimator, X, labels, n_rows)
    if first or codes is None:
        return codes if first or known is None else np.full(n_rows, -1)
    found = estimator.labels_
    if known is None:
        del estimator.labels_
    else:
        estimator.labels_ = known
    if (codes < 0).all():
        return codes
    if known is None or not set(found.tolist()) <= set(known.tolist()):
        raise InputError(
            f"labels: the first chunk had {known}, this one has {found}; start anew with all of them"
        )
    return np.where(codes < 0, -1, np.searchsorted(known, found)[codes])


def load_chunk(
    estimator: BaseAutoencoder, source: Source, schema: Schema, given: Given, device: torch.device
) -> Prepared:
    """Bring a chunk into value units, with the scales of the first chunk."""
    if not hasattr(estimator, "model_"):
        return load(estimator, source, schema, given, None, device, fraction=0.0)
    features = copy.deepcopy(estimator.model_.features).cpu()
    stage = estimator.model_.condition
    return preparing.prepare(
        source,
        schema,
        given.weight,
        lambda statistics: features,
        condition=given.condition,
        condition_stage=None if stage is None else copy.deepcopy(stage).cpu(),
        labels=given.labels,
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
        model = build(estimator, architecture, schema, prepared)
    first = not hasattr(estimator, "model_")
    settings = endless(choose_settings(estimator, architecture, prepared))
    prepared = with_neighbors(estimator, prepared, architecture, settings if first else None)
    model.set_device(device)
    model.positions = make_positions(model, prepared.batches, settings)
    if hasattr(estimator, "model_"):
        settings = replace(settings, scheduled_steps=0)  # the weights of its terms have grown before
    trainer = Trainer(model, prepared.batches, None, settings)
    trainer.progress.history = list(getattr(estimator, "history_", []))
    trainer.progress.epoch = getattr(estimator, "n_iter_", 0)
    if trainer.progress.history:
        trainer.progress.seconds = trainer.progress.history[-1]["seconds"]
    adopt(estimator, trainer, schema, architecture)
    estimator.metrics_ = {}
    estimator._trainer = trainer
    return trainer
