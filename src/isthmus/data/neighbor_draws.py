"""Rows' neighbours, drawn anew in every epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

__all__ = ["NeighborGraph"]


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """Each row's neighbours, one or more, and how likely each is drawn.

    Attributes
    ----------
    neighbors : Tensor of int of shape (E,)
        Positions, row after row.
    sums : Tensor of float64 of shape (E + 1,)
        Running sum of the weights, from 0.
    ends : Tensor of int of shape (n + 1,)
        Where rows begin and end.
    """

    neighbors: Tensor
    sums: Tensor
    ends: Tensor

    @classmethod
    def of(cls, weights: csr_array) -> NeighborGraph:
        """Return the graph of a sparse matrix of weights of at least 0, some in every row above it."""
        sums = np.concatenate([[0.0], np.cumsum(weights.data)])
        parts = weights.indices.astype(np.int64), sums, weights.indptr.astype(np.int64)
        return cls(*(torch.from_numpy(part) for part in parts))

    def __len__(self) -> int:
        return len(self.ends) - 1

    def draw(self, generator: torch.Generator, n_drawn: int = 1) -> Tensor:
        """Return some neighbours of each row by their weights, with replacement, of shape (n, n_drawn)."""
        first, last = self.ends[:-1, None], self.ends[1:, None]
        low, high = self.sums[first], self.sums[last]
        share = torch.rand(len(self), n_drawn, generator=generator, dtype=torch.float64)
        found = torch.searchsorted(self.sums, low + share * (high - low), right=True) - 1
        return self.neighbors[found.clamp(min=first, max=last - 1)]  # a share that rounds up to 1
