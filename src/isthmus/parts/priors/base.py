"""What every prior's module offers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from isthmus.errors import InputError

__all__ = ["LatentPrior"]


class LatentPrior(nn.Module):
    """p(z) over codes of D components.

    Attributes
    ----------
    scored : bool
        Whether it gives log p(z); all priors can be drawn from.
    on_sphere : bool
        Whether it lives on the unit sphere.
    discrete : bool
        Whether its codes are made of tokens.
    n_kinds : int or None
        How many labels `sample_labelled` tells apart; None where draws carry no label.
    """

    scored: ClassVar[bool] = True
    on_sphere: bool = False
    discrete: ClassVar[bool] = False
    n_kinds: int | None = None
    n_components: int

    def __init__(self, n_components: int) -> None:
        super().__init__()
        self.n_components = n_components

    def anchors(self, encode: Callable[[Tensor], Tensor]) -> Tensor | None:
        """Return what `log_prob` and `sample` need of the networks, computed once a step; most need nothing.

        Parameters
        ----------
        encode : callable
            Maps encoder inputs (M, n_inputs) to encoder outputs (M, n_outputs).
        """
        return None

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        """Return log p(z) in nats, of shape (...), for z of shape (..., D)."""
        raise NotImplementedError

    @abstractmethod
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        """Draw codes of shape (n, D), with no gradient; `temperature` multiplies the noise's deviation."""

    def sample_labelled(self, labels: Tensor, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Draw for each integer label (B,) from the part of the prior that belongs to it."""
        raise InputError(f"the draws of {type(self).__name__} carry no label; use a ring or a swiss roll.")
