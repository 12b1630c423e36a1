"""What a code is: the specifications of q(z given x)."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.parts.registry import Part, register

__all__ = ["Point", "Posterior"]


class Posterior(Part):
    """A distribution of the code, given the encoder's outputs."""


@register("posterior")
@dataclass(frozen=True)
class Point(Posterior):
    """A code is one point: the encoder's output itself, with no noise."""
