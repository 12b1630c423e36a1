"""Interrupts, checkpoints and callbacks, through `fit` and `resume`."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from torch import nn

from isthmus.errors import InputError, StoreError
from isthmus.estimators import Autoencoder, DenoisingAutoencoder, StackedAutoencoder, preparing
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.building import model_arrays
from isthmus.model import Model
from isthmus.training.loop import Trainer

MakeModel = Callable[..., Autoencoder]
BATCHES = 4


def denoising(**params: Any) -> DenoisingAutoencoder:
    fixed = {"hidden_sizes": (8,), "max_epochs": 5, "batch_size": 30, "random_state": 0}
    return DenoisingAutoencoder(2, **fixed | params)


def stacked(**params: Any) -> StackedAutoencoder:
    """Three phases of 3 epochs: a layer of 8, the code's layer, and the whole."""
    fixed = {"hidden_sizes": (8,), "layer_epochs": 3, "max_epochs": 3, "batch_size": 30, "random_state": 0}
    return StackedAutoencoder(2, **{"corruption": "masking:p=0.2"} | fixed | params)


def bits(model: BaseAutoencoder) -> bytes:
    return b"".join(array.tobytes() for array in model_arrays(model.model_).values())


class Interrupting:
    """Raises KeyboardInterrupt at the end of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def setup(self, estimator: Any, context: Any) -> None: ...

    def on_fit_task_begin(self, estimator: Any, context: Any, **_: Any) -> None: ...

    def on_fit_task_end(self, estimator: Any, context: Any, **_: Any) -> bool:
        if context.task_name == "epoch" and len(estimator.history_) == self.epoch:
            raise KeyboardInterrupt
        return False

    def teardown(self, estimator: Any, context: Any) -> None: ...


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what arranges a Ctrl-C in the middle of a step, once the loss has been computed."""
    objective = Model.objective

    def arrange(step: int, times: int = 1) -> None:
        seen = 0

        def interrupted(self: Model, *arguments: Any) -> Any:
            nonlocal seen
            terms = objective(self, *arguments)
            seen += self.training
            if self.training and seen == step:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)
            return terms

        monkeypatch.setattr(Model, "objective", interrupted)

    yield arrange
    monkeypatch.undo()


def test_an_interrupt_from_a_callback_keeps_the_best_model(rows: np.ndarray) -> None:
    model = denoising().set_callbacks(Interrupting(3))
    with pytest.warns(UserWarning, match="interrupted in epoch 4; the best model so far is kept"):
        model.fit(rows)
    assert (model.n_iter_, len(model.history_)) == (3, 3)
    assert np.isfinite(model.score(rows))
    assert model.metrics_["rows"] == "held-out"


def test_ctrl_c_in_the_first_epoch_still_gives_a_model(
    rows: np.ndarray, interrupt: Callable[..., None]
) -> None:
    interrupt(2)
    with pytest.warns(UserWarning, match="interrupted in epoch 1"):
        model = denoising().fit(rows)
    assert (model.n_iter_, model.history_) == (1, [])
    assert np.isfinite(model.score(rows))


