"""Fitted estimators as model folders: nothing in one is executed, unpickled or imported when it is loaded."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus import store
from isthmus.data.schema import Schema
from isthmus.errors import InputError, StoreError
from isthmus.estimators.building import (
    Architecture,
    ModuleFactory,
    describe,
    model_arrays,
    read_architecture,
    rebuild_model,
    resolve_likelihood,
)
from isthmus.estimators.card import model_card
from isthmus.parts.registry import Part, to_json

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["load", "save"]

FACTORIES = ("encoder", "decoder")
# Where a run kept its checkpoint and which threads wrote it say nothing of the model.
PASSING = ("schema", "checkpoint")


def save(estimator: BaseAutoencoder, path: Path, *, overwrite: bool) -> None:
    """Write a fitted estimator to the folder `path`."""
    files = {
        "config.json": store.json_bytes(_config(estimator)),
        "schema.json": store.json_bytes(estimator.schema_.to_json()),
        "weights.safetensors": store.tensor_bytes(model_arrays(estimator.model_)),
        "history.csv": _history_bytes(estimator.history_),
        "metrics.json": store.json_bytes(_finite(estimator.metrics_)),
        "README.md": model_card(estimator).encode(),
    }
    store.write_folder(path, files, overwrite=overwrite)


def _config(estimator: BaseAutoencoder) -> dict[str, Any]:
    given = estimator.get_params(deep=False)
    params = {name: _plain(value) for name, value in given.items() if name not in PASSING}
    names = getattr(estimator, "feature_names_in_", None)
    return {
        "format_version": store.FORMAT_VERSION,
        "estimator": type(estimator).__name__,
        "params": params,
        "architecture": describe(estimator.architecture_),
        "seed": estimator.seed_,
        "n_iter": estimator.n_iter_,
        "n_training_rows": estimator.n_training_rows_,
        "n_features_in": estimator.n_features_in_,
        "feature_names_in": None if names is None else [str(name) for name in names],
    }


def _plain(value: Any) -> Any:
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
        return {str(name): _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, (tuple, list)) else value


def _finite(metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in metrics.items()
    }


def _history_bytes(history: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    if history:
        # `partial_fit` after `fit` adds rows without held-out figures.
        names = dict.fromkeys(name for row in history for name in row)
        writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    return text.getvalue().encode()


def load(
    path: str | Path, *, encoder: ModuleFactory | None = None, decoder: ModuleFactory | None = None
) -> BaseAutoencoder:
    """Load a saved model.

    Parameters
    ----------
    path : str or Path
        A folder that `save` wrote.
    encoder, decoder : callable, optional
        The factories of a model that was fitted with its own: a folder names them but never imports them.

    Returns
    -------
    estimator
        Fitted, on the CPU or, with ``device="auto"``, on the GPU where there is one.

    Raises
    ------
    StoreError
        If anything in the folder is missing, edited, out of bounds or does not fit together.
    """
    files = store.read_folder(path)
    try:
        return _read(files, {"encoder": encoder, "decoder": decoder})
    except StoreError:
        raise
    except Exception as error:  # whatever an edited file makes any constructor raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise StoreError(
            f"{path}: the files of this model do not fit together ({reason}); save the model again"
        ) from error


def _read(files: store.ModelFiles, given: dict[str, ModuleFactory | None]) -> BaseAutoencoder:
    from isthmus.estimators.registry import estimator_class

    config, arrays = files.config, files.weights.arrays
    schema = Schema.from_json(files.schema)
    architecture = read_architecture(config["architecture"])
    resolve_likelihood(architecture.likelihood, schema)  # refuses one that does not suit the columns
    estimator = estimator_class(config["estimator"])(
        **_read_params(dict(config["params"]), given, files.path)
    )
    estimator._validate_params()
    estimator._parts()
    if not all(given.values()):
        _check_size(architecture, arrays, files.path)
    estimator.model_ = rebuild_model(architecture, schema, arrays, given["encoder"], given["decoder"])
    _restore(estimator, architecture, schema, files)
    return estimator


def _read_params(
    params: dict[str, Any], given: dict[str, ModuleFactory | None], path: Path
) -> dict[str, Any]:
    strange = sorted(params.keys() & set(PASSING))
    if strange:
        raise StoreError(f"{path}: config.json sets {strange[0]}, which no model does; save the model again")
    for name in FACTORIES:
        if params[name] is not None and given[name] is None:
            raise StoreError(
                f"{path}: fitted with its own {name} ({params[name]}); pass it: load(path, {name}=...)"
            )
        params[name] = given[name]
    if isinstance(params.get("hidden_sizes"), list):
        params["hidden_sizes"] = tuple(params["hidden_sizes"])
    return params


def _check_size(architecture: Architecture, arrays: dict[str, NDArray[Any]], path: Path) -> None:
    """Refuse declared layers that the weights do not hold, before memory is taken for them."""
    held = sum(array.size for array in arrays.values())
    sizes = (*architecture.hidden_sizes, architecture.n_components)
    declared = max(sizes[0], sum(a * b for a, b in pairwise(sizes)))
    if declared > held:
        raise StoreError(
            f"{path}: config.json declares layers of {declared:,} weights, the weights are {held:,} "
            "numbers; save the model again"
        )


def _restore(
    estimator: BaseAutoencoder, architecture: Architecture, schema: Schema, files: store.ModelFiles
) -> None:
    config = files.config
    estimator.architecture_ = architecture
    estimator.schema_ = schema
    estimator.n_components_ = architecture.n_components
    estimator.seed_ = _whole(config["seed"])
    estimator.n_iter_ = _whole(config["n_iter"])
    estimator.n_training_rows_ = _whole(config["n_training_rows"])
    _restore_names(estimator, schema, config["n_features_in"], config["feature_names_in"])
    estimator.metrics_ = _read_metrics(files.metrics)
    estimator.history_ = _read_history(files.history)
    estimator.model_.set_device(_present_device(estimator.device))


def _restore_names(estimator: BaseAutoencoder, schema: Schema, n_features: Any, names: Any) -> None:
    """Set what scikit-learn checks; a given schema's ignored columns may have been absent."""
    known = {column.name for column in schema.features}
    named = (
        isinstance(names, list) and len(set(names)) == len(names) == n_features and known.issuperset(names)
    )
    if not (named or names is None) or not 0 < _whole(n_features) <= len(known):
        raise InputError("config.json and schema.json name different columns")
    estimator.n_features_in_ = n_features
    if names is not None:
        estimator.feature_names_in_ = np.array(names, dtype=object)


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise InputError(f"{number!r} is no whole number of at least 0")
    return number


def _present_device(device: str) -> torch.device:
    """Return the device, or the CPU where this machine lacks it: the model may come from another one."""
    from isthmus.estimators.choices import choose_device

    try:
        return choose_device(device)
    except InputError:
        return torch.device("cpu")


def _read_metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the figures, NaN where one was not finite."""
    strange = [name for name, value in metrics.items() if type(value) not in (str, int, float, type(None))]
    if strange or (metrics and not metrics.keys() >= {"rows", "n_rows", "units", "score"}):
        raise InputError("metrics.json does not hold the figures of a model")
    return {name: np.nan if value is None else value for name, value in metrics.items()}


def _read_history(text: str) -> list[dict[str, float]]:
    return [
        {name: float(value) for name, value in row.items() if value}
        for row in csv.DictReader(io.StringIO(text))
    ]
