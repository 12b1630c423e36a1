"""Densities of a standardised real value minus the output, over a learned or fixed scale."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.densities.base import Density, uniform

__all__ = ["GaussianDensity", "LaplaceDensity", "StudentTDensity"]

# No learned standard deviation falls below that of rounding to the data's resolution, nor below this value.
LEAST_SCALE = 1e-4
# A scale that starts at its floor would get no gradient: the part that can be learned starts at no less.
LEAST_START = 0.01


class LocationScale(Density):
    """The location is the output; the scale a constant per column times a learned factor that starts at 1.

    Parameters
    ----------
    facts : ColumnFacts
    scale : "shared", "per_feature" or float
    start : float
        The scale at which the distribution's standard deviation is 1.
    log_peak : float
        The log-density at the location, at scale 1.
    """

    base: Tensor
    offset: Tensor
    log_floor: Tensor
    location: Tensor

    def __init__(self, facts: ColumnFacts, scale: float | str, start: float, log_peak: float) -> None:
        super().__init__(len(facts.names))
        floor = np.maximum(facts.resolution / math.sqrt(12), LEAST_SCALE) * start
        unit = facts.unit
        if scale == "shared":
            common = start * np.sqrt(np.mean(unit**2))
            base, relative_floor = common / unit, np.min(floor * unit) / common
        elif scale == "per_feature":
            base, relative_floor = np.full_like(unit, start), floor / start
        else:
            base, relative_floor = float(scale) / unit, None
        self._keep("base", base)
        self._keep("offset", log_peak + facts.log_jacobian - np.log(base))
        self._keep("location", facts.mean)
        self.log_factor: nn.Parameter | None = None
        if relative_floor is not None:
            self._keep("log_floor", np.log(relative_floor))
            start_variance = np.maximum(1.0 - np.square(relative_floor), LEAST_START)
            self.log_factor = nn.Parameter(
                torch.as_tensor(0.5 * np.log(start_variance), dtype=self.base.dtype)
            )

    def initial_outputs(self) -> Tensor:
        return self.location.clone()

    def mean(self, outputs: Tensor) -> Tensor:
        return outputs

    def scale(self) -> Tensor:
        """Return the scale of each column, in value units, of shape (C,)."""
        return self.base * self._log_learned().exp()

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        return torch.addcmul(outputs, self._noise(outputs, generator), self.scale())

    def _log_learned(self) -> Tensor:
        if self.log_factor is None:
            return self.base.new_zeros(())
        return 0.5 * torch.logaddexp(2 * self.log_floor, 2 * self.log_factor)

    def _noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Draw from the distribution at location 0 and scale 1."""
        raise NotImplementedError


class GaussianDensity(LocationScale):
    """Normal, with the standard deviation as scale."""

    def __init__(self, facts: ColumnFacts, scale: float | str) -> None:
        super().__init__(facts, scale, start=1.0, log_peak=-0.5 * math.log(2 * math.pi))

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        log_learned = self._log_learned()
        precision = torch.exp(-2 * log_learned) / self.base.square()
        return torch.addcmul(self.offset - log_learned, (outputs - values).square(), precision, value=-0.5)

    def _noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)


class LaplaceDensity(LocationScale):
    """Double-exponential, with the mean absolute deviation as scale."""

    def __init__(self, facts: ColumnFacts, scale: float | str) -> None:
        super().__init__(facts, scale, start=math.sqrt(0.5), log_peak=-math.log(2))

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        log_learned = self._log_learned()
        rate = torch.exp(-log_learned) / self.base
        return torch.addcmul(self.offset - log_learned, (outputs - values).abs(), rate, value=-1)

    def _noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        side = uniform(like, generator) - 0.5
        return -side.sign() * torch.log(uniform(like, generator))


class StudentTDensity(LocationScale):
    """Student's t, with its scale, which is the standard deviation over sqrt(df / (df - 2))."""

    def __init__(self, facts: ColumnFacts, scale: float | str, df: float) -> None:
        start = math.sqrt((df - 2) / df) if df > 2 else 1.0
        log_peak = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
        super().__init__(facts, scale, start=start, log_peak=log_peak)
        self.df = df

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        log_learned = self._log_learned()
        precision = torch.exp(-2 * log_learned) / (self.df * self.base.square())
        tail = torch.log1p((outputs - values).square() * precision)
        return (self.offset - log_learned) - 0.5 * (self.df + 1) * tail

    def _noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        # Bailey's polar method: exact, from two uniform draws.
        log_u = torch.log(uniform(like, generator))
        angle = 2 * math.pi * uniform(like, generator)
        return torch.cos(angle) * torch.sqrt(self.df * torch.expm1(-2 / self.df * log_u))
