"""What `fit` and `resume` do, step by step."""

from __future__ import annotations

import copy
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from isthmus import store
from isthmus.data.batches import Batch, concatenate
from isthmus.data.features import Features
from isthmus.data.inference import infer_schema
from isthmus.data.loaders import LoaderSource
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import derive_seed
from isthmus.data.statistics import Statistics
from isthmus.errors import InputError
from isthmus.estimators import building, preparing
from isthmus.estimators.baseline import figures
from isthmus.estimators.building import Architecture
from isthmus.estimators.choices import choose_architecture, choose_device, choose_settings, draw_seed
from isthmus.estimators.inputs import check_weight, open_input
from isthmus.estimators.preparing import Prepared
from isthmus.training.callbacks import EpochCallbacks, displaying
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.interrupts import HeldInterrupts
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["adopt", "choose_device", "fit", "load", "open_known", "publish", "read_input"]


def fit(
    estimator: BaseAutoencoder, X: Any, sample_weight: Any, validation_data: Any, *, resume: bool = False
) -> None:
    """Fit `estimator` from its parameters and `X`, or go on from its checkpoint."""
    source, schema = read_input(estimator, X)
    estimator.seed_ = draw_seed(estimator.random_state)
    device = choose_device(estimator.device)
    weight = check_weight(sample_weight, source, schema, X)
    prepared = load(estimator, source, schema, weight, validation_data, device)
    with isolated(derive_seed(estimator.seed_, 6), device):
        trainer = make_trainer(estimator, schema, prepared, device)
        checkpoint = open_checkpoint(estimator, trainer, source, weight)
        if checkpoint is not None and resume and checkpoint.path.exists():
            checkpoint.restore(trainer)
        with displaying(estimator, estimator.verbose):
            train(estimator, trainer, checkpoint, X)
    trainer.restore_best()
    publish(estimator, trainer)
    estimator.metrics_ = figures(
        trainer.model, prepared.batches, prepared.held_out, estimator.n_components_, estimator.seed_
    )


def make_trainer(
    estimator: BaseAutoencoder, schema: Schema, prepared: Prepared, device: torch.device
) -> Trainer:
    """Resolve what is left at "auto", build the networks, and set the attributes that hold from now on."""
    architecture = choose_architecture(estimator, schema, prepared)
    settings = choose_settings(estimator, architecture, prepared)
    model = building.build_model(architecture, prepared.features, estimator.encoder, estimator.decoder)
    model.set_device(device)
    trainer = Trainer(model, prepared.batches, prepared.held_out, settings)
    trainer.report = lambda message: warnings.warn(message, UserWarning, stacklevel=2)
    adopt(estimator, trainer, schema, architecture)
    return trainer


# Data -----------------------------------------------------------------------------------------------------


def read_input(estimator: BaseAutoencoder, X: Any) -> tuple[Source, Schema]:
    """Check the rows and find what each column is."""
    given = estimator.schema if isinstance(estimator.schema, Schema) else None
    source = open_input(estimator, X, schema=given, reset=True)
    if len(source) < 2:
        raise InputError(f"{source.name} has n_samples=1, 1 sample only; give at least 2 rows to learn from")
    schema = given or infer_schema(source)
    if not schema.modelled:
        reasons = {column.kind for column in schema.columns}
        raise InputError(
            f"{source.name}: there is nothing to learn, every column is {' or '.join(sorted(reasons))}"
        )
    return source, schema


def open_known(estimator: BaseAutoencoder, X: Any) -> Source:
    """Open rows for a fitted estimator."""
    return open_input(estimator, X, schema=estimator.schema_, reset=False)


def load(
    estimator: BaseAutoencoder,
    source: Source,
    schema: Schema,
    weight: Any,
    validation_data: Any,
    device: torch.device,
    *,
    fraction: float | None = None,
) -> Prepared:
    """Bring the rows into value units; held-out ones come from `validation_data` or else from `source`."""
    likelihood = building.resolve_likelihood(estimator._likelihood(), schema)

    def make_features(statistics: Statistics) -> Features:
        return building.build_features(schema, statistics, likelihood, estimator._corruption())

    streamed = isinstance(source, LoaderSource)
    if fraction is None:
        fraction = 0.0 if validation_data is not None or streamed else float(estimator.validation_fraction)
    prepared = preparing.prepare(
        source,
        schema,
        weight,
        make_features,
        fraction=fraction,
        seed=estimator.seed_,
        device=device,
        streamed=streamed,
    )
    if validation_data is None:
        return prepared
    held_out = load_validation(estimator, validation_data, schema, prepared.features, device)
    return Prepared(prepared.features, prepared.batches, held_out)


def load_validation(
    estimator: BaseAutoencoder, validation_data: Any, schema: Schema, features: Features, device: torch.device
) -> Batch:
    """Read rows that the caller holds out himself: X, or (X, y) or (X, y, sample_weight) as elsewhere."""
    X, weight = validation_data, None
    if isinstance(validation_data, tuple):
        X, weight = validation_data[0], validation_data[2] if len(validation_data) > 2 else None
    source = open_input(estimator, X, schema=schema, reset=False)
    batch = concatenate(list(preparing.value_blocks(source, schema, features)))
    checked = check_weight(weight, source, schema, X)
    kept = None if checked is None else torch.from_numpy(checked).to(torch.float32)
    return Batch(batch.rows, kept, batch.index).to(device)


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
    estimator: BaseAutoencoder, trainer: Trainer, source: Source, weight: Any
) -> Checkpoint | None:
    """Let the trainer save itself now and then, identified by all that its bits depend on."""
    if estimator.checkpoint is None:
        return None
    path = store.check_output(estimator.checkpoint, overwrite=True)  # now, not after the first minute
    identity = {
        "settings": asdict(trainer.settings),
        "architecture": building.describe(estimator.architecture_),
        "schema": estimator.schema_.to_json(),
        "data": preparing.fingerprint(source, estimator.schema_, weight),
        "validation rows": None
        if trainer.held_out is None
        else preparing.batch_fingerprint(trainer.held_out),
    }
    return Checkpoint(path, estimator.checkpoint_seconds, identity)


def train(estimator: BaseAutoencoder, trainer: Trainer, checkpoint: Checkpoint | None, X: Any) -> None:
    """Run the epochs; an interrupt ends them and keeps the best model so far."""
    callbacks = EpochCallbacks(
        estimator, trainer.settings.max_epochs, X, lambda: {"model_": copy.deepcopy(trainer.model)}
    )
    with HeldInterrupts() as interrupts:
        try:
            run_epochs(estimator, trainer, checkpoint, callbacks, interrupts)
        except KeyboardInterrupt:
            if checkpoint is not None and not interrupts.pending:
                checkpoint.save(trainer)
            warnings.warn(
                f"interrupted in epoch {trainer.progress.epoch + 1}; the best model so far is kept",
                UserWarning,
                stacklevel=4,
            )
    callbacks.finish()


def run_epochs(
    estimator: BaseAutoencoder,
    trainer: Trainer,
    checkpoint: Checkpoint | None,
    callbacks: EpochCallbacks,
    interrupts: HeldInterrupts,
) -> None:
    """Train to the end of the schedule, or until a callback asks to stop."""

    def after_step() -> None:
        if checkpoint is not None:
            checkpoint.maybe_save(trainer)
        interrupts.release()

    trainer.on_step = after_step
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
