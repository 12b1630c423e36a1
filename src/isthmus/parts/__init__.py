"""The parts an autoencoder is made of, as specifications that can be compared, printed and stored.

Importing this imports no torch; building a part does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.bounds import ELBO, Bound, ImportanceWeighted
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
from isthmus.parts.posteriors import (
    DiagonalGaussian,
    FiniteScalar,
    Places,
    Point,
    Posterior,
    VectorQuantized,
    VonMisesFisher,
)
from isthmus.parts.priors import (
    Autoregressive,
    Flow,
    GaussianMixture,
    Prior,
    StandardNormal,
    SwissRoll,
    UniformSphere,
    VampPrior,
)
from isthmus.parts.registry import Part, members, parse, to_json, to_string
from isthmus.parts.terms import (
    KL,
    Adversarial,
    Contractive,
    MaximumMeanDiscrepancy,
    NeighborEmbedding,
    Sparsity,
    Term,
    TotalCorrelation,
)

if TYPE_CHECKING:
    from isthmus.parts.densities import Density

__all__ = [
    "ELBO",
    "KL",
    "Adversarial",
    "Autoregressive",
    "Bernoulli",
    "Bound",
    "Categorical",
    "ColumnFacts",
    "ContinuousBernoulli",
    "Contractive",
    "Corruption",
    "Density",
    "DiagonalGaussian",
    "FiniteScalar",
    "Flow",
    "Gaussian",
    "GaussianMixture",
    "GaussianNoise",
    "ImportanceWeighted",
    "Laplace",
    "Likelihood",
    "Masking",
    "MaximumMeanDiscrepancy",
    "NegativeBinomial",
    "NeighborEmbedding",
    "Part",
    "PerColumn",
    "Places",
    "Point",
    "Poisson",
    "Posterior",
    "Prior",
    "SaltAndPepper",
    "Sparsity",
    "StandardNormal",
    "StudentT",
    "SwapNoise",
    "SwissRoll",
    "Term",
    "TotalCorrelation",
    "UniformSphere",
    "VampPrior",
    "VectorQuantized",
    "VonMisesFisher",
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
