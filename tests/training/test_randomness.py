from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from isthmus.parts import Masking
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated

CPU = torch.device("cpu")


def test_inside_it_draws_are_those_of_the_seed() -> None:
    with isolated(7, CPU):
        first = torch.randn(5)
    with isolated(7, CPU):
        torch.testing.assert_close(torch.randn(5), first, rtol=0, atol=0)
    torch.testing.assert_close(first, torch.randn(5, generator=torch.Generator().manual_seed(7)))


def test_outside_nothing_has_happened_even_after_an_error() -> None:
    before = torch.get_rng_state()

    def fail() -> None:
        with isolated(7, CPU):
            torch.randn(5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.equal(torch.get_rng_state(), before)


def test_other_devices_are_not_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    for name in ("manual_seed", "manual_seed_all"):
        monkeypatch.setattr(torch.cuda, name, seeded.append)
    with isolated(7, CPU):
        pass
    assert not seeded


def test_a_whole_run_leaves_the_callers_generator_alone(make_trainer: Callable[..., Trainer]) -> None:
    before = torch.get_rng_state()
    with isolated(3, CPU):
        trainer = make_trainer(corruption=Masking(0.3), dropout=0.2)
        while not trainer.finished:
            trainer.epoch()
    assert torch.equal(torch.get_rng_state(), before)
