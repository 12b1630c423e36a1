"""The squared maximum mean discrepancy of codes from draws of the prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.base import Step, TermModule
from isthmus.parts.weighting import or_one, weighted_mean

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import Adversarial, MaximumMeanDiscrepancy

__all__ = ["DiscrepancyTerm", "prior_scale", "squared_discrepancy"]

FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# Draws from which a prior's scale is estimated: its standard error is a fraction of a percent.
SCALE_DRAWS = 8192
SCALE_SEED = 0


class DiscrepancyTerm(TermModule):
    """How far a batch's codes are from as many draws of the prior: one number for the batch.

    Parameters
    ----------
    spec : MaximumMeanDiscrepancy
    code : Code
    prior : LatentPrior
    """

    scale: Tensor

    def __init__(self, spec: MaximumMeanDiscrepancy, code: Code, prior: LatentPrior) -> None:
        super().__init__("maximum_mean_discrepancy", spec.weight)
        self.kernel = spec.kernel
        self.register_buffer("scale", prior_scale(spec, prior), persistent=False)

    def forward(self, step: Step) -> Tensor:
        assert step.prior is not None
        draws = step.prior.sample(len(step.codes), step.generator, anchors=step.anchors)
        return squared_discrepancy(step.codes, draws, self.kernel, self.scale, step.weight)


def squared_discrepancy(
    x: Tensor, y: Tensor, kernel: str, scale: Tensor | float, weight: Tensor | None = None
) -> Tensor:
    """Estimate MMD^2 between the distributions of two samples, without bias (Gretton et al. 2012).

    Parameters
    ----------
    x : Tensor of shape (N, D)
    y : Tensor of shape (M, D)
    kernel : {"inverse_multiquadric", "gaussian"}
        ``C / (C + d^2)`` or ``exp(-d^2 / C)``, summed over seven scales t, where ``C = 2 D scale^2 t``: at
        t = 1, the mean squared distance of two draws of the prior, whatever the number D of components.
    scale : Tensor or float
        A standard deviation of one component.
    weight : Tensor of shape (N,), optional
        Of the rows of x.

    Returns
    -------
    Tensor
        A scalar, which may be negative: its mean is 0 for equal distributions.
    """
    unit = 2 * x.shape[1] * scale**2
    xx, yy, xy = (_kernel(a, b, kernel, unit) for a, b in ((x, x), (y, y), (x, y)))
    within = _mean_of_pairs(xx, weight) + _mean_of_pairs(yy, None)
    across = xy.mean(dim=1)  # (N,)
    return within - 2 * weighted_mean(across, weight)


def prior_scale(spec: MaximumMeanDiscrepancy | Adversarial, prior: LatentPrior) -> Tensor:
    """Estimate the pooled standard deviation of a prior's components, from draws that are always the same.

    It is 1 for a prior that learns: that has no scale of its own yet, and starts near the codes, which are of
    about unit scale.
    """
    if prior.discrete:
        raise InputError(f"{spec!r} compares continuous codes, and these are made of tokens.")
    if any(parameter.requires_grad for parameter in prior.parameters()):
        return torch.ones(())
    draws = prior.sample(SCALE_DRAWS, torch.Generator().manual_seed(SCALE_SEED))
    return draws.var(dim=0).mean().sqrt()


def _mean_of_pairs(kernel: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of a (N, N) kernel over pairs of different rows; 0 if there is no pair."""
    n = len(kernel)
    if weight is None:
        return (kernel.sum() - kernel.diagonal().sum()) / max(n * (n - 1), 1)
    pairs = torch.outer(weight, weight).fill_diagonal_(0)  # (N, N)
    return (pairs * kernel).sum() / or_one(pairs.sum())


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return squared distances of shape (N, M), by a matrix product about a common centre, for accuracy."""
    centre = y.mean(dim=0)
    x, y = x - centre, y - centre
    lengths = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1)  # (N, M)
    return torch.addmm(lengths, x, y.T, alpha=-2).clamp(min=0)


def _kernel(x: Tensor, y: Tensor, kernel: str, unit: Tensor | float) -> Tensor:
    """Return the kernel of all pairs, of shape (N, M), where distances are squared multiples of `unit`."""
    distances = _squared_distances(x, y) / unit
    total = torch.zeros_like(distances)
    for t in FACTORS:
        total = total + (torch.exp(-distances / t) if kernel == "gaussian" else t / (t + distances))
    return total
