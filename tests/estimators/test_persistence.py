from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from torch import nn

from isthmus import store
from isthmus.errors import StoreError
from isthmus.estimators import Autoencoder, DenoisingAutoencoder, load

MakeModel = Callable[..., Autoencoder]


def edit(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def refused(folder: Path, match: str = ".", **factories: Any) -> None:
    with pytest.raises(StoreError, match=match) as caught:
        load(folder, **factories)
    assert "\n" not in str(caught.value)
    assert folder.name in str(caught.value)


@pytest.fixture
def saved(rows: np.ndarray, quick: MakeModel, tmp_path: Path) -> Path:
    quick(3, hidden_sizes=(16,)).fit(rows).save(tmp_path / "model")
    return tmp_path / "model"


# There and back ---------------------------------------------------------------------------------------------


def test_a_loaded_model_behaves_to_the_bit(rows: np.ndarray, quick: MakeModel, tmp_path: Path) -> None:
    model = quick(3, likelihood="student_t:df=5.0").fit(rows)
    model.save(tmp_path / "model")
    assert {file.name for file in (tmp_path / "model").iterdir()} == set(store.LIMITS)
    loaded = load(str(tmp_path / "model"))
    for method in ("transform", "reconstruct", "score_samples"):
        assert np.array_equal(getattr(loaded, method)(rows), getattr(model, method)(rows))
    codes = model.transform(rows)
    assert np.array_equal(loaded.inverse_transform(codes), model.inverse_transform(codes))
    assert type(loaded) is Autoencoder
    assert loaded.get_params() == model.get_params()
    for name in ("history_", "metrics_", "n_iter_", "seed_", "schema_", "n_features_in_", "architecture_"):
        assert getattr(loaded, name) == getattr(model, name), name
    assert np.array_equal(loaded.fit(rows).transform(rows), codes)


def test_a_table_goes_there_and_back(table: pl.DataFrame, table_model: Autoencoder, tmp_path: Path) -> None:
    table_model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.reconstruct(table).equals(table_model.reconstruct(table))
    assert np.array_equal(loaded.score_samples(table), table_model.score_samples(table))
    assert list(loaded.feature_names_in_) == list(table_model.feature_names_in_)
    with pytest.raises(ValueError, match="same order"):
        loaded.transform(table.select(reversed(table.columns)))


def test_columns_may_stand_in_another_order_than_in_the_given_schema(
    table: pl.DataFrame, quick: MakeModel, tmp_path: Path
) -> None:
    plain = table.select("x", "city", "empty", "count")
    schema = quick(max_epochs=1).fit(plain).schema_
    other = plain.select("count", "x", "city")  # without the ignored one
    model = quick(schema=schema).fit(other)
    model.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").transform(other), model.transform(other))


def test_a_frame_may_be_learned_from_with_the_schema_of_an_array(
    rows: np.ndarray, quick: MakeModel, tmp_path: Path
) -> None:
    frame = pl.DataFrame(rows, schema=list("abcde"))
    model = quick(schema=quick(max_epochs=1).fit(rows).schema_).fit(frame)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert list(loaded.feature_names_in_) == frame.columns
    assert np.array_equal(loaded.transform(frame), model.transform(frame))


@pytest.mark.parametrize(
    "params",
    [
        {"random_state": np.random.RandomState(0)},
        {"random_state": None},
        {"hidden_sizes": [np.int64(5), 3], "n_components": np.int32(2)},
        {"learning_rate": np.float32(0.01), "weight_decay": np.float64(0.1)},
        {"likelihood": {"kind": "laplace", "scale": np.float64(2.0)}},
        {"checkpoint": Path("nowhere") / "run", "checkpoint_seconds": 1e9},
    ],
)
def test_parameters_of_any_form_are_saved(
    rows: np.ndarray,
    quick: MakeModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: dict[str, Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nowhere").mkdir()
    model = quick().set_params(**params).fit(rows)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.array_equal(loaded.transform(rows), model.transform(rows))
    loaded.fit(rows)
    assert loaded.checkpoint is None


def test_a_corruption_is_saved(rows: np.ndarray, tmp_path: Path) -> None:
    model = DenoisingAutoencoder(2, corruption="swap_noise:p=0.4", hidden_sizes=(4,), max_epochs=1).fit(rows)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert isinstance(loaded, DenoisingAutoencoder)
    assert loaded.get_params()["corruption__p"] == 0.4
    assert "swap_noise" in (tmp_path / "model" / "README.md").read_text()


def test_a_model_is_replaced_only_when_asked(saved: Path, rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    with pytest.raises(StoreError, match="exists"):
        model.save(saved)
    model.save(saved, overwrite=True)
    assert load(saved).n_components_ == 2


def test_the_card_tells_figures_beside_pcas_and_their_rows(saved: Path) -> None:
    card = (saved / "README.md").read_text()
    assert "Measured on 12 held-out rows." in card
    assert "| figure | this model | PCA, 3 components | training means |" in card
    assert "squared error per row (data units²), lower is better" in card
    assert "not a density" in card


def test_a_folder_holds_no_training_rows(quick: MakeModel, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(3000, 4))
    quick(max_epochs=1).fit(X).save(tmp_path / "model")
    assert sum(file.stat().st_size for file in (tmp_path / "model").iterdir()) < 30_000


def test_a_device_that_this_machine_lacks_becomes_the_cpu(saved: Path, rows: np.ndarray) -> None:
    edit(saved, "config.json", lambda c: c | {"params": c["params"] | {"device": "cuda:77"}})
    assert load(saved).transform(rows).shape == (120, 3)


# Factories --------------------------------------------------------------------------------------------------


def make(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 4), nn.Tanh(), nn.Linear(4, n_out))


def wider(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 5), nn.Tanh(), nn.Linear(5, n_out))


def test_own_networks_are_named_and_never_imported(
    rows: np.ndarray, quick: MakeModel, tmp_path: Path
) -> None:
    model = quick(encoder=make, hidden_sizes="auto").fit(rows)
    folder = tmp_path / "model"
    model.save(folder)
    refused(folder, r"its own encoder \(.*make\); pass it: load\(path, encoder=...\)")
    refused(folder, "do not fit together", encoder=wider)
    refused(folder, "encoder: the factory", encoder=lambda n_in, n_out: nn.Linear(n_in, n_out + 1))
    loaded = load(folder, encoder=make)
    assert np.array_equal(loaded.transform(rows), model.transform(rows))
    assert loaded.encoder is make


def test_two_small_networks_of_ones_own_are_no_huge_declaration(
    rows: np.ndarray, quick: MakeModel, tmp_path: Path
) -> None:
    quick(encoder=make, decoder=make, hidden_sizes=(10_000, 10_000)).fit(rows).save(tmp_path / "model")
    assert load(tmp_path / "model", encoder=make, decoder=make).n_components_ == 2


# Edited folders ---------------------------------------------------------------------------------------------


def at(*path: str, to: Any) -> Callable[[Any], Any]:
    """Return what sets the entry at `path`."""

    def change(value: Any) -> Any:
        inner = value
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = to
        return value

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (at("architecture", "n_components", to=4), "do not fit together"),
        (at("architecture", "hidden_sizes", to=[15]), "do not fit together"),
        (at("architecture", "hidden_sizes", to=[16, 16]), "do not fit together|declares layers"),
        (at("architecture", "hidden_sizes", to=[10**9, 10**9]), "declares layers"),
        (at("architecture", "hidden_sizes", to=[10**12]), "declares layers"),
        (at("architecture", "n_components", to=10**15), "declares layers"),
        (at("architecture", "n_waves", to=3), "do not fit together"),
        (at("architecture", "n_waves", to=10**12), "declares layers"),
        (at("architecture", "n_waves", to=-1), "n_waves=-1 is no number of waves"),
        (at("architecture", "hidden_sizes", to="many"), "are not those of a network"),
        (at("architecture", "likelihood", to={"kind": "bernoulli"}), "Bernoulli needs values"),
        (at("architecture", "likelihood", to={"kind": "laplace", "scale": "per_feature"}), "size mismatch"),
        (at("architecture", "likelihood", to=None), "is not a likelihood"),
        (at("architecture", "activation", to="evil"), "is no network"),
        (at("architecture", to={}), "hidden_sizes|n_components"),
        (at("estimator", to="Autoencodr"), 'Did you mean "Autoencoder"'),
        (at("estimator", to=["Autoencoder"]), "."),
        (at("params", "max_epochs", to=-3), "max_epochs"),
        (at("params", "likelihood", to="gausian"), 'Did you mean "gaussian"'),
        (at("params", "surprise", to=1), "surprise"),
        (at("params", "checkpoint", to="/etc/passwd"), "checkpoint"),
        (at("params", to=[]), "."),
        (at("seed", to=float("1e300")), "whole number"),
        (at("n_iter", to="3"), "whole number"),
        (at("n_features_in", to=6), "name different columns"),
        (at("n_features_in", to=0), "name different columns"),
        (at("feature_names_in", to=["a", "b", "c", "d", "d"]), "name different columns"),
        (at("feature_names_in", to=[[]]), "unhashable|name different columns"),
        (at("format_version", to=3), "upgrade"),
        (lambda config: {k: v for k, v in config.items() if k != "seed"}, "seed"),
    ],
)
def test_an_edited_config_is_refused(saved: Path, change: Callable[[Any], Any], problem: str) -> None:
    edit(saved, "config.json", change)
    refused(saved, problem)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s | {"columns": s["columns"][:-1]}, "do not fill rows"),
        (lambda s: s | {"columns": s["columns"][:-1], "shape": [4]}, "do not fit together"),
        (lambda s: s | {"columns": [*s["columns"], s["columns"][0] | {"name": "x9"}], "shape": [6]}, "."),
        (lambda s: s | {"container": "frame"}, "frame"),
        (lambda s: s | {"columns": [c | {"kind": "ignored"} for c in s["columns"]]}, "."),
        (lambda s: s | {"columns": [c | {"role": "label"} for c in s["columns"]]}, "."),
        (lambda s: {}, "keys"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(
    saved: Path, change: Callable[[Any], Any], problem: str
) -> None:
    edit(saved, "schema.json", change)
    refused(saved, problem)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: {"score": 1.0},
        lambda m: {"rows": "held-out", "n_rows": 20, "units": "x", "score": 1.0},
        lambda m: m | {"score": [1]},
        lambda m: m | {"rows": {}},
        lambda m: m | {"n_rows": None},
        lambda m: m | {"squared_error": "small"},
        lambda m: m | {"accuracy": 1.0},
        lambda m: m | {"log_likelihood": 1.0},
        lambda m: {name: value for name, value in m.items() if name != "pca_squared_error"},
    ],
)
def test_edited_figures_are_refused(saved: Path, change: Callable[[Any], Any]) -> None:
    edit(saved, "metrics.json", change)
    refused(saved, "figures of a model")


