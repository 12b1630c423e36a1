from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from isthmus.nets.mlp import ACTIVATIONS, mlp


def test_two_sizes_make_one_linear_map() -> None:
    net = mlp([5, 3])
    x = torch.randn(4, 5)
    assert len(net) == 1
    torch.testing.assert_close(net(x), x @ net[0].weight.T)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_stand_between_layers_and_not_at_the_end(name: str) -> None:
    net = mlp([4, 8, 6, 2], name)
    kind = type(ACTIVATIONS[name]())
    assert [type(layer) for layer in net] == [nn.Linear, kind, nn.Linear, kind, nn.Linear]
    assert [tuple(layer.weight.shape) for layer in net[::2]] == [(8, 4), (6, 8), (2, 6)]
    assert net(torch.zeros(3, 4)).shape == (3, 2)


def test_weights_are_glorot_uniform_and_biases_zero() -> None:
    torch.manual_seed(0)
    layer = mlp([300, 100])[0]
    bound = math.sqrt(6 / 400)
    assert layer.weight.abs().max() <= bound
    assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert not layer.bias.any()
