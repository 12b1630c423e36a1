"""Where a training run stands: small numbers that are saved as JSON beside the tensors of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Progress"]


@dataclass
class Progress:
    """The state of a run that is not a tensor.

    Attributes
    ----------
    epoch, position, step : int
        Epochs ended, batches done in the current epoch, steps done in all.
    decay_epoch, decay_step, decay_length : int or None, int, int
        Where the decay began, and how many epochs it lasts.
    best_loss, best_epoch, stale_epochs
        Lowest held-out loss so far (None at first), its epoch counted from 1, and the epochs since.
    rate_factor : float
        Halved each time an epoch had a step whose gradient was not finite.
    failures : int
        Epochs in a row with such a step.
    lost : bool
        Whether most steps of the last epoch were such steps.
    seconds : float
        Time spent in training, over all sessions.
    history : list of dict
        One row an epoch.
    """

    epoch: int = 0
    position: int = 0
    step: int = 0
    decay_epoch: int | None = None
    decay_step: int = 0
    decay_length: int = 0
    best_loss: float | None = None
    best_epoch: int = 0
    stale_epochs: int = 0
    rate_factor: float = 1.0
    failures: int = 0
    lost: bool = False
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
