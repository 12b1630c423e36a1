"""A run that saves itself now and then, and that Ctrl-C ends between two steps, the last one saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from isthmus.training.checkpoint import Checkpoint
from isthmus.training.interrupts import HeldInterrupts
from isthmus.training.loop import Trainer

__all__ = ["interruptible"]


@contextmanager
def interruptible(trainer: Trainer, checkpoint: Checkpoint | None) -> Iterator[HeldInterrupts]:
    """Look after the steps of `trainer` while epochs are run; an interrupt is passed on once it is saved."""
    with HeldInterrupts() as interrupts:

        def after_step() -> None:
            if checkpoint is not None:
                checkpoint.maybe_save(trainer)
            interrupts.release()

        trainer.on_step = after_step
        try:
            yield interrupts
        except KeyboardInterrupt:
            if checkpoint is not None and not interrupts.pending:
                checkpoint.save(trainer)
            raise
