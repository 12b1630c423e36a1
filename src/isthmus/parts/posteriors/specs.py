"""What a code is: the specifications of q(z given x), which import no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from isthmus.errors import InputError
from isthmus.nets.activations import CODE_ACTIVATIONS
from isthmus.parts.registry import Part, check_choice, check_number, register

if TYPE_CHECKING:
    from isthmus.parts.posteriors.base import Code

__all__ = [
    "FAMILY",
    "DiagonalGaussian",
    "FiniteScalar",
    "Places",
    "Point",
    "Posterior",
    "VectorQuantized",
    "VonMisesFisher",
]

FAMILY = "posterior"
# Fewer rows would make a place's region that of single rows, more would make the map coarse.
ROWS_PER_PLACE = 3
# Components of one token, where they divide the code.
TOKEN_SIZE = 4


class Posterior(Part):
    """A distribution of the code, given the encoder's outputs."""

    @abstractmethod
    def build(self, n_components: int) -> Code:
        """Return the torch module; raises InputError where it cannot have that many components."""

    def at_least(self, n_components: int) -> int:
        """Return the least possible number of components that is not below `n_components`."""
        return n_components

    def for_components(self, n_components: int) -> Posterior:
        """Return it with what it leaves to the number of components decided."""
        return self


@register(FAMILY)
@dataclass(frozen=True)
class Point(Posterior):
    """A code is one point: a function of the encoder's output, with no noise.

    Parameters
    ----------
    activation : {"identity", "sigmoid", "tanh", "relu", "softplus"}, default="identity"
        Applied to the encoder's output.
    top_k : int or None, default=None
        Keep only the `top_k` entries that are largest in size, and write 0 in the others (Makhzani & Frey,
        "k-sparse autoencoders", 2014).
    """

    activation: str = "identity"
    top_k: int | None = None

    def __post_init__(self) -> None:
        check_choice(self, "activation", CODE_ACTIVATIONS)
        if self.top_k is not None:
            check_number(self, "top_k", low=1, whole=True)

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.point import PointCode

        if self.top_k is not None and self.top_k > n_components:
            raise InputError(f"{self!r}: top_k must be at most n_components={n_components}.")
        return PointCode(n_components, self.activation, self.top_k)

    def at_least(self, n_components: int) -> int:
        return max(n_components, self.top_k or 1)


@register(FAMILY)
@dataclass(frozen=True)
class DiagonalGaussian(Posterior):
    """Normal, with a mean and a standard deviation for each component (Kingma & Welling 2014)."""

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.gaussian import GaussianCode

        return GaussianCode(n_components)


@register(FAMILY)
@dataclass(frozen=True)
class VonMisesFisher(Posterior):
    """A direction: von Mises-Fisher on the unit sphere in `n_components` dimensions (Davidson 2018)."""

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.von_mises_fisher import SphericalCode

        if n_components < 2:
            raise InputError(f"{self!r} needs n_components >= 2: in one dimension a sphere is two points.")
        return SphericalCode(n_components)

    def at_least(self, n_components: int) -> int:
        return max(n_components, 2)


@register(FAMILY)
@dataclass(frozen=True)
class VectorQuantized(Posterior):
    """Each token of the code is the nearest of learned vectors (van den Oord et al. 2017).

    The codebook follows the encoder by exponential moving averages; a vector that nothing is near to is
    moved to an encoded row.

    Parameters
    ----------
    n_codes : int, default=256
        Vectors in the codebook, which all tokens share.
    token_size : int or None, default=None
        Components of one token; `n_components` is a multiple of it. None: 4, or as many fewer as divide
        `n_components`.
    commitment : float, default=0.25
        Weight of the squared distance that keeps the encoder near the codebook.
    decay : float, default=0.99
        Of the moving averages, per step.
    """

    n_codes: int = 256
    token_size: int | None = None
    commitment: float = 0.25
    decay: float = 0.99

    def __post_init__(self) -> None:
        check_number(self, "n_codes", low=2, high=2**16, whole=True)
        if self.token_size is not None:
            check_number(self, "token_size", low=1, high=2**16, whole=True)
        check_number(self, "commitment")
        check_number(self, "decay", high=1.0)

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.vector_quantized import VectorQuantizedCode

        size = self.size_in(n_components)
        if n_components % size:
            raise InputError(
                f"{self!r}: n_components={n_components} is no multiple of token_size={size}; "
                f"take {self.at_least(n_components)}, or another token_size."
            )
        return VectorQuantizedCode(n_components, self)

    def at_least(self, n_components: int) -> int:
        size = self.token_size or TOKEN_SIZE
        return -(-n_components // size) * size

    def for_components(self, n_components: int) -> VectorQuantized:
        return replace(self, token_size=self.size_in(n_components))

    def size_in(self, n_components: int) -> int:
        """Return the components of one token in a code of `n_components`."""
        sizes = [size for size in range(1, TOKEN_SIZE + 1) if n_components % size == 0]
        return self.token_size or max(sizes)


@register(FAMILY)
@dataclass(frozen=True)
class FiniteScalar(Posterior):
    """Each component is rounded to one of a few levels; there is no codebook (Mentzer et al. 2024).

    Parameters
    ----------
    levels : int, default=7
        Levels of each component, evenly spaced from -1 to 1.
    """

    levels: int = 7

    def __post_init__(self) -> None:
        check_number(self, "levels", low=2, high=2**16, whole=True)

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.finite_scalar import FiniteScalarCode

        return FiniteScalarCode(n_components, self.levels)


@register(FAMILY)
@dataclass(frozen=True)
class Places(Posterior):
    """A code is the likeliest region among many places, which lie where some of the training rows do.

    The encoder tells places apart, as a classifier does its classes, and is taught where rows lie by
    positions that a loss moves freely, one for each training row.

    Parameters
    ----------
    n_places : int, default=3000
        At most; there is one for three training rows, and there are two at least.
    """

    n_places: int = 3000

    def __post_init__(self) -> None:
        check_number(self, "n_places", low=2, high=2**16, whole=True)

    def build(self, n_components: int) -> Code:
        from isthmus.parts.posteriors.places import PlacesCode

        return PlacesCode(n_components, self.n_places)

    def for_rows(self, n_rows: int) -> Places:
        """Return what is left of it where there are only `n_rows` training rows."""
        return replace(self, n_places=max(2, min(self.n_places, n_rows // ROWS_PER_PLACE)))
