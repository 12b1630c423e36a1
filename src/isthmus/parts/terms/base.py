"""What every term's module offers, and what it may look at."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from isthmus.data.features import Features, Values
from isthmus.parts.posteriors.base import Code
from isthmus.parts.priors.base import LatentPrior

__all__ = ["Step", "TermModule"]


@dataclass(eq=False)
class Step:
    """A batch on its way through the model.

    Attributes
    ----------
    rows : Values
        The rows whose likelihood is asked (B rows), undamaged.
    seen : Values
        The rows as the encoder saw them.
    outputs : Tensor of shape (B, n_outputs)
        The encoder's outputs.
    codes : Tensor of shape (B, D)
        The codes that were decoded: a draw for each row, or the code itself.
    encode : callable
        Maps `Values` to encoder outputs, differentiably, under the batch's conditions.
    encoder : nn.Module
        Maps encoder inputs to encoder outputs.
    features : Features
        Maps `Values` to encoder inputs (before any condition).
    code : Code
    prior : LatentPrior or None
    anchors : Tensor or None
        What the prior needs of the networks.
    labels : Tensor of int of shape (B,), or None
        What an opponent is told; -1 where unknown.
    generator : torch.Generator
        On the device; fixed anew for each look at held-out rows.
    share : float
        How much of the schedule is done, 0 to 1.
    weight : Tensor of shape (B,), or None
        The rows' training weights.
    near_codes : Tensor of shape (B, M, D), or None
        The codes of M neighbours of each row, where the batch brings neighbours.
    layout : Tensor of shape (B, D), or None
        Where a first layout puts the rows, where the batch brings one.
    """

    rows: Values
    seen: Values
    outputs: Tensor
    codes: Tensor
    encode: Callable[[Values], Tensor]
    encoder: nn.Module
    features: Features
    code: Code
    prior: LatentPrior | None
    anchors: Tensor | None
    labels: Tensor | None
    generator: torch.Generator
    share: float
    weight: Tensor | None
    near_codes: Tensor | None = None
    layout: Tensor | None = None


class TermModule(nn.Module):
    """A term of the loss.

    Attributes
    ----------
    name : str
        In the history.
    opponent_rate : float
        The opponent's learning rate, as a multiple of the networks' own.
    opponent_betas : tuple of two float
        How much of the running means of gradients and of their squares each of its steps keeps.
    ramp : float
        Share of the schedule over which the weight grows from 0.
    unsettled : float
        Share of the schedule in which the held-out loss may rise and fall, which does not count as a stall.
    """

    name: str
    weight: float
    opponent_rate: float = 1.0
    opponent_betas: tuple[float, float] = (0.9, 0.999)
    ramp: float = 0.0
    unsettled: float = 0.0

    def __init__(self, name: str, weight: float) -> None:
        super().__init__()
        self.name, self.weight = name, weight

    @property
    def opponent(self) -> nn.Module | None:
        """A submodule that is trained by its own optimiser on `opponent_loss`, inside the same step."""
        return None

    @abstractmethod
    def forward(self, step: Step) -> Tensor:
        """Return the unweighted term: (B,) in nats per row, or a scalar for the batch as a whole.

        In evaluation mode (held-out rows) an adversarial term gives a discrepancy from the prior instead.
        """

    def opponent_loss(self, step: Step) -> Tensor:
        """Return the opponent's own loss, a scalar, on detached codes."""
        raise NotImplementedError

    def weight_at(self, share: float) -> float:
        """Return the weight when `share` of the schedule is done."""
        return self.weight * (min(1.0, share / self.ramp) if self.ramp else 1.0)
