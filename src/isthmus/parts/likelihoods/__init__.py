"""What an output means, hence the loss: the specifications of p(x given z), which import no torch."""

from __future__ import annotations

from isthmus.parts.likelihoods.base import Likelihood
from isthmus.parts.likelihoods.per_column import PerColumn
from isthmus.parts.likelihoods.single import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    NegativeBinomial,
    Poisson,
    StudentT,
)

__all__ = [
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Gaussian",
    "Laplace",
    "Likelihood",
    "NegativeBinomial",
    "PerColumn",
    "Poisson",
    "StudentT",
]
