"""Tokens that are the nearest vectors of a codebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.parts.posteriors.base import DiscreteCode

if TYPE_CHECKING:
    from isthmus.parts.posteriors.specs import VectorQuantized

__all__ = ["VectorQuantizedCode"]

# A vector used less often than this share of the average is moved. It then counts as used at twice the share,
# which gives it time to find out whether it is of use at its new place.
LEAST_USE = 0.1
# Distances that are held at a time.
LARGEST_PIECE = 2**24


class VectorQuantizedCode(DiscreteCode):
    """The encoder's output in pieces of `token_size`, each replaced by the nearest vector of the codebook.

    The gradient passes through as if nothing were replaced. Each vector is the moving average of the outputs
    nearest to it; the first training batch provides the first vectors.

    Parameters
    ----------
    n_components : int
    spec : VectorQuantized
    """

    codebook: Tensor
    counts: Tensor

    def __init__(self, n_components: int, spec: VectorQuantized) -> None:
        super().__init__(n_components, n_components)
        self.token_size, self.n_codes = spec.size_in(n_components), spec.n_codes
        self.commitment, self.decay = spec.commitment, spec.decay
        self.vocabulary = (spec.n_codes,) * (n_components // self.token_size)
        self.register_buffer("codebook", torch.zeros(spec.n_codes, self.token_size))
        self.register_buffer("counts", torch.zeros(spec.n_codes))

    def code(self, outputs: Tensor) -> Tensor:
        # Written so that the sum is the codebook's vectors to the last bit.
        return self.from_indices(self.indices(outputs)) + (outputs - outputs.detach())

    def indices(self, outputs: Tensor) -> Tensor:
        nearest = _nearest(self._tokens(outputs.detach()), self.codebook)
        return nearest.view(len(outputs), len(self.vocabulary))

    def from_indices(self, indices: Tensor) -> Tensor:
        return self.codebook[indices].flatten(1)  # (B, T, token_size) -> (B, D)

    def penalty(self, outputs: Tensor) -> Tensor:
        """Return the commitment's cost, which keeps the encoder near the codebook, of shape (B,)."""
        quantised = self.from_indices(self.indices(outputs))
        return self.commitment * (outputs - quantised).square().sum(dim=1)

    @torch.no_grad()
    def update(self, outputs: Tensor, generator: torch.Generator, weight: Tensor | None = None) -> None:
        tokens = self._tokens(outputs)  # (N, token_size)
        rows = outputs.new_ones(len(outputs)) if weight is None else weight / weight.mean()
        shares = rows.repeat_interleave(len(self.vocabulary))  # (N,)
        codebook, counts = self._moved(tokens, shares, generator)
        codebook, counts = self._followed(tokens, shares, codebook, counts)
        # The optimiser leaves out a step that is not finite; this leaves out its batch.
        usable = torch.isfinite(tokens).all() & torch.isfinite(shares).all()
        self.codebook.copy_(torch.where(usable, codebook, self.codebook))
        self.counts.copy_(torch.where(usable, counts, self.counts))

    def usage(self) -> Tensor:
        """Return the share of tokens that each vector stands for, of shape (n_codes,); a moving average."""
        return self.counts / self.counts.sum().clamp(min=torch.finfo(self.counts.dtype).tiny)

    def perplexity(self) -> Tensor:
        """Return how many equally used vectors would be as varied, from 1 to n_codes."""
        usage = self.usage()
        return torch.exp(-torch.xlogy(usage, usage).sum())

    def _tokens(self, outputs: Tensor) -> Tensor:
        return outputs.reshape(-1, self.token_size)  # (B * T, token_size)

    def project(self, z: Tensor) -> Tensor:
        return self.from_indices(self.indices(z))

    def _moved(self, tokens: Tensor, shares: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Put vectors that are hardly used, at first all of them, at tokens drawn by their weight."""
        average = len(tokens) / self.n_codes
        unused = self.counts < LEAST_USE * average  # (n_codes,)
        places = torch.rand(self.n_codes, generator=generator, device=tokens.device)
        drawn = torch.searchsorted(shares.cumsum(0), places * shares.sum()).clamp(max=len(tokens) - 1)
        codebook = torch.where(unused[:, None], tokens[drawn], self.codebook)
        return codebook, torch.where(unused, 2 * LEAST_USE * average, self.counts)

    def _followed(
        self, tokens: Tensor, shares: Tensor, codebook: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Move each vector towards the mean of the tokens that are nearest to it."""
        nearest = _nearest(tokens, codebook)
        # A matrix product rather than index_add_, whose order of summation varies on a GPU.
        chosen = torch.zeros(len(tokens), self.n_codes, dtype=tokens.dtype, device=tokens.device)
        chosen.scatter_(1, nearest[:, None], shares[:, None])  # (N, n_codes)
        found = chosen.sum(dim=0)  # (n_codes,)
        counts = torch.lerp(counts, found, 1 - self.decay)
        # The moving average of the tokens' sum over that of their number, written as a step from before.
        gap = chosen.T @ tokens - found[:, None] * codebook  # (n_codes, token_size)
        share = (1 - self.decay) / counts.clamp(min=torch.finfo(counts.dtype).tiny)
        return codebook + share[:, None] * gap, counts


def _nearest(tokens: Tensor, codebook: Tensor) -> Tensor:
    """Return the position of each token's nearest vector, of shape (N,)."""
    half_lengths = 0.5 * codebook.square().sum(dim=1)  # (n_codes,)
    pieces = tokens.split(max(1, LARGEST_PIECE // len(codebook)))
    # Half the squared distance, but for the token's own length, which is the same for all vectors.
    distances = (torch.addmm(half_lengths, piece, codebook.T, alpha=-1) for piece in pieces)
    return torch.cat([each.argmin(dim=1) for each in distances])
