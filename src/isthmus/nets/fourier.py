"""Sines of a code, from which a decoder draws finer detail than from the code itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FourierFeatures"]


class FourierFeatures(nn.Module):
    """``sqrt(2) sin(z W + b)``: waves of learned directions, lengths and phases over the space of codes.

    From a few coordinates a perceptron learns what varies slowly over them long before what varies fast;
    from such waves it learns both at once (Tancik et al. 2020).

    Parameters
    ----------
    n_in : int
        Coordinates.
    n_out : int
        Waves.
    frequency : float
        Standard deviation of the first weights, in radians per unit of a coordinate.
    """

    def __init__(self, n_in: int, n_out: int, frequency: float) -> None:
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        nn.init.normal_(self.linear.weight, std=frequency)
        nn.init.uniform_(self.linear.bias, -math.pi, math.pi)

    def forward(self, z: Tensor) -> Tensor:
        """Map (B, n_in) to (B, n_out), of unit variance where phases are spread evenly."""
        return math.sqrt(2) * torch.sin(self.linear(z))
