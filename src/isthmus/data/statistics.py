"""What the training rows say of each modelled column: moments, range and frequencies, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from isthmus.data.column import Column
from isthmus.data.schema import Schema
from isthmus.errors import InputError

__all__ = ["Statistics", "level_counts", "measure"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Statistics:
    """Moments of the encoded training rows, missing entries left out.

    Attributes
    ----------
    count, mean, sd, low, high : ndarray of shape (C,)
        Observed entries, their mean, standard deviation (divisor n) and range. A column that was never
        observed among the training rows has mean 0 and standard deviation 0.
    log_mean, log_sd : ndarray of shape (C,)
        The same moments of ``log1p`` where a likelihood of counts may be chosen, else zeros.
    frequencies : ndarray of shape (sum of levels,)
        Occurrences of each code of the categorical columns, one column after the other.
    """

    count: Array
    mean: Array
    sd: Array
    low: Array
    high: Array
    log_mean: Array
    log_sd: Array
    frequencies: Array

    def to_arrays(self) -> dict[str, Array]:
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array]) -> Statistics:
        return cls(**{field.name: np.asarray(arrays[field.name], np.float64) for field in fields(cls)})


class _Moments:
    """Count, mean and squared deviation of columns, merged block by block (Chan, Golub & LeVeque 1983)."""

    def __init__(self, n_columns: int) -> None:
        self.count, self.mean, self.square = np.zeros((3, n_columns))

    def update(self, values: Array, observed: NDArray[np.bool_]) -> None:
        count = observed.sum(axis=0).astype(np.float64)
        mean = np.where(observed, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        square = np.where(observed, values - mean, 0.0)
        np.square(square, out=square)
        total = np.maximum(self.count + count, 1)
        step = mean - self.mean
        self.square += square.sum(axis=0) + step**2 * self.count * count / total
        self.mean += step * count / total
        self.count += count

    @property
    def sd(self) -> Array:
        return np.sqrt(self.square / np.maximum(self.count, 1))


def level_counts(schema: Schema) -> tuple[int, ...]:
    """Return each modelled column's number of codes: levels and "other", 0 where it is not categorical."""
    return tuple(
        len(column.levels) + column.other if column.kind == "categorical" else 0 for column in schema.modelled
    )


def measure(schema: Schema, blocks: Iterable[Array]) -> Statistics:
    """Measure encoded training rows.

    Parameters
    ----------
    schema : Schema
        Says which columns may be counts and which are categorical.
    blocks : iterable of ndarray of shape (n, at least C)
        Encoded rows; missing entries are NaN, calendar columns beyond the C modelled ones are not looked at.
    """
    columns = schema.modelled
    n_columns = len(columns)
    counts = np.flatnonzero([_may_be_count(column) for column in columns])
    levels = level_counts(schema)
    frequencies = [np.zeros(n) for n in levels]
    plain, logs = _Moments(n_columns), _Moments(len(counts))
    low, high = np.full(n_columns, np.inf), np.full(n_columns, -np.inf)
    for block in blocks:
        values = block[:, :n_columns]
        observed = ~np.isnan(values)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below, by name
            plain.update(values, observed)
        logs.update(np.log1p(np.maximum(values[:, counts], 0.0)), observed[:, counts])
        low = np.fmin(low, np.min(values, axis=0, initial=np.inf, where=observed))
        high = np.fmax(high, np.max(values, axis=0, initial=-np.inf, where=observed))
        for j in np.flatnonzero(levels):
            codes = values[observed[:, j], j].astype(np.int64)
            frequencies[j] += np.bincount(codes, minlength=levels[j])
    log_mean, log_sd = np.zeros((2, n_columns))
    log_mean[counts], log_sd[counts] = logs.mean, logs.sd
    seen, varies = plain.count > 0, high > low
    _refuse_overflow(columns, plain.sd)
    # The moments of equal values are rounded: a spread of 1e-17 would blow up whatever differs later.
    return Statistics(
        plain.count,
        np.where(varies | ~seen, plain.mean, low),
        np.where(varies, plain.sd, 0.0),
        np.where(seen, low, 0.0),
        np.where(seen, high, 0.0),
        log_mean,
        np.where(varies, log_sd, 0.0),
        np.concatenate([np.zeros(0), *frequencies]),
    )


def _may_be_count(column: Column) -> bool:
    # In an array all columns are continuous (or pixels), also where Poisson is to model them.
    numeric = column.kind in ("continuous", "pixel")
    return column.kind == "count" or (numeric and column.low >= 0 and column.high > 1)


def _refuse_overflow(columns: Sequence[Column], sd: Array) -> None:
    wide = np.flatnonzero(~np.isfinite(sd))
    if wide.size:
        raise InputError(
            f'column "{columns[wide[0]].name}" holds values too large for their spread to be a number; '
            "rescale it, or take logarithms"
        )
