from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from isthmus.training.optimizer import CLIP_FACTOR, NORM_MEMORY, Optimizer

RATE = 0.01


def parameters() -> list[nn.Parameter]:
    g = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=g)) for shape in ((3, 4), (4,), ())]


def gradients(step: int, size: float = 1.0) -> list[Tensor]:
    """Return gradients of total norm `size`."""
    g = torch.Generator().manual_seed(100 + step)
    drawn = [torch.randn(shape, generator=g) for shape in ((3, 4), (4,), ())]
    norm = math.sqrt(sum(float(each.square().sum()) for each in drawn))
    return [each * (size / norm) for each in drawn]


class Pair:
    """Our optimiser beside torch's own, on equal parameters."""

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.ours, self.theirs = parameters(), parameters()
        self.optimizer = Optimizer(self.ours, weight_decay)
        self.oracle = torch.optim.AdamW(self.theirs, lr=RATE, weight_decay=weight_decay)

    def step(self, given: list[Tensor], expected: list[Tensor] | None = None) -> None:
        for p, q, ours, theirs in zip(self.ours, self.theirs, given, expected or given, strict=True):
            p.grad, q.grad = ours.clone(), theirs.clone()
        self.optimizer.step(RATE)
        self.oracle.step()

    def check(self) -> None:
        for p, q in zip(self.ours, self.theirs, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_it_is_adamw_while_the_norm_is_within_the_bound(weight_decay: float) -> None:
    pair = Pair(weight_decay)
    for step in range(20):
        pair.step(gradients(step, size=1.0 + 0.5 * math.sin(step)))
    pair.check()
    assert all(p.grad is None for p in pair.ours)
    assert pair.optimizer.skipped == 0


def test_a_long_gradient_counts_as_one_of_the_longest_length_allowed() -> None:
    pair = Pair()
    pair.step(gradients(0, 2.0))
    pair.step(gradients(1, 1000.0), gradients(1, CLIP_FACTOR * 2.0))
    pair.check()
    # The usual norm has followed the bounded one: 2 * (1 + 0.02 * (4 - 1)).
    usual = 2.0 * (1 + (1 - NORM_MEMORY) * (CLIP_FACTOR - 1))
    assert pair.optimizer.usual_norm.item() == pytest.approx(usual, rel=1e-6)
    pair.step(gradients(2, 50.0), gradients(2, CLIP_FACTOR * usual))
    pair.check()


def test_the_usual_norm_is_a_running_mean() -> None:
    pair, wanted = Pair(), 1.0
    for step, size in enumerate([1.0, 2.0, 0.5, 3.0]):
        pair.step(gradients(step, size))
        wanted = size if step == 0 else NORM_MEMORY * wanted + (1 - NORM_MEMORY) * size
    assert pair.optimizer.usual_norm.item() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [0, 3])
def test_a_gradient_that_is_not_finite_changes_nothing_and_is_counted(bad: float, at: int) -> None:
    pair = Pair(weight_decay=0.1)
    for step in range(at):
        pair.step(gradients(step))
    before = [p.detach().clone() for p in pair.ours]
    state = {name: tensor.clone() for name, tensor in pair.optimizer.tensors().items()}
    broken = gradients(9)
    broken[1][2] = bad
    for p, gradient in zip(pair.ours, broken, strict=True):
        p.grad = gradient
    pair.optimizer.step(RATE)
    assert all(torch.equal(p, q) for p, q in zip(pair.ours, before, strict=True))
    after = pair.optimizer.tensors()
    assert after.pop("skipped") == state.pop("skipped") + 1
    assert all(torch.equal(after[name], tensor) for name, tensor in state.items())
    for step in range(at, at + 3):  # and learning goes on as if it had not been
        pair.step(gradients(step))
    pair.check()


def test_a_zero_gradient_at_first_sets_no_bound() -> None:
    pair = Pair()
    pair.step(gradients(0, 0.0))
    pair.step(gradients(1, 5.0))
    pair.check()
    assert pair.optimizer.usual_norm.item() == pytest.approx(5.0)


def test_the_state_can_be_taken_up_to_the_bit() -> None:
    pair = Pair(0.1)
    for step in range(5):
        pair.step(gradients(step))
    copies = [nn.Parameter(p.detach().clone()) for p in pair.ours]
    other = Optimizer(copies, 0.1)
    other.load_tensors({name: tensor.clone() for name, tensor in pair.optimizer.tensors().items()})
    for step in range(5, 10):
        for p, gradient in zip(copies, gradients(step, 20.0), strict=True):
            p.grad = gradient
        other.step(RATE)
        pair.step(gradients(step, 20.0))
    assert all(torch.equal(p, q) for p, q in zip(copies, pair.ours, strict=True))


def test_parameters_that_learn_nothing_are_left_alone() -> None:
    frozen, unused, learning = (nn.Parameter(torch.ones(2)) for _ in range(3))
    frozen.requires_grad_(False)
    optimizer = Optimizer([frozen, unused, learning], 0.1)
    learning.grad = torch.ones(2)
    optimizer.step(RATE)
    assert frozen.eq(1).all()
    assert unused.eq(1).all()
    assert learning.lt(1).all()
