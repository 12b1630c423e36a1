"""What every posterior's module offers."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

__all__ = ["Code", "DiscreteCode"]


class Code(nn.Module):
    """q(z given x), where an encoder computed `outputs` of shape (B, n_outputs) from x.

    Draws are functions of standard normal noise, so that the caller decides whether rows share it. Everything
    is differentiable, and nothing is drawn in here.

    Attributes
    ----------
    n_components : int
        D, the width of a code.
    n_outputs : int
        How many outputs of the encoder it reads.
    stochastic : bool
        Whether codes are drawn and have a density; if not, a draw is the code itself.
    on_sphere : bool
        Whether codes lie on the unit sphere, as their prior must.
    """

    stochastic: ClassVar[bool] = False
    on_sphere: ClassVar[bool] = False
    n_components: int
    n_outputs: int

    def __init__(self, n_components: int, n_outputs: int) -> None:
        super().__init__()
        self.n_components, self.n_outputs = n_components, n_outputs

    @abstractmethod
    def code(self, outputs: Tensor) -> Tensor:
        """Return the code that stands for the distribution, of shape (B, D): its mean or its direction."""

    def sample(self, outputs: Tensor, noise: Tensor) -> Tensor:
        """Return draws of shape (K, B, D), given standard normal noise of shape (K, B or 1, D)."""
        return self.code(outputs).expand(len(noise), -1, -1)

    def log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        """Return log q(z given x) in nats, of shape (K, B), for z of shape (K, B or 1, D)."""
        raise NotImplementedError

    def pairwise_log_prob(self, outputs: Tensor, z: Tensor) -> Tensor:
        """Return log q of each z of shape (N, D) under each of M distributions, of shape (N, M)."""
        return self.log_prob(outputs, z[:, None, :])

    def divergence(self, outputs: Tensor, prior: nn.Module) -> Tensor | None:
        """Return KL(q || prior) in nats per component (B, D), or as one number per row (B, 1).

        None where there is no closed form: the caller then estimates it from a draw.
        """
        return None

    def penalty(self, outputs: Tensor) -> Tensor | None:
        """Return what the code itself adds to the loss, of shape (B,): VQ's commitment; None if nothing."""
        return None

    def update(self, outputs: Tensor, generator: torch.Generator, weight: Tensor | None = None) -> None:
        """Learn without gradients from a training batch (moving averages); called once a step.

        `weight`, of shape (B,), says how much each row counts.
        """

    def project(self, z: Tensor) -> Tensor:
        """Return the possible codes nearest to points of shape (N, D); most codes can be anywhere."""
        return z


class DiscreteCode(Code):
    """A code made of tokens, each one of finitely many.

    Attributes
    ----------
    vocabulary : tuple of int
        How many values each token can have.
    """

    vocabulary: tuple[int, ...]

    @abstractmethod
    def indices(self, outputs: Tensor) -> Tensor:
        """Return the tokens of rows as integers, of shape (B, len(vocabulary))."""

    @abstractmethod
    def from_indices(self, indices: Tensor) -> Tensor:
        """Return the codes of shape (B, D) that tokens stand for."""
