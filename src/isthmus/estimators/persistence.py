"""Fitted estimators as model folders: nothing in one is executed, unpickled or imported when it is loaded."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus import store
from isthmus.data.schema import Schema
from isthmus.errors import InputError, StoreError
from isthmus.estimators.architecture import Architecture, describe, read_architecture
from isthmus.estimators.building import model_arrays, rebuild_model
from isthmus.estimators.card import model_card
from isthmus.estimators.likelihood_choice import resolve_likelihood
from isthmus.estimators.networks import ModuleFactory
from isthmus.estimators.sizes import least_weights
from isthmus.model import Model
from isthmus.parts.priors.flow import FlowPrior
from isthmus.parts.registry import Part, to_json

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = [
    "CLASSIFIER",
    "config_of",
    "finite",
    "history_bytes",
    "plain",
    "present_device",
    "read",
    "read_history",
    "read_params",
    "restore_names",
    "save",
    "whole_number",
]

CLASSIFIER = "AutoencoderClassifier"

FACTORIES = ("encoder", "decoder")
# Where a run kept its checkpoint and which threads wrote it say nothing of the model.
PASSING = ("schema", "checkpoint")
# Figures that stand together; a model has those of its first line, and one of the errors.
MEASURED = ("rows", "n_rows", "units", "score")
ERRORS = tuple((name, f"pca_{name}", f"mean_{name}") for name in ("squared_error", "accuracy"))
DENSITY = (
    "log_likelihood",
    "log_likelihood_std_error",
    "log_likelihood_n_rows",
    "log_likelihood_is",
    "independent_log_likelihood",
)


def save(estimator: BaseAutoencoder, path: Path, *, overwrite: bool) -> None:
    """Write a fitted estimator to the folder `path`."""
    files = {
        "config.json": store.json_bytes(config_of(estimator)),
        "schema.json": store.json_bytes(estimator.schema_.to_json()),
        "weights.safetensors": store.tensor_bytes(model_arrays(estimator.model_)),
        "history.csv": history_bytes(estimator.history_),
        "metrics.json": store.json_bytes(finite(estimator.metrics_)),
        "README.md": model_card(estimator).encode(),
    }
    store.write_folder(path, files, overwrite=overwrite)


def config_of(estimator: BaseAutoencoder) -> dict[str, Any]:
    """Return what config.json holds."""
    given = estimator.get_params(deep=False)
    params = {name: plain(value) for name, value in given.items() if name not in PASSING}
    names = getattr(estimator, "feature_names_in_", None)
    condition, labels = estimator.condition_schema_, getattr(estimator, "labels_", None)
    return {
        "format_version": store.FORMAT_VERSION,
        "estimator": type(estimator).__name__,
        "params": params,
        "architecture": describe(estimator.architecture_),
        "condition_schema": None if condition is None else condition.to_json(),
        "labels": None if labels is None else labels.tolist(),
        "seed": estimator.seed_,
        "n_iter": estimator.n_iter_,
        "n_training_rows": estimator.n_training_rows_,
        "n_features_in": estimator.n_features_in_,
        "feature_names_in": None if names is None else [str(name) for name in names],
    }


def plain(value: Any) -> Any:
    """Return a parameter as JSON; a factory by its name, a generator as None (the drawn seed is kept)."""
    if isinstance(value, Part):
        return to_json(value)
    if callable(value):
        return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', type(value).__name__)}"
    if isinstance(value, np.random.RandomState):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(name): plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, (tuple, list)) else value


def finite(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return figures as JSON, which has no way to write one that is not finite."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in metrics.items()
    }


def history_bytes(history: list[dict[str, float]]) -> bytes:
    """Return the history as CSV."""
    text = io.StringIO()
    if history:
        # `partial_fit` after `fit` adds rows without held-out figures.
        names = dict.fromkeys(name for row in history for name in row)
        writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    return text.getvalue().encode()


def read(files: store.ModelFiles, given: dict[str, ModuleFactory | None]) -> BaseAutoencoder:
    """Build an autoencoder from the files of a model folder."""
    from isthmus.estimators.registry import estimator_class

    config, arrays = files.config, files.weights.arrays
    schema = Schema.from_json(files.schema)
    architecture = read_architecture(config["architecture"])
    resolve_likelihood(architecture.likelihood, schema)  # refuses one that does not suit the columns
    estimator = estimator_class(config["estimator"])(**read_params(dict(config["params"]), given, files.path))
    estimator._validate_params()
    estimator._parts()
    estimator._terms()
    described = config.get("condition_schema")
    condition = None if described is None else Schema.from_json(described)
    declared = least_weights(architecture, schema, condition, networks=not all(given.values()))
    _check_size(declared, arrays, files.path)
    estimator.model_ = rebuild_model(
        architecture, schema, arrays, given["encoder"], given["decoder"], condition
    )
    _check_prior(estimator.model_)
    estimator.condition_schema_ = condition
    if config.get("labels") is not None:
        estimator.labels_ = _read_labels(config["labels"], architecture.n_labels)
    _restore(estimator, architecture, schema, files)
    return estimator


def read_params(params: dict[str, Any], given: dict[str, ModuleFactory | None], path: Path) -> dict[str, Any]:
    """Return the parameters, in which the factories given take the place of the names that are kept."""
    strange = sorted(params.keys() & set(PASSING))
    if strange:
        raise StoreError(f"{path}: config.json sets {strange[0]}, which no model does; save the model again")
    for name in FACTORIES:
        if params[name] is not None and given[name] is None:
            raise StoreError(
                f"{path}: fitted with its own {name} ({params[name]}); pass it: load(path, {name}=...)"
            )
        params[name] = given[name]
    return {name: tuple(value) if isinstance(value, list) else value for name, value in params.items()}


def _check_size(declared: int, arrays: dict[str, NDArray[Any]], path: Path) -> None:
    """Refuse declared layers that the weights do not hold, before memory is taken for them."""
    held = sum(array.size for array in arrays.values())
    if declared > held:
        raise StoreError(
            f"{path}: config.json declares layers of {declared:,} weights, the weights are {held:,} "
            "numbers; save the model again"
        )


def _check_prior(model: Model) -> None:
    """Refuse a flow whose order of components, which is kept with the weights, is none."""
    if isinstance(model.prior, FlowPrior):
        with torch.no_grad():
            model.prior.log_prob(torch.zeros(1, model.prior.n_components))


def _restore(
    estimator: BaseAutoencoder, architecture: Architecture, schema: Schema, files: store.ModelFiles
) -> None:
    config = files.config
    estimator.architecture_ = architecture
    estimator.schema_ = schema
    estimator.n_components_ = architecture.n_components
    estimator.seed_ = whole_number(config["seed"])
    estimator.n_iter_ = whole_number(config["n_iter"])
    estimator.n_training_rows_ = whole_number(config["n_training_rows"])
    restore_names(estimator, schema, config["n_features_in"], config["feature_names_in"])
    estimator.metrics_ = _read_metrics(files.metrics)
    estimator.history_ = read_history(files.history)
    estimator.model_.set_device(present_device(estimator.device))


def restore_names(estimator: BaseAutoencoder, schema: Schema, n_features: Any, names: Any) -> None:
    """Set what scikit-learn checks; a given schema's ignored columns may have been absent.

    The schema of an array has names of its own, whatever the frame was called that a model learned from.
    """
    known = {column.name for column in schema.features}
    named = isinstance(names, list) and len(set(names)) == len(names) == n_features
    named = named and (schema.container == "array" or known.issuperset(names))
    if not (named or names is None) or not 0 < whole_number(n_features) <= len(known):
        raise InputError("config.json and schema.json name different columns")
    estimator.n_features_in_ = n_features
    if names is not None:
        estimator.feature_names_in_ = np.array(names, dtype=object)


def _read_labels(labels: Any, n_labels: int) -> NDArray[Any]:
    plain = isinstance(labels, list) and all(isinstance(label, str | int | float) for label in labels)
    if not plain or len(labels) != n_labels:
        raise InputError(f"config.json does not name {n_labels} labels")
    return np.array(labels)


def whole_number(number: Any) -> int:
    """Return what must be a whole number of at least 0."""
    if type(number) is not int or number < 0:
        raise InputError(f"{number!r} is no whole number of at least 0")
    return number


def present_device(device: str) -> torch.device:
    """Return the device, or the CPU where this machine lacks it: the model may come from another one."""
    from isthmus.estimators.choices import choose_device

    try:
        return choose_device(device)
    except InputError:
        return torch.device("cpu")


def _read_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the figures, NaN where one was not finite."""
    strange = [name for name, value in metrics.items() if type(value) not in _types(name)]
    if strange or (metrics and not _are_complete(set(metrics))):
        raise InputError("metrics.json does not hold the figures of a model")
    return {name: np.nan if value is None else value for name, value in metrics.items()}


def _types(name: str) -> tuple[type, ...]:
    if name in ("rows", "units", "log_likelihood_is"):
        return (str,)
    return (int,) if name.endswith("n_rows") else (int, float, type(None))


def _are_complete(names: set[str]) -> bool:
    groups = [names & set(group) for group in (*ERRORS, DENSITY)]
    whole = [len(some) in (0, len(group)) for some, group in zip(groups, (*ERRORS, DENSITY), strict=True)]
    return names >= set(MEASURED) and all(whole) and any(groups[: len(ERRORS)])


def read_history(text: str) -> list[dict[str, float]]:
    """Undo `history_bytes`."""
    history = [
        {name: float(value) for name, value in row.items() if value}
        for row in csv.DictReader(io.StringIO(text))
    ]
    if not all(map(_is_epoch, history)):
        raise InputError("history.csv does not hold the epochs of a model")
    return history


def _is_epoch(row: dict[str, float]) -> bool:
    measured = "validation_loss" in row or not any(name.startswith("validation_") for name in row)
    numbers = row.get("epoch", np.nan), row.get("seconds", np.nan), row.get("learning_rate", 0.0)
    return measured and "loss" in row and bool(np.isfinite(numbers).all())
