"""What the encoder sees while learning: the specifications of C(x~ given x), which import no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.registry import Part, check_number, register

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Corruption", "FactsTensors", "GaussianNoise", "Masking", "SaltAndPepper", "SwapNoise"]

FAMILY = "corruption"


@dataclass(frozen=True, eq=False)
class FactsTensors:
    """The facts that corruptions need, of shape (C,), on the device; `zero` is what `Masking` writes."""

    zero: Tensor
    low: Tensor
    high: Tensor
    unit: Tensor
    continuous: Tensor
    mark_missing: bool


class Corruption(Part):
    """Random damage to a batch, in value units. Entries that were not observed are left alone."""

    def prepare(self, facts: ColumnFacts, device: torch.device | str) -> FactsTensors:
        """Move what `apply` needs to the device, once."""
        import torch

        def tensor(array: np.ndarray) -> Tensor:
            kind = torch.bool if array.dtype == bool else torch.get_default_dtype()
            return torch.as_tensor(array, dtype=kind, device=device)

        return FactsTensors(
            zero=tensor(_placeholder(facts) if facts.mark_missing else facts.zero),
            low=tensor(facts.low),
            high=tensor(facts.high),
            unit=tensor(facts.unit),
            continuous=tensor(facts.continuous),
            mark_missing=facts.mark_missing,
        )

    @abstractmethod
    def apply(
        self, values: Tensor, observed: Tensor | None, facts: FactsTensors, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Return damaged copies of values (B, C) and of the mask of observed entries (None: all are).

        Parameters
        ----------
        values : Tensor of shape (B, C)
        observed : Tensor of bool of shape (B, C), or None
        facts : FactsTensors
            From `prepare`.
        generator : torch.Generator
            On the device of `values`.
        """


class _Rate(Corruption):
    """A corruption that strikes each entry with probability `p`."""

    def __post_init__(self) -> None:
        check_number(self, "p", high=1.0)


@register(FAMILY)
@dataclass(frozen=True)
class Masking(_Rate):
    """Hide entries: write 0 in arrays, mark them missing in frames.

    Parameters
    ----------
    p : float, default=0.3
        The probability that an entry is hidden.
    """

    p: float = 0.3

    def apply(
        self, values: Tensor, observed: Tensor | None, facts: FactsTensors, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Hide each entry with probability `p`."""
        hidden = _struck(self.p, values, observed, generator)
        if facts.mark_missing:
            observed = ~hidden if observed is None else observed & ~hidden
        return facts.zero.where(hidden, values), observed


@register(FAMILY)
@dataclass(frozen=True)
class GaussianNoise(Corruption):
    """Add normal noise to real columns and to those in [0, 1]; counts and categories stay.

    Parameters
    ----------
    sd : float
        Its standard deviation: in data units for arrays, in each column's training standard deviation for
        frames.
    """

    sd: float

    def __post_init__(self) -> None:
        check_number(self, "sd")

    def apply(
        self, values: Tensor, observed: Tensor | None, facts: FactsTensors, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Add noise to each observed entry of a continuous column."""
        import torch

        noise = torch.randn(values.shape, generator=generator, device=values.device, dtype=values.dtype)
        noisy = torch.addcmul(values, noise, facts.continuous * (self.sd / facts.unit))
        return (noisy if observed is None else noisy.where(observed, values)), observed


@register(FAMILY)
@dataclass(frozen=True)
class SaltAndPepper(_Rate):
    """Set entries of real columns and of those in [0, 1] to the lowest or highest value seen; others stay.

    Parameters
    ----------
    p : float, default=0.1
        The probability that an entry is set; either extreme is as likely.
    """

    p: float = 0.1

    def apply(
        self, values: Tensor, observed: Tensor | None, facts: FactsTensors, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Set each entry of a continuous column to an extreme with probability `p`."""
        import torch

        draws = torch.rand(values.shape, generator=generator, device=values.device)
        struck = (draws < self.p) & facts.continuous
        extremes = facts.low.where(draws < self.p / 2, facts.high)
        return extremes.where(struck if observed is None else struck & observed, values), observed


@register(FAMILY)
@dataclass(frozen=True)
class SwapNoise(_Rate):
    """Swap entries with those of other rows of the batch, within each column.

    Every column pairs the rows anew, each row with a uniformly drawn one (itself once in B), and each pair
    swaps with probability `p`. So for every `p` a column keeps exactly the entries it had, in another order:
    its marginal stays, its dependence on the other columns goes. A missing entry is missing in its new row.

    Parameters
    ----------
    p : float, default=0.15
        The probability that an entry is swapped.
    """

    p: float = 0.15

    def apply(
        self, values: Tensor, observed: Tensor | None, facts: FactsTensors, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Swap each pair of entries with probability `p`."""
        import torch

        n_rows, n_columns = values.shape
        row = torch.arange(n_rows, device=values.device)[:, None]
        # row -> (shift - row) mod B is its own inverse, hence a pairing; both of a pair read the same draw.
        shift = torch.randint(n_rows, (n_columns,), generator=generator, device=values.device)
        partner = (shift - row) % n_rows
        draws = torch.rand(values.shape, generator=generator, device=values.device)
        swaps = draws.gather(0, torch.minimum(row, partner)) < self.p
        source = torch.where(swaps, partner, row)
        return values.gather(0, source), None if observed is None else observed.gather(0, source)


def _placeholder(facts: ColumnFacts) -> np.ndarray:
    """Return what stands in a missing entry: the mean, or the first category."""
    return np.where(facts.categorical, 0.0, facts.mean)


def _struck(p: float, values: Tensor, observed: Tensor | None, generator: torch.Generator) -> Tensor:
    import torch

    struck = torch.rand(values.shape, generator=generator, device=values.device) < p
    return struck if observed is None else struck & observed
