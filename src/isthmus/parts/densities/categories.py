"""The density of a categorical code, with a logit per level."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from isthmus.data.column_facts import ColumnFacts
from isthmus.parts.densities.base import Density, uniform

__all__ = ["CategoricalDensity"]

# A level seen less often than this in training starts at this frequency.
LEAST_FREQUENCY = 1e-4


class CategoricalDensity(Density):
    """One code per column; the logits of a column's levels stand next to each other in the outputs."""

    last_code: Tensor
    log_frequencies: Tensor

    def __init__(self, facts: ColumnFacts) -> None:
        n_levels = facts.n_categories
        super().__init__(sum(n_levels))
        self.most_levels = max(n_levels)
        start = [
            np.full(n, 1 / n) if f is None else f for n, f in zip(n_levels, facts.frequencies, strict=True)
        ]
        self._keep("last_code", np.array(n_levels) - 1)
        self._keep("log_frequencies", np.concatenate([_log_shares(frequencies) for frequencies in start]))
        self.ragged = len(set(n_levels)) > 1
        self.register_buffer("layout", _layout(n_levels), persistent=False)

    def initial_outputs(self) -> Tensor:
        return self.log_frequencies.clone()

    def log_prob(self, outputs: Tensor, values: Tensor) -> Tensor:
        codes = torch.minimum(values.clamp(min=0), self.last_code).long()
        return self._log_shares(outputs).gather(2, codes[..., None]).squeeze(2)

    def mean(self, outputs: Tensor) -> Tensor:
        return self._log_shares(outputs).argmax(dim=2).to(outputs.dtype)

    @torch.no_grad()
    def sample(self, outputs: Tensor, generator: torch.Generator) -> Tensor:
        log_shares = self._log_shares(outputs)
        gumbel = -torch.log(-torch.log(uniform(log_shares, generator)))
        return (log_shares + gumbel).argmax(dim=2).to(outputs.dtype)

    def _log_shares(self, outputs: Tensor) -> Tensor:
        """Return log-probabilities of shape (B, C, most levels), -inf where a column has no such level."""
        if self.ragged:
            absent = outputs.new_full((len(outputs), 1), -torch.inf)
            outputs = torch.cat([outputs, absent], dim=1)[:, self.layout]
        return outputs.view(len(outputs), -1, self.most_levels).log_softmax(dim=2)


def _log_shares(frequencies: np.ndarray) -> np.ndarray:
    shares = np.maximum(frequencies, LEAST_FREQUENCY)
    return np.log(shares / shares.sum())


def _layout(n_levels: tuple[int, ...]) -> Tensor:
    """Return the position of the logit of every column and code, one past the end where there is none."""
    n_outputs, starts = sum(n_levels), np.cumsum((0, *n_levels[:-1]))
    code = np.arange(max(n_levels))
    position = np.where(code < np.array(n_levels)[:, None], starts[:, None] + code, n_outputs)
    return torch.from_numpy(position.reshape(-1))
