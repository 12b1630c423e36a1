"""Likelihoods that treat every column alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data.column_facts import ColumnFacts
from isthmus.errors import InputError
from isthmus.parts.likelihoods.base import FAMILY, Likelihood, check_range
from isthmus.parts.registry import check_choice, check_number, register

if TYPE_CHECKING:
    from isthmus.parts.densities import Density

__all__ = [
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Gaussian",
    "Laplace",
    "NegativeBinomial",
    "Poisson",
    "StudentT",
]


class _LocationScale(Likelihood):
    support = "real"
    discrete = False

    def __post_init__(self) -> None:
        if isinstance(getattr(self, "scale", None), str):
            check_choice(self, "scale", ("shared", "per_feature", "a number above 0"))
        else:
            check_number(self, "scale", above=True)


@register(FAMILY)
@dataclass(frozen=True)
class Gaussian(_LocationScale):
    """Normal errors: squared error, weighted by a learned or fixed precision.

    Parameters
    ----------
    scale : {"shared", "per_feature"} or float, default="shared"
        The standard deviation: one learned for all columns, one learned for each, or fixed. What is shared,
        or a number, is in data units for arrays and in each column's training standard deviation for frames.
    """

    scale: float | str = "shared"

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import GaussianDensity

        return GaussianDensity(facts, self.scale)


@register(FAMILY)
@dataclass(frozen=True)
class Laplace(_LocationScale):
    """Double-exponential errors: absolute error, so outputs are medians.

    Parameters
    ----------
    scale : {"shared", "per_feature"} or float, default="shared"
        The mean absolute deviation b, as in `scipy.stats.laplace`; learned or fixed as for `Gaussian`.
    """

    scale: float | str = "shared"

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import LaplaceDensity

        return LaplaceDensity(facts, self.scale)


@register(FAMILY)
@dataclass(frozen=True)
class StudentT(_LocationScale):
    """Heavy-tailed errors: outliers pull little.

    Parameters
    ----------
    df : float, default=4.0
        Degrees of freedom; the tails fall as ``|x| ** -(df + 1)``.
    scale : {"shared", "per_feature"} or float, default="shared"
        The scale, as in `scipy.stats.t`; learned or fixed as for `Gaussian`.
    """

    df: float = 4.0
    scale: float | str = "shared"

    def __post_init__(self) -> None:
        check_number(self, "df", above=True, high=1e6)
        super().__post_init__()

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import StudentTDensity

        return StudentTDensity(facts, self.scale, self.df)


@register(FAMILY)
@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Values 0 or 1, with outputs in logits.

    Parameters
    ----------
    binarize : {None, "dynamic", "threshold"}, default=None
        How values between 0 and 1 become binary: not at all (cross-entropy), drawn anew each time with the
        value as probability (`Density.targets` draws them; scored undrawn, a value gets the mean over draws,
        which is the same cross-entropy), or 1 from one half on.
    """

    binarize: str | None = None
    support = "unit"
    discrete = True

    def __post_init__(self) -> None:
        check_choice(self, "binarize", (None, "dynamic", "threshold"))

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import BernoulliDensity

        check_range(self, facts, 0.0, 1.0)
        return BernoulliDensity(facts, self.binarize)


@register(FAMILY)
@dataclass(frozen=True)
class ContinuousBernoulli(Likelihood):
    """A density on [0, 1], exponential in the value: what grey pixels need instead of `Bernoulli`."""

    support = "unit"
    discrete = False

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import ContinuousBernoulliDensity

        check_range(self, facts, 0.0, 1.0)
        return ContinuousBernoulliDensity(facts)


@register(FAMILY)
@dataclass(frozen=True)
class Categorical(Likelihood):
    """One of a column's levels, with one logit per level."""

    support = "category"
    discrete = True

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import CategoricalDensity

        for name, n_categories in zip(facts.names, facts.n_categories, strict=True):
            if n_categories < 1:
                raise InputError(
                    f"column {name!r} is not categorical; choose another likelihood, or edit its kind."
                )
        return CategoricalDensity(facts)


@register(FAMILY)
@dataclass(frozen=True)
class Poisson(Likelihood):
    """Counts whose variance equals their mean, with outputs in log means."""

    support = "count"
    discrete = True

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import PoissonDensity

        check_range(self, facts, 0.0, np.inf)
        return PoissonDensity(facts)


@register(FAMILY)
@dataclass(frozen=True)
class NegativeBinomial(Likelihood):
    """Counts that vary more than Poisson's: variance ``mean + mean**2 / size``, `size` learned per column."""

    support = "count"
    discrete = True

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import NegativeBinomialDensity

        check_range(self, facts, 0.0, np.inf)
        return NegativeBinomialDensity(facts)
