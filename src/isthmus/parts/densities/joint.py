"""Different densities for different columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isthmus.parts.densities.base import Density

__all__ = ["JointDensity"]


class JointDensity(Density):
    """Independent densities, each of some columns; their outputs stand one group after the other.

    Parameters
    ----------
    parts : sequence of (Density, ndarray)
        Each density and the positions of its columns; together they name every column once.
    """

    order: Tensor
    back: Tensor

    def __init__(self, parts: Sequence[tuple[Density, NDArray[np.int64]]]) -> None:
        super().__init__(sum(density.n_outputs for density, _ in parts))
        self.densities = nn.ModuleList(density for density, _ in parts)
        self.widths = [density.n_outputs for density, _ in parts]
        self.sizes = [len(index) for _, index in parts]
        order = np.concatenate([index for _, index in parts])
        self.register_buffer("order", torch.from_numpy(order), persistent=False)
        self.register_buffer("back", torch.from_numpy(np.argsort(order)), persistent=False)

    def initial_outputs(self) -> Tensor:
        return torch.cat([density.initial_outputs() for density in self._densities()])

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        groups = zip(self._densities(), outputs.split(self.widths, 1), self._groups(values), strict=True)
        return self._joined(density.log_prob(out, group) for density, out, group in groups)

    def mean(self, outputs: Tensor) -> Tensor:
        groups = zip(self._densities(), outputs.split(self.widths, 1), strict=True)
        return self._joined(density.mean(out) for density, out in groups)

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        groups = zip(self._densities(), outputs.split(self.widths, 1), strict=True)
        return self._joined(density.sample(out, generator) for density, out in groups)

    def targets(self, values: Tensor, generator: torch.Generator) -> Tensor:
        groups = zip(self._densities(), self._groups(values), strict=True)
        return self._joined(density.targets(group, generator) for density, group in groups)

    def _densities(self) -> list[Density]:
        return [density for density in self.densities if isinstance(density, Density)]

    def _groups(self, values: Tensor) -> tuple[Tensor, ...]:
        return values.index_select(1, self.order).split(self.sizes, 1)

    def _joined(self, groups: Iterable[Tensor]) -> Tensor:
        """Put results, group by group, into the columns' own order."""
        return torch.cat(list(groups), dim=1).index_select(1, self.back)
