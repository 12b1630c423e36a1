"""Directions: points on the unit sphere."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.parts.posteriors.angle import AngleDistribution, log_area
from isthmus.parts.posteriors.base import Code

__all__ = ["SphericalCode"]

# No concentration leaves this range: below, the divergence from uniform is under a millionth of a nat; above,
# draws are as near to each other as float32 resolves well.
LEAST, LARGEST = 1e-3, 1e5
# An output shorter than this has no direction worth a gradient, which grows as the inverse of the length.
SHORTEST = 1e-4


class SphericalCode(Code):
    """Von Mises-Fisher: density ``exp(kappa cos(angle))`` on the unit sphere, up to a constant.

    The encoder gives the mean direction, of any length, then one number from which the concentration kappa
    derives as ``(D - 1) softplus(.)``: at an output of 0 draws spread as widely whatever D.

    Draws and densities are computed in float64, and given in the type of the outputs.

    Parameters
    ----------
    n_components : int
        D, at least 2.
    """

    stochastic = True
    on_sphere = True

    def __init__(self, n_components: int) -> None:
        super().__init__(n_components, n_components + 1)
        self.angles = AngleDistribution(n_components)

    def code(self, outputs: Tensor) -> Tensor:
        given = outputs[..., : self.n_components]
        # A row at the training mean may have outputs of exactly 0: the first axis stands in.
        length = torch.linalg.vector_norm(given, dim=-1, keepdim=True)
        axis = functional.pad(torch.ones_like(length), (0, self.n_components - 1))
        return functional.normalize(torch.where(length < SHORTEST, axis, given), dim=-1)

    def project(self, z: Tensor) -> Tensor:
        return functional.normalize(z, dim=-1)

    def concentration(self, outputs: Tensor) -> Tensor:
        """Return kappa, of shape (B,), in float64."""
        raw = functional.softplus(outputs[..., self.n_components].double())
        return (LEAST + (self.n_components - 1) * raw).clamp(max=LARGEST)

    def sample(self, outputs: Tensor, noise: Tensor) -> Tensor:
        """Go from the mean direction along the noise that is tangent to it.

        The way's direction is that of the noise, and its length as probable as that of the noise. This map is
        smooth in noise, direction and concentration; without noise it gives the mean direction.

        Parameters
        ----------
        outputs : Tensor of shape (B, D + 1)
        noise : Tensor of shape (K, B or 1, D)
        """
        direction, noise = self.code(outputs.double()), noise.double()
        along = (noise * direction).sum(dim=-1, keepdim=True)
        tangent = noise - along * direction  # (K, B, D)
        length = torch.linalg.vector_norm(tangent, dim=-1)  # (K, B)
        angle = self.angles.angle(length, self.concentration(outputs))
        factor = torch.sin(angle) / length.clamp(min=torch.finfo(length.dtype).tiny)
        z = torch.cos(angle)[..., None] * direction + factor[..., None] * tangent
        return z.to(outputs.dtype)

    def log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        kappa, direction = self.concentration(outputs), self.code(outputs.double())
        # Half the squared chord is 1 - cos, to first order whatever rounding did to the length of z.
        fall = 0.5 * (z.double() - direction).square().sum(dim=-1)  # (K, B)
        return (-self.angles.log_normaliser(kappa) - kappa * fall).to(outputs.dtype)

    def pairwise_log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        kappa, direction, points = self.concentration(outputs), self.code(outputs.double()), z.double()
        half_lengths = 0.5 * (points.square().sum(dim=1, keepdim=True) + 1)  # (N, 1)
        fall = half_lengths - points @ direction.T  # (N, M)
        return (-self.angles.log_normaliser(kappa) - kappa * fall).to(z.dtype)

    def divergence(self, outputs: Tensor, prior: nn.Module) -> Tensor | None:
        # Not isinstance: priors import posteriors, so posteriors cannot import priors.
        if not getattr(prior, "uniform_on_sphere", False):
            return None
        mean_log_q = self.angles.mean_log_density(self.concentration(outputs))
        return (mean_log_q + log_area(self.n_components))[:, None].to(outputs.dtype)
