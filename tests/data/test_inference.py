from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Column, Schema
from isthmus.data.sources import Source, as_source
from isthmus.errors import InputError

RNG = np.random.default_rng(0)


def infer(X: Any, **options: Any) -> Schema:
    return infer_schema(as_source(X), **options)


def column(values: Any, **options: Any) -> Column:
    (found,) = infer(pl.DataFrame({"x": values}), **options).columns
    return found


def short_blocks(X: Any, rows: int) -> Source:
    """Return a source that gives few rows at a time whatever is asked for."""
    source = as_source(X)
    read = source.blocks

    def blocks(_: int = 0) -> Iterator[Any]:
        return read(rows)

    source.blocks = blocks  # type: ignore[method-assign]
    return source


# Columns of frames.

SPANS = pl.Series([3, 5], dtype=pl.Duration("us"))
NOON = dt.datetime(2020, 1, 1, 12)
LATER = dt.datetime(2021, 1, 1, 12)
WORDS = [f"word {i}" for i in range(200)]


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([0.5, 1.5, 2.5], "continuous", "numbers from 0.5 to 2.5"),
        ([1.0, 2.0, None], "continuous", "numbers from 1 to 2, some missing"),
        ([0.0, 1.0, 0.0], "continuous", "numbers from 0 to 1"),
        ([2.0, 2.0], "constant", "one value, 2"),
        ([2.0, None], "constant", "one value, 2, some missing"),
        ([None, None], "ignored", "no values: every entry is missing"),
        (pl.Series([None, None], dtype=pl.Float64), "ignored", "no values: every entry is missing"),
        ([True, False], "binary", "true or false"),
        ([True, True], "constant", "one value, True"),
        ([7, 3, 7], "binary", "two values, 3 and 7"),
        ([0, 3, 3, 97], "count", "3 distinct whole numbers from 0 to 97"),
        ([-1, 3, 4], "continuous", "3 distinct whole numbers from -1 to 4, some negative"),
        ([90, 95, 99], "continuous", "3 distinct whole numbers from 90 to 99, too far from 0 for counts"),
        ([0, 100, 300, 300], "continuous", "3 distinct whole numbers from 0 to 300, in steps of 100"),
        ([0, 1, 2, 200_000], "continuous", "4 distinct whole numbers from 0 to 200000, too large for counts"),
        ([11, 25, 99] * 20, "categorical", "3 distinct whole numbers from 11 to 99, far apart as codes are"),
        (list(range(5, 25))[::-1], "ignored", "an identifier: each whole number from 5 to 24 once"),
        (list(range(9)), "count", "9 distinct whole numbers from 0 to 8"),
        (["b", "a", "b"], "binary", 'two values, "a" and "b"'),
        (["b", "a", "c", None], "categorical", "3 distinct texts, some missing"),
        (["b", "b"], "constant", 'one value, "b"'),
        (WORDS, "ignored", "an identifier: all texts differ"),
        (WORDS * 2, "ignored", "free text: more than 20 distinct texts in 400 rows"),
        (WORDS[:20] * 2, "categorical", "20 distinct texts"),
        (WORDS[:21] * 2, "ignored", "free text: more than 20 distinct texts in 42 rows"),
        (WORDS[:40] * 50, "categorical", "40 distinct texts"),
        (["a" * 2000, "b", "b"], "ignored", "texts of more than 1,000 characters"),
        ([dt.date(2020, 1, 1), dt.date(2021, 1, 1)], "datetime", "dates from 2020-01-01 to 2021-01-01"),
        ([NOON, LATER], "datetime", "times from 2020-01-01T12:00:00 to 2021-01-01T12:00:00"),
        (SPANS, "continuous", "lengths of time from 3 microseconds to 5 microseconds"),
        ([dt.time(1), dt.time(2)], "ignored", "values of type Time are not read"),
        ([[1], [2]], "ignored", "values of type List(Int64) are not read"),
        ([{"a": 1}, {"a": 2}], "ignored", "values of type Struct({'a': Int64}) are not read"),
        (pl.Series(["a", "b", "c"], dtype=pl.Categorical), "categorical", "3 distinct categories"),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a", "z"])), "binary", 'two values, "a" and "b"'),
        (pl.Series(["1.10", "2.20"]).cast(pl.Decimal(5, 2)), "continuous", "numbers from 1.1 to 2.2"),
        (pl.Series([1, 2], dtype=pl.Int128), "ignored", "values of type Int128 are not read"),
    ],
)  # fmt: skip
def test_kind_and_reason(values: Any, kind: str, reason: str) -> None:
    found = column(values)
    assert (found.kind, found.reason) == (kind, reason)


