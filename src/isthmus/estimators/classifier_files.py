"""A classifier as a model folder, and as a pickle: weights as arrays, and nothing that is executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus import store
from isthmus.errors import InputError, StoreError
from isthmus.estimators import persistence
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.building import model_arrays
from isthmus.estimators.card import classifier_card
from isthmus.estimators.classifier_model import ClassifierModel, label_density
from isthmus.estimators.networks import ModuleFactory
from isthmus.estimators.registry import estimator_class

if TYPE_CHECKING:
    from isthmus.estimators.classifier import AutoencoderClassifier

__all__ = ["freeze", "read", "save", "thaw"]

AUTOENCODER, CLASSIFIER = "autoencoder.", "classifier."
FIGURES = {"rows", "n_rows", "accuracy", "majority_accuracy", "cross_entropy", "frequencies_cross_entropy"}
# What the entries of classes_ may be.
KINDS = "biufU"


# Model folders ----------------------------------------------------------------------------------------------


def save(classifier: AutoencoderClassifier, path: Path, *, overwrite: bool) -> None:
    """Write a fitted classifier to the folder `path`."""
    autoencoder = classifier.estimator_
    arrays = {f"{AUTOENCODER}{name}": array for name, array in model_arrays(autoencoder.model_).items()}
    files = {
        "config.json": store.json_bytes(_config(classifier)),
        "schema.json": store.json_bytes(autoencoder.schema_.to_json()),
        "weights.safetensors": store.tensor_bytes(arrays | _weights(classifier.model_)),
        "history.csv": persistence.history_bytes(classifier.history_),
        "metrics.json": store.json_bytes(persistence.finite(classifier.metrics_)),
        "README.md": classifier_card(classifier).encode(),
    }
    store.write_folder(path, files, overwrite=overwrite)


def _weights(model: ClassifierModel) -> dict[str, NDArray[Any]]:
    state = model.state_dict().items()
    return {f"{CLASSIFIER}{name}": tensor.detach().cpu().numpy() for name, tensor in state}


def _config(classifier: AutoencoderClassifier) -> dict[str, Any]:
    given = classifier.get_params(deep=False)
    names = getattr(classifier, "feature_names_in_", None)
    return {
        "format_version": store.FORMAT_VERSION,
        "estimator": persistence.CLASSIFIER,
        "params": {name: persistence.plain(value) for name, value in given.items() if name != "estimator"},
        "given": _describe_given(classifier),
        "autoencoder": _describe_autoencoder(classifier.estimator_),
        "classes": {"dtype": _class_type(classifier.classes_), "values": classifier.classes_.tolist()},
        "seed": classifier.seed_,
        "n_iter": classifier.n_iter_,
        "n_training_rows": classifier.n_training_rows_,
        "n_features_in": classifier.n_features_in_,
        "feature_names_in": None if names is None else [str(name) for name in names],
    }


def _describe_given(classifier: AutoencoderClassifier) -> dict[str, Any] | str | None:
    """Return the parameter `estimator`: "fitted" where it is the fitted one, else what it is made of."""
    given = classifier.estimator
    if given is None or given is classifier.estimator_:
        return None if given is None else "fitted"
    params = given.get_params(deep=False).items()
    chosen = {name: persistence.plain(value) for name, value in params if name not in persistence.PASSING}
    return {"estimator": type(given).__name__, "params": chosen}


def _describe_autoencoder(autoencoder: BaseAutoencoder) -> dict[str, Any]:
    return persistence.config_of(autoencoder) | {
        "metrics": persistence.finite(autoencoder.metrics_),
        "history": persistence.history_bytes(autoencoder.history_).decode(),
    }


def _class_type(classes: NDArray[Any]) -> str:
    texts = all(type(value) is str for value in classes.tolist())
    if classes.dtype.kind not in KINDS and not texts:
        raise InputError(f"classes of type {classes.dtype} cannot be saved; fit on texts or numbers")
    if texts:
        return "str" if classes.dtype.kind == "U" else "object"
    return str(classes.dtype.name)


def read(
    kind: type[AutoencoderClassifier], files: store.ModelFiles, given: dict[str, ModuleFactory | None]
) -> AutoencoderClassifier:
    """Build a classifier from the files of a model folder."""
    config = files.config
    autoencoder = _read_autoencoder(files, given)
    classifier = kind(**dict(config["params"]))
    classifier.estimator = _read_given(config["given"], autoencoder, given, files.path)
    classifier._validate_params()
    classifier.estimator_ = autoencoder
    classifier.classes_ = _read_classes(config["classes"])
    weights = _below(files.weights.arrays, CLASSIFIER)
    classifier.model_ = _rebuild(autoencoder, len(classifier.classes_), weights)
    classifier.model_.to(persistence.present_device(classifier.device))
    classifier.seed_ = persistence.whole_number(config["seed"])
    classifier.n_iter_ = persistence.whole_number(config["n_iter"])
    classifier.n_training_rows_ = persistence.whole_number(config["n_training_rows"])
    names = config["feature_names_in"]
    persistence.restore_names(classifier, autoencoder.schema_, config["n_features_in"], names)
    classifier.history_ = persistence.read_history(files.history)
    classifier.metrics_ = _read_metrics(files.metrics)
    return classifier


def _read_autoencoder(files: store.ModelFiles, given: dict[str, ModuleFactory | None]) -> BaseAutoencoder:
    described = dict(files.config["autoencoder"])
    inner = replace(
        files,
        config=described,
        metrics=described.pop("metrics"),
        history=described.pop("history"),
        weights=store.Tensors(_below(files.weights.arrays, AUTOENCODER), {}),
    )
    return persistence.read(inner, given)


def _read_given(
    described: Any, autoencoder: BaseAutoencoder, given: dict[str, ModuleFactory | None], path: Path
) -> BaseAutoencoder | None:
    if described is None or described == "fitted":
        return None if described is None else autoencoder
    params = persistence.read_params(dict(described["params"]), given, path)
    estimator = estimator_class(described["estimator"])(**params)
    estimator._validate_params()
    return estimator


def _read_classes(described: Mapping[str, Any]) -> NDArray[Any]:
    values, name = described["values"], described["dtype"]
    dtype = np.dtype(str(name))
    plain = isinstance(values, list) and len({type(value) for value in values}) == 1
    if not plain or type(values[0]) not in (bool, int, float, str) or dtype.kind not in (*KINDS, "O"):
        raise InputError("config.json does not name classes")
    classes = np.array(values, dtype=dtype)
    if classes.tolist() != values or len(np.unique(classes)) != len(values):
        raise InputError("config.json does not name distinct classes")
    return classes


def _read_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    if metrics.keys() != FIGURES or metrics["rows"] not in ("held-out", "training"):
        raise InputError("metrics.json does not hold the figures of a classifier")
    numbers = {name: value for name, value in metrics.items() if name != "rows"}
    if any(type(value) not in (int, float, type(None)) for value in numbers.values()):
        raise InputError("metrics.json does not hold the figures of a classifier")
    return metrics | {name: np.nan if value is None else value for name, value in numbers.items()}


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


def _rebuild(
    autoencoder: BaseAutoencoder, n_classes: int, arrays: Mapping[str, NDArray[Any]]
) -> ClassifierModel:
    """Build the module of a classifier again, on the CPU."""
    held = sum(array.size for array in arrays.values())
    declared = n_classes * autoencoder.n_components_
    if declared > held:
        raise StoreError(f"{n_classes} classes need {declared:,} weights, there are {held:,}")
    density = label_density(np.ones(n_classes))
    model = ClassifierModel.on(autoencoder.model_, density, autoencoder.architecture_.activation)
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    return model.eval()


# Pickles ----------------------------------------------------------------------------------------------------


def freeze(state: dict[str, Any]) -> dict[str, Any]:
    """Return a classifier's state with its module as arrays."""
    return state | {"model_": _weights(state["model_"])} if "model_" in state else state


def thaw(state: dict[str, Any]) -> dict[str, Any]:
    """Undo `freeze`; the module is on the CPU."""
    if "model_" not in state:
        return state
    weights = _below(state["model_"], CLASSIFIER)
    return state | {"model_": _rebuild(state["estimator_"], len(state["classes_"]), weights)}
