"""What every likelihood declares."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from isthmus.data.column_facts import ColumnFacts
from isthmus.errors import InputError
from isthmus.parts.registry import Part

if TYPE_CHECKING:
    from isthmus.parts.densities import Density

__all__ = ["FAMILY", "Likelihood", "check_range"]

FAMILY = "likelihood"


class Likelihood(Part):
    """A distribution of each column, given the decoder's outputs.

    Attributes
    ----------
    support : {"real", "unit", "count", "category", "mixed"}
        How values are given: centred and scaled, in [0, 1], raw counts, or integer codes (as floats).
    discrete : bool
        Whether it gives probabilities rather than densities.
    """

    support: ClassVar[Literal["real", "unit", "count", "category", "mixed"]]
    discrete: ClassVar[bool]

    @abstractmethod
    def build(self, facts: ColumnFacts) -> Density:
        """Return the torch module that scores and draws values of these columns."""

    def for_columns(self, names: tuple[str, ...]) -> tuple[Likelihood, ...]:
        """Return each column's own likelihood; ask these for `support` and `discrete`."""
        return (self,) * len(names)


def check_range(likelihood: Likelihood, facts: ColumnFacts, low: float, high: float) -> None:
    """Refuse columns that leave the support, up to rounding."""
    outside = (facts.low < low - 1e-6) | (facts.high > high + 1e-6)
    if outside.any():
        j = int(np.flatnonzero(outside)[0])
        wanted = "no negative values" if np.isinf(high) else "values from 0 to 1"
        raise InputError(
            f"{likelihood!r} needs {wanted}, and column {facts.names[j]!r} has values from {facts.low[j]:g} "
            f"to {facts.high[j]:g}; choose another likelihood or rescale the data."
        )
