"""The likelihoods as torch modules: they score values given a decoder's outputs, and draw them."""

from __future__ import annotations

from isthmus.parts.densities.base import Density
from isthmus.parts.densities.categories import CategoricalDensity
from isthmus.parts.densities.counts import NegativeBinomialDensity, PoissonDensity
from isthmus.parts.densities.joint import JointDensity
from isthmus.parts.densities.location_scale import GaussianDensity, LaplaceDensity, StudentTDensity
from isthmus.parts.densities.unit import BernoulliDensity, ContinuousBernoulliDensity

__all__ = [
    "BernoulliDensity",
    "CategoricalDensity",
    "ContinuousBernoulliDensity",
    "Density",
    "GaussianDensity",
    "JointDensity",
    "LaplaceDensity",
    "NegativeBinomialDensity",
    "PoissonDensity",
    "StudentTDensity",
]
