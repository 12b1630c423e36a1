"""One sigmoid neuron learns slowly from squared error where it is most wrong, not so from cross-entropy."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from isthmus.lab.claim import Claim, Number

__all__ = ["STARTS", "claim", "train_neuron"]

Loss = Literal["squared error", "cross-entropy"]
LOSSES: tuple[Loss, ...] = ("squared error", "cross-entropy")

# Weight and bias at the start: mildly wrong, and badly wrong, where the sigmoid is flat.
STARTS = {"start (0.6, 0.9)": (0.6, 0.9), "start (2, 2)": (2.0, 2.0)}
# The output before training, and after it with either loss, as the lecture prints them: three decimals.
LECTURE = {
    "start (0.6, 0.9)": {"before": 0.818, "squared error": 0.094, "cross-entropy": 0.012},
    "start (2, 2)": {"before": 0.982, "squared error": 0.203, "cross-entropy": 0.012},
}
TOLERANCE = 0.0005


def train_neuron(
    weight: float,
    bias: float,
    *,
    loss: Loss = "squared error",
    x: float = 1.0,
    y: float = 0.0,
    rate: float = 0.15,
    steps: int = 300,
) -> NDArray[np.float64]:
    """Return a neuron's output before training and after each step of gradient descent on one example.

    The output is a = sigmoid(weight * x + bias). Squared error is C = (y - a)^2 / 2, whose gradient carries
    the factor a (1 - a) that all but vanishes where the sigmoid is flat; cross-entropy's does not.
    """
    outputs = np.empty(steps + 1)
    for step in range(steps + 1):
        outputs[step] = a = 1.0 / (1.0 + np.exp(-(weight * x + bias)))
        slope = a - y if loss == "cross-entropy" else (a - y) * a * (1.0 - a)
        weight -= rate * slope * x
        bias -= rate * slope
    return outputs


def claim() -> Claim:
    """Measure the claim."""
    runs = {
        (start, loss): train_neuron(*STARTS[start], loss=loss)
        for start, loss in itertools.product(STARTS, LOSSES)
    }
    numbers = {}
    for (start, loss), outputs in runs.items():
        lecture = LECTURE[start]
        numbers[f"output before training, {start}"] = Number(lecture["before"], float(outputs[0]), TOLERANCE)
        numbers[f"output after {loss}, {start}"] = Number(lecture[loss], float(outputs[-1]), TOLERANCE)
    return Claim(
        name="neuron",
        sentence="A sigmoid neuron that starts badly wrong learns slowly from squared error and quickly from "
        "cross-entropy.",
        measured_on="one neuron, trained on one example (x = 1, y = 0), rate 0.15, 300 steps",
        numbers=numbers,
        figure=_draw(runs),
    )


def _draw(runs: dict[tuple[str, Loss], NDArray[np.float64]]) -> Figure:
    figure = Figure(figsize=(8, 3.5), layout="constrained")
    panels: dict[str, Axes] = dict(zip(STARTS, figure.subplots(1, 2, sharex=True, sharey=True), strict=True))
    for (start, loss), outputs in runs.items():
        # Each loss relative to its first value: one is in squared units of the output, the other in nats.
        curve = outputs**2 / 2 if loss == "squared error" else -np.log1p(-outputs)
        panels[start].plot(curve / curve[0], label=f"{loss}, output ends at {outputs[-1]:.3f}")
    for start, axes in panels.items():
        axes.set(title=start, xlabel="step", ylim=(0, 1.02))
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16))  # below: clear of curves
    panels[next(iter(STARTS))].set_ylabel("loss / loss at the start")
    return figure
