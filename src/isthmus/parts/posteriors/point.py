"""A code without noise."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from isthmus.parts.posteriors.base import Code

__all__ = ["ACTIVATIONS", "PointCode"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "relu": functional.relu,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
}


class PointCode(Code):
    """The encoder's output, through an activation, with all but the `top_k` largest entries set to 0."""

    def __init__(self, n_components: int, activation: str = "identity", top_k: int | None = None) -> None:
        super().__init__(n_components, n_components)
        self.activation, self.top_k = activation, top_k

    def code(self, outputs: Tensor) -> Tensor:
        code = ACTIVATIONS[self.activation](outputs)
        if self.top_k is None:
            return code
        kept = code.abs().topk(self.top_k, dim=1).indices
        return torch.zeros_like(code).scatter(1, kept, code.gather(1, kept))
