"""The device stage: encoded columns become the values a likelihood scores and the inputs an encoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from isthmus.data.column_facts import ColumnFacts
from isthmus.data.encoding import calendar_parents
from isthmus.data.schema import Schema
from isthmus.data.statistics import Statistics, level_counts

__all__ = ["Features", "Values"]

# In an array, a column that varies less than this share of the array's root-mean-square standard deviation is
# not blown up to unit variance: the objective, in data units, hardly sees it, nor should the networks.
SCALE_FLOOR = 0.1
# A value this many spreads off is cut: its square, and a sum of squares, are still float32 numbers.
LARGEST = 1e18


class Values(NamedTuple):
    """Rows in value units, float32 on the device.

    Attributes
    ----------
    values : Tensor of shape (B, C)
        What the likelihood scores; finite also where nothing was observed.
    observed : Tensor of bool of shape (B, C), or None
        Where an entry was observed; None when all were.
    extra : Tensor of shape (B, E), or None
        Calendar parts, NaN replaced by 0: encoder inputs only.
    """

    values: Tensor
    observed: Tensor | None
    extra: Tensor | None

    def rows(self, index: Tensor | slice) -> Values:
        return Values(*(None if part is None else part[index] for part in self))  # type: ignore[arg-type]

    def to(self, device: torch.device) -> Values:
        return Values(*(None if part is None else part.to(device) for part in self))  # type: ignore[arg-type]


class Features(nn.Module):
    """Centres, scales and flags columns, invertibly; built from a schema and the training rows' statistics.

    Each column's `support` (declared by its likelihood) says what its value is: ``"real"`` is centred and
    scaled in float64 before it becomes float32, ``"unit"`` is mapped onto [0, 1], ``"count"`` and
    ``"category"`` stay as they are. The networks' inputs are derived from the values: numbers with zero mean
    and about unit spread, one-hot codes, a flag per column that can be missing, then calendar parts.

    Parameters
    ----------
    schema : Schema
    statistics : Statistics
    supports : sequence of str of length C
    mark_missing : bool
        Whether every column gets a missing flag (a corruption will mark entries missing), not only those
        that had missing entries in the training data.
    """

    centre: Tensor
    scale: Tensor
    input_mean: Tensor
    input_scale: Tensor
    placeholder: Tensor
    numbers: Tensor
    counts: Tensor
    flagged: Tensor
    parents: Tensor
    resolution: Tensor

    def __init__(
        self, schema: Schema, statistics: Statistics, supports: Sequence[str], *, mark_missing: bool = False
    ) -> None:
        super().__init__()
        columns = schema.modelled
        self.in_frame = schema.container == "frame"
        self.statistics = statistics
        self.supports = tuple(supports)
        self.n_categories = level_counts(schema)
        self.names = tuple(column.name for column in columns)
        self.n_columns = len(columns)
        self.n_given, self.given_index = len(schema.columns), schema.modelled_index
        parents = calendar_parents(schema)
        self.n_extra = len(parents)
        flagged = [mark_missing or column.missing for column in columns]
        centre, scale = self._value_map(schema)
        self._keep("centre", centre)
        self._keep("scale", scale)
        mean, spread = self._input_map(centre, scale)
        self._keep("input_mean", mean, torch.float32)
        self._keep("input_scale", 1.0 / spread, torch.float32)
        kinds = np.array(self.n_categories) > 0
        self._keep("placeholder", self._placeholder(centre, scale), torch.float32)
        self._keep("numbers", np.flatnonzero(~kinds))
        self._keep("counts", np.array([s == "count" for s in self.supports]))
        self._keep("flagged", np.flatnonzero(flagged))
        self._keep("parents", parents)
        self._keep("resolution", np.array([column.resolution for column in columns]) / scale)
        self.categories = tuple(int(j) for j in np.flatnonzero(kinds))
        self.plain = all(s == "real" for s in self.supports) and not any(flagged) and self.n_extra == 0
        self.any_counts = "count" in self.supports
        self.n_inputs = (
            self.n_columns
            - len(self.categories)
            + sum(self.n_categories)
            + int(np.sum(flagged))
            + self.n_extra
        )

    def _keep(self, name: str, array: NDArray[np.generic], dtype: torch.dtype | None = None) -> None:
        # Derived from the statistics, which are what is saved: hence not persistent.
        self.register_buffer(name, torch.as_tensor(np.array(array), dtype=dtype), persistent=False)

    def _value_map(self, schema: Schema) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the centre and scale of ``value = (x - centre) / scale``."""
        stats, supports = self.statistics, np.array(self.supports, dtype=object)
        centre, scale = np.zeros(self.n_columns), np.ones(self.n_columns)
        real = supports == "real"
        spread = stats.sd[real]
        if not self.in_frame and spread.size:
            spread = np.maximum(spread, SCALE_FLOOR * np.sqrt(np.mean(spread**2)))
        centre[real] = stats.mean[real]
        scale[real] = np.where(spread > 0, spread, 1.0)
        for j in np.flatnonzero(supports == "unit"):
            column = schema.modelled[j]
            scale[j] = column.bounds[1] if column.kind == "pixel" else 1.0
        return centre, scale

    def _input_map(
        self, centre: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and spread of the values (of their log1p for counts), as the networks see them."""
        stats, supports = self.statistics, np.array(self.supports, dtype=object)
        real, count = supports == "real", supports == "count"
        mean = np.where(real, 0.0, np.where(count, stats.log_mean, (stats.mean - centre) / scale))
        spread = np.where(real, 1.0, np.where(count, stats.log_sd, stats.sd / scale))
        unit = supports == "unit"
        if not self.in_frame and unit.any():
            # They share one unit. A pixel that is nearly always dark, scaled up for that, is noise, above all
            # when it is redrawn as a bit in every epoch.
            spread[unit] = np.maximum(spread[unit], np.sqrt(np.mean(spread[unit] ** 2)))
        return mean, np.where(spread > 0, spread, 1.0)

    def _placeholder(self, centre: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what stands where nothing was observed: the training mean, or the first category."""
        categorical = np.array(self.n_categories) > 0
        return np.where(categorical, 0.0, (self.statistics.mean - centre) / scale)

    def to_values(self, encoded: Tensor) -> Values:
        """Map encoded float64 columns of shape (B, C + E), NaN where missing, to values."""
        raw = encoded[:, : self.n_columns]
        values = ((raw - self.centre) / self.scale).clamp(-LARGEST, LARGEST).to(torch.float32)
        observed = ~torch.isnan(values)
        extra = torch.nan_to_num(encoded[:, self.n_columns :].to(torch.float32)) if self.n_extra else None
        if bool(observed.all()):
            return Values(values, None, extra)
        return Values(torch.where(observed, values, self.placeholder), observed, extra)

    def to_data(self, values: Tensor) -> Tensor:
        """Map values of shape (B, C) back to encoded float64 columns."""
        return values.to(torch.float64) * self.scale + self.centre

    def forward(self, rows: Values) -> Tensor:
        """Return the encoder's inputs, of shape (B, n_inputs)."""
        values, observed, extra = rows
        if self.plain:
            return values
        if self.any_counts:
            values = torch.where(self.counts, torch.log1p(values.clamp(min=0)), values)
        numbers = (values - self.input_mean) * self.input_scale
        if observed is not None:
            numbers = torch.where(observed, numbers, 0.0)
        pieces = [numbers[:, self.numbers]]
        for j in self.categories:
            code = functional.one_hot(values[:, j].long(), self.n_categories[j]).to(values.dtype)
            pieces.append(code if observed is None else code * observed[:, j : j + 1])
        if len(self.flagged):
            missing = torch.zeros_like(values) if observed is None else (~observed).to(values.dtype)
            pieces.append(missing[:, self.flagged])
        if extra is not None:
            pieces.append(extra if observed is None else extra * observed[:, self.parents])
        return torch.cat(pieces, dim=1)

    def facts(self) -> ColumnFacts:
        """Return what the likelihoods and corruptions may know of the columns, in value units."""
        stats = self.statistics
        centre, scale = self.centre.cpu().numpy(), self.scale.cpu().numpy()
        ends = np.cumsum(self.n_categories)
        real = np.array([support == "real" for support in self.supports], dtype=bool)
        sd = np.where(stats.sd > 0, stats.sd, scale)
        return ColumnFacts(
            names=self.names,
            n_categories=self.n_categories,
            log_jacobian=-np.log(scale),
            unit=scale / sd if self.in_frame else scale.copy(),
            resolution=self.resolution.cpu().numpy(),
            mean=(stats.mean - centre) / scale,
            frequencies=tuple(
                stats.frequencies[end - n : end] if n else None
                for end, n in zip(ends, self.n_categories, strict=True)
            ),
            low=(stats.low - centre) / scale,
            high=(stats.high - centre) / scale,
            zero=-centre / scale,
            real=real,
            mark_missing=self.in_frame,
        )
