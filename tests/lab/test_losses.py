from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from isthmus.lab import losses


def test_known_losses() -> None:
    output = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    constant = 0.5 * math.log(2 * math.pi)
    assert losses.half_squared_error(output, 1.0).tolist() == pytest.approx(
        [0.5 + constant, constant, 2 + constant]
    )
    assert losses.cross_entropy(output, 0.0).tolist() == pytest.approx(
        [math.log1p(math.exp(z)) for z in (0, 1, 3)]
    )
    assert losses.cross_entropy(torch.zeros(1), 1.0).tolist() == pytest.approx([math.log(2)])


def test_the_gradient_is_the_difference_quotient() -> None:
    at, step = np.array([-2.0, 0.5, 4.0]), 1e-5
    for loss in (losses.half_squared_error, losses.cross_entropy):
        above, below = (loss(torch.from_numpy(at + sign * step), 1.0).numpy() for sign in (1, -1))
        assert losses.gradient(loss, 1.0, at) == pytest.approx((above - below) / (2 * step), abs=1e-6)


def test_the_claim_is_confirmed() -> None:
    claim = losses.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 8


def test_the_claim_fails_with_other_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    squared, cross = losses.half_squared_error, losses.cross_entropy
    monkeypatch.setattr(losses, "half_squared_error", lambda a, y: 2 * squared(a, y))
    monkeypatch.setattr(losses, "cross_entropy", lambda z, y: 0.5 * cross(z, y))
    # Twice a vanishing gradient vanishes.
    agreeing = [name for name, number in losses.claim().numbers.items() if number.agrees]
    assert agreeing == ["gradient of squared error at a = 0.99995"]
    monkeypatch.setattr(losses, "half_squared_error", lambda a, y: 10 * squared(a, y))
    assert not any(number.agrees for number in losses.claim().numbers.values())
