"""What the classifier's `fit` does, step by step."""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from isthmus.data.batches import Batch
from isthmus.data.splitting import derive_seed
from isthmus.errors import InputError
from isthmus.estimators import preparing
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.baseline import MAX_FIGURE_ROWS, some_rows
from isthmus.estimators.choices import choose_device, draw_seed
from isthmus.estimators.classifier_model import ClassifierModel, label_density
from isthmus.estimators.inputs import check_weight, open_input
from isthmus.estimators.networks import build_encoder
from isthmus.estimators.preparing import Prepared
from isthmus.estimators.reading import open_known
from isthmus.estimators.scoring import apply
from isthmus.estimators.stacked import StackedAutoencoder
from isthmus.training.interruptible import interruptible
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated
from isthmus.training.settings import Settings, auto_batch_size, resolve_settings

if TYPE_CHECKING:
    from isthmus.estimators.classifier import AutoencoderClassifier

__all__ = ["fit"]


def fit(classifier: AutoencoderClassifier, X: Any, y: Any, sample_weight: Any) -> None:
    """Fit the autoencoder where it is not, then the classifier that begins with its encoder."""
    check_estimator(classifier.estimator)
    classes, labels = read_classes(y)
    seed = draw_seed(classifier.random_state)
    autoencoder = find_autoencoder(classifier, X, sample_weight, seed)
    open_input(classifier, X, schema=autoencoder.schema_, reset=True)
    prepared = load(classifier, autoencoder, X, labels, sample_weight, seed)
    with isolated(derive_seed(seed, 6), choose_device(classifier.device)):
        model = build(classifier, autoencoder, prepared, np.bincount(labels))
        trainer = make_trainer(classifier, autoencoder, model, prepared, seed)
        train(trainer)
    trainer.restore_best()
    classifier.estimator_, classifier.classes_, classifier.seed_ = autoencoder, classes, seed
    classifier.model_, classifier.history_ = model, trainer.progress.history
    classifier.n_iter_ = max(trainer.progress.epoch, 1)
    classifier.n_training_rows_ = prepared.batches.n_rows
    classifier.metrics_ = figures(model, prepared)


def check_estimator(given: Any) -> None:
    """Refuse what is no autoencoder, or one that would have to be told more than the rows."""
    if given is None:
        return
    if not isinstance(given, BaseAutoencoder):
        raise InputError(f"estimator={given!r} is no autoencoder of isthmus; give one, fitted or not")
    if given._condition_names() or getattr(given, "condition_schema_", None):
        raise InputError(
            f"{type(given).__name__} is told a condition, which a classifier has no place for; use a "
            "VariationalAutoencoder"
        )


