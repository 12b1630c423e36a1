"""Independent normal components."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from isthmus.parts.posteriors.base import Code

__all__ = ["GaussianCode", "pairwise_normal_log_prob"]

# Wider than what codes of about unit scale use. Beyond it the log sd goes on at a small slope: cut off, a row
# that once got there would have no gradient to come back by, and cost thousands of nats in every epoch.
LOG_SD_RANGE = (-12.0, 3.0)
SLOPE_BEYOND = 0.01
# No output, however wild, makes a variance or a precision overflow.
LARGEST_EXCESS = 1000.0


class GaussianCode(Code):
    """Normal, its components independent given x: the encoder gives each one's mean, then its log sd.

    Parameters
    ----------
    n_components : int
    """

    stochastic = True

    def __init__(self, n_components: int) -> None:
        super().__init__(n_components, 2 * n_components)

    def mean(self, outputs: Tensor) -> Tensor:
        """Return the means, of shape (B, D)."""
        return outputs[..., : self.n_components]

    def sd(self, outputs: Tensor) -> Tensor:
        """Return the standard deviations, of shape (B, D)."""
        return self._log_sd(outputs).exp()

    def code(self, outputs: Tensor) -> Tensor:
        return self.mean(outputs)

    def sample(self, outputs: Tensor, noise: Tensor) -> Tensor:
        return torch.addcmul(self.mean(outputs), self.sd(outputs), noise)  # (K, B, D)

    def log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        log_sd = self._log_sd(outputs)
        scaled = (z - self.mean(outputs)) * torch.exp(-log_sd)  # (K, B, D)
        log_peak = -log_sd.sum(dim=-1) - 0.5 * self.n_components * math.log(2 * math.pi)  # (B,)
        return log_peak - 0.5 * scaled.square().sum(dim=-1)

    def pairwise_log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        return pairwise_normal_log_prob(self.mean(outputs), self._log_sd(outputs), z)

    def divergence(self, outputs: Tensor, prior: nn.Module) -> Tensor | None:
        # Not isinstance: priors import posteriors, so posteriors cannot import priors.
        if not getattr(prior, "standard_normal", False):
            return None
        log_sd = self._log_sd(outputs)
        # expm1 keeps the difference (sd^2 - 1) / 2 - log(sd) accurate where both are nearly 0.
        return 0.5 * (self.mean(outputs).square() + torch.expm1(2 * log_sd)) - log_sd

    def _log_sd(self, outputs: Tensor) -> Tensor:
        given = outputs[..., self.n_components :]
        inside = given.clamp(*LOG_SD_RANGE)
        excess = (given - inside).clamp(-LARGEST_EXCESS, LARGEST_EXCESS)
        return inside + SLOPE_BEYOND * excess


def pairwise_normal_log_prob(mean: Tensor, log_sd: Tensor, z: Tensor) -> Tensor:
    """Return the log-density of each point under each of M normals with independent components.

    Parameters
    ----------
    mean, log_sd : Tensor of shape (M, D)
    z : Tensor of shape (N, D)

    Returns
    -------
    Tensor of shape (N, M)
        In nats. One matrix product, which holds no (N, M, D).
    """
    # (z - m)^2 / s^2 multiplied out is a small difference of large numbers: with s = 0.001 and |z| = 3, it
    # would be a nat off in float32.
    dtype, mean, log_sd, z = z.dtype, mean.double(), log_sd.double(), z.double()
    precision = torch.exp(-2 * log_sd)  # (M, D)
    log_peak = -log_sd.sum(dim=1) - 0.5 * mean.shape[1] * math.log(2 * math.pi)  # (M,)
    constant = log_peak - 0.5 * (mean.square() * precision).sum(dim=1)  # (M,)
    coefficients = torch.cat([mean * precision, -0.5 * precision], dim=1)  # (M, 2D)
    powers = torch.cat([z, z.square()], dim=1)  # (N, 2D)
    return torch.addmm(constant, powers, coefficients.T).to(dtype)
