"""What `fit`, `partial_fit` and `resume` do, step by step."""

from __future__ import annotations

import copy
import math
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from isthmus.data.batches import Batch, MemoryBatches
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
from isthmus.estimators.inputs import check_weight, open_input
from isthmus.estimators.preparing import Prepared
from isthmus.manifold.dimension import two_nn
from isthmus.training.callbacks import EpochCallbacks, displaying
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated
from isthmus.training.settings import Settings, auto_batch_size, endless, resolve_settings

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["fit", "open_known", "partial_fit"]

DIMENSION_ROWS = 5000


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


# Data -----------------------------------------------------------------------------------------------------------------


def read_input(estimator: BaseAutoencoder, X: Any, *, reset: bool = True) -> tuple[Source, Schema]:
    """Check the rows and find what each column is."""
    given = estimator.schema if isinstance(estimator.schema, Schema) else None
    source = open_input(estimator, X, schema=given, reset=reset)
    if len(source) < 2:
        raise InputError(f"{source.name} has n_samples=1, 1 sample only; give at least 2 rows to learn from")
    schema = given or infer_schema(source)
    if not schema.modelled:
        reasons = {column.kind for column in schema.columns}
        raise InputError(
            f"{source.name}: there is nothing to learn, every column is {' or '.join(sorted(reasons))}"
        )
    return source, schema


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
    """Bring the rows into value units; held-out rows come from `validation_data` if given, else from `source`."""
    likelihood = building.resolve_likelihood(estimator._part("likelihood"), schema)  # type: ignore[arg-type]

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
    pieces = list(preparing.value_blocks(source, schema, features))
    batch = preparing.concatenate(pieces)
    checked = check_weight(weight, source, schema, X)
    kept = None if checked is None else torch.from_numpy(checked).to(torch.float32)
    return Batch(batch.rows, kept, batch.index).to(device)


# Choices --------------------------------------------------------------------------------------------------------------


def draw_seed(random_state: Any) -> int:
    """Return the one integer from which all of a fit's random numbers derive."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    from sklearn.utils import check_random_state

    return int(check_random_state(random_state).randint(2**31 - 1))


def choose_device(device: str) -> torch.device:
    """Resolve "auto" to the GPU where there is one."""
    if device != "auto":
        try:
            return torch.empty(0, device=device).device
        except (RuntimeError, AssertionError) as error:
            first = str(error).splitlines()[0]
            raise InputError(f'device="{device}" cannot be used here: {first}; use "cpu" or "auto"') from error
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_architecture(estimator: BaseAutoencoder, schema: Schema, prepared: Prepared) -> Architecture:
    """Resolve the number of latents and the hidden layers."""
    features = prepared.features
    hidden = estimator.hidden_sizes
    if isinstance(hidden, str):
        hidden = building.auto_hidden_sizes(features.n_inputs)
    latent = estimator.n_components
    return Architecture(
        n_components=auto_components(prepared, estimator.seed_) if isinstance(latent, str) else int(latent),
        hidden_sizes=tuple(int(size) for size in hidden),
        activation=estimator.activation,
        likelihood=building.resolve_likelihood(estimator._part("likelihood"), schema),  # type: ignore[arg-type]
        corruption=estimator._corruption(),
    )


def auto_components(prepared: Prepared, seed: int) -> int:
    """Return the TwoNN intrinsic dimension of at most 5,000 training rows, rounded, at least 1."""
    batches = prepared.batches
    batch = batches.data if isinstance(batches, MemoryBatches) else next(iter(batches.epoch(DIMENSION_ROWS, seed, 0)))
    features = copy.deepcopy(prepared.features).cpu()
    inputs = features(batch.rows.to(torch.device("cpu"))).numpy()
    # rounding up never makes a code narrower than the data
    dimension = two_nn(inputs, max_rows=DIMENSION_ROWS, random_state=seed)
    return max(1, math.ceil(dimension - 0.5)) if math.isfinite(dimension) else 1


def choose_settings(estimator: BaseAutoencoder, architecture: Architecture, prepared: Prepared) -> Settings:
    """Resolve batch size, epochs, rate and patience."""
    batches = prepared.batches
    size = estimator.batch_size
    batch_size = auto_batch_size(batches.n_rows) if isinstance(size, str) else int(size)
    return resolve_settings(
        n_batches=batches.n_batches(batch_size),
        batch_size=batch_size,
        linear=architecture.linear,
        max_epochs=estimator.max_epochs,
        learning_rate=estimator.learning_rate,
        patience=estimator.patience,
        weight_decay=float(estimator.weight_decay),
        seed=estimator.seed_,
    )


# Training -------------------------------------------------------------------------------------------------------------


def adopt(
    estimator: BaseAutoencoder, trainer: Trainer, schema: Schema, architecture: Architecture
) -> None:
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
    identity = {
        "settings": asdict(trainer.settings),
        "architecture": building.describe(estimator.architecture_),
        "schema": estimator.schema_.to_json(),
        "data": preparing.fingerprint(source, estimator.schema_, weight),
    }
    checkpoint = Checkpoint(Path(estimator.checkpoint), estimator.checkpoint_seconds, identity)
    trainer.on_step = lambda: checkpoint.maybe_save(trainer)
    return checkpoint


def train(estimator: BaseAutoencoder, trainer: Trainer, checkpoint: Checkpoint | None, X: Any) -> None:
    """Run the epochs; an interrupt ends them and keeps the best model so far."""
    callbacks = EpochCallbacks(
        estimator, trainer.settings.max_epochs, X, lambda: {"model_": copy.deepcopy(trainer.model)}
    )
    stop = False
    try:
        while not (stop or trainer.finished):
            callbacks.begin()
            trainer.epoch()
            publish(estimator, trainer)
            stop = callbacks.end()
    except KeyboardInterrupt:
        if checkpoint is not None:
            checkpoint.save(trainer)
        warnings.warn(
            f"interrupted in epoch {trainer.progress.epoch + 1}; the best model so far is kept",
            UserWarning,
            stacklevel=4,
        )
    callbacks.finish()


def publish(estimator: BaseAutoencoder, trainer: Trainer) -> None:
    """Set the attributes that grow with every epoch."""
    estimator.history_ = trainer.progress.history
    estimator.n_iter_ = max(trainer.progress.epoch, 1)


# Learning on, chunk by chunk ------------------------------------------------------------------------------------------


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
    with isolated(derive_seed(estimator.seed_, 6, getattr(estimator, "n_iter_", 0)), device):
        if trainer is None:
            trainer = start_chunks(estimator, schema, prepared, device)
        trainer.batches = prepared.batches
        trainer.n_batches = prepared.batches.n_batches(trainer.settings.batch_size)
        trainer.epoch()
    trainer.model.eval()
    publish(estimator, trainer)


def open_known(estimator: BaseAutoencoder, X: Any) -> Source:
    """Open rows for a fitted estimator."""
    return open_input(estimator, X, schema=estimator.schema_, reset=False)


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
    adopt(estimator, trainer, schema, architecture)
    estimator.metrics_ = {}
    estimator._trainer = trainer
    return trainer
