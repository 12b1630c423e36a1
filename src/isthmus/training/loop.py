"""The one training loop: batch -> corrupt -> encode -> sample -> decode -> terms -> step, epoch by epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from isthmus.data.batches import Batch, Batches
from isthmus.data.splitting import derive_seed
from isthmus.errors import TrainingError
from isthmus.model import Model
from isthmus.parts.posteriors.places import Positions
from isthmus.parts.terms.base import Step
from isthmus.training import schedule
from isthmus.training.optimizer import Optimizer
from isthmus.training.settings import Settings
from isthmus.training.state import Progress

__all__ = ["Trainer"]

MAX_FAILURES = 5
ADVICE = "Look for extreme values in the data, or set a smaller learning_rate."
# Held-out rows are scored in pieces of this many, so that many of them do not need the memory of an epoch.
EVALUATION_ROWS = 4096
# In front of an opponent's loss in the history; it is no part of the objective.
OPPONENT = "opponent_"


class Trainer:
    """A run in progress: model, optimiser, data and where it stands.

    Parameters
    ----------
    model : Model
        On the device, in its initial (or, when training goes on, present) state.
    batches : Batches
        The training rows.
    held_out : Batch or None
        Rows that decide when the decay begins and which weights are kept.
    settings : Settings
    """

    def __init__(self, model: Model, batches: Batches, held_out: Batch | None, settings: Settings) -> None:
        self.model, self.batches, self.held_out, self.settings = model, batches, held_out, settings
        self.progress = Progress()
        self.optimizer = Optimizer(model.own_parameters(), settings.weight_decay)
        self.opponents = model.opponents()
        self.opponent_optimizers = {
            name: Optimizer(opponent.module.parameters(), settings.weight_decay, opponent.betas)
            for name, opponent in self.opponents.items()
        }
        self.device = next(model.parameters()).device
        self.noise = torch.Generator(self.device).manual_seed(derive_seed(settings.seed, 4))
        self.n_batches = batches.n_batches(settings.batch_size)
        self.best: dict[str, Tensor] | None = None
        self.sums: dict[str, Tensor] = {}
        self.on_step: Callable[[], None] = lambda: None
        self.report: Callable[[str], None] = lambda message: None

    def take_up(self, batches: Batches, positions: Positions | None) -> None:
        """Go on with other rows, from the first, and where these have positions of their own, with those."""
        self.progress.position = 0  # an interrupt may have left others half way
        self.sums.clear()
        self.batches, self.n_batches = batches, batches.n_batches(self.settings.batch_size)
        if positions is not None:
            self.model.positions = positions
            self.optimizer.exchange(self.model.own_parameters())

    # One step -----------------------------------------------------------------------------------------------

    def step(self, batch: Batch) -> None:
        """Learn from one batch."""
        rate = schedule.learning_rate(self.progress, self.settings, self.n_batches)
        step, z = self.model.run(batch, self.noise, schedule.share_done(self.progress, self.settings))
        terms = self.model.objective(step, z, batch.condition)
        objective = sum(self._weighted_mean(term, batch) for term in terms.values())
        objective.backward()  # type: ignore[union-attr]
        self.optimizer.step(rate)
        self._step_opponents(step, rate)
        for name, term in terms.items():
            self._add(name, self._weighted_mean(term.detach(), batch) * len(batch))

    def _step_opponents(self, step: Step, rate: float) -> None:
        for name, opponent in self.opponents.items():
            optimizer = self.opponent_optimizers[name]
            optimizer.clear()  # what the objective left there is not the opponent's concern
            loss = opponent.loss(step)
            loss.backward()
            optimizer.step(rate * opponent.rate)
            self._add(OPPONENT + name, loss.detach() * len(step.codes))

    def _weighted_mean(self, term: Tensor, batch: Batch) -> Tensor:
        """Return the mean over the rows by their weights; a scalar speaks for the batch as it is."""
        if batch.weight is None or term.ndim == 0:
            return term.mean()
        return (term * batch.weight).sum() / (len(batch) * self.batches.mean_weight)

    def _add(self, name: str, value: Tensor) -> None:
        self.sums[name] = self.sums[name] + value if name in self.sums else value

    # One epoch ----------------------------------------------------------------------------------------------

    def epoch(self) -> dict[str, float]:
        """Go through the training rows once, from where the run stands, and return a row of history."""
        progress, settings = self.progress, self.settings
        self._begin_decay_if_due()
        began = time.monotonic()
        self.model.train()
        self.model.zero_grad()  # an interrupt, or a caller who differentiated a code, may have left some
        place = (progress.epoch, progress.position)
        for batch in self.batches.epoch(settings.batch_size, settings.seed, *place):
            self.step(batch)
            progress.step += 1
            progress.position += 1
            now = time.monotonic()
            progress.seconds, began = progress.seconds + now - began, now
            self.on_step()
        row = self._row()
        progress.seconds += time.monotonic() - began
        row["seconds"] = progress.seconds
        progress.history.append(row)
        progress.epoch, progress.position = progress.epoch + 1, 0
        self.sums = {}
        return row

    def _begin_decay_if_due(self) -> None:
        if not schedule.decay_is_due(self.progress, self.settings):
            return
        if schedule.stalled(self.progress, self.settings) and self.best is not None:
            # Since the best epoch the network has only learned noise: the small steps start from before that.
            self.model.load_state_dict(self.best)
        schedule.begin_decay(self.progress, self.settings)

    def _row(self) -> dict[str, float]:
        progress = self.progress
        row: dict[str, float] = {"epoch": progress.epoch + 1}
        trained = {name: float(total) / self.batches.n_rows for name, total in self.sums.items()}
        objective = [value for name, value in trained.items() if not name.startswith(OPPONENT)]
        row |= {"loss": math.fsum(objective)} | trained
        if self.held_out is not None:
            held_out = self.evaluate(self.held_out)
            row["validation_loss"] = math.fsum(held_out.values())
            row |= {f"validation_{name}": value for name, value in held_out.items()}
            self._keep_best(row["validation_loss"])
        row["learning_rate"] = schedule.learning_rate(progress, self.settings, self.n_batches)
        self._check_finite()
        return row

    @torch.no_grad()
    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Return the terms of the objective on given rows, at final weights, always with the same noise.

        They are NaN where no row has a positive weight.
        """
        self.model.eval()
        generator = torch.Generator(self.device).manual_seed(derive_seed(self.settings.seed, 5))
        totals: dict[str, float] = {}
        for start in range(0, len(batch), EVALUATION_ROWS):
            piece = batch.take(slice(start, start + EVALUATION_ROWS))
            weights = torch.ones(len(piece), device=self.device) if piece.weight is None else piece.weight
            for name, term in self.model.loss(piece, generator).items():
                totals[name] = totals.get(name, 0.0) + float((term * weights).double().sum())
        weight = len(batch) if batch.weight is None else float(batch.weight.double().sum())
        return {name: total / weight if weight else math.nan for name, total in totals.items()}

    def _keep_best(self, loss: float) -> None:
        progress = self.progress
        if progress.best_loss is None and not math.isfinite(loss):
            return  # it tells nothing: if it stays so, the schedule is run and the last weights are kept
        if progress.best_loss is None or loss < progress.best_loss:
            progress.best_loss, progress.best_epoch, progress.stale_epochs = loss, progress.epoch + 1, 0
            state = self.model.state_dict()
            if self.best is None:
                self.best = {name: tensor.clone() for name, tensor in state.items()}
            else:
                torch._foreach_copy_(list(self.best.values()), list(state.values()))
        elif schedule.share_done(progress, self.settings) >= self.model.ramp:
            progress.stale_epochs += 1  # while weights still grow, the figure need not fall

    def _check_finite(self) -> None:
        """Halve the rate if steps were left out, their gradient not finite; give up after a few epochs."""
        skipped = int(self.optimizer.skipped)
        self.optimizer.skipped.zero_()
        progress = self.progress
        progress.failures = progress.failures + 1 if skipped else 0
        progress.lost = 2 * skipped > self.n_batches
        if not skipped:
            return
        progress.rate_factor /= 2
        share = f"{skipped} of {self.n_batches} steps"
        where = f"epoch {progress.epoch + 1}: {share} had a gradient that is not finite"
        if progress.failures >= MAX_FAILURES:
            raise TrainingError(
                f"{where}, as in the {MAX_FAILURES - 1} epochs before, though the learning rate was halved "
                f"each time. {ADVICE}"
            )
        self.report(f"{where} and were left out; the learning rate is halved")

    # One run ------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether the schedule has run its course."""
        return schedule.finished(self.progress)

    def restore_best(self) -> None:
        """Put back the weights with the lowest held-out loss; without held-out rows the last weights stay.

        Where these have diverged, so that most gradients of the last epoch were not finite, that is a
        TrainingError.
        """
        if self.best is not None:
            self.model.load_state_dict(self.best)
        elif self.progress.lost:
            raise TrainingError(
                f"epoch {self.progress.epoch}, the last: most steps had a gradient that is not finite, the "
                f"network has diverged. {ADVICE}"
            )
        self.model.eval()
