"""The learning rate: warm-up, hold, decay to zero."""

from __future__ import annotations

from isthmus.training.settings import Settings
from isthmus.training.state import Progress

__all__ = ["begin_decay", "decay_is_due", "finished", "learning_rate", "share_done", "stalled"]

# A decay that begins because the held-out loss has stalled lasts half as long as it took to get there, and at
# least as long as the patience that was spent on noticing it.
STALLED_DECAY_SHARE = 0.5


def stalled(progress: Progress, settings: Settings) -> bool:
    """Tell whether the held-out loss has not fallen for `patience` epochs."""
    return progress.stale_epochs >= settings.patience


def decay_is_due(progress: Progress, settings: Settings) -> bool:
    """Tell whether the decay begins: the held-out loss has stalled, or it is time to end by `max_epochs`."""
    late = progress.epoch >= settings.max_epochs - settings.decay_epochs
    return progress.decay_epoch is None and (late or stalled(progress, settings))


def begin_decay(progress: Progress, settings: Settings) -> None:
    """Fix where the decay begins and how long it lasts."""
    progress.decay_epoch, progress.decay_step = progress.epoch, progress.step
    progress.decay_length = settings.decay_epochs
    if stalled(progress, settings):
        wanted = max(settings.patience, round(STALLED_DECAY_SHARE * progress.best_epoch))
        progress.decay_length = min(wanted, settings.decay_epochs)


def finished(progress: Progress) -> bool:
    """Tell whether the decay has run its course: training never stops without it."""
    return progress.decay_epoch is not None and progress.epoch >= progress.decay_epoch + progress.decay_length


def learning_rate(progress: Progress, settings: Settings, n_batches: int) -> float:
    """Return the rate of the next step."""
    rate = settings.learning_rate * progress.rate_factor
    rate *= min(1.0, (progress.step + 1) / max(settings.warmup_steps, 1))
    if progress.decay_epoch is None:
        return rate
    done = (progress.step - progress.decay_step) / (progress.decay_length * n_batches)
    return rate * max(0.0, 1.0 - done)


def share_done(progress: Progress, settings: Settings) -> float:
    """Return how much of the schedule is done, from 0 to 1; a schedule of no steps is over."""
    if not settings.scheduled_steps:
        return 1.0
    return min(1.0, progress.step / settings.scheduled_steps)
