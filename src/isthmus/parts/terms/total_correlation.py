"""The dependence of the aggregated code's components on each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.gaussian import GaussianCode
from isthmus.parts.terms.base import Step, TermModule

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import TotalCorrelation

__all__ = ["TotalCorrelationTerm"]

HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
# Densities that are held at a time: thousands of held-out rows are taken in pieces.
LARGEST_PIECE = 2**24


class TotalCorrelationTerm(TermModule):
    """log q(z) - sum of log q(z_j) at each row's draw; its mean is KL(q(z) || product of q(z_j)).

    q is taken to be the mixture of the batch's own posteriors: log q(z) is the log-sum-exp of their
    log-densities minus log B, and each log q(z_j) likewise. The draw's own posterior is among them, so
    densities come out too large, the joint one the most: with posteriors narrow beside the batch's spacing,
    the joint estimate cannot fall below log q(z given x) - log B, and the term is too large. The bias shrinks
    with B, and grows with the number of components.

    Parameters
    ----------
    spec : TotalCorrelation
    code : Code
    """

    def __init__(self, spec: TotalCorrelation, code: Code) -> None:
        super().__init__("total_correlation", spec.weight)
        if not isinstance(code, GaussianCode):
            raise InputError(f"{spec!r} needs a density per component: use the posterior DiagonalGaussian.")

    def forward(self, step: Step) -> Tensor:
        assert isinstance(step.code, GaussianCode)
        mean, sd = step.code.mean(step.outputs), step.code.sd(step.outputs)  # (B, D)
        log_share = _log_shares(mean, step.weight)  # (B,)
        pieces = step.codes.split(max(1, LARGEST_PIECE // mean.numel()))
        return torch.cat([_dependence(z, mean, sd, log_share) for z in pieces])


def _log_shares(mean: Tensor, weight: Tensor | None) -> Tensor:
    """Return the log of each posterior's share of the mixture."""
    if weight is None:
        return mean.new_full((len(mean),), -math.log(len(mean)))
    positive = weight.clamp(min=torch.finfo(weight.dtype).tiny)
    return torch.log(positive / positive.sum())


def _dependence(z: Tensor, mean: Tensor, sd: Tensor, log_share: Tensor) -> Tensor:
    """Return log q(z) - sum of log q(z_j), of shape (N,), under a mixture of B normals."""
    scaled = (z[:, None] - mean) / sd  # (N, B, D)
    log_density = -0.5 * scaled.square() - sd.log() - HALF_LOG_TWO_PI  # (N, B, D)
    joint = torch.logsumexp(log_density.sum(dim=2) + log_share, dim=1)  # (N,)
    marginal = torch.logsumexp(log_density + log_share[:, None], dim=1)  # (N, D)
    return joint - marginal.sum(dim=1)
