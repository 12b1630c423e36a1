"""A spiral."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.normal import normal_noise

if TYPE_CHECKING:
    from isthmus.parts.priors.specs import SwissRoll

__all__ = ["SwissRollPrior"]

N_KINDS = 10
NEWTON_STEPS = 5


class SwissRollPrior(LatentPrior):
    """An Archimedean spiral in the first two components, with normal noise; the others are standard normal.

    Draws are uniform along the curve. Label k owns its k-th tenth, from the middle outwards.

    Parameters
    ----------
    n_components : int
        At least 2.
    spec : SwissRoll
    """

    scored = False

    def __init__(self, n_components: int, spec: SwissRoll) -> None:
        super().__init__(n_components)
        self.n_kinds = N_KINDS
        self.last_turn, self.sd = 2 * math.pi * spec.turns, spec.sd
        self.pitch = spec.radius / self.last_turn  # the distance from the middle is pitch * turn

    def curve(self, share: Tensor) -> Tensor:
        """Return the points (..., 2) that have these shares of the curve's length before them."""
        turn = _turn_at(share * _length(self.last_turn))
        return self.pitch * turn[..., None] * torch.stack([torch.cos(turn), torch.sin(turn)], dim=-1)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return self._draw(_uniform(n, generator), generator, temperature)

    @torch.no_grad()
    def sample_labelled(self, labels: Tensor, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Draw for each label from the tenth of the curve of that number."""
        return self._draw((labels + _uniform(len(labels), generator)) / N_KINDS, generator, temperature)

    def _draw(self, share: Tensor, generator: torch.Generator, temperature: float) -> Tensor:
        noise = temperature * normal_noise(len(share), self.n_components, generator)
        return torch.cat([self.curve(share) + self.sd * noise[:, :2], noise[:, 2:]], dim=1)


def _uniform(n: int, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator, device=generator.device)


def _length(turn: float) -> float:
    """Return how long the spiral of pitch 1 is up to an angle."""
    return 0.5 * (turn * math.hypot(1, turn) + math.asinh(turn))


def _turn_at(length: Tensor) -> Tensor:
    """Return the angle up to which the spiral of pitch 1 has these lengths."""
    # Newton's method: the length is convex and at least turn and turn^2 / 2, so that from here it falls onto
    # the root, and to rounding within a few steps.
    turn = torch.minimum(length, (2 * length).sqrt())
    for _ in range(NEWTON_STEPS):
        slope = torch.sqrt(1 + turn.square())
        turn = turn - (0.5 * (turn * slope + torch.asinh(turn)) - length) / slope
    return turn
