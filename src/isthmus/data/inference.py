"""From a source to its schema, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from isthmus.data.column import MAX_CATEGORIES, MAX_TEXT, Column, Scalar, is_scalar
from isthmus.data.dtypes import dtype_name, native_name, storage
from isthmus.data.facts import Facts
from isthmus.data.observing import ChosenNumbers, LevelCounter, Ranges, WholeNumbers
from isthmus.data.schema import Schema, check_role
from isthmus.data.series import as_frame, factorize, integers, numbers, stored_as, ticks
from isthmus.data.sources import Source
from isthmus.errors import InputError, did_you_mean

__all__ = ["UNREAD", "infer_schema"]

# How the reason begins for which a column that has values is ignored: they are of no type that is learned.
UNREAD = "values of "


def infer_schema(
    source: Source, *, kinds: Mapping[str, str] | None = None, roles: Mapping[str, str] | None = None
) -> Schema:
    """Read a source once and say what each of its columns is.

    Parameters
    ----------
    source : Source
    kinds, roles : mapping of str to str, optional
        What some columns are, by name (columns of arrays are called x0, x1, ...). A kind that the values
        contradict is refused.

    Returns
    -------
    Schema
    """
    kinds, roles = dict(kinds or {}), dict(roles or {})
    if source.kind == "array":
        names: tuple[str, ...] = tuple(f"x{i}" for i in range(int(np.prod(source.shape))))
    else:
        names = source.columns or ()
    _check_names(names, kinds, roles)
    facts = (
        _array_facts(source, names, kinds) if source.kind == "array" else _frame_facts(source, names, kinds)
    )
    columns = tuple(_column(fact, kinds.get(fact.name), roles.get(fact.name)) for fact in facts)
    dtype = _dtype(source) if source.kind == "array" else None
    return Schema(columns, source.kind, source.library, tuple(source.shape), dtype)


def _column(facts: Facts, kind: str | None, role: str | None) -> Column:
    column = facts.column(kind)
    return column if role is None else replace(column, role=check_role(column, role))


def _check_names(names: tuple[str, ...], kinds: Mapping[str, str], roles: Mapping[str, str]) -> None:
    known = set(names)
    for name in (*kinds, *roles):
        if name not in known:
            raise InputError(f'there is no column "{name}" in the data.{did_you_mean(name, names)}')
    for name in names:
        if len(name) > MAX_TEXT:
            raise InputError(f'a column name has {len(name):,} characters ("{name[:20]}..."); shorten it')


# Arrays: all columns at once.


def _dtype(source: Source) -> str:
    name = str(np.dtype(source.dtype).name)
    if np.dtype(source.dtype).kind == "c":
        raise InputError(f"Complex data not supported: {source.name} holds {name}; give real numbers")
    if storage(name) not in ("float", "integer", "boolean"):
        raise InputError(
            f"{source.name} holds {name}; give an array of numbers, or a frame with named columns"
        )
    return name


def _array_facts(source: Source, names: tuple[str, ...], kinds: Mapping[str, str]) -> list[Facts]:
    dtype = _dtype(source)
    ranges = Ranges(names)
    chosen = {i: ChosenNumbers() for i, name in enumerate(names) if name in kinds}
    for block in source.blocks():
        rows = np.asarray(block).reshape(len(block), -1)
        ranges.update(rows)
        for i, observer in chosen.items():
            observer.update(rows[:, i])
    facts = _numeric_facts(ranges, dtype, array=True, image=len(source.shape) > 1)
    for i, observer in chosen.items():
        facts[i].counts, facts[i].whole = observer.levels.counts, observer.whole
    return facts


def _numeric_facts(ranges: Ranges, dtype: str, *, array: bool, image: bool = False) -> list[Facts]:
    low, high, empty = ranges.bounds()
    image = image and (dtype == "uint8" or bool(np.all((low >= 0) & (high <= 1))))
    observed = zip(
        ranges.names,
        low.tolist(),
        high.tolist(),
        ranges.gaps().tolist(),
        (ranges.missing | empty).tolist(),
        np.where(empty, 0, ranges.rows).tolist(),
        strict=True,
    )
    return [
        Facts(
            name=name,
            dtype=dtype,
            array=array,
            low=lowest,
            high=highest,
            resolution=gap,
            missing=missing,
            count=count,
            image=image,
            counts=None,
        )
        for name, lowest, highest, gap, missing, count in observed
    ]


# Frames: column by column.


def _frame_facts(source: Source, names: tuple[str, ...], kinds: Mapping[str, str]) -> list[Facts]:
    observers: list[_Observer] = []
    for block in source.blocks():
        frame = as_frame(block)
        if not observers:
            observers = [_observer(frame[name], source.library, name in kinds) for name in names]
        for observer in observers:
            observer.update(frame[observer.name])
    return [observer.facts() for observer in observers]


class _Observer:
    """What is seen of one column of a frame: here, of one that is not read."""

    def __init__(self, first: nw.Series[Any], library: str, chosen: bool) -> None:
        self.name, self.chosen = str(first.name), chosen
        self.dtype = dtype_name(first.dtype)
        self.native_dtype = native_name(first.to_native(), library)
        self.rows = self.gaps = 0

    def update(self, series: nw.Series[Any]) -> None:
        self.rows += len(series)
        self.gaps += int(series.null_count())

    def facts(self) -> Facts:
        # pyarrow's and polars' own type of columns without any value is not known to narwhals.
        count = self.rows - self.gaps
        unread = f"{UNREAD}type {self.dtype:.60} are not read" if count else ""
        return Facts(**self._common(), count=count, missing=self.gaps > 0, unread=unread)

    def _common(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "native_dtype": self.native_dtype}


class _NumberObserver(_Observer):
    """Floats, decimals and truth values."""

    def __init__(self, first: nw.Series[Any], library: str, chosen: bool) -> None:
        super().__init__(first, library, chosen)
        self.ranges, self.more = Ranges([self.name]), ChosenNumbers()

    def update(self, series: nw.Series[Any]) -> None:
        values = numbers(series)
        self.ranges.update(values[:, None])
        self.gaps += int(np.isnan(values).sum())
        if self.chosen:
            self.more.update(values)

    def facts(self) -> Facts:
        (facts,) = _numeric_facts(self.ranges, self.dtype, array=False)
        counts, whole = (self.more.levels.counts, self.more.whole) if self.chosen else (None, None)
        return replace(
            facts,
            **self._common(),
            count=self.ranges.rows - self.gaps,
            missing=self.gaps > 0,
            counts=counts,
            whole=whole,
        )


class _WholeObserver(_Observer):
    """Integers, and the ticks of datetimes, dates and durations."""

    def __init__(self, first: nw.Series[Any], library: str, chosen: bool) -> None:
        super().__init__(first, library, chosen)
        self.whole = WholeNumbers()
        self.read = integers if stored_as(first) == "integer" else ticks

    def update(self, series: nw.Series[Any]) -> None:
        values, missing = self.read(series)
        self.whole.update(values[~missing])
        self.gaps += int(missing.sum())

    def facts(self) -> Facts:
        whole = self.whole
        return Facts(
            **self._common(),
            count=whole.count,
            missing=self.gaps > 0,
            low=whole.low,
            high=whole.high,
            resolution=whole.gap,
            step=max(1, whole.step),
            counts=whole.levels.counts,
            sequence=whole.is_sequence,
        )


class _LevelObserver(_Observer):
    """Texts, categories and Python objects."""

    def __init__(self, first: nw.Series[Any], library: str, chosen: bool) -> None:
        super().__init__(first, library, chosen)
        self.levels = LevelCounter()
        self.categories, self.strange = _categories(first, self.native_dtype or "")

    def update(self, series: nw.Series[Any]) -> None:
        super().update(series)
        if stored_as(series) == "object":
            # A pandas column of objects looks like text as long as all of them are.
            self.dtype = "Object"
        if not self.levels.overflow:
            self.levels.update(*factorize(series))

    def facts(self) -> Facts:
        types = sorted(self.levels.types)
        if self.dtype == "Object" and types == ["str"]:
            self.dtype = "String"
        return Facts(
            **self._common(),
            categories=self.categories,
            count=self.rows - self.gaps,
            missing=self.gaps > 0,
            counts=self.levels.counts,
            all_differ=self.levels.all_differ,
            unread=self._unread(types),
        )

    def _unread(self, types: list[str]) -> str:
        held = _READ[storage(self.dtype)]
        if self.strange or not set(types) <= held:
            what = self.strange or f"{UNREAD}type {', '.join(types)}"
            return f"{what} are not read from {self.dtype} columns"
        if len(types) > 1:
            return f"{UNREAD}several types: {', '.join(types)}"
        return "texts of more than 1,000 characters" if self.levels.too_long else ""


_READ = {"text": {"str"}, "object": {"str", "bool"}, "category": {"str", "bool", "int", "float"}}
_OBSERVERS: dict[str, type[_Observer]] = {
    **dict.fromkeys(("float", "decimal", "boolean"), _NumberObserver),
    **dict.fromkeys(("integer", "datetime", "date", "duration"), _WholeObserver),
    **dict.fromkeys(("text", "category", "object"), _LevelObserver),
}


def _observer(first: nw.Series[Any], library: str, chosen: bool) -> _Observer:
    return _OBSERVERS.get(stored_as(first), _Observer)(first, library, chosen)


def _categories(series: nw.Series[Any], native: str) -> tuple[tuple[Scalar, ...], str]:
    """Return the categories that a data type declares, or what to call those that cannot be kept."""
    declared = isinstance(series.dtype, nw.Enum) or native.startswith("category[")
    if not declared:
        return (), ""
    found = tuple(np.asarray(series.cat.get_categories().to_list(), dtype=object).tolist())
    kept = len(found) <= MAX_CATEGORIES and all(map(is_scalar, found)) and len(set(map(type, found))) <= 1
    return (found, "") if kept else ((), "long or mixed categories")
