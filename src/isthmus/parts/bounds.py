"""How log p(x) is bounded while learning: the specifications of the bounds, which import no torch."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.parts.registry import Part, check_number, register

__all__ = ["ELBO", "FAMILY", "Bound", "ImportanceWeighted"]

FAMILY = "bound"


class Bound(Part):
    """A lower bound on log p(x)."""


@register(FAMILY)
@dataclass(frozen=True)
class ELBO(Bound):
    """E log p(x given z) - KL(q(z given x) || p(z)), from one draw (Kingma & Welling 2014)."""


@register(FAMILY)
@dataclass(frozen=True)
class ImportanceWeighted(Bound):
    """E log of the mean of k importance weights p(x, z) / q(z given x) (Burda et al. 2016).

    The encoder learns by the doubly reparametrised gradient (Tucker et al. 2019), whose signal does not fade
    as k grows.

    Parameters
    ----------
    k : int, default=5
    """

    k: int = 5

    def __post_init__(self) -> None:
        check_number(self, "k", low=1, high=2**14, whole=True)
