"""scikit-learn's callbacks around our epochs, and our own progress display, which is one of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["EpochCallbacks", "ProgressDisplay", "announce", "displaying"]


class EpochCallbacks:
    """Calls the hooks of ``sklearn.callback`` (scikit-learn 1.9: young, hence kept behind this class).

    Parameters
    ----------
    estimator : estimator
        Has CallbackSupportMixin; `fit` runs inside scikit-learn's ``_fit_context``, which ends with teardown.
    max_epochs : int
    data : object
        What the hooks are given as ``X``, and as ``y`` too: an autoencoder's target is its input, and
        scikit-learn's ScoringMonitor scores nothing without a target.
    attributes : callable
        Returns the fitted attributes that a copy of the estimator needs to be usable at this moment.
    """

    def __init__(
        self, estimator: Any, max_epochs: int, data: object, attributes: Callable[[], dict[str, Any]]
    ) -> None:
        self.estimator, self.attributes = estimator, attributes
        self.arguments = {
            "estimator": estimator,
            "X": data,
            "y": data,
            "reconstruction_attributes": attributes,
        }
        self.context = estimator._init_callback_context(max_subtasks=max_epochs)
        self.context.call_on_fit_task_begin(**self.arguments)
        self.current: Any = None

    def begin(self) -> None:
        self.current = self.context.subcontext(task_name="epoch")
        self.current.call_on_fit_task_begin(**self.arguments)

    def end(self) -> bool:
        """End an epoch; True asks to stop."""
        return bool(self.current.call_on_fit_task_end(**self.arguments))

    def finish(self) -> None:
        self.context.call_on_fit_task_end(**self.arguments)


@contextmanager
def displaying(estimator: Any, verbose: int) -> Iterator[None]:
    """Attach a `ProgressDisplay` to the estimator for the length of one fit."""
    if not verbose:
        yield
        return
    own = list(getattr(estimator, "_skl_callbacks", []))
    estimator.set_callbacks(*own, ProgressDisplay())
    try:
        yield
    finally:
        estimator.set_callbacks(*own)


def announce(verbose: int, sentence: str) -> None:
    """Say what goes on before the first epoch."""
    if verbose:
        Console(file=sys.stderr).print(sentence, soft_wrap=True, highlight=False)


class ProgressDisplay:
    """Shows epochs, both losses in nats per row, rows per second and the time left.

    A moving bar on a terminal; elsewhere a plain line for the first epoch and for each tenth of them. Reads
    ``estimator.history_``.
    """

    def __init__(self, file: Any = None) -> None:
        self.file = file

    def setup(self, estimator: Any, context: Any) -> None:
        self.console = Console(file=self.file or sys.stderr)
        self.total = context.max_subtasks
        self.bar: Progress | None = None
        if self.console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=self.console, transient=True)
            self.task = self.bar.add_task("epoch 1", total=self.total)
            self.bar.start()

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        pass

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        history = estimator.history_
        if context.task_name != "epoch" or not history:
            return False
        sentence = self.sentence(estimator)
        epoch = int(history[-1]["epoch"])
        if self.bar is not None:
            self.bar.update(self.task, completed=epoch, description=sentence)
        elif epoch == 1 or 10 * epoch // self.total > 10 * (epoch - 1) // self.total:
            self.console.print(sentence, soft_wrap=True, highlight=False)
        return False

    def sentence(self, estimator: Any) -> str:
        """Return the line that says how the last epoch went."""
        row = estimator.history_[-1]
        parts = [f"epoch {int(row['epoch'])}/{self.total}", f"loss {row['loss']:.4g} nats/row"]
        if "validation_loss" in row:
            parts.append(f"held-out {row['validation_loss']:.4g} nats/row")
        before = estimator.history_[-2]["seconds"] if len(estimator.history_) > 1 else 0.0
        spent = max(row["seconds"] - before, 1e-9)
        parts.append(f"{estimator.n_training_rows_ / spent:,.0f} rows/s")
        left = (self.total - row["epoch"]) * row["seconds"] / row["epoch"]
        parts.append(f"at most {left:.0f} s left")
        return ", ".join(parts)

    def teardown(self, estimator: Any, context: Any) -> None:
        if self.bar is not None:
            self.bar.stop()