def read_classes(y: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes in order, and the position of each row's class among them."""
    if y is None:
        raise InputError(
            "this AutoencoderClassifier estimator requires y to be passed, but the target y is None"
        )
    named: NDArray[Any] = column_or_1d(y, warn=True)
    assert_all_finite(named, input_name="y")
    if named.dtype.kind == "O" and len({type(value) for value in named.tolist()}) > 1:
        raise InputError("y mixes values of several types, or lacks some; give one class for each row")
    check_classification_targets(y)
    classes, labels = np.unique(named, return_inverse=True)
    return classes, labels.astype(np.int64)


def find_autoencoder(
    classifier: AutoencoderClassifier, X: Any, sample_weight: Any, seed: int
) -> BaseAutoencoder:
    """Return the fitted autoencoder: the one given, or a clone fitted to the rows."""
    given = classifier.estimator if classifier.estimator is not None else StackedAutoencoder()
    if hasattr(given, "model_"):
        return given
    own: BaseAutoencoder = clone(given)
    if own.random_state is None:
        own.random_state = derive_seed(seed, 11) % 2**31
    if not classifier.pretrained:
        own.set_params(max_epochs=1, validation_fraction=0.0)  # only its schema and sizes are used
        if isinstance(own, StackedAutoencoder):
            own.set_params(layer_epochs=1)
    return own.fit(X, sample_weight=sample_weight)


def load(
    classifier: AutoencoderClassifier,
    autoencoder: BaseAutoencoder,
    X: Any,
    labels: NDArray[np.int64],
    sample_weight: Any,
    seed: int,
) -> Prepared:
    """Bring the rows into the autoencoder's value units."""
    source = open_known(autoencoder, X)
    if len(labels) != len(source):
        raise InputError(f"y has {len(labels)} values and X {len(source)} rows; give one class for each row")
    features = copy.deepcopy(autoencoder.model_.features).cpu()
    return preparing.prepare(
        source,
        autoencoder.schema_,
        check_weight(sample_weight, source, autoencoder.schema_, X),
        lambda statistics: features,
        labels=labels,
        fraction=float(classifier.validation_fraction),
        seed=seed,
        device=choose_device(classifier.device),
        statistics=features.statistics,
    )


def build(
    classifier: AutoencoderClassifier,
    autoencoder: BaseAutoencoder,
    prepared: Prepared,
    counts: NDArray[np.int64],
) -> ClassifierModel:
    """Put a linear layer on the encoder, whose weights are those learned or, if not wanted, random ones."""
    architecture = autoencoder.architecture_
    model = ClassifierModel.on(autoencoder.model_, label_density(counts), architecture.activation)
    if not classifier.pretrained:
        n_outputs = model.code.n_outputs
        model.encoder = build_encoder(
            architecture, autoencoder.schema_, model.features, n_outputs, 0, autoencoder.encoder
        )
    return model.to(prepared.features.centre.device)


def make_trainer(
    classifier: AutoencoderClassifier,
    autoencoder: BaseAutoencoder,
    model: Any,
    prepared: Prepared,
    seed: int,
) -> Trainer:
    """Put the run at its start."""
    settings = choose_settings(classifier, prepared, seed, linear=autoencoder.architecture_.linear)
    trainer = Trainer(model, prepared.batches, prepared.held_out, settings)
    trainer.report = lambda message: warnings.warn(message, UserWarning, stacklevel=2)
    return trainer


def choose_settings(
    classifier: AutoencoderClassifier, prepared: Prepared, seed: int, *, linear: bool
) -> Settings:
    """Resolve what is left at "auto"."""
    batches, size = prepared.batches, classifier.batch_size
    batch_size = auto_batch_size(batches.n_rows) if isinstance(size, str) else int(size)
    return resolve_settings(
        n_batches=batches.n_batches(batch_size),
        batch_size=batch_size,
        linear=linear,
        max_epochs=classifier.max_epochs,
        learning_rate=classifier.learning_rate,
        patience=classifier.patience,
        weight_decay=float(classifier.weight_decay),
        seed=seed,
    )


def train(trainer: Trainer) -> None:
    """Run the epochs; an interrupt ends them and keeps the best model so far."""
    try:
        with interruptible(trainer, None) as interrupts:
            while not trainer.finished:
                trainer.epoch()
                interrupts.release()
    except KeyboardInterrupt:
        warnings.warn(
            f"interrupted in epoch {trainer.progress.epoch + 1}; the best model so far is kept",
            UserWarning,
            stacklevel=5,
        )


def figures(model: Any, prepared: Prepared) -> dict[str, Any]:
    """Measure the classifier beside one that knows only how frequent the classes are."""
    held_out = prepared.held_out
    rows = some_rows(prepared.batches, MAX_FIGURE_ROWS) if held_out is None else held_out
    rows = rows.take(slice(0, MAX_FIGURE_ROWS))
    labels = _labels(rows)
    found = apply(model, rows, lambda piece: torch.log_softmax(model.logits(piece.rows).double(), 1))
    log_shares = found.astype(np.float64)
    frequencies = model.density.initial_outputs().double().cpu().numpy()
    usual = frequencies - np.logaddexp.reduce(frequencies)
    return {
        "rows": "training" if held_out is None else "held-out",
        "n_rows": len(rows),
        "accuracy": float(np.mean(log_shares.argmax(axis=1) == labels)),
        "majority_accuracy": float(np.mean(usual.argmax() == labels)),
        "cross_entropy": float(-np.mean(np.take_along_axis(log_shares, labels[:, None], axis=1))),
        "frequencies_cross_entropy": float(-np.mean(usual[labels])),
    }


def _labels(batch: Batch) -> NDArray[np.int64]:
    assert batch.labels is not None
    return batch.labels.cpu().numpy()
