from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from isthmus.nets.fourier import FourierFeatures
from isthmus.nets.mlp import mlp


def test_each_output_is_a_sine_of_its_direction() -> None:
    waves = FourierFeatures(2, 3, 1.0)
    with torch.no_grad():
        waves.linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
        waves.linear.bias.copy_(torch.tensor([0.0, math.pi / 2, math.pi / 6]))
    found = waves(torch.tensor([[math.pi / 2, math.pi / 4], [0.0, math.pi / 2]])) / math.sqrt(2)
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0, 0.5], [0.0, -1.0, 0.5]]), atol=1e-6, rtol=0)


def test_first_weights_have_the_frequency_and_outputs_unit_variance() -> None:
    torch.manual_seed(0)
    waves = FourierFeatures(2, 4000, 0.5)
    assert waves.linear.weight.std().item() == pytest.approx(0.5, rel=0.03)
    assert waves.linear.bias.abs().max() <= math.pi
    assert waves(torch.tensor([[3.0, -8.0]])).square().mean().item() == pytest.approx(1.0, rel=0.05)


def test_what_varies_fast_is_learned_sooner_than_from_the_code_itself() -> None:
    grid = torch.linspace(-10, 10, 400)[:, None]
    wanted, errors = torch.sin(3 * grid), list[float]()
    for begin in (nn.Identity(), FourierFeatures(1, 32, 2.0)):
        torch.manual_seed(0)
        net = nn.Sequential(begin, mlp([1 if isinstance(begin, nn.Identity) else 32, 32, 1]))
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
        for _ in range(200):
            optimizer.zero_grad()
            loss = (net(grid) - wanted).square().mean()
            loss.backward()
            optimizer.step()
        errors.append(loss.item())
    assert errors[0] > 0.3
    assert errors[1] < 0.05
