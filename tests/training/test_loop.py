from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from isthmus.data.batches import Batch, MemoryBatches
from isthmus.errors import TrainingError
from isthmus.parts import Masking
from isthmus.parts.densities import Density
from isthmus.training import loop
from isthmus.training.loop import Trainer

MakeTrainer = Callable[..., Trainer]
TERM = "negative_log_likelihood"


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def run(trainer: Trainer) -> Trainer:
    while not trainer.finished:
        trainer.epoch()
    return trainer


# Steps and epochs -------------------------------------------------------------------------------------------


def test_without_a_rate_the_epochs_loss_is_that_of_the_rows(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(learning_rate=0.0, batch_size=7)
    row = trainer.epoch()
    everything = trainer.batches.data  # type: ignore[attr-defined]
    wanted = trainer.evaluate(everything)[TERM]
    assert row["loss"] == pytest.approx(wanted, rel=1e-6)
    assert row[TERM] == row["loss"]
    assert trainer.held_out is not None
    assert row["validation_loss"] == row[f"validation_{TERM}"] == trainer.evaluate(trainer.held_out)[TERM]
    assert row["epoch"] == 1
    assert trainer.progress.history == [row]


def test_weights_are_as_good_as_repeated_rows(make_trainer: MakeTrainer) -> None:
    X = np.random.default_rng(1).normal(size=(60, 3))
    times = np.random.default_rng(2).integers(0, 4, size=60)
    times[0] = 4
    weighted = make_trainer(X, weight=times, held_out=0, batch_size=1000)
    repeated = make_trainer(X, held_out=0, batch_size=1000)
    index = torch.arange(60).repeat_interleave(torch.from_numpy(times))
    repeated.batches = MemoryBatches(repeated.batches.data.take(index))  # type: ignore[attr-defined]
    for _ in range(3):
        losses = [trainer.epoch()["loss"] for trainer in (weighted, repeated)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, tensor in weights(weighted).items():
        torch.testing.assert_close(tensor, weights(repeated)[name], rtol=1e-4, atol=1e-5)


def test_a_common_factor_of_the_weights_changes_nothing(make_trainer: MakeTrainer) -> None:
    one, thousand = (run(make_trainer(weight=np.full(80, w))) for w in (1.0, 1024.0))
    for name, tensor in weights(one).items():
        torch.testing.assert_close(tensor, weights(thousand)[name])
    assert one.progress.history[-1]["validation_loss"] == pytest.approx(
        thousand.progress.history[-1]["validation_loss"]
    )


def test_a_seed_fixes_a_run_to_the_bit(make_trainer: MakeTrainer) -> None:
    one, again, other = (run(make_trainer(corruption=Masking(0.3), seed=seed)) for seed in (1, 1, 2))
    assert equal(weights(one), weights(again))
    assert not equal(weights(one), weights(other))


def test_gradients_that_others_left_are_not_learned_from(make_trainer: MakeTrainer) -> None:
    one, other = make_trainer(), make_trainer()
    other.model.decoder(torch.ones(1, 2)).sum().backward()
    one.epoch()
    other.epoch()
    assert equal(weights(one), weights(other))


def test_learning_lowers_both_losses(make_trainer: MakeTrainer) -> None:
    code = np.random.default_rng(0).normal(size=(400, 2))
    X = code @ np.random.default_rng(1).normal(size=(2, 6)) + 0.05
    trainer = run(make_trainer(X, held_out=100, hidden=(), max_epochs=30, patience=30, decay_epochs=12))
    first, last = trainer.progress.history[0], trainer.progress.history[-1]
    assert last["loss"] < first["loss"] - 5
    assert last["validation_loss"] < first["validation_loss"] - 5


# The held-out figure ----------------------------------------------------------------------------------------


def test_held_out_rows_see_the_same_noise_at_every_call(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(corruption=Masking(0.5))
    assert trainer.held_out is not None
    before = trainer.noise.get_state()
    assert trainer.evaluate(trainer.held_out) == trainer.evaluate(trainer.held_out)
    assert torch.equal(trainer.noise.get_state(), before)


def test_pieces_of_held_out_rows_add_up(make_trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(weight=np.linspace(0, 2, 80))
    assert trainer.held_out is not None
    whole = trainer.evaluate(trainer.held_out)[TERM]
    loss = trainer.model.loss(trainer.held_out, trainer.noise)[TERM].detach()
    weight = trainer.held_out.weight
    assert whole == pytest.approx(float((loss * weight).sum() / weight.sum()), rel=1e-6)
    monkeypatch.setattr(loop, "EVALUATION_ROWS", 5)
    assert trainer.evaluate(trainer.held_out)[TERM] == pytest.approx(whole, rel=1e-6)


def script(trainer: Trainer, losses: list[float]) -> None:
    """Let the held-out losses be these."""
    left = iter(losses)
    trainer.evaluate = lambda batch: {TERM: next(left)}  # type: ignore[method-assign]


def recorded(trainer: Trainer) -> list[dict[str, Tensor]]:
    """Return a list that gets the weights with which each epoch begins."""
    found: list[dict[str, Tensor]] = []
    inner = trainer.batches.epoch

    def epoch(*arguments: int) -> Iterator[Batch]:
        found.append(weights(trainer))
        return inner(*arguments)

    trainer.batches.epoch = epoch  # type: ignore[method-assign]
    return found


def test_on_a_stall_the_best_weights_are_put_back_and_decay(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_epochs=40, decay_epochs=16, patience=3)
    script(trainer, [5.0, 4.0, 3.0, 3.5, 3.1, 3.0, 9.0, 9.0, 9.0])
    started = recorded(trainer)
    run(trainer)
    # After epoch 3 the loss does not fall: three epochs later the decay begins, from the weights of then.
    progress = trainer.progress
    assert (progress.decay_epoch, progress.decay_length, progress.epoch) == (6, 3, 9)
    assert (progress.best_epoch, progress.best_loss) == (3, 3.0)
    assert equal(started[6], started[3])
    assert not equal(started[5], started[3])
    assert not equal(weights(trainer), started[3])
    rates = [row["learning_rate"] for row in progress.history]
    assert rates[-3:] == pytest.approx([rates[4] * 2 / 3, rates[4] / 3, 0])
    trainer.restore_best()
    assert equal(weights(trainer), started[3])
    assert not trainer.model.training


def test_the_best_weights_may_come_in_the_decay(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_epochs=6, decay_epochs=3)
    script(trainer, [5.0, 4.0, 3.0, 2.0, 1.0, 1.5])
    started = recorded(trainer)
    run(trainer).restore_best()
    assert equal(weights(trainer), started[5])


def test_without_held_out_rows_the_whole_schedule_is_run_and_the_last_weights_stay(
    make_trainer: MakeTrainer,
) -> None:
    trainer = run(make_trainer(held_out=0, max_epochs=5))
    assert trainer.progress.epoch == 5
    assert "validation_loss" not in trainer.progress.history[0]
    last = weights(trainer)
    trainer.restore_best()
    assert equal(weights(trainer), last)


def test_a_first_held_out_loss_that_is_no_number_is_not_the_best(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_epochs=5, decay_epochs=2)
    script(trainer, [math.nan, math.inf, 4.0, math.nan, 5.0])
    run(trainer)
    assert (trainer.progress.best_loss, trainer.progress.best_epoch) == (4.0, 3)
    assert math.isnan(trainer.progress.history[0]["validation_loss"])


def test_held_out_rows_without_weight_decide_nothing(make_trainer: MakeTrainer) -> None:
    trainer = run(make_trainer(weight=np.repeat([1.0, 0.0], [64, 16]), max_epochs=8))
    assert trainer.progress.epoch == 8
    assert trainer.best is None
    assert all(math.isnan(row["validation_loss"]) for row in trainer.progress.history)


def test_buffers_belong_to_the_best_weights(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_epochs=3, decay_epochs=1)
    trainer.model.encoder = nn.Sequential(nn.BatchNorm1d(4), trainer.model.encoder)
    script(trainer, [3.0, 2.0, 5.0])
    started = recorded(trainer)
    run(trainer).restore_best()
    assert equal(weights(trainer), started[2])
    assert trainer.model.encoder[0].num_batches_tracked == 8  # type: ignore[index]


# Gradients that are not finite ------------------------------------------------------------------------------


class Overflow(Density):
    """A likelihood that overflows in the batches that its `bad` names, counted from 0."""

    def __init__(self, inner: Density, bad: Callable[[int], bool]) -> None:
        super().__init__(inner.n_outputs)
        self.inner, self.bad, self.calls = inner, bad, 0

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        self.calls += 1
        huge = 1e38 if self.bad(self.calls - 1) else 0.0
        return self.inner.log_prob(outputs, values) - ((outputs + 1) * huge).square()


def overflowing(trainer: Trainer, bad: Callable[[int], bool]) -> list[str]:
    """Let the loss overflow in some steps; return a list that gets what the trainer reports."""
    trainer.model.density = Overflow(trainer.model.density, bad)
    reports: list[str] = []
    trainer.report = reports.append
    return reports


def test_five_epochs_that_fail_are_given_up_the_rate_halved_each_time(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(held_out=0, max_epochs=20, warmup_steps=0, patience=20)
    reports = overflowing(trainer, lambda step: step % 5 == 0)
    rates = [trainer.epoch()["learning_rate"] for _ in range(4)]
    assert rates == pytest.approx([0.01, 0.01 / 2, 0.01 / 4, 0.01 / 8])
    with pytest.raises(TrainingError, match=r"epoch 5: 1 of 5 steps .* 4 epochs before, .* learning_rate"):
        trainer.epoch()
    assert trainer.progress.rate_factor == 1 / 32
    assert len(reports) == 4
    assert reports[0].startswith("epoch 1: 1 of 5 steps had a gradient that is not finite")
    assert all(tensor.isfinite().all() for tensor in weights(trainer).values())


@pytest.mark.parametrize("n_lost", [2, 3])
def test_a_short_run_that_diverges_in_the_end_leaves_no_model(make_trainer: MakeTrainer, n_lost: int) -> None:
    trainer = make_trainer(held_out=0, max_epochs=2)
    overflowing(trainer, lambda step: step >= 10 - n_lost)
    while not trainer.finished:
        trainer.epoch()
    if n_lost == 2:
        trainer.restore_best()
        return
    with pytest.raises(TrainingError, match=r"epoch 2, the last: most .* diverged.* smaller learning_rate"):
        trainer.restore_best()


def test_a_run_that_diverges_goes_back_to_the_weights_that_were_best(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(max_epochs=2)
    overflowing(trainer, lambda call: call > 5)  # four steps, held-out rows, one more step
    trainer.epoch()
    good = weights(trainer)
    trainer.epoch()
    assert trainer.progress.lost
    assert not all(torch.equal(tensor, good[name]) for name, tensor in weights(trainer).items())
    trainer.restore_best()
    assert all(torch.equal(tensor, good[name]) for name, tensor in weights(trainer).items())


def test_steps_that_fail_change_nothing(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(held_out=0)
    before = weights(trainer)
    overflowing(trainer, lambda step: True)
    row = trainer.epoch()
    after = {name.replace("density.inner.", "density."): tensor for name, tensor in weights(trainer).items()}
    assert equal(after, before)
    assert row["loss"] == math.inf


def test_only_failures_in_a_row_count(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(held_out=0, max_epochs=12)
    reports = overflowing(trainer, lambda step: step % 10 == 0)  # every second epoch
    run(trainer)
    assert trainer.progress.epoch == 12
    assert trainer.progress.rate_factor == 1 / 64
    assert len(reports) == 6


def test_hooks_come_after_every_step(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer()
    steps: list[tuple[int, int, int]] = []
    trainer.on_step = lambda: steps.append(
        (trainer.progress.epoch, trainer.progress.position, trainer.progress.step)
    )
    trainer.epoch()
    trainer.epoch()
    assert steps == [(0, 1, 1), (0, 2, 2), (0, 3, 3), (0, 4, 4), (1, 1, 5), (1, 2, 6), (1, 3, 7), (1, 4, 8)]
    assert trainer.progress.position == 0
    seconds = [row["seconds"] for row in trainer.progress.history]
    assert 0 < seconds[0] < seconds[1] == trainer.progress.seconds
