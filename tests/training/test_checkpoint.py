from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from isthmus.errors import StoreError
from isthmus.parts import Masking
from isthmus.store import read_tensors, write_tensors
from isthmus.training import checkpoint as module
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated

MakeTrainer = Callable[..., Trainer]
CPU = torch.device("cpu")
IDENTITY = {"data": "abc", "settings": {"seed": 1, "learning_rate": 0.1}, "schema": {"columns": [1, 2]}}


class Killed(Exception):
    """What stops a run in these tests."""


@pytest.fixture
def noisy(make_trainer: MakeTrainer) -> Callable[[], Trainer]:
    """Return a maker of runs that draw from all generators: corruption, dropout, order of rows."""
    return lambda: make_trainer(
        corruption=Masking(0.3), dropout=0.2, max_epochs=8, patience=2, decay_epochs=3
    )


def run(trainer: Trainer, checkpoint: Checkpoint | None = None, until: int | None = None) -> None:
    """Train; die after step `until`, a checkpoint having just been written."""

    def on_step() -> None:
        if trainer.progress.step == until:
            assert checkpoint is not None
            checkpoint.save(trainer)
            raise Killed

    trainer.on_step = on_step
    while not trainer.finished:
        trainer.epoch()


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    best = {f"best.{name}": tensor for name, tensor in (trainer.best or {}).items()}
    return {**trainer.model.state_dict(), **best, **trainer.optimizer.tensors()}


def losses(trainer: Trainer) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in trainer.progress.history]


# 4 steps an epoch: in the first epoch, at an epoch's end, in the hold, in the decay, after the last step.
@pytest.mark.parametrize("until", [1, 4, 6, 9, 17, 19, 20])
def test_a_killed_run_ends_with_the_bits_of_an_unbroken_one(
    noisy: Callable[[], Trainer], tmp_path: Path, until: int
) -> None:
    with isolated(5, CPU):
        unbroken = noisy()
        run(unbroken)
    assert unbroken.progress.step >= 20
    path = tmp_path / "run.checkpoint"
    with isolated(5, CPU):
        killed, checkpoint = noisy(), Checkpoint(path, 60, IDENTITY)
        with pytest.raises(Killed):
            run(killed, checkpoint, until)
    with isolated(99, CPU):  # the generators, too, are put back
        resumed = noisy()
        Checkpoint(path, 60, IDENTITY).restore(resumed)
        assert resumed.progress.step == until
        run(resumed)
    wanted, found = state(unbroken), state(resumed)
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert losses(resumed) == losses(unbroken)
    assert isinstance(resumed.progress.history[0]["epoch"], int)
    resumed.restore_best()
    unbroken.restore_best()
    weights = resumed.model.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in unbroken.model.state_dict().items())


def saved(trainer: Trainer, path: Path, identity: dict[str, Any] | None = None) -> Path:
    Checkpoint(path, 60, identity or IDENTITY).save(trainer)
    return path


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({**IDENTITY, "data": "abd"}, 'data differs: it was "abc", now it is "abd"'),
        (
            {**IDENTITY, "settings": {"seed": 2, "learning_rate": 0.1}},
            r"settings\.seed differs: it was 1, now it is 2",
        ),
        ({**IDENTITY, "schema": {"columns": [1, 3]}}, r"schema\.columns differs"),
        ({**IDENTITY, "more": 1}, "more differs: it was null, now it is 1"),
    ],
)
def test_another_run_is_refused_by_name(
    make_trainer: MakeTrainer, tmp_path: Path, identity: dict[str, Any], said: str
) -> None:
    path = saved(make_trainer(), tmp_path / "c")
    with pytest.raises(StoreError, match=said):
        Checkpoint(path, 60, identity).restore(make_trainer())


