from __future__ import annotations

import datetime as dt
import json
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.data.encoding import decode, encode
from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source

ZONES = ("UTC", "Europe/Vienna", "Asia/Tokyo")


def infer(X: Any, **options: Any) -> Schema:
    return infer_schema(as_source(X), **options)


def modelled(schema: Schema, X: Any) -> Any:
    return encode(schema, X).values[:, : len(schema.modelled)]


def assert_same(found: Any, expected: Any) -> None:
    """Check that two frames of one library are the same: values, types, categories, names, index."""
    assert type(found) is type(expected)
    if isinstance(expected, pl.DataFrame):
        polars.testing.assert_frame_equal(found, expected, check_exact=True)
        assert found.schema == expected.schema
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert found.dtypes.tolist() == expected.dtypes.tolist()
    else:
        assert found.schema.types == expected.schema.types
        assert found.to_pydict() == expected.to_pydict()


def round_trip(frame: Any) -> None:
    """Check that decoding what was encoded gives the frame again, also when the schema was stored."""
    schema = Schema.from_json(json.loads(json.dumps(infer(frame).to_json())))
    assert schema == infer(frame)
    encoded = encode(schema, frame)
    assert encoded.notices == {}
    values = encoded.values[:, : len(schema.modelled)]
    found = decode(schema, values, passthrough=frame)
    filled = [c.name for c in schema.columns if c.kind == "constant" and c.missing]
    assert_same(*(nw.from_native(f).drop(filled).to_native() for f in (found, frame)))
    for library in ("polars", "pandas", "pyarrow"):
        if library != schema.library:
            again = modelled(schema, decode(schema, values, library=library))
            np.testing.assert_allclose(again, values, rtol=1e-15)


# Round trips of frames.

SMALL = st.integers(-50, 50)
LEVELS = st.sampled_from(["a", "b", "", "ä", "c d"])
MOMENTS = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1))
POLARS: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    "f64": (st.floats(allow_nan=False, allow_infinity=False), pl.Float64),
    "f32": (st.floats(allow_nan=False, allow_infinity=False, width=32), pl.Float32),
    "i8": (st.integers(-128, 127), pl.Int8),
    "u16": (st.integers(0, 2**16 - 1), pl.UInt16),
    "i64": (st.integers(2**62, 2**62 + 2**52), pl.Int64),
    "u64": (st.integers(2**64 - 2**52, 2**64 - 1), pl.UInt64),
    "least": (st.integers(-(2**63), -(2**63) + 2**52), pl.Int64),
    "bool": (st.booleans(), pl.Boolean),
    "text": (LEVELS, pl.String),
    "unique": (st.text(max_size=5), pl.String),
    "cat": (LEVELS, pl.Categorical),
    "enum": (LEVELS, pl.Enum(["b", "a", "", "unused", "ä", "c d"])),
    "date": (st.dates(), pl.Date),
    "ms": (st.datetimes(), pl.Datetime("ms")),
    "us": (MOMENTS, pl.Datetime("us")),
    "ns": (MOMENTS, pl.Datetime("ns")),
    "zone": (MOMENTS, pl.Datetime("us", "UTC")),
    "span": (st.timedeltas(dt.timedelta(-50_000), dt.timedelta(50_000)), pl.Duration("us")),
    "dec": (st.decimals(-(10**6), 10**6, places=2), pl.Decimal(10, 2)),
    "none": (st.none(), pl.Null),
}


@st.composite
def frames(draw: st.DrawFn, *, names: tuple[str, ...] = tuple(POLARS)) -> pl.DataFrame:
    """Draw a polars frame of columns of several types, some with missing entries."""
    rows = draw(st.integers(1, 25))
    columns = {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True)):
        values, dtype = POLARS[name]
        entry = st.none() | values if draw(st.booleans()) else values
        series = pl.Series(draw(st.lists(entry, min_size=rows, max_size=rows)), dtype=dtype)
        if name == "zone":
            series = series.dt.convert_time_zone(draw(st.sampled_from(ZONES)))
        columns[name] = series
    return pl.DataFrame(columns)


@given(frames())
def test_polars(frame: pl.DataFrame) -> None:
    round_trip(frame)


@given(frames())
def test_pyarrow(frame: pl.DataFrame) -> None:
    round_trip(frame.to_arrow())


@given(frames(names=tuple(name for name in POLARS if name not in ("dec", "date", "none"))), st.randoms())
def test_pandas_of_numpy(frame: pl.DataFrame, random: Any) -> None:
    pandas = frame.to_pandas()
    pandas.index = pd.Index(random.sample(range(1000), len(pandas)), name="row")
    round_trip(pandas)


