"""What was observed of one column, and the column of a schema that follows from it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import numpy as np

from isthmus.data.column import TEMPORAL, Column, Kind, Scalar
from isthmus.data.dtypes import Storage, storage, time_unit
from isthmus.data.kinds import CHOSEN, Known, check_kind

__all__ = ["Facts"]

# Fewer rows than this may all differ by chance.
_FEWEST_IDENTIFIERS = 10
_FEW_LEVELS = 20
# Counts start near zero, take neighbouring values and stay of moderate size; the rest are measurements.
_LARGEST_COUNT = 100_000
# Whole numbers beyond this are not all float64 numbers.
_EXACT = 1 << 53

Number = int | float


@dataclass(kw_only=True)
class Facts:
    """What one pass told of a column; `low` and `high` are exact for integers and ticks."""

    name: str
    dtype: str
    native_dtype: str | None = None
    array: bool = False
    categories: tuple[Scalar, ...] = ()
    count: int = 0
    missing: bool = False
    low: Number = 0
    high: Number = 0
    resolution: float = 0.0
    step: int = 1
    counts: dict[Scalar, int] | None = field(default_factory=dict)
    sequence: bool = False
    all_differ: bool = False
    whole: bool | None = None
    image: bool = False
    unread: str = ""

    @property
    def storage(self) -> Storage:
        return storage(self.dtype)

    @property
    def ranged(self) -> bool:
        """Whether its values are numbers or times, which have a range."""
        return self.storage not in ("text", "category", "object", "other")

    @property
    def constant(self) -> bool:
        if self.count == 0 or self.unread:
            return False
        return self.low == self.high if self.ranged else self.counts is not None and len(self.counts) == 1

    @property
    def value(self) -> Scalar:
        if not self.ranged:
            return next(iter(self.counts or {}))
        return bool(self.low) if self.storage == "boolean" else self.low

    @property
    def origin(self) -> int:
        whole = self.storage in (*TEMPORAL, "duration", "integer")
        large = self.storage in TEMPORAL or max(abs(self.low), abs(self.high)) > _EXACT
        return int(self.low) if whole and large and self.count else 0

    def column(self, chosen: str | None) -> Column:
        """Return the column that follows from the facts, or that the caller chose."""
        kind, reason = self._natural()
        if chosen is not None and chosen != kind:
            kind, reason = check_kind(self.name, chosen, self._known()), CHOSEN
        levels, most_frequent = self._levels() if kind in ("binary", "categorical") else ((), 0)
        return Column(
            name=self.name,
            kind=kind,
            reason=reason + (", some missing" if self.missing and self.count and reason != CHOSEN else ""),
            dtype=self.dtype,
            native_dtype=self.native_dtype,
            levels=levels,
            other=kind == "categorical",
            most_frequent=most_frequent,
            categories=self.categories,
            value=self.value if kind == "constant" else None,
            low=float(self.low - self.origin),
            high=float(self.high - self.origin),
            resolution=self.resolution,
            missing=self.missing,
            integer=self.storage == "integer",
            origin=self.origin,
            step=self.step,
        )

    def _known(self) -> Known:
        levels = (False, True) if self.storage == "boolean" else self.counts
        return Known(
            self.dtype,
            float(self.low - self.origin),
            float(self.high - self.origin),
            self.origin,
            constant=self.constant,
            empty=self.count == 0 or bool(self.unread),
            whole=self.storage in ("integer", "boolean") or self.whole,
            n_levels=len(levels) if levels else None,
        )

    def _levels(self) -> tuple[tuple[Scalar, ...], int]:
        if self.storage == "boolean":
            return (False, True), 0
        counts = self.counts or {}
        levels = tuple(sorted(counts))
        return levels, levels.index(max(levels, key=counts.__getitem__))

    def _natural(self) -> tuple[Kind, str]:
        """Return the kind that the values suggest, and why."""
        if self.unread:
            return "ignored", self.unread
        if self.count == 0:
            return "ignored", "no values: every entry is missing"
        if self.constant:
            return "constant", f"one value, {self.show(self.value)}"
        if self.image:
            return "pixel", f"a pixel, from {self.show(self.low)} to {self.show(self.high)}"
        if not self.ranged:
            return self._natural_text()
        return self._natural_number()

    def _natural_number(self) -> tuple[Kind, str]:
        span = f"from {self.show(self.low)} to {self.show(self.high)}"
        if self.storage == "boolean":
            return "binary", "true or false"
        if self.storage in TEMPORAL:
            return "datetime", f"{'dates' if self.storage == 'date' else 'times'} {span}"
        if self.storage == "duration":
            return "continuous", f"lengths of time {span}"
        if self.storage == "integer" and not self.array:
            return self._natural_integer(span)
        return "continuous", f"{'whole numbers' if self.storage == 'integer' else 'numbers'} {span}"

    def _natural_integer(self, span: str) -> tuple[Kind, str]:
        distinct = f"{len(self.counts):,}" if self.counts else "very many"
        if self.counts and len(self.counts) == 2:
            return "binary", f"two values, {self.show(self.low)} and {self.show(self.high)}"
        if self.sequence and self.count >= _FEWEST_IDENTIFIERS:
            return "ignored", f"an identifier: each whole number {span} once"
        if self._is_code():
            return "categorical", f"{distinct} distinct whole numbers {span}, far apart as codes are"
        why = self._no_count()
        if why:
            return "continuous", f"{distinct} distinct whole numbers {span}, {why}"
        return "count", f"{distinct} distinct whole numbers {span}"

    def _is_code(self) -> bool:
        n = len(self.counts or {})
        grid = (self.high - self.low) // max(1, self.step) + 1
        return self.low >= 10 and 0 < n <= _FEW_LEVELS and self.count >= 10 * n and grid >= 4 * n

    def _no_count(self) -> str:
        """Return why whole numbers are no counts, or an empty string."""
        if self.low < 0:
            return "some negative"
        if self.high > _LARGEST_COUNT:
            return "too large for counts"
        if self.step > 1:
            return f"in steps of {self.step}"
        return "" if self.low <= 1 or 10 * self.low <= self.high else "too far from 0 for counts"

    def _natural_text(self) -> tuple[Kind, str]:
        what = "categories" if self.storage == "category" else "texts"
        if self.all_differ and self.storage != "category" and self.count >= _FEWEST_IDENTIFIERS:
            return "ignored", "an identifier: all texts differ"
        most = max(_FEW_LEVELS, math.isqrt(self.count))
        if self.counts is None or len(self.counts) > most:
            return "ignored", f"free text: more than {most:,} distinct {what} in {self.count:,} rows"
        if len(self.counts) == 2:
            return "binary", f"two values, {' and '.join(self.show(level) for level in sorted(self.counts))}"
        return "categorical", f"{len(self.counts)} distinct {what}"

    def show(self, value: Scalar) -> str:
        """Return a value as the reader knows it."""
        if type(value) is str:
            return f'"{value}"' if len(value) <= 20 else f'"{value[:17]}..."'
        if self.storage in TEMPORAL:
            return re.sub(r"\.0+$", "", str(np.array(int(value)).astype(f"M8[{time_unit(self.dtype)}]")[()]))
        if self.storage == "duration":
            return str(np.array(int(value)).astype(f"m8[{time_unit(self.dtype)}]")[()])
        return f"{value:.6g}" if type(value) is float else str(value)
