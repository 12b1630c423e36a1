from __future__ import annotations

from typing import Any

import pytest

from isthmus.training import schedule
from isthmus.training.settings import Settings, auto_batch_size, endless, resolve_settings
from isthmus.training.state import Progress


def resolve(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "n_batches": 12,
        "batch_size": 128,
        "linear": False,
        "max_epochs": "auto",
        "learning_rate": "auto",
        "patience": "auto",
        "weight_decay": 0.0,
        "seed": 3,
    }
    return resolve_settings(**given | changes)


@pytest.mark.parametrize(
    ("n_rows", "size"),
    [(1, 16), (5, 16), (150, 16), (1797, 128), (5000, 256), (60_000, 256), (499_999, 256), (10**6, 1024)],
)
def test_batch_sizes(n_rows: int, size: int) -> None:
    assert auto_batch_size(n_rows) == size
    assert isinstance(auto_batch_size(n_rows), int)


@pytest.mark.parametrize(("n_batches", "epochs"), [(1, 500), (16, 500), (17, 471), (235, 35), (10**5, 10)])
def test_epochs_aim_at_a_number_of_steps(n_batches: int, epochs: int) -> None:
    assert resolve(n_batches=n_batches).max_epochs == epochs


def test_what_is_left_at_auto() -> None:
    settings = resolve(max_epochs=100)
    assert settings.learning_rate == 2e-3
    assert resolve(linear=True).learning_rate == 1e-2
    assert (settings.patience, settings.decay_epochs, settings.warmup_steps) == (10, 40, 60)
    short = resolve(max_epochs=1)
    assert (short.patience, short.decay_epochs, short.warmup_steps) == (5, 1, 1)


def test_what_is_given_stays() -> None:
    settings = resolve(max_epochs=7, learning_rate=0.3, patience=2, weight_decay=0.01)
    assert (settings.max_epochs, settings.learning_rate, settings.patience) == (7, 0.3, 2)
    assert (settings.weight_decay, settings.batch_size, settings.seed) == (0.01, 128, 3)


def test_chunk_by_chunk_the_rate_is_held_for_ever() -> None:
    settings = endless(resolve())
    progress = Progress(epoch=10**9, step=10**12)
    assert not schedule.decay_is_due(progress, settings)
    assert schedule.learning_rate(progress, settings, 12) == settings.learning_rate
