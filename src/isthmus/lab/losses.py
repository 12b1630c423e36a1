"""Squared error and cross-entropy are negative log-likelihoods; a sigmoid learns well from one only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from isthmus.lab.claim import Claim, Limit, Number
from isthmus.parts import Bernoulli, ColumnFacts, Gaussian
from isthmus.plots.style import MODEL_COLOR, OTHER_COLOR

__all__ = ["Curve", "claim", "cross_entropy", "gradient", "half_squared_error"]

Array = NDArray[np.float64]
Loss = Callable[[Tensor, float], Tensor]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
TARGETS = {0.0: MODEL_COLOR, 1.0: OTHER_COLOR}
# What a sigmoid is given: far enough to see it saturate on both sides.
LOGITS = np.linspace(-10, 10, 2001)
OUTPUTS = np.linspace(-1, 2, 301)


@dataclass(frozen=True)
class Curve:
    """A loss over an output, in nats, beside the formula it should be.

    Attributes
    ----------
    output, loss, formula : ndarray of shape (n,)
    """

    output: Array
    loss: Array
    formula: Array

    @property
    def deviation(self) -> float:
        """The largest distance between the two."""
        return float(np.max(np.abs(self.loss - self.formula)))


def half_squared_error(output: Tensor, target: float) -> Tensor:
    """Return -log p(target) in nats of a normal distribution with mean `output` and standard deviation 1."""
    return _negative_log_prob(Gaussian(scale=1.0), _facts(real=True), output, target)


def cross_entropy(logit: Tensor, target: float) -> Tensor:
    """Return -log p(target) in nats of a Bernoulli distribution with probability sigmoid(`logit`)."""
    return _negative_log_prob(Bernoulli(), _facts(real=False), logit, target)


def gradient(loss: Loss, target: float, logits: Array) -> Array:
    """Return the derivative of a loss by each logit."""
    at = torch.from_numpy(logits.copy()).requires_grad_()
    (slopes,) = torch.autograd.grad(loss(at, target).sum(), at)
    return slopes.numpy()


def claim() -> Claim:
    """Measure the claim."""
    gaussian = {y: _gaussian_curve(y) for y in TARGETS}
    bernoulli = {y: _bernoulli_curve(y) for y in TARGETS}
    slopes = {
        "squared error": gradient(_through_sigmoid, 0.0, LOGITS),
        "cross-entropy": gradient(cross_entropy, 0.0, LOGITS),
    }
    return Claim(
        name="losses",
        sentence="Squared error is a normal distribution's negative log-likelihood, cross-entropy a "
        "Bernoulli distribution's; through a sigmoid, the first has a vanishing gradient where it is "
        "most wrong.",
        measured_on=f"{len(OUTPUTS)} outputs from -1 to 2, {len(LOGITS)} logits from -10 to 10, "
        "targets 0 and 1",
        numbers=_deviations(gaussian, bernoulli) | _slopes_at_the_ends(slopes),
        figure=_draw(gaussian, bernoulli, slopes),
    )


def _facts(*, real: bool) -> ColumnFacts:
    """Return the facts of one column of an array: any number, or one from 0 to 1."""
    zero, one = np.zeros(1), np.ones(1)
    return ColumnFacts(
        names=("y",),
        n_categories=(0,),
        log_jacobian=zero,
        unit=one,
        resolution=zero,
        mean=0.5 * one,
        frequencies=(None,),
        low=zero,
        high=one,
        zero=zero,
        real=np.array([real]),
        mark_missing=False,
    )


def _negative_log_prob(
    likelihood: Gaussian | Bernoulli, facts: ColumnFacts, output: Tensor, target: float
) -> Tensor:
    density = likelihood.build(facts).double()
    return -density.log_prob(output[:, None], torch.full_like(output, target)[:, None])[:, 0]


def _through_sigmoid(logit: Tensor, target: float) -> Tensor:
    return half_squared_error(torch.sigmoid(logit), target)


def _gaussian_curve(target: float) -> Curve:
    loss = half_squared_error(torch.from_numpy(OUTPUTS), target).numpy()
    return Curve(OUTPUTS, loss, 0.5 * (OUTPUTS - target) ** 2 + HALF_LOG_2PI)


def _bernoulli_curve(target: float) -> Curve:
    loss = cross_entropy(torch.from_numpy(LOGITS), target).numpy()
    a = 1 / (1 + np.exp(-LOGITS))
    return Curve(a, loss, -target * np.log(a) - (1 - target) * np.log(1 - a))


def _deviations(gaussian: dict[float, Curve], bernoulli: dict[float, Curve]) -> dict[str, Number | Limit]:
    numbers: dict[str, Number | Limit] = {}
    for y in TARGETS:
        numbers[f"Gaussian(scale=1.0) from (y - a)^2 / 2 + log(2 pi) / 2, y = {y:.0f}"] = Number(
            0.0, gaussian[y].deviation, 1e-6, "nats"
        )
        numbers[f"Bernoulli() from -y log a - (1 - y) log(1 - a), y = {y:.0f}"] = Number(
            0.0, bernoulli[y].deviation, 1e-6, "nats"
        )
    return numbers


def _slopes_at_the_ends(slopes: dict[str, Array]) -> dict[str, Number | Limit]:
    """Compare gradients by the logit where y = 0; (a - y) a (1 - a) is largest at a = 2/3 and falls after."""
    a = 1 / (1 + np.exp(-LOGITS))
    return {
        "gradient of cross-entropy from a - y, y = 0": Number(
            0.0, float(np.max(np.abs(slopes["cross-entropy"] - a))), 1e-6
        ),
        "largest gradient of squared error through a sigmoid": Number(
            4 / 27, float(np.max(slopes["squared error"])), 1e-4
        ),
        "gradient of squared error at a = 0.99995": Limit(
            1e-4, float(slopes["squared error"][-1]), "at most"
        ),
        "gradient of cross-entropy at a = 0.99995": Limit(
            0.999, float(slopes["cross-entropy"][-1]), "at least"
        ),
    }


def _draw(gaussian: dict[float, Curve], bernoulli: dict[float, Curve], slopes: dict[str, Array]) -> Figure:
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _draw_curves(left, gaussian)
    _draw_curves(middle, bernoulli)
    left.set(title="Gaussian, scale 1", xlabel="output a", ylabel="loss (nats)")
    middle.set(title="Bernoulli", xlabel="output a = sigmoid(logit)", ylabel="loss (nats)", ylim=(-0.15, 5))
    for (name, slope), style in zip(slopes.items(), ("-", "--"), strict=True):
        right.plot(LOGITS, slope, style, color="black", label=name)
    right.set(title="Through a sigmoid, target 0", xlabel="logit (the larger, the more wrong)")
    right.set_ylabel("d loss / d logit (nats)")
    right.legend(frameon=False)
    return figure


def _draw_curves(axes: Axes, curves: dict[float, Curve]) -> None:
    for y, curve in curves.items():
        axes.plot(curve.output, curve.loss, color=TARGETS[y], label=f"target {y:.0f}")
    axes.legend(frameon=False, loc="upper center")
