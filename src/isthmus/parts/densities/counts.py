"""Densities of counts, with outputs in log means.

Written through deviances (Loader, 2000, Fast and accurate computation of binomial probabilities), since the
textbook formulas subtract numbers larger than the count, and in float32 keep nothing of a count of a million.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.densities.base import Density

__all__ = ["NegativeBinomialDensity", "PoissonDensity"]

# A column whose training mean is smaller starts at this mean.
LEAST_MEAN = 1e-3
# Draws come from no larger rate than this: torch.poisson counts in 64-bit integers.
LARGEST_LOG_RATE = 40.0
# A count of 0 is scored as this one, which is the same in float32 and spares the formulas a case.
ALMOST_NONE = 1e-10
# exp overflows float32 not far beyond.
LARGEST_STEP = 80.0


class _CountDensity(Density):
    """A count, whose log mean is the output."""

    log_means: Tensor

    def __init__(self, facts: ColumnFacts) -> None:
        super().__init__(len(facts.names))
        self._keep("log_means", np.log(np.maximum(facts.mean, LEAST_MEAN)))

    def initial_outputs(self) -> Tensor:
        return self.log_means.clone()

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs.exp()


class PoissonDensity(_CountDensity):
    """A count whose variance is its mean."""

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        counts = values.clamp(min=ALMOST_NONE)
        excess = outputs - counts.log()
        return counts * (excess - torch.expm1(excess)) - _log_factorial_rest(counts)

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        return _poisson(outputs, generator)


class NegativeBinomialDensity(_CountDensity):
    """A count whose variance is ``mean + mean**2 / size``, with a learned size for each column."""

    def __init__(self, facts: ColumnFacts) -> None:
        super().__init__(facts)
        # Size 1 (geometric) is wide enough for gradients in log means to start small, whatever the counts.
        self.log_size = nn.Parameter(torch.zeros_like(self.log_means))

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        counts, size = values.clamp(min=ALMOST_NONE), self.log_size.exp()
        total = counts + size
        rest = _log_factorial_rest(total) - _log_factorial_rest(size) - _log_factorial_rest(counts)
        return rest - torch.log1p(counts / size) - _deviance(counts, size, total, outputs - counts.log())

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        size = self.log_size.exp().expand_as(outputs).contiguous()
        gamma = torch._standard_gamma(size, generator=generator)
        return _poisson(outputs - self.log_size + gamma.log(), generator)


def _poisson(log_rate: Tensor, generator: torch.Generator) -> Tensor:
    return torch.poisson(log_rate.clamp(max=LARGEST_LOG_RATE).exp(), generator=generator)


def _deviance(counts: Tensor, size: Tensor, total: Tensor, excess: Tensor) -> Tensor:
    """Return the log-likelihood lost by a log mean that exceeds the log count by `excess`, given the size.

    It is ``total * log(1 + share * (exp(excess) - 1)) - total * share * excess`` for share = counts / total,
    and the same with size for counts and -excess for excess: with the smaller of the two, little cancels.
    """
    few = (counts <= size).to(counts.dtype)
    smaller = few * counts + (1 - few) * size
    step = (2 * few - 1) * excess
    beyond = functional.relu(step - LARGEST_STEP)
    mix = torch.log1p(smaller / total * torch.expm1(step - beyond)) + beyond
    return total * mix - smaller * step


def _log_factorial_rest(x: Tensor) -> Tensor:
    """Return log(x!) - x log(x) + x for x > 0, to 1e-7; it grows like log(x) / 2, so float32 holds it well.

    Stirling's series for x + 2, as Stieltjes' continued fraction, and two steps of the recurrence back to x.
    """
    y, z = x + 1, x + 2
    back = x * torch.log1p(1 / x) + y * torch.log1p(1 / y) - 2
    fraction = (1 / 12) / (z + (1 / 30) / (z + (53 / 210) / (z + (195 / 371) / (z + (22999 / 22737) / z))))
    return back + 0.5 * torch.log(2 * math.pi * z) + fraction
