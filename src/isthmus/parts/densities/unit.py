"""Densities of a value between 0 and 1, with outputs in logits."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.densities.base import Density, uniform

__all__ = ["BernoulliDensity", "ContinuousBernoulliDensity"]

# A training mean nearer to 0 or 1 than this starts here, where its logit still has a gradient.
LEAST_MEAN = 1e-3
# The log-normaliser about one half, log(sinh(t / 2) / (t / 2)), is a series in t**2 up to here: 4e-10 off.
TURN = 0.5
SERIES = (1 / 24, -1 / 2880, 1 / 181440)
LOG_AT_TURN = math.log1p(-math.exp(-TURN)) - math.log(TURN)
SLOPE = tuple(2 * (k + 1) * coefficient for k, coefficient in enumerate(SERIES))


class BernoulliDensity(Density):
    """A value of 0 or 1."""

    logits: Tensor

    def __init__(self, facts: ColumnFacts, binarize: str | None = None) -> None:
        super().__init__(len(facts.names))
        self.binarize = binarize
        mean = _inside(facts.mean)
        self._keep("logits", np.log(mean) - np.log1p(-mean))

    def initial_outputs(self) -> Tensor:
        return self.logits.clone()

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        scored = (values >= 0.5).to(values.dtype) if self.binarize == "threshold" else values
        return -functional.binary_cross_entropy_with_logits(outputs, scored, reduction="none")

    def row_log_prob(self, outputs: Tensor, values: Tensor, observed: Tensor | None) -> Tensor:
        """Return the same as the sum over entries, in fewer passes over the entries of all draws."""
        if observed is not None or self.binarize == "threshold":
            return super().row_log_prob(outputs, values, observed)
        # Not einsum: its product of a matrix with a vector for each row is ten times slower here.
        linear = torch.linalg.vecdot(outputs, values, dim=2)
        return linear - functional.softplus(outputs).sum(dim=2)

    def mean(self, outputs: Tensor) -> Tensor:
        return torch.sigmoid(outputs)

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        return _bits(torch.sigmoid(outputs), generator)

    def targets(self, values: Tensor, generator: torch.Generator) -> Tensor:
        if self.binarize != "dynamic":
            return values
        return _bits(values, generator)


class ContinuousBernoulliDensity(Density):
    """The density on [0, 1] proportional to ``exp(output * value)``."""

    logits: Tensor
    log_jacobian: Tensor

    def __init__(self, facts: ColumnFacts) -> None:
        super().__init__(len(facts.names))
        self._keep("log_jacobian", facts.log_jacobian)
        self._keep("logits", _logits_of_mean(_inside(facts.mean)))

    def initial_outputs(self) -> Tensor:
        return self.logits.clone()

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        short, up, down = _at_the_turns(outputs)
        square, long = short.square(), TURN + up + down
        # What the normaliser grows by beyond the turns, |outputs| / 2, is part of the slope: nothing cancels.
        slope = short * (values - 0.5) + up * (values - 1) - down * values
        beyond = torch.log1p(-torch.exp(-long)) - torch.log(long) - LOG_AT_TURN
        return slope - square * _polynomial(square, SERIES) - beyond + self.log_jacobian

    def mean(self, outputs: Tensor) -> Tensor:
        return _mean(outputs)

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        """Invert the distribution function of the side that falls, and mirror it for the other."""
        size = outputs.abs().clamp(min=1e-6)
        falling = -torch.log1p(uniform(outputs, generator) * torch.expm1(-size)) / size
        return torch.where(outputs < 0, falling, 1 - falling)


def _bits(probabilities: Tensor, generator: torch.Generator) -> Tensor:
    """Draw 1 with these probabilities, else 0, in half the time of `torch.bernoulli`.

    Beyond the range that was checked at the fit, where later rows may lie, it is always 0 or always 1.
    """
    return (uniform(probabilities, generator) < probabilities).to(probabilities.dtype)


def _mean(t: Tensor) -> Tensor:
    """Return the continuous Bernoulli's mean, 1/2 + (coth(h) - 1/h) / 2 with h = t / 2."""
    short, up, down = _at_the_turns(t)
    long = TURN + up + down
    beyond = 0.5 - torch.exp(-long) / torch.expm1(-long) - 1 / long
    near = short * _polynomial(short.square(), SLOPE)
    return 0.5 + torch.where(long > TURN, t.sign() * beyond, near)


def _at_the_turns(t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return t cut to [-turn, turn], and what it has above and below: then t = short + up - down.

    f(short) + g(turn + up) - g(turn) is f(t) up to the turn and g(t) from there on, if they meet. That is
    several times faster than `torch.where` and `clamp`, and nowhere do both get a gradient.
    """
    up, down = functional.relu(t - TURN), functional.relu(-t - TURN)
    return t - up + down, up, down


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _inside(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(mean, LEAST_MEAN, 1 - LEAST_MEAN)


def _logits_of_mean(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert the continuous Bernoulli's mean by bisection."""
    low, high = np.full_like(mean, -1 / LEAST_MEAN), np.full_like(mean, 1 / LEAST_MEAN)
    for _ in range(60):
        middle = (low + high) / 2
        below = _mean(torch.from_numpy(middle)).numpy() < mean
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
