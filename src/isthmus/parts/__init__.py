"""The parts an autoencoder is made of, as specifications that can be compared, printed and stored.

Importing this imports no torch; building a part does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.corruptions import Corruption, GaussianNoise, Masking, SaltAndPepper, SwapNoise
from isthmus.parts.likelihoods import (
    Bernoulli,
    Categorical,
    ContinuousBernoulli,
    Gaussian,
    Laplace,
    Likelihood,
    NegativeBinomial,
    PerColumn,
    Poisson,
    StudentT,
)
from isthmus.parts.posteriors import Point, Posterior
from isthmus.parts.registry import Part, members, parse, to_json, to_string

if TYPE_CHECKING:
    from isthmus.parts.densities import Density

__all__ = [
    "Bernoulli",
    "Categorical",
    "ColumnFacts",
    "ContinuousBernoulli",
    "Corruption",
    "Density",
    "Gaussian",
    "GaussianNoise",
    "Laplace",
    "Likelihood",
    "Masking",
    "NegativeBinomial",
    "Part",
    "PerColumn",
    "Point",
    "Poisson",
    "Posterior",
    "SaltAndPepper",
    "StudentT",
    "SwapNoise",
    "members",
    "parse",
    "to_json",
    "to_string",
]


def __getattr__(name: str) -> object:
    # Only Density needs torch: it is imported when asked for (PEP 562).
    if name == "Density":
        from isthmus.parts.densities import Density

        return Density
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