@pytest.mark.parametrize(
    "text",
    [
        "epoch,loss\n1,abc\n",
        "epoch\n1,2,3\n",
        "epoch\n1\n",
        "loss,seconds\n1,1\n",
        "epoch,seconds\n1,1\n",
        "epoch,loss,seconds\nnan,1,1\n",
        "epoch,loss,seconds\n1,1,1\n2,,2\n",
        "epoch,loss,seconds,validation_kl\n1,1,1,1\n",
        "epoch,loss,seconds,learning_rate\n1,1,1,nan\n",
    ],
)
def test_an_edited_history_is_refused(saved: Path, text: str) -> None:
    (saved / "history.csv").write_text(text)
    refused(saved, "do not fit together")


def test_figures_that_are_not_finite_survive(rows: np.ndarray, quick: MakeModel, tmp_path: Path) -> None:
    model = quick().fit(rows)
    model.metrics_["score"] = float("nan")
    model.history_[0]["loss"] = float("inf")
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert np.isnan(loaded.metrics_["score"])
    assert loaded.history_ == model.history_
    loaded.save(tmp_path / "again")


def test_weights_of_another_model_are_refused(
    saved: Path, rows: np.ndarray, quick: MakeModel, tmp_path: Path
) -> None:
    quick(3, hidden_sizes=(17,)).fit(rows).save(tmp_path / "other")
    (saved / "weights.safetensors").write_bytes((tmp_path / "other" / "weights.safetensors").read_bytes())
    refused(saved, "do not fit together.*size mismatch|do not fit together")


@pytest.mark.parametrize("lost", ["model.encoder.0.weight", "statistics.mean"])
def test_weights_with_a_gap_are_refused(saved: Path, lost: str) -> None:
    path = saved / "weights.safetensors"
    arrays, _ = store.read_tensors(path)
    del arrays[lost]
    path.write_bytes(store.tensor_bytes(arrays))
    refused(saved, "do not fit together")


@pytest.mark.parametrize("name", ["statistics.mean", "statistics.sd", "statistics.frequencies"])
def test_statistics_of_another_length_are_refused(saved: Path, name: str) -> None:
    path = saved / "weights.safetensors"
    arrays, _ = store.read_tensors(path)
    arrays[name] = np.ones(max(1, arrays[name].size - 4))
    path.write_bytes(store.tensor_bytes(arrays))
    refused(saved, "do not fit together")
