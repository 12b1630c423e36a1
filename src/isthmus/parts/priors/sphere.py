"""The uniform distribution on the unit sphere."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from isthmus.parts.posteriors.angle import log_area
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.normal import normal_noise

__all__ = ["UniformSpherePrior"]


class UniformSpherePrior(LatentPrior):
    """Uniform on the unit sphere, with its density per unit of area; temperature changes nothing.

    Parameters
    ----------
    n_components : int
        At least 2.
    """

    on_sphere = True
    uniform_on_sphere: ClassVar[bool] = True  # codes look for it: then they have a closed form

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        return z.new_full(z.shape[:-1], -log_area(self.n_components))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return functional.normalize(normal_noise(n, self.n_components, generator), dim=1)
