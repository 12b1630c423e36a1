"""Multilayer perceptrons: the default encoder and decoder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["ACTIVATIONS", "GatedLinear", "mlp"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class GatedLinear(nn.Module):
    """A linear map of which another one decides how much passes: ``linear(x) * sigmoid(gate(x))``.

    A gated linear unit (Dauphin et al. 2017): the layer's only nonlinearity, through which the linear half
    hands a gradient on undamped wherever the gate is open.

    Parameters
    ----------
    n_in, n_out : int
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.linear = _linear(n_in, n_out)
        self.gate = _linear(n_in, n_out)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, n_in) to (B, n_out)."""
        return self.linear(inputs) * torch.sigmoid(self.gate(inputs))


def mlp(sizes: Sequence[int], activation: str = "silu", *, gated: bool = False) -> nn.Sequential:
    """Chain linear layers of the given sizes, with `activation` between them and none at the end.

    Weights are Glorot-uniform (its variance suits the symmetric, roughly unit-gain activations offered here
    and leaves a linear map neither shrinking nor growing), biases zero.

    Parameters
    ----------
    sizes : sequence of int
        Two or more; two make a single linear map.
    activation : str
        One of `ACTIVATIONS`; not used if `gated`.
    gated : bool
        Whether each layer but the last is a `GatedLinear`, whose gate takes the activation's place.

    Returns
    -------
    nn.Sequential
        Its last module is an ``nn.Linear``.
    """
    *hidden, last = itertools.pairwise(sizes)
    layers: list[nn.Module] = []
    for n_in, n_out in hidden:
        layers += [GatedLinear(n_in, n_out)] if gated else [_linear(n_in, n_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, _linear(*last))


def _linear(n_in: int, n_out: int) -> nn.Linear:
    linear = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