@pytest.mark.parametrize("step", [2, BATCHES, 2 * BATCHES + 1])
def test_a_run_resumed_after_ctrl_c_ends_with_the_bits_of_an_unbroken_one(
    rows: np.ndarray,
    tmp_path: Path,
    interrupt: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    unbroken = denoising().fit(rows)
    model = denoising(checkpoint=tmp_path / "run")
    interrupt(step)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(rows)
    monkeypatch.undo()
    assert bits(model) != bits(unbroken)
    model.resume(rows)
    assert bits(model) == bits(unbroken)
    assert [row["loss"] for row in model.history_] == [row["loss"] for row in unbroken.history_]
    assert model.metrics_ == unbroken.metrics_


def test_a_second_ctrl_c_ends_at_once_and_saves_no_torn_state(
    rows: np.ndarray, tmp_path: Path, interrupt: Callable[..., None]
) -> None:
    interrupt(2, times=2)
    with pytest.warns(UserWarning, match="interrupted"):
        denoising(checkpoint=tmp_path / "run").fit(rows)
    assert not (tmp_path / "run").exists()


def test_an_interrupt_between_epochs_can_be_resumed(rows: np.ndarray, tmp_path: Path) -> None:
    model = denoising(checkpoint=str(tmp_path / "run")).set_callbacks(Interrupting(2))
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(rows)
    again = clone(model).set_callbacks()
    assert bits(again.resume(rows)) == bits(denoising().fit(rows))


@pytest.mark.parametrize("streamed", [False, True])
def test_a_killed_run_is_resumed_to_the_bit(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    if streamed:
        monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    unbroken = denoising(encoder=dropout).fit(rows)
    # Saved after every step; the last but one stands for any.
    saved: list[bytes] = []
    path = tmp_path / "run"
    monkeypatch.setattr("isthmus.training.checkpoint.Checkpoint.maybe_save", save_and_keep(saved))
    denoising(encoder=dropout, checkpoint=path).fit(rows)
    monkeypatch.undo()
    if streamed:
        monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    path.write_bytes(saved[len(saved) // 2])
    resumed = denoising(encoder=dropout, checkpoint=path).resume(rows)
    assert bits(resumed) == bits(unbroken)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_stack_killed_in_any_phase_is_resumed_to_the_bit(
    rows: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: int, streamed: bool
) -> None:
    unlimited = preparing._memory_limit
    monkeypatch.setattr(preparing, "_memory_limit", (lambda: 0) if streamed else unlimited)
    unbroken = stacked().fit(rows)
    saved: list[bytes] = []
    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("isthmus.training.checkpoint.Checkpoint.maybe_save", save_and_keep(saved))
        stacked(checkpoint=path).fit(rows)
    assert len(saved) == 9 * BATCHES
    path.write_bytes(saved[3 * BATCHES * phase + BATCHES + 1])  # in the second epoch of the phase
    epochs = []
    epoch = Trainer.epoch
    monkeypatch.setattr(Trainer, "epoch", lambda self: epochs.append(epoch(self)))
    resumed = stacked(checkpoint=path).resume(rows)
    assert bits(resumed) == bits(unbroken)
    assert len(epochs) == 3 * (3 - phase) - 1  # nothing is learned a second time
    for mine, theirs in zip(resumed.layer_history_, unbroken.layer_history_, strict=True):
        assert [row["loss"] for row in mine] == [row["loss"] for row in theirs]
    for name, weight in resumed.initial_weights_.items():
        assert np.array_equal(weight, unbroken.initial_weights_[name])


def test_ctrl_c_among_the_layers_leaves_no_model_but_a_run_to_resume(
    rows: np.ndarray, tmp_path: Path, interrupt: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = stacked(checkpoint=tmp_path / "run")
    interrupt(4 * BATCHES)  # in the second layer
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(rows)
    monkeypatch.undo()
    assert caught.value.__notes__ == [f"{tmp_path / 'run'} holds the run so far; resume goes on with it"]
    assert not hasattr(model, "model_")
    assert bits(model.resume(rows)) == bits(stacked().fit(rows))


def save_and_keep(saved: list[bytes]) -> Callable[..., None]:
    def maybe_save(self: Any, trainer: Any) -> None:
        self.save(trainer)
        saved.append(self.path.read_bytes())

    return maybe_save


def dropout(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 8), nn.Dropout(0.5), nn.Linear(8, n_out))


def test_a_finished_run_resumes_to_itself_and_no_file_starts_anew(rows: np.ndarray, tmp_path: Path) -> None:
    model = denoising(checkpoint=tmp_path / "run", checkpoint_seconds=0)
    first = bits(model.resume(rows))
    assert bits(model.resume(rows)) == first


@pytest.mark.parametrize(
    ("make", "changes", "named"),
    [
        (denoising, {"random_state": 1}, "settings.seed"),
        (denoising, {"max_epochs": 9}, "settings"),
        (denoising, {"corruption": "masking:p=0.4"}, "architecture.corruption"),
        (denoising, {"n_components": 3}, "architecture.n_components"),
        (denoising, {"validation_fraction": 0.09}, "validation rows"),
        (stacked, {"layer_epochs": 4}, "layer_settings"),
        (stacked, {"corruption": None}, "architecture.corruption"),
    ],
)
def test_another_run_is_refused_by_name(
    rows: np.ndarray, tmp_path: Path, make: Callable[..., Any], changes: dict[str, Any], named: str
) -> None:
    model = make(checkpoint=tmp_path / "run", checkpoint_seconds=0).fit(rows)
    with pytest.raises(StoreError, match=f"{named}.* differs"):
        model.set_params(**changes).resume(rows)


def test_other_data_are_refused_by_name(rows: np.ndarray, tmp_path: Path) -> None:
    model = denoising(checkpoint=tmp_path / "run", checkpoint_seconds=0).fit(
        rows[:100], validation_data=rows[100:]
    )
    other = rows[:100].copy()
    other[50, 0] = np.nextafter(other[50, 0], 1e9)
    with pytest.raises(StoreError, match="data differs"):
        model.resume(other, validation_data=rows[100:])
    with pytest.raises(StoreError, match="data differs"):
        model.resume(rows[:100], sample_weight=np.ones(100), validation_data=rows[100:])
    with pytest.raises(StoreError, match="validation rows differs"):
        model.resume(rows[:100], validation_data=rows[101:])


def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(
    rows: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="not a folder"):
        denoising(checkpoint=tmp_path / "nowhere" / "run", max_epochs=10**6).fit(rows)
    with pytest.raises(StoreError, match="not a regular file"):
        denoising(checkpoint=tmp_path, max_epochs=10**6).fit(rows)
    assert issubclass(StoreError, InputError)


def test_a_callback_may_end_the_fit(rows: np.ndarray, quick: MakeModel) -> None:
    class Enough(Interrupting):
        def on_fit_task_end(self, estimator: Any, context: Any, **_: Any) -> bool:
            return context.task_name == "epoch" and len(estimator.history_) == self.epoch

    model = quick(max_epochs=50).set_callbacks(Enough(2)).fit(rows)
    assert model.n_iter_ == 2
