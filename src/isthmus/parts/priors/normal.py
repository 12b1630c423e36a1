"""The standard normal prior."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from isthmus.parts.priors.base import LatentPrior

__all__ = ["StandardNormalPrior", "normal_log_prob", "normal_noise"]


class StandardNormalPrior(LatentPrior):
    """N(0, I).

    Parameters
    ----------
    n_components : int
    """

    standard_normal: ClassVar[bool] = True  # codes look for it: then they have a closed form

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        return normal_log_prob(z)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return temperature * normal_noise(n, self.n_components, generator)


def normal_log_prob(z: Tensor) -> Tensor:
    """Return the standard normal log-density of vectors (..., D), in nats, of shape (...)."""
    return -0.5 * (z.square().sum(dim=-1) + z.shape[-1] * math.log(2 * math.pi))


def normal_noise(n: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw standard normal noise of shape (n, width), on the generator's device."""
    return torch.randn(n, width, generator=generator, device=generator.device)
