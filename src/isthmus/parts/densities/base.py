"""What every density offers."""

from __future__ import annotations

from abc import abstractmethod

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

__all__ = ["Density", "uniform"]


class Density(nn.Module):
    """log p(x given z), where a decoder computed `outputs` of shape (B, n_outputs) from z.

    Attributes
    ----------
    n_outputs : int
        How many outputs of the decoder it reads.
    """

    n_outputs: int

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.n_outputs = n_outputs

    @abstractmethod
    def initial_outputs(self) -> Tensor:
        """Return outputs of shape (n_outputs,) that mean "as in the training data, whatever z"."""

    @abstractmethod
    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        """Return the log-likelihood of each value, of shape (B, C), in nats of the data as given.

        Values that stand in for missing ones get a finite number too, which the caller leaves out.
        """

    def row_log_prob(self, outputs: Tensor, values: Tensor, observed: Tensor | None) -> Tensor:
        """Return log p(x given z) of whole rows, of shape (K, B), for K sets of outputs, (K, B, n_outputs).

        Entries of `values`, (B, C), that were not `observed` are left out.
        """
        n_draws, n_rows, _ = outputs.shape
        repeated = values if n_draws == 1 else values.repeat(n_draws, 1)
        log_prob = self.log_prob(outputs.flatten(0, 1), repeated).view(n_draws, n_rows, -1)
        if observed is not None:
            log_prob = torch.where(observed, log_prob, 0.0)
        return log_prob.sum(dim=2)

    @abstractmethod
    def mean(self, outputs: Tensor) -> Tensor:
        """Return the expected values, of shape (B, C); of a category, the most probable code."""

    @abstractmethod
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Draw values of shape (B, C), with no gradient."""

    def targets(self, values: Tensor, generator: torch.Generator) -> Tensor:
        """Return what is to be scored in place of `values`: another draw where the likelihood binarises."""
        return values

    def _keep(self, name: str, array: ArrayLike) -> None:
        """Register a constant that moves with the module and is derived from facts, hence not saved."""
        self.register_buffer(name, torch.as_tensor(array, dtype=torch.get_default_dtype()), persistent=False)


def uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw numbers in the open interval (0, 1), of the shape, type and device of `like`."""
    draws = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    return draws.clamp(min=torch.finfo(like.dtype).tiny)
