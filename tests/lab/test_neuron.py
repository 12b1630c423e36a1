from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.lab import neuron


@pytest.mark.parametrize(
    ("start", "loss", "before", "after"),
    [
        ((0.6, 0.9), "squared error", 0.818, 0.094),
        ((2.0, 2.0), "squared error", 0.982, 0.203),
        ((0.6, 0.9), "cross-entropy", 0.818, 0.012),
        ((2.0, 2.0), "cross-entropy", 0.982, 0.012),
    ],
)
def test_the_lectures_numbers(
    start: tuple[float, float], loss: neuron.Loss, before: float, after: float
) -> None:
    outputs = neuron.train_neuron(*start, loss=loss)
    assert len(outputs) == 301
    assert outputs[0] == pytest.approx(before, abs=0.0005)
    assert outputs[-1] == pytest.approx(after, abs=0.0005)


def test_one_step_follows_the_gradient_by_differences() -> None:
    def cost(weight: float, bias: float, loss: str) -> float:
        a = 1 / (1 + np.exp(-(weight * 0.7 + bias)))
        squared = (0.2 - a) ** 2 / 2
        return squared if loss == "squared error" else -(0.2 * np.log(a) + 0.8 * np.log(1 - a))

    for loss in ("squared error", "cross-entropy"):
        by_weight = (cost(0.5 + 1e-6, 0.3, loss) - cost(0.5 - 1e-6, 0.3, loss)) / 2e-6
        by_bias = (cost(0.5, 0.3 + 1e-6, loss) - cost(0.5, 0.3 - 1e-6, loss)) / 2e-6
        moved = neuron.train_neuron(0.5, 0.3, loss=loss, x=0.7, y=0.2, rate=0.1, steps=1)[1]
        expected = neuron.train_neuron(0.5 - 0.1 * by_weight, 0.3 - 0.1 * by_bias, x=0.7, steps=0)[0]
        assert moved == pytest.approx(expected, abs=1e-9)


def test_the_claim_is_confirmed_with_six_numbers(tmp_path: Path) -> None:
    claim = neuron.claim()
    assert claim.confirmed
    assert len(claim.numbers) == 6
    assert {number.expected for number in claim.numbers.values()} == {0.818, 0.982, 0.094, 0.203, 0.012}
    for path in claim.write(tmp_path):
        assert path.stat().st_size > 500


def test_the_claim_fails_when_training_goes_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    train = neuron.train_neuron
    monkeypatch.setattr(neuron, "train_neuron", lambda *start, loss: train(*start, loss=loss, steps=299))
    assert not neuron.claim().confirmed
