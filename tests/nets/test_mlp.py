from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from isthmus.nets.activations import HIDDEN_ACTIVATIONS
from isthmus.nets.mlp import ACTIVATIONS, GatedLinear, mlp


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


def test_the_generator_is_drawn_from_as_by_hand() -> None:
    torch.manual_seed(3)
    net = mlp([4, 6, 2], "tanh")
    torch.manual_seed(3)
    for layer, sizes in zip((net[0], net[2]), ((4, 6), (6, 2)), strict=True):
        expected = nn.Linear(*sizes)
        nn.init.xavier_uniform_(expected.weight)
        assert torch.equal(layer.weight, expected.weight)


def test_the_names_of_activations_are_those_that_are_built() -> None:
    assert tuple(ACTIVATIONS) == HIDDEN_ACTIVATIONS


def test_a_gated_layer_equals_its_formula() -> None:
    layer = GatedLinear(2, 1)
    with torch.no_grad():
        layer.linear.weight.copy_(torch.tensor([[2.0, -1.0]]))
        layer.linear.bias.fill_(0.5)
        layer.gate.weight.copy_(torch.tensor([[1.0, 3.0]]))
        layer.gate.bias.fill_(-2.0)
    value = layer(torch.tensor([[1.5, 0.25]])).item()
    assert value == pytest.approx((2 * 1.5 - 0.25 + 0.5) / (1 + math.exp(-(1.5 + 3 * 0.25 - 2))))


def test_a_gated_mlp_chains_gated_layers_and_ends_linear() -> None:
    net = mlp([5, 8, 6, 3], gated=True)
    assert [type(layer) for layer in net] == [GatedLinear, GatedLinear, nn.Linear]
    x = torch.randn(4, 5)
    hidden = x
    for layer in net[:2]:
        open_share = torch.sigmoid(hidden @ layer.gate.weight.T + layer.gate.bias)
        hidden = (hidden @ layer.linear.weight.T + layer.linear.bias) * open_share
    torch.testing.assert_close(net(x), hidden @ net[-1].weight.T + net[-1].bias)


def test_a_gated_mlp_does_not_use_the_activation() -> None:
    x, outputs = torch.randn(4, 5), []
    for name in ("relu", "tanh"):
        torch.manual_seed(0)
        outputs.append(mlp([5, 8, 3], name, gated=True)(x))
    assert torch.equal(*outputs)


def test_two_sizes_make_one_linear_map_also_when_gated() -> None:
    assert [type(layer) for layer in mlp([5, 3], gated=True)] == [nn.Linear]
