"""Components rounded to a few levels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.parts.posteriors.base import DiscreteCode

__all__ = ["FiniteScalarCode"]


class FiniteScalarCode(DiscreteCode):
    """Each component, bounded by tanh, at the nearest of evenly spaced levels from -1 to 1; one token each.

    The gradient is that of tanh, as if nothing were rounded.

    Parameters
    ----------
    n_components : int
    levels : int
    """

    grid: Tensor

    def __init__(self, n_components: int, levels: int) -> None:
        super().__init__(n_components, n_components)
        self.levels = levels
        self.vocabulary = (levels,) * n_components
        self.register_buffer("grid", torch.linspace(-1, 1, levels), persistent=False)
        # An even number of levels has none in the middle. An output of 0, where encoders start, is moved from
        # the edge between two of them onto the upper one. With two levels tanh never gets there: 0 stays.
        self.shift = math.atanh(1 / (levels - 1)) if levels % 2 == 0 and levels > 2 else 0.0

    def code(self, outputs: Tensor) -> Tensor:
        bounded = torch.tanh(outputs + self.shift)
        # Written so that the sum is a level to the last bit.
        return self.from_indices(self.indices(outputs)) + (bounded - bounded.detach())

    def indices(self, outputs: Tensor) -> Tensor:
        bounded = torch.tanh(outputs + self.shift)
        return torch.round((bounded + 1) * (0.5 * (self.levels - 1))).long()

    def from_indices(self, indices: Tensor) -> Tensor:
        return self.grid[indices]

    def project(self, z: Tensor) -> Tensor:
        return self.from_indices(torch.round((z.clamp(-1, 1) + 1) * (0.5 * (self.levels - 1))).long())
