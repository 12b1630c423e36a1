"""Codes of which few components are active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.point import PointCode
from isthmus.parts.terms.base import Step, TermModule
from isthmus.parts.weighting import weighted_mean

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import Sparsity

__all__ = ["SparsityTerm"]


class SparsityTerm(TermModule):
    """The sum of the components' sizes per row, or how far their means over the batch are from a rate.

    Parameters
    ----------
    spec : Sparsity
    code : Code
    """

    def __init__(self, spec: Sparsity, code: Code) -> None:
        super().__init__("sparsity", spec.weight)
        _check(spec, code)
        self.penalty, self.rate = spec.penalty, spec.rate

    def forward(self, step: Step) -> Tensor:
        if self.penalty == "l1":
            return step.codes.abs().sum(dim=1)
        return _divergence(self.rate, weighted_mean(step.codes, step.weight)).sum()


def _divergence(rate: float, mean: Tensor) -> Tensor:
    """Return KL(rate || mean) of coins, in nats, elementwise."""
    margin = torch.finfo(mean.dtype).eps
    mean = mean.clamp(margin, 1 - margin)
    target = torch.full_like(mean, rate)
    on = torch.xlogy(target, target / mean)
    return on + torch.xlogy(1 - target, (1 - target) / (1 - mean))


def _check(spec: Sparsity, code: Code) -> None:
    if spec.penalty == "top_k":
        raise InputError(
            f"{spec!r} is no penalty: the code itself keeps its largest entries. "
            f"Use SparseAutoencoder, or the posterior Point(top_k={spec.k})."
        )
    if spec.penalty == "kl" and not (isinstance(code, PointCode) and code.activation == "sigmoid"):
        raise InputError(
            f"{spec!r} compares means with a rate, so codes must lie between 0 and 1: "
            'use the posterior Point(activation="sigmoid"), or penalty="l1".'
        )
