"""The divergence of the posterior from the prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.base import Step, TermModule
from isthmus.parts.weighting import weighted_mean

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import KL

__all__ = ["KLTerm"]


class KLTerm(TermModule):
    """KL(q(z given x) || p(z)) of each row: in closed form where there is one, else from the decoded draw.

    Parameters
    ----------
    spec : KL
    code : Code
    prior : LatentPrior
    """

    def __init__(self, spec: KL, code: Code, prior: LatentPrior) -> None:
        super().__init__("kl", spec.beta)
        _check(spec, code, prior)
        self.ramp, self.free_bits = spec.warmup, spec.free_bits

    def forward(self, step: Step) -> Tensor:
        divergence = _divergence(step)  # (B, D) or (B, 1)
        if self.free_bits:
            # The allowance is per component: a column that stands for several has that of them all.
            floor = self.free_bits * step.code.n_components / divergence.shape[1]
            free = weighted_mean(divergence.detach(), step.weight) < floor  # (D,) or (1,)
            divergence = torch.where(free, floor, divergence)
        return divergence.sum(dim=1)


def _divergence(step: Step) -> Tensor:
    """Return the divergence per component, (B, D), or that of whole rows, (B, 1)."""
    assert step.prior is not None
    exact = step.code.divergence(step.outputs, step.prior)
    if exact is not None:
        return exact
    log_q = step.code.log_prob(step.outputs, step.codes[None])[0]  # (B,)
    return (log_q - step.prior.log_prob(step.codes, step.anchors))[:, None]


def _check(spec: KL, code: Code, prior: LatentPrior) -> None:
    if not code.stochastic:
        raise InputError(
            f"{spec!r} needs codes that are drawn, as DiagonalGaussian's are; these have no noise."
        )
    if not prior.scored:
        raise InputError(
            f"{spec!r} needs log p(z), which {type(prior).__name__} cannot give: it can only be drawn from. "
            "Use an adversarial autoencoder, or another prior."
        )
    if code.on_sphere != prior.on_sphere:
        on, off = ("code", "prior") if code.on_sphere else ("prior", "code")
        raise InputError(
            f"{spec!r} is infinite: the {on} lies on the unit sphere and the {off} does not. "
            "UniformSphere goes with VonMisesFisher."
        )
