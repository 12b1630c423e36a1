"""What `fit` and `resume` do, step by step."""

from __future__ import annotations

import copy
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from isthmus import store
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import derive_seed
from isthmus.estimators import building, preparing
from isthmus.estimators.architecture import Architecture, describe
from isthmus.estimators.baseline import figures
from isthmus.estimators.choices import choose_architecture, choose_device, choose_settings, draw_seed
from isthmus.estimators.density import density_figures
from isthmus.estimators.inputs import check_weight
from isthmus.estimators.labels import warn_of_idle_parts
from isthmus.estimators.neighboring import make_positions, with_neighbors
from isthmus.estimators.preparing import Prepared
from isthmus.estimators.reading import Given, find_condition, find_labels, load, open_known, read_input
from isthmus.model import Model
from isthmus.training.callbacks import EpochCallbacks, displaying
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.interruptible import interruptible
from isthmus.training.interrupts import HeldInterrupts
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["adopt", "build", "choose_device", "fit", "open_known", "publish"]


def fit(
    estimator: BaseAutoencoder,
    X: Any,
    sample_weight: Any,
    validation_data: Any,
    *,
    resume: bool = False,
    condition: Any = None,
    labels: Any = None,
) -> None:
    """Fit `estimator` from its parameters and `X`, or go on from its checkpoint."""
    source, schema = read_input(estimator, X)
    estimator.seed_ = draw_seed(estimator.random_state)
    device = choose_device(estimator.device)
    given = Given(
        check_weight(sample_weight, source, schema, X),
        find_condition(estimator, source, schema, condition),
        find_labels(estimator, X, labels, len(source)),
    )
    prepared = load(estimator, source, schema, given, validation_data, device)
    with isolated(derive_seed(estimator.seed_, 6), device):
        trainer = make_trainer(estimator, schema, prepared, device)
        warn_of_idle_parts(trainer.model.prior, getattr(estimator, "labels_", ()), given.labels)
        checkpoint = open_checkpoint(estimator, trainer, source, given, prepared)
        if checkpoint is not None and resume:
            checkpoint.find(device)
        initialize(estimator, trainer, prepared, checkpoint)
        if checkpoint is not None:
            checkpoint.go_on(trainer)
        with displaying(estimator, estimator.verbose):
            train(estimator, trainer, checkpoint, X)
    trainer.restore_best()
    trainer.model.positions = None
    publish(estimator, trainer)
    estimator.metrics_ = figures(
        trainer.model, prepared.batches, prepared.held_out, estimator.n_components_, estimator.seed_
    )
    estimator.metrics_ |= density_figures(estimator, prepared)


def make_trainer(
    estimator: BaseAutoencoder, schema: Schema, prepared: Prepared, device: torch.device
) -> Trainer:
    """Resolve what is left at "auto", build the networks, and set the attributes that hold from now on."""
    architecture = choose_architecture(estimator, schema, prepared)
    settings = choose_settings(estimator, architecture, prepared)
    prepared = with_neighbors(estimator, prepared, architecture, settings)
    model = build(estimator, architecture, schema, prepared)
    model.set_device(device)
    model.positions = make_positions(model, prepared.batches, settings)
    trainer = Trainer(model, prepared.batches, prepared.held_out, settings)
    trainer.report = lambda message: warnings.warn(message, UserWarning, stacklevel=2)
    adopt(estimator, trainer, schema, architecture)
    return trainer


def initialize(
    estimator: BaseAutoencoder, trainer: Trainer, prepared: Prepared, checkpoint: Checkpoint | None
) -> None:
    """Train what comes before the joint phase; interrupted there, nothing half-fitted is left."""
    try:
        estimator._initialize(trainer.model, prepared, checkpoint)
    except KeyboardInterrupt as interrupt:
        estimator._forget()
        if checkpoint is not None and checkpoint.path.exists():
            interrupt.add_note(f"{checkpoint.path} holds the run so far; resume goes on with it")
        raise


def build(
    estimator: BaseAutoencoder, architecture: Architecture, schema: Schema, prepared: Prepared
) -> Model:
    """Build the module from the estimator's choices."""
    return building.build_model(
        architecture, schema, prepared.features, estimator.encoder, estimator.decoder, prepared.condition
    )


# Training -------------------------------------------------------------------------------------------------


def adopt(estimator: BaseAutoencoder, trainer: Trainer, schema: Schema, architecture: Architecture) -> None:
    """Set the fitted attributes that hold already while training runs."""
    estimator.schema_ = schema
    estimator.model_ = trainer.model
    estimator.architecture_ = architecture
    estimator.n_components_ = architecture.n_components
    estimator.n_training_rows_ = trainer.batches.n_rows
    estimator.history_ = trainer.progress.history


def open_checkpoint(
    estimator: BaseAutoencoder, trainer: Trainer, source: Source, given: Given, prepared: Prepared
) -> Checkpoint | None:
    """Let the trainer save itself now and then, identified by all that its bits depend on."""
    if estimator.checkpoint is None:
        return None
    path = store.check_output(estimator.checkpoint, overwrite=True)  # now, not after the first minute
    identity = {
        "settings": asdict(trainer.settings),
        "architecture": describe(estimator.architecture_),
        "schema": estimator.schema_.to_json(),
        "data": preparing.fingerprint(source, estimator.schema_, given.arrays()),
        "validation rows": None
        if trainer.held_out is None
        else preparing.batch_fingerprint(trainer.held_out),
        **estimator._initial_identity(prepared),
    }
    return Checkpoint(path, estimator.checkpoint_seconds, identity)


def train(estimator: BaseAutoencoder, trainer: Trainer, checkpoint: Checkpoint | None, X: Any) -> None:
    """Run the epochs; an interrupt ends them and keeps the best model so far."""
    callbacks = EpochCallbacks(
        estimator, trainer.settings.max_epochs, X, lambda: {"model_": copy.deepcopy(trainer.model)}
    )
    try:
        with interruptible(trainer, checkpoint) as interrupts:
            run_epochs(estimator, trainer, callbacks, interrupts)
    except KeyboardInterrupt:
        warnings.warn(
            f"interrupted in epoch {trainer.progress.epoch + 1}; the best model so far is kept",
            UserWarning,
            stacklevel=5,
        )
    callbacks.finish()


def run_epochs(
    estimator: BaseAutoencoder, trainer: Trainer, callbacks: EpochCallbacks, interrupts: HeldInterrupts
) -> None:
    """Train to the end of the schedule, or until a callback asks to stop."""
    stop = False
    while not (stop or trainer.finished):
        callbacks.begin()
        trainer.epoch()
        publish(estimator, trainer)
        stop = callbacks.end()
        interrupts.release()


def publish(estimator: BaseAutoencoder, trainer: Trainer) -> None:
    """Set the attributes that grow with every epoch."""
    estimator.history_ = trainer.progress.history
    estimator.n_iter_ = max(trainer.progress.epoch, 1)
