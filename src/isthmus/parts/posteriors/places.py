"""A code that is the likeliest region among places on a map, and the positions it is taught with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.parts.posteriors.base import Code

__all__ = ["PlacesCode", "Positions"]

# Steps of mean shift from the densest place. Each moves a code by a smaller part of the width than the last.
N_SHIFTS = 5
# The mode is looked for at twice the width with which rows are told where they lie: finer bumps are chance.
SMOOTHING = 2.0
# The places whose probabilities are looked at: the rest hold next to nothing.
KEPT = 64
# How many rows say how far apart places are.
PROBES = 512
# A guess counts only if it lies nearer to the peak than places tell apart: where rows are hard to tell it is
# the mean of many, and seldom does.
AGREEMENT = 0.5
# Of a guess's scale, as a multiple of the places' width: a guess that is right to the bit would have none.
LEAST_LOG_SCALE = -2.0
# How far a step of Adam moves a position at the peak of the schedule, whatever the networks' rate. The map's
# unit is the distance at which the pull of neighbours is halved. Where training begins positions have settled
# before, by longer steps; with those they would lose a part of that again.
POSITION_STEP = 0.1


class PlacesCode(Code):
    """q(z given x) spreads over places in the code's space; its highest peak stands for the row.

    A network that is to give a position itself gives the mean of all that a row might be, which lies between
    them, where nothing does. One that says how likely each of many places is can leave several open, and the
    peak, found by mean shift (Comaniciu & Meer 2002) over a Gaussian around each place, lies in one of them.
    Where in the peak's region the row lies, a guess at its position says more finely than places do where it
    can: the more precise guesses have been, and the more this one agrees with the peak, the more it counts.

    Parameters
    ----------
    n_components : int
    n_places : int

    Attributes
    ----------
    places : Tensor of shape (n_places, D)
    width : Tensor
        Standard deviation around a place, one number.
    log_scale : Parameter
        Log of the guesses' scale, as a multiple of the width.
    """

    places: Tensor
    width: Tensor

    def __init__(self, n_components: int, n_places: int) -> None:
        super().__init__(n_components, n_places + n_components)
        self.register_buffer("places", torch.zeros(n_places, n_components))
        self.register_buffer("width", torch.ones(()))
        self.log_scale = nn.Parameter(torch.zeros(()))

    def code(self, outputs: Tensor) -> Tensor:
        logits, guess = self._read(outputs)
        likely = torch.softmax(logits, dim=1).topk(min(KEPT, len(self.places)), dim=1)
        places = self.places[likely.indices]  # (B, M, D)
        width = SMOOTHING * self.width
        with torch.no_grad():
            dense = _gaussian(torch.cdist(places, places).square(), width) @ likely.values[..., None]
            peak = torch.take_along_dim(places, dense.argmax(dim=1, keepdim=True), dim=1)  # (B, 1, D)
        for _ in range(N_SHIFTS):
            shares = likely.values * _gaussian((places - peak).square().sum(dim=2), width)
            shares = shares / shares.sum(dim=1, keepdim=True)
            peak = (shares[..., None] * places).sum(dim=1, keepdim=True)
        peak = peak[:, 0]
        off = (guess - peak).square().sum(dim=1, keepdim=True) / (AGREEMENT * self.width).square()
        trust = torch.exp(-2 * self._log_scale() - 0.5 * off)
        return (peak + trust * guess) / (1 + trust)

    def surprise(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return what the outputs lack, in nats, of shape (B,), to put rows at targets (B, M, D).

        KL(t || q), for t spread over the places around the targets, and the surprise of a Cauchy distribution
        around the guess, which far targets hardly move (less a constant: it can be below 0).
        """
        logits, guess = self._read(outputs)
        distances = torch.cdist(targets.flatten(0, 1), self.places)
        spread = torch.softmax(-distances.square() / (2 * self.width.square()), dim=1)
        wanted = spread.unflatten(0, targets.shape[:2]).mean(dim=1)
        entropy = torch.special.entr(wanted).sum(dim=1)
        log_scale, n = self._log_scale(), self.n_components
        missed = (targets - guess[:, None]).square().sum(dim=2) / (self.width * log_scale.exp()).square()
        guessing = 0.5 * (n + 1) * torch.log1p(missed).mean(dim=1) + n * log_scale
        return guessing - (wanted * torch.log_softmax(logits, dim=1)).sum(dim=1) - entropy

    def _log_scale(self) -> Tensor:
        return self.log_scale.clamp(min=LEAST_LOG_SCALE)

    def _read(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the places' logits and the guess, of shape (B, D), at the scale of the places."""
        logits, guess = outputs.split([len(self.places), self.n_components], dim=1)
        return logits, self.places.mean(dim=0) + self.places.std() * guess

    @torch.no_grad()
    def follow(self, positions: Positions) -> None:
        """Put the places where their landmarks are now, and the width at the rows' distance from them."""
        if positions.landmarks is None:
            return
        table = positions.table()
        self.places.copy_(table[positions.landmarks])
        nearest = torch.cdist(table[:: max(1, len(table) // PROBES)], self.places).min(dim=1).values
        least = 1e-3 * table.std().nan_to_num().clamp(min=1e-3)
        self.width.copy_(nearest.square().mean().sqrt().maximum(least))


class Positions(nn.Module):
    """A position for each training row, moved by the loss itself: what a `PlacesCode` is taught with.

    It is there while training runs and no part of the model that remains.

    Parameters
    ----------
    layout : Tensor of shape (n, D)
        Where positions start.
    landmarks : Tensor of int of shape (n_places,), or None
        The rows at which places are; None if places stay where they are.
    learning_rate : float
        The peak rate of the networks, whose optimiser moves positions too.
    """

    landmarks: Tensor | None

    def __init__(self, layout: Tensor, landmarks: Tensor | None, learning_rate: float) -> None:
        super().__init__()
        self.unit = POSITION_STEP / learning_rate  # Adam's steps do not depend on the scale
        self.scaled = nn.Parameter(layout / self.unit)
        self.register_buffer("landmarks", landmarks)

    def table(self) -> Tensor:
        """Return all positions, of shape (n, D)."""
        return self.scaled * self.unit

    def at(self, index: Tensor) -> Tensor:
        """Return positions of rows, of the index's shape and D."""
        return functional.embedding(index, self.scaled) * self.unit


def _gaussian(squares: Tensor, width: Tensor) -> Tensor:
    return torch.exp(-squares / (2 * width.square()))