@pytest.mark.parametrize(("name", "value"), [("threads", 77), ("torch", "1.0"), ("device", "cuda:3")])
def test_another_environment_is_refused_by_name(
    make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    path = saved(make_trainer(), tmp_path / "c")
    here = module.environment(CPU)
    monkeypatch.setattr(module, "environment", lambda device: {**here, name: value})
    with pytest.raises(StoreError, match=f"{name} differs: it was .*, now it is .*{value}"):
        Checkpoint(path, 60, IDENTITY).restore(make_trainer())


def test_threads_are_part_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    assert module.environment(CPU) == {"torch": torch.__version__, "threads": 5, "device": "cpu"}


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file_is_refused(make_trainer: MakeTrainer, tmp_path: Path, kept: float) -> None:
    path = saved(make_trainer(), tmp_path / "c")
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(StoreError, match="damaged"):
        Checkpoint(path, 60, IDENTITY).restore(make_trainer())


def test_other_files_and_other_networks_are_refused(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    write_tensors(tmp_path / "other", {})
    with pytest.raises(StoreError, match="not a training checkpoint"):
        Checkpoint(tmp_path / "other", 60, IDENTITY).restore(make_trainer())
    path = saved(make_trainer(hidden=(7,)), tmp_path / "c")
    with pytest.raises(StoreError, match="does not fit this model"):
        Checkpoint(path, 60, IDENTITY).restore(make_trainer())


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, meta: arrays.pop("random.noise"),
        lambda arrays, meta: arrays.pop("model.encoder.0.weight"),
        lambda arrays, meta: arrays.pop("best.encoder.0.weight"),
        lambda arrays, meta: arrays.update({"random.cpu": arrays["random.cpu"][:9]}),
        lambda arrays, meta: meta.pop("progress"),
        lambda arrays, meta: meta["progress"].update(surprise=1),
        lambda arrays, meta: meta.update(history=["epoch", "loss"]),
        lambda arrays, meta: meta.update(history=["loss"] * len(meta["history"])),
    ],
    ids=range(8),
)
def test_an_edited_file_is_refused(
    make_trainer: MakeTrainer, tmp_path: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]
) -> None:
    trainer = make_trainer()
    trainer.epoch()
    path = saved(trainer, tmp_path / "c")
    arrays, meta = read_tensors(path)
    change(arrays, meta)
    write_tensors(path, arrays, meta, overwrite=True)
    with isolated(0, CPU), pytest.raises(StoreError, match="does not fit this model"):
        Checkpoint(path, 60, IDENTITY).restore(make_trainer())


def test_losses_that_are_not_finite_can_be_saved(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer = make_trainer()
    trainer.evaluate = lambda batch: {"negative_log_likelihood": math.inf}  # type: ignore[method-assign]
    trainer.epoch()
    path = saved(trainer, tmp_path / "c")
    with isolated(0, CPU):
        resumed = make_trainer()
        Checkpoint(path, 60, IDENTITY).restore(resumed)
    assert losses(resumed) == losses(trainer)
    assert resumed.progress.history[0]["validation_loss"] == math.inf
    assert resumed.best is None


def test_it_saves_when_its_time_has_come(
    make_trainer: MakeTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    checkpoint, trainer = Checkpoint(tmp_path / "c", 60, IDENTITY), make_trainer()
    written = []
    for now[0] in (159.0, 160.0, 219.0, 221.0):
        checkpoint.maybe_save(trainer)
        written.append(checkpoint.path.exists())
        checkpoint.path.unlink(missing_ok=True)
    assert written == [False, True, False, True]


def test_zero_seconds_save_after_every_step(make_trainer: MakeTrainer, tmp_path: Path) -> None:
    trainer, steps = make_trainer(), []
    checkpoint = Checkpoint(tmp_path / "c", 0, IDENTITY)

    def on_step() -> None:
        checkpoint.maybe_save(trainer)
        steps.append(read_tensors(checkpoint.path).metadata["progress"]["step"])

    trainer.on_step = on_step
    trainer.epoch()
    assert steps == [1, 2, 3, 4]
    assert [each.name for each in tmp_path.iterdir()] == ["c"]
