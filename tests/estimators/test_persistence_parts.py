"""Edited folders of models with priors, codebooks, opponents and conditions are refused in one line.

Where a folder declares more than its weights hold, that is found before any memory is taken.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isthmus import store
from isthmus.errors import StoreError
from isthmus.estimators import (
    AdversarialAutoencoder,
    Autoencoder,
    ConditionalVariationalAutoencoder,
    VariationalAutoencoder,
    VectorQuantizedAutoencoder,
    load,
)
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.building import model_arrays
from isthmus.estimators.registry import ESTIMATORS
from isthmus.estimators.sizes import least_weights

SHORT = {"hidden_sizes": (8,), "max_epochs": 1, "random_state": 0}
RING = "gaussian_mixture:layout=ring,n_clusters=3"
GROUP = np.arange(120) % 3


def fit_conditional(rows: np.ndarray) -> BaseAutoencoder:
    return ConditionalVariationalAutoencoder(2, **SHORT).fit(rows, condition=np.array(["a", "b", "c"])[GROUP])


def fit_images(rows: np.ndarray) -> BaseAutoencoder:
    images = np.random.default_rng(0).random((40, 8, 8))
    return VariationalAutoencoder(2, **SHORT | {"hidden_sizes": (4, 6), "network": "conv"}).fit(images)


MAKERS: dict[str, Callable[[np.ndarray], BaseAutoencoder]] = {
    "vamp": lambda X: VariationalAutoencoder(2, prior="vamp_prior:n_pseudo_inputs=7", **SHORT).fit(X),
    "mixture": lambda X: VariationalAutoencoder(2, prior="gaussian_mixture:n_clusters=3", **SHORT).fit(X),
    "flow": lambda X: VariationalAutoencoder(4, prior="flow:n_layers=2,width=8", **SHORT).fit(X),
    "tokens": lambda X: VectorQuantizedAutoencoder(
        4, posterior="vector_quantized:n_codes=8", prior="autoregressive:width=6", **SHORT
    ).fit(X),
    "levels": lambda X: VectorQuantizedAutoencoder(
        4, posterior="finite_scalar", prior="autoregressive:width=6", **SHORT
    ).fit(X),
    "opponent": lambda X: AdversarialAutoencoder(
        2, prior=RING, adversarial={"kind": "adversarial", "hidden_sizes": [8, 6]}, **SHORT
    ).fit(X, labels=GROUP),
    "condition": fit_conditional,
    "images": fit_images,
    "gates": lambda X: Autoencoder(2, network="gated_mlp", **SHORT).fit(X),
}


@pytest.fixture(scope="module")
def folders(rows: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("kinds")
    for name, make in MAKERS.items():
        make(rows).save(root / name)
    return {name: root / name for name in MAKERS}


@pytest.fixture
def refused(folders: dict[str, Path], tmp_path: Path) -> Callable[..., None]:
    """Return what edits a copy of a folder, and asserts that it is refused in one line."""

    def check(name: str, problem: str, *path: str | int, to: Any) -> None:
        folder = tmp_path / "model"
        folder.mkdir()
        for file in folders[name].iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        config = json.loads((folder / "config.json").read_text())
        inner = config
        for step in path[:-1]:
            inner = inner[step]
        assert inner[path[-1]] != to
        inner[path[-1]] = to
        (folder / "config.json").write_text(json.dumps(config))
        with pytest.raises(StoreError, match=problem) as caught:
            load(folder)
        assert "\n" not in str(caught.value)

    return check


@pytest.mark.parametrize("name", MAKERS)
def test_unedited_folders_are_read(folders: dict[str, Path], name: str) -> None:
    assert load(folders[name]).n_components_ >= 2


@pytest.mark.parametrize("name", MAKERS)
def test_an_honest_model_holds_more_than_it_declares(folders: dict[str, Path], name: str) -> None:
    model = load(folders[name])
    held = sum(array.size for array in model_arrays(model.model_).values())
    assert 0 < least_weights(model.architecture_, model.schema_, model.condition_schema_) <= held


HUGE: dict[str, tuple[str, tuple[str | int, ...], Any]] = {
    "pseudo-inputs": ("vamp", ("architecture", "prior", "n_pseudo_inputs"), 65536),
    "clusters": ("mixture", ("architecture", "prior", "n_clusters"), 65536),
    "layers of a flow": ("flow", ("architecture", "prior", "n_layers"), 64),
    "width of a flow": ("flow", ("architecture", "prior", "width"), 16384),
    "codes": ("tokens", ("architecture", "posterior", "n_codes"), 65536),
    "levels": ("levels", ("architecture", "posterior", "levels"), 65536),
    "width of a prior": ("tokens", ("architecture", "prior", "width"), 16384),
    "discriminator": ("opponent", ("architecture", "terms", 0, "hidden_sizes"), [10**9, 10**9]),
    "one wide layer": ("opponent", ("architecture", "terms", 0, "hidden_sizes"), [10**12]),
    "labels": ("opponent", ("architecture", "n_labels"), 10**12),
    "channels": ("images", ("architecture", "hidden_sizes"), [10**5]),
    "a last stage": ("images", ("architecture", "hidden_sizes"), [4, 10**6]),
    "gates": ("gates", ("architecture", "hidden_sizes"), [10**7]),
    "perceptrons as convolutions": ("vamp", ("architecture", "hidden_sizes"), [10**5]),
    "components": ("flow", ("architecture", "n_components"), 10**15),
}


@pytest.mark.parametrize(("name", "path", "to"), HUGE.values(), ids=HUGE)
def test_what_the_weights_do_not_hold_takes_no_memory(
    refused: Callable[..., None], name: str, path: tuple[str | int, ...], to: Any
) -> None:
    refused(name, "declares layers of", *path, to=to)


EDITED: dict[str, tuple[str, tuple[str | int, ...], Any, str]] = {
    "fewer pseudo-inputs": ("vamp", ("architecture", "prior", "n_pseudo_inputs"), 6, "size mismatch"),
    "another prior": ("vamp", ("architecture", "prior"), {"kind": "standard_normal"}, "pseudo_inputs"),
    "no prior": ("vamp", ("architecture", "prior"), None, "compares codes with a prior"),
    "no such prior": ("vamp", ("architecture", "prior"), {"kind": "vamp"}, "Did you mean|no prior"),
    "a point": ("vamp", ("architecture", "posterior"), {"kind": "point"}, "code without noise"),
    "no terms": ("opponent", ("architecture", "terms"), [], "discriminator"),
    "terms of text": ("opponent", ("architecture", "terms"), "adversarial", "term"),
    "another number of labels": ("opponent", ("architecture", "n_labels"), 2, "size mismatch|labels"),
    "more labels than parts": ("opponent", ("architecture", "n_labels"), 4, "4 labels|size mismatch"),
    "labels that are none": ("opponent", ("labels",), [[1], [2], [3]], "does not name 3 labels"),
    "too few labels": ("opponent", ("labels",), [0, 1], "does not name 3 labels"),
    "too many labels": ("opponent", ("labels",), [0, 1, 2, 3], "does not name 3 labels"),
    "codes by threes": ("tokens", ("architecture", "posterior", "token_size"), 3, "no multiple"),
    "a density of tokens": (
        "tokens",
        ("architecture", "prior"),
        {"kind": "standard_normal"},
        "recurrent|prior",
    ),
    "no condition": ("condition", ("condition_schema",), None, "size mismatch|condition"),
    "an empty condition": ("condition", ("condition_schema",), {}, "keys"),
    "another level": ("condition", ("condition_schema", "columns", 0, "levels"), ["a", "b"], "condition"),
    "a constant": ("condition", ("condition_schema", "columns", 0, "kind"), "constant", "constant"),
    "a number": ("condition", ("condition_schema", "columns", 0, "kind"), "continuous", "continuous"),
    "a condition of a plain model": ("flow", ("condition_schema",), {"columns": []}, "keys"),
    "a network that is none": ("images", ("architecture", "network"), "transformer", "is no network"),
    "perceptrons": ("images", ("architecture", "network"), "mlp", "fit together"),
    "an infinite bound": (
        "vamp",
        ("architecture", "bound"),
        {"kind": "importance_weighted", "k": 10**9},
        "k",
    ),
    "a term of the parameters": ("vamp", ("params", "terms"), ["nonsense"], "no term"),
}


@pytest.mark.parametrize(("name", "path", "to", "problem"), EDITED.values(), ids=EDITED)
def test_an_edited_part_is_refused(
    refused: Callable[..., None], name: str, path: tuple[str | int, ...], to: Any, problem: str
) -> None:
    refused(name, problem, *path, to=to)


def test_a_condition_with_very_many_levels_takes_no_memory(refused: Callable[..., None]) -> None:
    levels = [f"{i:05d}" for i in range(10_000)]
    refused("condition", "fit together", "condition_schema", "columns", 0, "levels", to=levels)


def test_wide_tables_of_many_levels_take_no_memory(
    rows: np.ndarray, folders: dict[str, Path], tmp_path: Path
) -> None:
    """Weights of a few megabytes may come with a first layer of many gigabytes."""
    import polars as pl

    frame = pl.DataFrame({"a": rows[:, 0], "c": np.array(["u", "v", "w"])[GROUP]})
    folder = tmp_path / "model"
    Autoencoder(2, **SHORT).fit(frame).save(folder)
    config, schema = (json.loads((folder / f"{name}.json").read_text()) for name in ("config", "schema"))
    config["architecture"]["hidden_sizes"] = [10**5]
    schema["columns"][1]["levels"] = [f"{i:05d}" for i in range(10_000)]
    arrays, _ = store.read_tensors(folder / "weights.safetensors")
    arrays["statistics.frequencies"] = np.full(10_001, 1e-4)
    arrays["model.ballast"] = np.zeros(10**6, np.float32)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "weights.safetensors").write_bytes(store.tensor_bytes(arrays))
    with pytest.raises(StoreError, match=r"declares layers of 1,0\d\d,\d{3},\d{3} weights"):
        load(folder)


def changed_weights(folder: Path, to: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    arrays, _ = store.read_tensors(to / "weights.safetensors")
    arrays[name] = change(arrays[name])
    (to / "weights.safetensors").write_bytes(store.tensor_bytes(arrays))
    return to


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("flow", "model.prior.layers.0.seen", lambda a: a + 100),
        ("flow", "model.prior.layers.1.moved", lambda a: a - 100),
        ("tokens", "model.code.codebook", lambda a: a[:, :3]),
        ("tokens", "model.code.counts", lambda a: a[:-1]),
        ("vamp", "model.prior.pseudo_inputs", lambda a: a[:-1]),
        ("condition", "condition_statistics.mean", lambda a: np.array([np.nan])),
        ("condition", "condition_statistics.frequencies", lambda a: a[:-1]),
    ],
)
def test_edited_weights_of_parts_are_refused(
    folders: dict[str, Path], tmp_path: Path, kind: str, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    folder = changed_weights(folders[kind], tmp_path / "model", name, change)
    with pytest.raises(StoreError, match="do not fit together") as caught:
        load(folder)
    assert "\n" not in str(caught.value)


def test_parameters_of_another_estimator_are_refused_or_harmless(
    folders: dict[str, Path], rows: np.ndarray, tmp_path: Path
) -> None:
    for name, folder in folders.items():
        for other in ESTIMATORS:
            config = json.loads((folder / "config.json").read_text())
            copy = tmp_path / f"{name}-{other}"
            copy.mkdir()
            for file in folder.iterdir():
                (copy / file.name).write_bytes(file.read_bytes())
            (copy / "config.json").write_text(json.dumps(config | {"estimator": other}))
            try:
                model = load(copy)
            except StoreError as error:
                assert "\n" not in str(error)  # noqa: PT017
            else:
                assert model.n_components_ == config["architecture"]["n_components"]
