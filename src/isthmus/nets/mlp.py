"""Multilayer perceptrons: the default encoder and decoder."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from torch import nn

__all__ = ["ACTIVATIONS", "mlp"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


def mlp(sizes: Sequence[int], activation: str = "silu") -> nn.Sequential:
    """Chain linear layers of the given sizes, with `activation` between them and none at the end.

    Two sizes make a single linear map. Weights are Glorot-uniform (its variance suits the symmetric, roughly
    unit-gain activations offered here and leaves a linear map neither shrinking nor growing), biases zero.
    """
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        linear = nn.Linear(n_in, n_out)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])