@given(frames())
def test_pandas_of_arrow(frame: pl.DataFrame) -> None:
    round_trip(frame.to_pandas(use_pyarrow_extension_array=True))


PANDAS: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    "Int16": (SMALL, "Int16"),
    "UInt64": (st.integers(2**63, 2**63 + 2**40), "UInt64"),
    "Float32": (st.floats(allow_nan=False, allow_infinity=False, width=32), "Float32"),
    "boolean": (st.booleans(), "boolean"),
    "str": (LEVELS, "str"),
    "string": (LEVELS, pd.StringDtype("python")),
    "arrow": (LEVELS, pd.StringDtype("pyarrow")),
    "python": (LEVELS, pd.StringDtype("python", na_value=np.nan)),
    "object": (LEVELS, object),
    "truth": (st.booleans(), object),
    "cat": (LEVELS, pd.CategoricalDtype(["b", "a", "", "unused", "ä", "c d"])),
    "ordered": (LEVELS, pd.CategoricalDtype(["b", "a", "", "unused", "ä", "c d"], ordered=True)),
    "integers": (st.integers(0, 4), pd.CategoricalDtype([3, 2, 1, 0, 4, 9], ordered=True)),
    "truths": (st.booleans(), pd.CategoricalDtype([True, False])),
    "floats": (st.sampled_from([0.5, 1.5, 2.5]), pd.CategoricalDtype([2.5, 1.5, 0.5])),
    "s": (st.datetimes(), "datetime64[s]"),
    "ns": (MOMENTS, "datetime64[ns, Europe/Vienna]"),
    "span": (st.timedeltas(dt.timedelta(-999), dt.timedelta(999)), "timedelta64[ns]"),
}


@given(st.data())
def test_pandas(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 25))
    columns = {}
    for name in data.draw(st.lists(st.sampled_from(list(PANDAS)), min_size=1, max_size=4, unique=True)):
        values, dtype = PANDAS[name]
        entry = st.none() | values if data.draw(st.booleans()) else values
        drawn = data.draw(st.lists(entry, min_size=rows, max_size=rows))
        series = pd.Series(drawn, dtype=object)
        columns[name] = (
            pd.to_datetime(series, utc=True).astype(dtype) if name == "ns" else series.astype(dtype)
        )
    round_trip(pd.DataFrame(columns))


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int64(), pa.large_string(), ordered=True),
    ],
)
def test_kinds_of_arrow_text(kind: Any) -> None:
    values = pa.array(["a", "b", None, "c", "a"])
    column = values.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else values.cast(kind)
    if pa.types.is_dictionary(kind):
        column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary, ordered=kind.ordered)
    round_trip(pa.table({"x": column, "y": [1.0, 2.0, 3.0, 4.0, 5.0]}))


def test_other_arrow_types() -> None:
    times = pa.array([1, None, 3, 2], pa.int64())
    table = pa.table(
        {
            "s": times.cast(pa.timestamp("s")),
            "zone": times.cast(pa.timestamp("us", "+02:00")),
            "ms": times.cast(pa.duration("ms")),
            "half": pa.array([1.5, None, 2.5, 3.5], pa.float16()),
            "big": pa.array([1, None, 3, 2]).cast(pa.decimal256(40, 3)),
            "date64": pa.array([dt.date(2020, 1, 1)] * 4, pa.date64()),
            "list": pa.array([[1], None, [2], [3]]),
        }
    )
    assert_same(decode(infer(table), modelled(infer(table), table), passthrough=table), table)


# Round trips of arrays.

DTYPES = (
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
)


@given(st.data())
def test_arrays_of_every_type(data: st.DataObject) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
    elements: Any = hnp.from_dtype(dtype, allow_nan=True, allow_infinity=False)
    if dtype.kind in "iu" and dtype.itemsize == 8:
        elements = st.integers(0, 2**53)
    X = data.draw(hnp.arrays(dtype, shape, elements=elements))
    schema = Schema.from_json(json.loads(json.dumps(infer(X).to_json())))
    values = modelled(schema, X)
    found = decode(schema, values, passthrough=X)
    assert found.dtype == ("float32" if dtype.name in ("bool", "uint8", "float16", "float32") else "float64")
    expected = X.reshape(len(X), -1).astype(found.dtype)
    for j, column in enumerate(schema.columns):
        if column.kind == "constant":
            expected[:, j] = column.value
    np.testing.assert_array_equal(found, expected.reshape(X.shape))
    alone = decode(schema, values).reshape(len(X), -1)
    np.testing.assert_array_equal(alone[:, schema.modelled_index], expected[:, schema.modelled_index])
