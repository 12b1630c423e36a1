"""What a typical code is: the specifications of p(z), which import no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isthmus.errors import InputError
from isthmus.parts.registry import Part, check_choice, check_number, register

if TYPE_CHECKING:
    from isthmus.parts.posteriors.base import Code
    from isthmus.parts.priors.base import LatentPrior

__all__ = [
    "FAMILY",
    "Autoregressive",
    "Flow",
    "GaussianMixture",
    "Prior",
    "StandardNormal",
    "SwissRoll",
    "UniformSphere",
    "VampPrior",
]

FAMILY = "prior"


class Prior(Part):
    """A distribution of codes, before a row is seen."""

    @abstractmethod
    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        """Return the torch module.

        Parameters
        ----------
        code : Code
            The posterior's module; for its `n_components`, and what `VampPrior` mixes.
        n_inputs : int
            Width of the encoder's inputs, where `VampPrior` keeps its pseudo-inputs.
        """

    def at_least(self, n_components: int) -> int:
        """Return the least possible number of components that is not below `n_components`."""
        return n_components


@register(FAMILY)
@dataclass(frozen=True)
class StandardNormal(Prior):
    """N(0, I)."""

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.normal import StandardNormalPrior

        return StandardNormalPrior(code.n_components)


@register(FAMILY)
@dataclass(frozen=True)
class GaussianMixture(Prior):
    """A mixture of normals: learned, or fixed as a ring of petals (Makhzani et al. 2015, figure 4).

    Parameters
    ----------
    n_clusters : int, default=10
    layout : {"learned", "ring"}, default="learned"
        "learned": weights, means and standard deviations are trained with the networks. "ring": the first
        two components form equally likely petals around a circle, elongated along its radius; the others are
        standard normal.
    radius, radial_sd, tangential_sd : float, default=4.0, 0.8 and 0.3
        Of the ring.
    """

    n_clusters: int = 10
    layout: str = "learned"
    radius: float = 4.0
    radial_sd: float = 0.8
    tangential_sd: float = 0.3

    def __post_init__(self) -> None:
        check_number(self, "n_clusters", low=1, high=2**16, whole=True)
        check_choice(self, "layout", ("learned", "ring"))
        for field in ("radius", "radial_sd", "tangential_sd"):
            check_number(self, field, above=True)

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.mixture import LearnedMixturePrior, RingPrior

        if self.layout == "learned":
            return LearnedMixturePrior(code.n_components, self.n_clusters)
        _need_two(self, code.n_components)
        return RingPrior(code.n_components, self)

    def at_least(self, n_components: int) -> int:
        return max(n_components, 2) if self.layout == "ring" else n_components


@register(FAMILY)
@dataclass(frozen=True)
class SwissRoll(Prior):
    """A spiral in the first two components, the others standard normal; it can be drawn, not scored.

    Parameters
    ----------
    turns : float, default=2.0
        How often it winds, from the middle to the outermost point.
    radius : float, default=4.0
        Distance of the outermost point.
    sd : float, default=0.1
        Of the normal noise around the curve.
    """

    turns: float = 2.0
    radius: float = 4.0
    sd: float = 0.1

    def __post_init__(self) -> None:
        for field in ("turns", "radius", "sd"):
            check_number(self, field, above=True)

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.swiss_roll import SwissRollPrior

        _need_two(self, code.n_components)
        return SwissRollPrior(code.n_components, self)

    def at_least(self, n_components: int) -> int:
        return max(n_components, 2)


@register(FAMILY)
@dataclass(frozen=True)
class VampPrior(Prior):
    """The mixture of the posteriors of learned pseudo-inputs (Tomczak & Welling 2018).

    Parameters
    ----------
    n_pseudo_inputs : int, default=500
    """

    n_pseudo_inputs: int = 500

    def __post_init__(self) -> None:
        check_number(self, "n_pseudo_inputs", low=1, high=2**16, whole=True)

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.vamp import VampPriorModule

        if not code.stochastic:
            raise InputError(
                f"{self!r} mixes posteriors, and a code without noise has none; use another prior."
            )
        return VampPriorModule(code, n_inputs, self.n_pseudo_inputs)


@register(FAMILY)
@dataclass(frozen=True)
class Flow(Prior):
    """Standard normal noise bent by learned affine coupling layers (Dinh et al. 2017).

    Parameters
    ----------
    n_layers : int, default=6
    width : int, default=64
        Of the hidden layers of the networks that say how to shift and scale.
    """

    n_layers: int = 6
    width: int = 64

    def __post_init__(self) -> None:
        check_number(self, "n_layers", low=1, high=64, whole=True)
        check_number(self, "width", low=1, high=2**14, whole=True)

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.flow import FlowPrior

        _need_two(self, code.n_components)
        return FlowPrior(code.n_components, self.n_layers, self.width)

    def at_least(self, n_components: int) -> int:
        return max(n_components, 2)


@register(FAMILY)
@dataclass(frozen=True)
class UniformSphere(Prior):
    """Uniform on the unit sphere, where the codes of `VonMisesFisher` lie."""

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.priors.sphere import UniformSpherePrior

        _need_two(self, code.n_components)
        return UniformSpherePrior(code.n_components)

    def at_least(self, n_components: int) -> int:
        return max(n_components, 2)


@register(FAMILY)
@dataclass(frozen=True)
class Autoregressive(Prior):
    """Tokens one after the other, each given those before it: the prior of discrete codes.

    It learns from the tokens of the training rows, and they learn nothing from it.

    Parameters
    ----------
    width : int, default=128
        Of the recurrent network.
    """

    width: int = 128

    def __post_init__(self) -> None:
        check_number(self, "width", low=1, high=2**14, whole=True)

    def build(self, code: Code, n_inputs: int) -> LatentPrior:
        from isthmus.parts.posteriors.base import DiscreteCode
        from isthmus.parts.priors.autoregressive import AutoregressivePrior

        if not isinstance(code, DiscreteCode):
            raise InputError(f"{self!r} is a prior of discrete codes, which this posterior does not have.")
        return AutoregressivePrior(code, self.width)


def _need_two(prior: Prior, n_components: int) -> None:
    if n_components < 2:
        raise InputError(f"{prior!r} needs n_components >= 2, not {n_components}.")
