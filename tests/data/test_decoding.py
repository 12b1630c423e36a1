from __future__ import annotations

import datetime as dt
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pytest

from isthmus.data.encoding import decode, encode
from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError


def infer(X: Any, **options: Any) -> Schema:
    return infer_schema(as_source(X), **options)


def modelled(schema: Schema, X: Any) -> Any:
    return encode(schema, X).values[:, : len(schema.modelled)]


# Values that a model may give.


def test_frames_are_rounded_and_brought_into_range() -> None:
    frame = pl.DataFrame(
        {
            "count": [0, 3, 4],
            "small": pl.Series([-1, 2, 3], dtype=pl.Int8),
            "truth": [True, False, True],
            "city": ["b", "b", "a"],
            "town": ["x", "y", "z"],
            "day": [dt.date(2020, 1, 1), dt.date(2020, 1, 5), dt.date(2020, 1, 9)],
            "real": [0.5, 1.5, 2.5],
        }
    )
    schema = infer(frame)
    rows = [[-3.2, 300, 0.4, 0.6, 1.2, 0.6, 9.75], [2.5001, -300, 0.6, -9, 3, -1.4, -9.75], [np.nan] * 7]
    found = decode(schema, np.array(rows))
    assert found.rows() == [
        (0, 127, False, "b", "y", dt.date(2020, 1, 2), 9.75),
        (3, -128, True, "a", "x", dt.date(2019, 12, 31), -9.75),
        (None,) * 7,
    ]
    assert found.schema == frame.schema
    pandas = decode(schema, np.array(rows), library="pandas")
    assert pandas["small"].dtype == "Int8"
    assert pandas["truth"].isna().tolist() == [False, False, True]
    assert decode(schema, np.array(rows[:2]), library="pandas")["small"].dtype == "int8"


def test_other_becomes_the_most_frequent_level() -> None:
    schema = infer(pl.DataFrame({"x": ["c", "a", "c", "b"]}))
    values = modelled(schema, pl.DataFrame({"x": ["new", "a"]}))
    assert decode(schema, values)["x"].to_list() == ["c", "a"]


def test_huge_values_are_clipped_without_a_warning() -> None:
    frame = pl.DataFrame(
        {"i": [2**62, 2**62 + 1, 2**62 + 3], "t": [dt.datetime(2020, 1, day) for day in (1, 2, 5)]}
    )
    schema = infer(frame.cast({"t": pl.Datetime("ns")}))
    found = decode(schema, np.array([[1e300, 1e300], [-1e300, -1e300], [np.inf, -np.inf]]))
    assert found["i"].to_list()[1] == -(2**63)
    assert 2**63 - 2**11 < found["i"].to_list()[0] < 2**63
    assert found["t"].null_count() == 0


def test_pixels_are_clipped() -> None:
    rng = np.random.default_rng(0)
    for X, high in ((rng.integers(0, 256, (9, 2, 2), dtype=np.uint8), 255), (rng.random((9, 2, 2)), 1)):
        found = decode(infer(X), np.array([[-1, 0.5, 1, 300]]))
        np.testing.assert_array_equal(found.ravel(), [0, 0.5, 1, high])


def test_arrays_are_not_rounded() -> None:
    whole = infer(np.array([[1, 2], [3, 5], [4, 7]]))
    np.testing.assert_array_equal(decode(whole, np.array([[1.25, 2.5]])), [[1.25, 2.5]])
    truth = infer(np.array([[True], [False]]))
    np.testing.assert_array_equal(decode(truth, np.array([[0.25]])), [[0.25]])
    X = np.array([[3.0, 1.0], [7.0, 2.0], [7.0, 4.0]])
    chosen = infer(X, kinds={"x0": "binary", "x1": "categorical"})
    np.testing.assert_array_equal(decode(chosen, modelled(chosen, X)), X)
    np.testing.assert_array_equal(decode(chosen, np.array([[0.25, 1.4]])), [[4.0, 2.0]])


# Columns that are not modelled.

