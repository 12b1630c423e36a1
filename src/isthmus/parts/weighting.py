"""Means by the rows' weights, of which a batch may hold none."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["or_one", "weighted_mean"]


def weighted_mean(x: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean over the rows of x, of shape (B, ...), by their weights of shape (B,); 0 if all are."""
    if weight is None:
        return x.mean(dim=0)
    return torch.tensordot(weight, x, dims=1) / or_one(weight.sum())


def or_one(total: Tensor) -> Tensor:
    """Return a sum of weights to divide by: 1 where it is 0, as what is divided is 0 too.

    Its inverse and the gradient of that are finite then, which those of a tiny number are not.
    """
    return torch.where(total > 0, total, 1)