def test_what_is_kept_of_each_kind() -> None:
    found = column(["b", "a", "b", "c", None])
    assert found.levels == ("a", "b", "c")
    assert (found.most_frequent, found.other, found.missing, found.dtype) == (1, True, True, "String")
    found = column([7, 3, 7, 3, 3])
    assert (found.levels, found.other, found.most_frequent, found.integer) == ((3, 7), False, 0, True)
    found = column([0, 4, 4, 9])
    assert (found.low, found.high, found.resolution, found.step) == (0.0, 9.0, 4.0, 1)
    assert column([0.25, 0.5, 1.5, None]).resolution == 0.25
    assert column([dt.date(2020, 1, 1)] * 2).value == 18262
    found = column([dt.date(2020, 1, 1), dt.date(2020, 1, 15), None])
    assert (found.origin, found.low, found.high, found.step, found.resolution) == (18262, 0.0, 14.0, 14, 14.0)
    assert column([2**60, 2**60 + 1, 2**60 + 3]).origin == 2**60
    assert column([2**52, 2**52 + 1, 2**52 + 3]).origin == 0


def test_levels_are_of_the_type_of_the_data() -> None:
    frame = pd.DataFrame(
        {"a": pd.Categorical([3, 1, 2], [3, 2, 1, 7]), "b": pd.Categorical([True, False, True])}
    )
    a, b = infer(frame).columns
    assert (a.levels, a.categories, a.native_dtype) == ((1, 2, 3), (3, 2, 1, 7), "category[int64]")
    assert [type(level) for level in b.levels] == [bool, bool]