MIXED = pl.DataFrame(
    {
        "a": [0.5, 1.5],
        "unit": ["kg", "kg"],
        "many": [[1], [2, 3]],
        "y": [1, 2],
        "empty": pl.Series([None, None], dtype=pl.Int32),
    }
)
MIXED_SCHEMA = infer(MIXED, roles={"y": "label"})


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_without_rows_to_copy_from_the_rest_is_empty(library: str) -> None:
    found = nw.from_native(
        decode(MIXED_SCHEMA, np.array([[1.0], [2.0], [3.0]]), library=library), eager_only=True
    )
    assert found.columns == MIXED.columns
    assert found["a"].to_list() == [1, 2, 3]
    assert found["unit"].to_list() == ["kg"] * 3
    assert [found[name].null_count() for name in ("many", "y", "empty")] == [3, 3, 3]


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_rows_to_copy_from_may_be_of_another_library(library: str) -> None:
    values = modelled(MIXED_SCHEMA, MIXED)
    found = nw.from_native(decode(MIXED_SCHEMA, values, library=library, passthrough=MIXED), eager_only=True)
    assert found["y"].to_list() == [1, 2]
    assert [list(entry) for entry in found["many"].to_list()] == [[1], [2, 3]]
    fewer = decode(MIXED_SCHEMA, values, library=library, passthrough=MIXED.drop("y"))
    assert nw.from_native(fewer, eager_only=True)["y"].null_count() == 2


def test_the_index_is_that_of_the_rows_or_the_one_given() -> None:
    frame = pd.DataFrame({"a": [0.5, 1.5], "y": ["u", "v"]}, index=["r", "s"])
    schema = infer(frame, roles={"y": "label"})
    values = modelled(schema, frame)
    pd.testing.assert_frame_equal(decode(schema, values, passthrough=frame), frame)
    assert decode(schema, values).index.tolist() == [0, 1]
    assert decode(schema, values, passthrough=frame, index=[5, 6]).index.tolist() == [5, 6]
    backwards = decode(schema, values, passthrough=frame.iloc[::-1])
    assert backwards["y"].tolist() == ["v", "u"]


def test_constants_of_every_kind() -> None:
    frame = pl.DataFrame(
        {
            "a": [1.0, 2.0],
            "f": pl.Series([0.1, 0.1], dtype=pl.Float32),
            "i": pl.Series([-7, -7], dtype=pl.Int8),
            "u": pl.Series([2**64 - 1] * 2, dtype=pl.UInt64),
            "b": [True, True],
            "s": ["k", "k"],
            "e": pl.Series(["k", "k"], dtype=pl.Enum(["j", "k"])),
            "d": [dt.date(2020, 1, 1)] * 2,
            "t": pl.Series([dt.datetime(2020, 1, 1)] * 2, dtype=pl.Datetime("ns", "Asia/Tokyo")),
            "dur": [dt.timedelta(1)] * 2,
            "dec": pl.Series(["1.10"] * 2).cast(pl.Decimal(5, 2)),
        }
    )
    schema = infer(frame)
    assert {c.kind for c in schema.columns[1:]} == {"constant"}
    polars.testing.assert_frame_equal(decode(schema, modelled(schema, frame)), frame)
    for library in ("pandas", "pyarrow"):
        other = decode(schema, modelled(schema, frame), library=library)
        assert encode(schema, other).notices == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"values": np.zeros((2, 2))}, "expected 1 modelled columns"),
        ({"values": np.zeros(2)}, "expected 1 modelled columns"),
        ({"library": "panda"}, 'Did you mean "pandas"'),
        ({"library": "numpy"}, "no frames of library"),
        ({"passthrough": MIXED[:1]}, "has 1 rows, expected 2"),
        ({"passthrough": np.zeros((2, 5))}, "expected a frame"),
    ],
)
def test_what_cannot_be_decoded(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        decode(MIXED_SCHEMA, **({"values": np.zeros((2, 1))} | options))


def test_array_rows_to_copy_from_must_fit() -> None:
    X = np.array([[1.0, np.nan], [2.0, np.nan]])
    schema = infer(X)
    np.testing.assert_array_equal(
        decode(schema, X[:, :1], passthrough=np.array([[9.0, 3], [9, 4]])), [[1, 3], [2, 4]]
    )
    with pytest.raises(InputError, match="rows to copy from"):
        decode(schema, X[:, :1], passthrough=X[:1])


def test_types_that_cannot_be_made_say_so() -> None:
    frame = pd.DataFrame({"a": [1.5, 2.5]})
    stored = infer(frame).to_json()
    stored["columns"][0]["native_dtype"] = "flaot64"
    with pytest.raises(InputError, match='column "a" of type flaot64 cannot be made as a pandas column'):
        decode(Schema.from_json(stored), np.array([[1.0]]))
