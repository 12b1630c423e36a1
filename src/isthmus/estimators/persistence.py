"""Fitted estimators as model folders: nothing in one is executed, unpickled or imported when it is loaded."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

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
    params = {
        name: _plain(value) for name, value in estimator.get_params(deep=False).items() if name not in PASSING
    }
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
    """Return a parameter as JSON; a factory by its name alone, a generator as None (the drawn seed is kept)."""
    if isinstance(value, Part):
        return to_json(value)
    if callable(value):
        return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', type(value).__name__)}"
    if isinstance(value, np.random.RandomState):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _finite(metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in metrics.items()
    }


def _history_bytes(history: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    if history:
        writer = csv.DictWriter(text, list(history[-1]), restval="", extrasaction="ignore", lineterminator="\n")
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
    from isthmus.estimators.registry import estimator_class

    files = store.read_folder(path)
    given = {"encoder": encoder, "decoder": decoder}
    try:
        config = files.config
        schema = Schema.from_json(files.schema)
        architecture = read_architecture(config["architecture"])
        params = _read_params(dict(config["params"]), given, Path(path))
        estimator = estimator_class(config["estimator"])(**params)
        estimator._validate_params()
        _check_size(architecture, files.weights.arrays, path)
        estimator.model_ = rebuild_model(architecture, schema, files.weights.arrays, encoder, decoder)
        _restore(estimator, architecture, schema, files)
    except StoreError:
        raise
    except (InputError, KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(
            f"{path}: the files of this model do not fit together ({first}); save the model again"
        ) from error
    return estimator


def _read_params(
    params: dict[str, Any], given: dict[str, ModuleFactory | None], path: Path
) -> dict[str, Any]:
    for name in FACTORIES:
        if params[name] is not None and given[name] is None:
            raise StoreError(
                f"{path}: fitted with its own {name} ({params[name]}); pass it: load(path, {name}=...)"
            )
        params[name] = given[name]
    if isinstance(params.get("hidden_sizes"), list):
        params["hidden_sizes"] = tuple(params["hidden_sizes"])
    return params


def _check_size(architecture: Architecture, arrays: dict[str, np.ndarray], path: str | Path) -> None:
    """Refuse declared layers that the weights do not hold, before memory is taken for them."""
    largest = max((array.size for array in arrays.values()), default=0)
    declared = max((architecture.n_components, *architecture.hidden_sizes))
    if declared > largest:
        raise StoreError(
            f"{path}: config.json declares a layer of {declared} units, the weights hold at most {largest} "
            "numbers in one; save the model again"
        )


def _restore(
    estimator: BaseAutoencoder, architecture: Architecture, schema: Schema, files: store.ModelFiles
) -> None:
    from isthmus.estimators.fitting import choose_device

    config = files.config
    estimator.architecture_ = architecture
    estimator.schema_ = schema
    estimator.n_components_ = architecture.n_components
    estimator.seed_ = int(config["seed"])
    estimator.n_iter_ = int(config["n_iter"])
    estimator.n_training_rows_ = int(config["n_training_rows"])
    estimator.n_features_in_ = int(config["n_features_in"])
    if config["feature_names_in"] is not None:
        estimator.feature_names_in_ = np.array(config["feature_names_in"], dtype=object)
    estimator.metrics_ = files.metrics
    estimator.history_ = _read_history(files.history)
    estimator.model_.set_device(choose_device(estimator.device))


def _read_history(text: str) -> list[dict[str, float]]:
    return [
        {name: float(value) for name, value in row.items() if value} for row in csv.DictReader(io.StringIO(text))
    ]
