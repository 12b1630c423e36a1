from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import isthmus
from isthmus import Autoencoder, DenoisingAutoencoder
from isthmus.errors import StoreError
from isthmus.store import LIMITS, write_tensors


@pytest.fixture(scope="module")
def saved(rows: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    DenoisingAutoencoder(2, hidden_sizes=(8,), max_epochs=3, random_state=0).fit(rows).save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    shutil.copytree(saved, tmp_path / "model")
    return tmp_path / "model"


def test_a_loaded_model_answers_the_same_to_the_bit(
    table: pl.DataFrame, table_model: Autoencoder, tmp_path: Path
) -> None:
    table_model.save(tmp_path / "model")
    loaded = isthmus.load(tmp_path / "model")
    assert {path.name for path in (tmp_path / "model").iterdir()} == set(LIMITS)
    np.testing.assert_array_equal(loaded.transform(table), table_model.transform(table))
    np.testing.assert_array_equal(loaded.score_samples(table), table_model.score_samples(table))
    assert loaded.reconstruct(table).equals(table_model.reconstruct(table))
    assert loaded.schema_ == table_model.schema_
    assert loaded.metrics_ == table_model.metrics_
    assert loaded.history_ == table_model.history_
    assert list(loaded.feature_names_in_) == list(table_model.feature_names_in_)


def test_a_loaded_model_learns_on(rows: np.ndarray, saved: Path) -> None:
    model = isthmus.load(saved)
    before = model.score(rows)
    for _ in range(30):
        model.partial_fit(rows)
    assert model.score(rows) > before


def test_saving_twice_needs_overwrite(rows: np.ndarray, copy: Path) -> None:
    model = isthmus.load(copy)
    with pytest.raises(StoreError, match="exists"):
        model.save(copy)
    model.save(copy, overwrite=True)
    assert isthmus.load(copy).n_components_ == 2


def linear(n_in: int, n_out: int) -> torch.nn.Module:
    return torch.nn.Linear(n_in, n_out)


def test_a_custom_encoder_is_named_and_never_imported(rows: np.ndarray, tmp_path: Path) -> None:
    model = Autoencoder(2, encoder=linear, max_epochs=2, random_state=0).fit(rows)
    model.save(tmp_path / "model")
    with pytest.raises(StoreError, match=r"load\(path, encoder=\.\.\.\)"):
        isthmus.load(tmp_path / "model")
    loaded = isthmus.load(tmp_path / "model", encoder=linear)
    np.testing.assert_array_equal(loaded.transform(rows), model.transform(rows))


def edit(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", lambda c: c["architecture"].update(n_components=3)),
        ("config.json", lambda c: c["architecture"].update(hidden_sizes=[10**9])),
        ("config.json", lambda c: c["architecture"].update(hidden_sizes=[-1])),
        ("config.json", lambda c: c["architecture"].update(activation="os.system")),
        ("config.json", lambda c: c["architecture"].update(likelihood="categorical")),
        ("config.json", lambda c: c.update(estimator="object")),
        ("config.json", lambda c: c.pop("estimator")),
        ("config.json", lambda c: c["params"].update(max_epochs=-5)),
        ("config.json", lambda c: c["params"].update(nonsense=1)),
        ("config.json", lambda c: c.update(format_version=99)),
        ("schema.json", lambda c: c["columns"].pop()),
        ("schema.json", lambda c: c["columns"][0].update(kind="ignored")),
    ],
)
def test_an_edited_folder_is_refused_in_one_line(
    copy: Path, name: str, change: Callable[[dict[str, Any]], object]
) -> None:
    edit(copy, name, change)
    with pytest.raises(StoreError) as refusal:
        isthmus.load(copy)
    assert "\n" not in str(refusal.value)


def test_weights_of_other_shapes_are_refused(copy: Path) -> None:
    write_tensors(copy / "weights.safetensors", {"model.encoder.0.weight": np.zeros((2, 2))}, overwrite=True)
    with pytest.raises(StoreError):
        isthmus.load(copy)


def refusal_of(folder: Path) -> str:
    """Return why a folder is refused, or nothing if it is loaded."""
    try:
        isthmus.load(folder)
    except StoreError as refusal:
        return str(refusal)
    return ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_edit_of_the_json_files_does_harm(saved: Path, tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
    name = data.draw(st.sampled_from(["config.json", "schema.json", "metrics.json"]))
    content = json.loads((folder / name).read_text())
    place: Any = content
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    (folder / name).write_text(json.dumps(content))
    assert "\n" not in refusal_of(folder)
