"""What every registered estimator keeps to, whatever its parts."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import isthmus
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.building import model_arrays
from isthmus.estimators.registry import ESTIMATORS
from isthmus.training.loop import Trainer

pytestmark = pytest.mark.filterwarnings("ignore:ConditionalVariationalAutoencoder is fitted without")

BATCHES = 4


def quick(name: str, **params: Any) -> BaseAutoencoder:
    """Return an estimator that draws from all its generators, and is trained for a moment only."""
    fixed: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 4, "batch_size": 30, "random_state": 0}
    if name == "StackedAutoencoder":
        fixed |= {"layer_epochs": 2, "corruption": "masking:p=0.2"}
    if name in ("AdversarialAutoencoder", "WassersteinAutoencoder"):
        fixed |= {"posterior": "diagonal_gaussian"}
    return ESTIMATORS[name](4, **fixed | params)


def bits(model: BaseAutoencoder) -> bytes:
    return b"".join(array.tobytes() for array in model_arrays(model.model_).values())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(rows: np.ndarray, name: str) -> None:
    before = torch.get_rng_state()
    model, again, other = (quick(name, random_state=seed).fit(rows) for seed in (0, 0, 1))
    assert bits(model) == bits(again)
    assert bits(model) != bits(other)
    assert bits(clone(model).fit(rows)) == bits(model)
    losses = [{k: v for k, v in row.items() if k != "seconds"} for row in model.history_]
    assert losses == [{k: v for k, v in row.items() if k != "seconds"} for row in again.history_]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("keep", ["save", "pickle"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_is_the_same_after_it_was_kept(rows: np.ndarray, tmp_path: Path, name: str, keep: str) -> None:
    model = quick(name).fit(rows)
    if keep == "save":
        model.save(tmp_path / "model")
        again = isthmus.load(tmp_path / "model")
    else:
        again = pickle.loads(pickle.dumps(model))
    assert type(again) is type(model)
    np.testing.assert_allclose(again.score_samples(rows), model.score_samples(rows), rtol=1e-6)
    assert np.array_equal(again.transform(rows), model.transform(rows))
    assert np.array_equal(again.reconstruct(rows), model.reconstruct(rows))
    assert (again.metrics_, again.history_) == (model.metrics_, model.history_)
    assert again.get_params() == model.get_params()
    if hasattr(model, "sample"):
        assert np.array_equal(again.sample(9, random_state=0), model.sample(9, random_state=0))
    # It learns on, and what is learned anew is the same.
    assert bits(clone(again).fit(rows)) == bits(model)
    assert np.isfinite(again.partial_fit(rows).score(rows))


class Killed(Exception):
    """What stops a run in these tests."""


# In the first epoch, at an epoch's end, later, and at the end.
@pytest.mark.parametrize("until", [1, BATCHES, 2 * BATCHES + 1, 4 * BATCHES])
@pytest.mark.parametrize(
    "name",
    [
        "AdversarialAutoencoder",
        "ManifoldAutoencoder",
        "StackedAutoencoder",
        "VariationalAutoencoder",
        "VectorQuantizedAutoencoder",
        "WassersteinAutoencoder",
    ],
)
def test_a_killed_run_is_resumed_to_the_same_bits(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, until: int
) -> None:
    unbroken = quick(name).fit(rows)
    assert len(unbroken.history_) == 4
    model = quick(name, checkpoint=tmp_path / "run", checkpoint_seconds=0)
    step = Trainer.step

    def dying(self: Trainer, batch: Any) -> None:
        if self.progress.step == until and self.settings.max_epochs == 4:  # layers have fewer
            raise Killed
        step(self, batch)

    monkeypatch.setattr(Trainer, "step", dying)
    if until < 4 * BATCHES:
        with pytest.raises(Killed):
            model.fit(rows)
    else:
        model.fit(rows)
    monkeypatch.undo()
    resumed = quick(name, checkpoint=tmp_path / "run").resume(rows)
    assert bits(resumed) == bits(unbroken)
    assert [row["loss"] for row in resumed.history_] == [row["loss"] for row in unbroken.history_]
    assert resumed.score(rows) == unbroken.score(rows)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_learns_digits_better_than_its_baselines(digits: Any, name: str) -> None:
    layers = {"layer_epochs": 10} if name == "StackedAutoencoder" else {}
    model = ESTIMATORS[name](8, hidden_sizes=(64,), max_epochs=40, random_state=0, **layers).fit(digits.data)
    figures = model.metrics_
    assert figures["rows"] == "held-out"
    assert figures["pca_squared_error"] < 0.5 * figures["mean_squared_error"]
    # The codes of an adversarial one must take the prior's shape, at a price in so short a fit.
    price = 1.5 if name == "AdversarialAutoencoder" else 1.0
    assert figures["squared_error"] < price * figures["pca_squared_error"]
    if "log_likelihood" in figures:
        assert figures["log_likelihood"] > figures["pca_log_likelihood"] + 3


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if "Variational" in name])
def test_with_a_scale_for_each_column_it_beats_independent_columns(digits: Any, name: str) -> None:
    likelihood = "gaussian:scale=per_feature"
    model = ESTIMATORS[name](8, hidden_sizes=(64,), likelihood=likelihood, max_epochs=40, random_state=0).fit(
        digits.data
    )
    assert model.metrics_["log_likelihood"] > model.metrics_["independent_log_likelihood"] + 3


@pytest.mark.parametrize("name", ESTIMATORS)
def test_gaps_weights_tables_and_images_are_no_obstacle(
    rows: np.ndarray, mixed_table: Any, digits: Any, name: str
) -> None:
    gaps = rows.copy()
    gaps[::5, 2] = np.nan
    model = quick(name).fit(gaps, sample_weight=np.linspace(0, 2, len(rows)))
    scores, n_observed = model.score_samples(gaps, return_n_observed=True)
    assert np.isfinite(scores).all()
    assert n_observed.tolist() == [4.0 if i % 5 == 0 else 5.0 for i in range(len(rows))]
    table = quick(name).fit(mixed_table)
    assert table.reconstruct(mixed_table).columns == mixed_table.columns
    assert np.isfinite(table.score(mixed_table))
    images = quick(name, hidden_sizes="auto").fit(digits.images[:100])
    assert images.reconstruct(digits.images[:3]).shape == (3, 8, 8)
    assert (images.architecture_.network == "conv") == (name != "StackedAutoencoder")
