"""What the adversarial and the Wasserstein autoencoder share: codes whose aggregate is to match a prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.errors import InputError
from isthmus.estimators.generative import Generative
from isthmus.parts.posteriors import DiagonalGaussian, Point, Posterior, VonMisesFisher
from isthmus.parts.priors import Autoregressive, Flow, GaussianMixture, Prior, VampPrior
from isthmus.parts.registry import Part, parse, parse_as

__all__ = ["Matching"]


@dataclass(eq=False, repr=False, kw_only=True)
class Matching(Generative):
    """Codes, by default points, and a prior that need not have a density; not to be used by itself."""

    posterior: Posterior | str | dict[str, Any] = "point"
    prior: Prior | str | dict[str, Any] = "standard_normal"

    part_families: ClassVar[dict[str, str]] = Generative.part_families | {
        "posterior": "posterior",
        "prior": "prior",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Generative._parameter_constraints | {
        "posterior": [str, dict, Part],
        "prior": [str, dict, Part],
    }

    def _posterior(self) -> Posterior:
        return parse_as(self.posterior, "posterior", (Point, DiagonalGaussian, VonMisesFisher), "posterior")

    def _prior(self) -> Prior | None:
        prior: Prior = parse(self.prior, "prior")
        mixture = isinstance(prior, GaussianMixture) and prior.layout == "learned"
        if mixture or isinstance(prior, VampPrior | Flow | Autoregressive):
            raise InputError(
                f"{type(self).__name__} moves codes towards a prior, and {prior} would have to be learned; "
                'take "standard_normal", "gaussian_mixture:layout=ring", "swiss_roll" or "uniform_sphere"'
            )
        return prior
