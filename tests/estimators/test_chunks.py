from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from isthmus.data.batches import Batch
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, VariationalAutoencoder, load
from isthmus.estimators.building import model_arrays
from isthmus.training.loop import Trainer
from isthmus.training.schedule import share_done

MakeModel = Callable[..., Autoencoder]


def test_chunk_after_chunk_lowers_the_loss(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(batch_size=10)
    chunks = np.array_split(rows, 4)
    for _ in range(25):
        for chunk in chunks:
            model.partial_fit(chunk)
    losses = [row["loss"] for row in model.history_]
    assert (len(losses), model.n_iter_) == (100, 100)
    assert np.mean(losses[-8:]) < np.mean(losses[:8]) - 2
    assert model.n_training_rows_ == 25 * len(rows)
    assert model.metrics_ == {}
    assert [row["epoch"] for row in model.history_] == list(range(1, 101))


def test_a_chunk_after_an_interrupted_one_is_learned_from_its_first_row(
    rows: np.ndarray, quick: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = quick(batch_size=10, learning_rate=1e-9).partial_fit(rows)
    steps = iter(range(3))

    def step(self: Trainer, batch: Batch) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        whole(self, batch)

    whole = Trainer.step
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(rows)
    model.partial_fit(rows[:20])
    loss = -model.score(rows[:20])  # at this rate the model stays as it is
    assert model.history_[-1]["loss"] == pytest.approx(loss, rel=1e-4)


def test_the_rate_warms_up_and_holds(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(batch_size=10, learning_rate=0.01)
    for _ in range(20):
        model.partial_fit(rows)
    rates = [row["learning_rate"] for row in model.history_]
    assert rates == sorted(rates)
    assert rates[0] < 0.01
    assert rates[-1] == pytest.approx(0.01)


def test_the_first_chunk_fixes_schema_scales_and_names(table: pl.DataFrame, quick: MakeModel) -> None:
    plain = table.select("x", "city", "count")
    model = quick().partial_fit(plain[:40])
    schema, scale = model.schema_, model.model_.features.scale.clone()
    model.partial_fit(plain[40:].with_columns(pl.lit("paris").alias("city")))
    assert model.schema_ is schema
    assert torch.equal(model.model_.features.scale, scale)
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(plain.rename({"x": "z"}))
    with pytest.raises(InputError, match="2 rows"):
        quick().partial_fit(plain[:1])
    model.partial_fit(plain[:1])  # later chunks may be of any size


def test_a_seed_fixes_every_bit(rows: np.ndarray, quick: MakeModel) -> None:
    one, other = quick(), quick()
    for chunk in np.array_split(rows, 3):
        one.partial_fit(chunk)
        other.partial_fit(chunk)
    assert np.array_equal(one.transform(rows), other.transform(rows))


def test_weights_count(rows: np.ndarray, quick: MakeModel) -> None:
    weight = np.linspace(0, 2, len(rows))
    weighted = quick().partial_fit(rows, sample_weight=weight)
    assert not np.array_equal(weighted.transform(rows), quick().partial_fit(rows).transform(rows))
    with pytest.raises(ValueError, match="zero"):
        weighted.partial_fit(rows, sample_weight=np.zeros(len(rows)))


def test_a_fitted_a_loaded_and_an_unpickled_model_learn_on(
    rows: np.ndarray, quick: MakeModel, tmp_path: Path
) -> None:
    model = quick(max_epochs=30).fit(rows)
    model.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    unpickled = pickle.loads(pickle.dumps(model))
    before = model.score(rows)
    for learner in (model, loaded, unpickled):
        for _ in range(30):
            learner.partial_fit(rows)
        assert learner.score(rows) > before
        assert learner.n_iter_ == 60
        assert learner.n_training_rows_ == 108 + 30 * 120
        seconds = [row["seconds"] for row in learner.history_]
        assert seconds == sorted(seconds)
        assert {row["epoch"] for row in learner.history_} == set(range(1, 61))
    assert np.array_equal(model.transform(rows), loaded.transform(rows))
    assert np.array_equal(model.transform(rows), unpickled.transform(rows))


def test_the_history_of_both_is_saved(rows: np.ndarray, quick: MakeModel, tmp_path: Path) -> None:
    model = quick().fit(rows).partial_fit(rows)
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").history_ == model.history_
    assert "validation_loss" in model.history_[0]
    assert "validation_loss" not in model.history_[-1]
    assert "partial_fit" in (tmp_path / "model" / "README.md").read_text()


def test_a_given_schema_serves_the_first_chunk(table: pl.DataFrame, quick: MakeModel) -> None:
    plain = table.select("x", "city", "count")
    schema = quick(max_epochs=1).fit(plain).schema_
    model = quick(schema=schema)
    for start in range(0, 80, 20):
        model.partial_fit(plain[start : start + 20])
    assert set(model.reconstruct(plain)["city"]) <= {"rome", "oslo", "lima"}
    assert model_arrays(model.model_)["statistics.count"].tolist() == [20, 20, 20]


def test_a_fitted_model_that_learns_on_keeps_the_full_weight_of_its_terms() -> None:
    X = np.random.default_rng(0).normal(size=(200, 4))
    model = VariationalAutoencoder(2, hidden_sizes=(8,), max_epochs=3, random_state=0)
    fresh = model.partial_fit(X)._trainer
    assert share_done(fresh.progress, fresh.settings) < 0.5  # a new one begins with a warm-up
    model.fit(X).partial_fit(X)
    assert share_done(model._trainer.progress, model._trainer.settings) == 1.0