def test_objects_of_pandas() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None, "b"],
            "truth": [True, None, False],
            "mixed": [1, "a", None],
            "number": [1, 2, None],
            "lists": [[1], [1], None],
            "nothing": [None] * 3,
        },
        dtype=object,
    )
    found = {c.name: (c.kind, c.reason) for c in infer(frame).columns}
    assert found["text"] == ("binary", 'two values, "a" and "b", some missing')
    assert found["truth"] == ("binary", "two values, False and True, some missing")
    assert found["mixed"][1].startswith("values of type int, str are not read")
    assert found["number"] == ("ignored", "values of type int are not read from Object columns, some missing")
    assert found["lists"][1].startswith("values of type list are not read")
    assert found["nothing"] == ("ignored", "no values: every entry is missing")
    strange = pd.DataFrame({"a": pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01"]))})
    assert infer(strange).columns[0].kind == "ignored"


def test_an_object_column_whose_blocks_look_different() -> None:
    frame = pd.DataFrame({"a": ["x"] * 5 + [True] * 5}, dtype=object)
    assert infer_schema(short_blocks(frame, 5)).columns[0].reason == "values of several types: bool, str"


def test_unknown_types_are_ignored() -> None:
    table = pa.table({"a": pa.array([dt.date(2020, 1, 1)], pa.date64()), "b": pa.array([1], pa.time32("s"))})
    assert {c.kind for c in infer(table).columns} == {"ignored"}
    frame = pd.DataFrame({"a": pd.period_range("2020", periods=3)})
    assert infer(frame).columns[0].reason == "values of type Unknown are not read"


# Arrays.


@pytest.mark.parametrize(
    ("X", "kind"),
    [
        (RNG.random((9, 2)), "continuous"),
        (RNG.integers(0, 2, (99, 2)), "continuous"),
        (RNG.integers(0, 2, (99, 2)).astype(float), "continuous"),
        (RNG.integers(0, 2, (99, 2)).astype(bool), "binary"),
        (RNG.integers(0, 255, (99, 2), dtype=np.uint8), "continuous"),
        (RNG.integers(0, 255, (99, 2, 2), dtype=np.uint8), "pixel"),
        (RNG.random((9, 2, 2)), "pixel"),
        (RNG.random((9, 2, 2, 3)) < 0.5, "pixel"),
        (RNG.normal(size=(9, 2, 2)), "continuous"),
        (np.ones((9, 2)), "constant"),
        (np.full((9, 2), np.nan), "ignored"),
    ],
)
def test_kind_of_array_columns(X: Any, kind: str) -> None:
    schema = infer(X)
    assert {c.kind for c in schema.columns} == {kind}
    assert (schema.shape, schema.dtype, schema.library, schema.container) == (
        X.shape[1:],
        X.dtype.name,
        "numpy",
        "array",
    )
    assert schema.names == tuple(f"x{i}" for i in range(math.prod(X.shape[1:])))


def test_columns_of_an_array() -> None:
    X = np.array([[0, 1, 5, np.nan, 1], [0.5, 1, np.nan, np.nan, -3], [2, 1, 5, np.nan, np.nan]])
    schema = infer(X)
    assert [c.kind for c in schema.columns] == ["continuous", "constant", "constant", "ignored", "continuous"]
    assert [c.missing for c in schema.columns] == [False, False, True, True, True]
    assert [c.value for c in schema.columns[1:3]] == [1.0, 5.0]
    assert [(c.low, c.high, c.resolution) for c in schema.modelled] == [(0, 2, 0.5), (-3, 1, 4)]
    assert schema.modelled_index.tolist() == [0, 4]
    constants = (
        infer(np.array([[True, 1], [True, 0]], dtype=bool)).columns[0],
        infer(np.ones((3, 1), np.uint8)).columns[0],
    )
    assert [(c.value, type(c.value)) for c in constants] == [(True, bool), (1, int)]


@given(
    hnp.arrays(
        st.sampled_from(["float64", "float32", "int64", "uint8"]),
        st.tuples(st.integers(1, 40), st.integers(1, 5)),
        elements=st.integers(0, 100),
    ),
    st.integers(1, 50),
)
def test_blocks_make_no_difference(X: Any, rows: int) -> None:
    schema = infer(X)
    assert infer_schema(short_blocks(X, rows)) == schema
    for j, c in enumerate(schema.columns):
        assert (c.low, c.high) == (X[:, j].min(), X[:, j].max())
        gaps = np.diff(np.unique(X[:, j].astype(float)))
        assert c.resolution == (gaps.min() if len(gaps) else 0)
    frame = pl.DataFrame(X)
    assert infer_schema(short_blocks(frame, rows)) == infer(frame)


@pytest.mark.parametrize(
    "X", [np.ones((2, 2), dtype=complex), np.array([["a", "b"]]), np.ones((2, 2), "M8[s]")]
)
def test_arrays_of_other_things_are_refused(X: Any) -> None:
    with pytest.raises(InputError):
        infer(X)


@pytest.mark.parametrize("frame", [False, True])
def test_infinity_is_refused_with_its_place(frame: bool) -> None:
    X = RNG.random((40, 3))
    X[37, 1] = -np.inf
    X[3, 2] = np.nan
    given_X = pl.DataFrame(X, schema=["x0", "x1", "x2"]) if frame else X
    for source in (as_source(given_X), short_blocks(given_X, 7)):
        with pytest.raises(InputError, match='Input X contains infinity: column "x1", row 37'):
            infer_schema(source)


def test_names_that_are_too_long_are_refused() -> None:
    with pytest.raises(InputError, match="shorten"):
        infer(pl.DataFrame({"x" * 1001: [1.0, 2.0]}))


def test_the_gap_is_sought_in_the_first_rows_only() -> None:
    X = np.arange(10_000.0)[:, None]
    X[9_000:] += 0.25
    assert infer(X).columns[0].resolution == 1.0
