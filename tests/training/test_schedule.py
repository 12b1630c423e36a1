from __future__ import annotations

from dataclasses import replace

import pytest

from isthmus.training import schedule
from isthmus.training.settings import Settings
from isthmus.training.state import Progress

N_BATCHES = 5
SETTINGS = Settings(
    max_epochs=10,
    batch_size=1,
    learning_rate=0.8,
    patience=3,
    warmup_steps=10,
    decay_epochs=4,
    weight_decay=0.0,
    seed=0,
)


def run(settings: Settings, stall_after: int | None = None) -> tuple[list[float], Progress]:
    """Return the rate of every step of a run whose held-out loss falls for `stall_after` epochs."""
    progress, rates = Progress(), []
    while not schedule.finished(progress):
        if schedule.decay_is_due(progress, settings):
            schedule.begin_decay(progress, settings)
        for _ in range(N_BATCHES):
            rates.append(schedule.learning_rate(progress, settings, N_BATCHES))
            progress.step += 1
        progress.epoch += 1
        if stall_after is None or progress.epoch <= stall_after:
            progress.best_epoch, progress.stale_epochs = progress.epoch, 0
        else:
            progress.stale_epochs += 1
    return rates, progress


def test_warm_up_hold_decay() -> None:
    rates, progress = run(SETTINGS)
    warm = [0.8 * (k + 1) / 10 for k in range(10)]
    hold = [0.8] * 20
    decay = [0.8 * (1 - k / 20) for k in range(20)]
    assert rates == pytest.approx(warm + hold + decay)
    assert progress.epoch == 10
    assert schedule.learning_rate(progress, SETTINGS, N_BATCHES) == 0


@pytest.mark.parametrize(
    ("stall_after", "patience", "begins", "length"),
    [
        (2, 3, 5, 3),  # half of the two epochs it took is less than the patience
        (1, 1, 2, 1),
        (4, 1, 5, 2),
        (5, 1, 6, 2),  # just when it is due anyway: half of five
        (8, 1, 6, 4),  # due in time to end at epoch 10
    ],
)
def test_the_decay_begins_on_a_stall_or_in_time(
    stall_after: int, patience: int, begins: int, length: int
) -> None:
    rates, progress = run(replace(SETTINGS, patience=patience), stall_after)
    assert (progress.decay_epoch, progress.decay_length) == (begins, length)
    assert progress.epoch == begins + length <= 10
    whole = rates[begins * N_BATCHES] / 1.0
    wanted = [whole * (1 - k / (length * N_BATCHES)) for k in range(length * N_BATCHES)]
    assert rates[begins * N_BATCHES :] == pytest.approx(wanted)


@pytest.mark.parametrize("max_epochs", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("stall_after", [None, 0, 1, 5, 30])
def test_a_run_always_decays_and_ends_by_max_epochs(max_epochs: int, stall_after: int | None) -> None:
    settings = replace(SETTINGS, max_epochs=max_epochs, decay_epochs=max(1, round(0.4 * max_epochs)))
    _, progress = run(settings, stall_after)
    assert 1 <= progress.epoch <= max_epochs
    assert progress.decay_length >= 1
    assert schedule.learning_rate(progress, settings, N_BATCHES) == 0


def test_the_decay_of_a_warm_up_begins_where_that_stands() -> None:
    rates, _ = run(replace(SETTINGS, max_epochs=2, decay_epochs=1, warmup_steps=20))
    assert rates[:5] == pytest.approx([0.04 * (k + 1) for k in range(5)])
    assert rates[5:] == pytest.approx([0.04 * (k + 6) * (1 - k / 5) for k in range(5)])


def test_failures_scale_the_rate_and_no_warm_up_is_none() -> None:
    settings = replace(SETTINGS, warmup_steps=0)
    assert schedule.learning_rate(Progress(), settings, N_BATCHES) == 0.8
    assert schedule.learning_rate(Progress(rate_factor=0.25), settings, N_BATCHES) == pytest.approx(0.2)
