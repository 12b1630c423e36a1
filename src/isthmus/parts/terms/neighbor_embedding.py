"""Neighbours in the data are told by their codes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code, DiscreteCode
from isthmus.parts.terms.base import Step, TermModule

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import NeighborEmbedding

__all__ = ["NeighborEmbeddingTerm", "misplacement", "surprise"]

# A row loses likelihood for a code that lies beside its neighbours' the more, the more columns there are.
LEAST_PRICE, PRICE_PER_COLUMN = 5.0, 1.0
# Rows that a neighbour is told from: distances are squares of a batch, and held-out rows come by thousands.
GROUP_ROWS = 1024
# Neighbourhoods alone leave a map folded as the first weights happened to fold it. Over this share of the
# schedule codes are drawn to a first layout, ever less.
GUIDED_SHARE, GUIDANCE = 0.3, 10.0


class NeighborEmbeddingTerm(TermModule):
    """-log of the share that a row's neighbour has among the other rows of its batch and itself.

    Shares follow ``1 / (1 + max(d - min_dist, 0)^2)``, d the distance of codes. The share is counted in
    multiples of what guessing would give, so that the term is 0 where codes tell nothing, and hardly depends
    on the batch's length.

    Parameters
    ----------
    spec : NeighborEmbedding
    code : Code
    """

    unsettled = GUIDED_SHARE

    def __init__(self, spec: NeighborEmbedding, code: Code) -> None:
        super().__init__("neighbor_embedding", spec.weight)
        if isinstance(code, DiscreteCode):
            raise InputError(f"{spec!r} moves codes by small steps, and these are made of tokens.")
        self.min_dist = spec.min_dist

    def forward(self, step: Step) -> Tensor:
        if step.near_codes is None:
            raise InputError(
                f"{self.name}: these rows came without neighbours; fit and partial_fit find them"
            )
        price = LEAST_PRICE + PRICE_PER_COLUMN * step.rows.values.shape[1]
        pairs = zip(step.codes.split(GROUP_ROWS), step.near_codes.split(GROUP_ROWS), strict=True)
        term = torch.cat([surprise(codes, near, self.min_dist) for codes, near in pairs])
        if step.layout is not None and step.share < GUIDED_SHARE:
            term = term + misplacement(step.codes, step.layout, step.share)
        return price * term


def surprise(codes: Tensor, near: Tensor, min_dist: float) -> Tensor:
    """Return the mean cross-entropy over neighbours (B, M, D), of shape (B,), in nats."""
    own = _log_kernel(codes[:, None], near, min_dist)[:, 0]  # (B, M)
    if len(codes) == 1:  # there is no other row to tell neighbours from
        return 0.0 * own.mean(dim=1)
    among = _log_kernel(codes, codes, min_dist).fill_diagonal_(-math.inf)
    others = torch.logsumexp(among, dim=1, keepdim=True)
    return (torch.logaddexp(own, others) - own).mean(dim=1) - math.log(len(codes))


def misplacement(codes: Tensor, layout: Tensor, share: float) -> Tensor:
    """Return what a code pays, of shape (B,), for its squared distance from its place in a first layout.

    It is counted in shares of the places' variance, and the less, the more of the schedule is done.
    """
    off = (codes - layout).square().sum(dim=1) / layout.square().sum(dim=1).mean().clamp(min=1e-12)
    return max(0.0, 1.0 - share / GUIDED_SHARE) * GUIDANCE * off


def _log_kernel(a: Tensor, b: Tensor, min_dist: float) -> Tensor:
    # Multiplied out, distances of codes far from 0 would be wrong in float32.
    distance = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return -torch.log1p((distance - min_dist).clamp(min=0).square())
