from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from isthmus.data.calendar import calendar_names
from isthmus.data.encoding import calendar_parents, encode
from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError


def infer(X: Any, **options: Any) -> Schema:
    return infer_schema(as_source(X), **options)


def one(fitted: Any, given: Any) -> tuple[list[float], dict[str, int]]:
    """Return the encoded values of one column, fitted on some values and given others."""
    encoded = encode(infer(pl.DataFrame({"x": fitted})), pl.DataFrame({"x": given}))
    return encoded.values[:, 0].tolist() if encoded.values.size else [], encoded.notices


FRAME = pl.DataFrame(
    {
        "age": [20.0, 30.5, 41.0],
        "city": ["a", "b", "c"],
        "sex": ["m", "f", "m"],
        "unit": [5.0] * 3,
        "when": [dt.datetime(2020, 1, day) for day in (1, 2, 3)],
        "visits": [0, 4, 7],
        "notes": [f"a long text, number {i}" for i in (1, 1, 1)],
    }
)
SCHEMA = infer(FRAME)


# Known answers.


@pytest.mark.parametrize(
    ("fitted", "given", "expected", "notices"),
    [
        ([1.0, 2.0], [3.5, None], [3.5, np.nan], {}),
        ([1.0, 2.0], [3, 4], [3, 4], {}),
        ([1.0, 2.0], [True, False], [1, 0], {}),
        ([1.0, 2.0], [None, None], [np.nan, np.nan], {}),
        ([0, 3, 4], [1, None], [1, np.nan], {}),
        ([2**60, 2**60 + 1, 2**60 + 3], [2**60 + 2, None], [2, np.nan], {}),
        ([True, False], [False, True, None], [0, 1, np.nan], {}),
        ([True, False], [0, 1], [0, 1], {}),
        ([3, 7], [7, 3, 5], [1, 0, np.nan], {'column "x": unseen values, encoded as missing': 1}),
        ([3, 7], [7.0, 3.0], [1, 0], {}),
        (["b", "a"], ["a", "b", None], [0, 1, np.nan], {}),
        (["b", "a"], ["q", None], [np.nan, np.nan], {'column "x": unseen values, encoded as missing': 1}),
        (
            ["b", "a", "c"],
            ["q", "c", None, "r", "q"],
            [3, 2, np.nan, 3, 3],
            {'column "x": unseen values, encoded as "other"': 3},
        ),
        ([dt.date(2020, 1, 1), dt.date(2020, 1, 5)], [dt.date(2020, 1, 2), None], [1, np.nan], {}),
        ([dt.date(2020, 1, 1), dt.date(2020, 1, 5)], [dt.datetime(2020, 1, 2, 23)], [1], {}),
        ([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 5)], [dt.date(2020, 1, 2)], [86_400e6], {}),
        ([dt.timedelta(1), dt.timedelta(3)], [dt.timedelta(0, 1), None], [1e6, np.nan], {}),
        ([5.0, 5.0], [5.0, None, 6.0], [], {'constant column "x": values that differ from 5.0': 1}),
        (["a", "a"], ["a", None, "b", "c"], [], {"constant column \"x\": values that differ from 'a'": 2}),
        (
            [dt.date(2020, 1, 1)] * 2,
            [dt.date(2020, 1, 1), dt.date(2020, 1, 2), None],
            [],
            {'constant column "x": values that differ from 18262': 1},
        ),
        ([5.0, 5.0], [[1], None], [], {'constant column "x": values that differ from 5.0': 1}),
    ],
)
def test_values_and_notices(fitted: Any, given: Any, expected: list[float], notices: dict[str, int]) -> None:
    values, noticed = one(fitted, given)
    np.testing.assert_array_equal(values, expected)
    assert noticed == notices


def test_missing_in_every_library() -> None:
    frames = [
        pl.DataFrame({"f": [1.5, None], "s": ["a", None], "i": [1, None], "b": [True, None]}),
        pd.DataFrame(
            {"f": [1.5, np.nan], "s": ["a", None], "i": [1, np.nan], "b": pd.array([True, None], "boolean")}
        ),
        pd.DataFrame({"f": [1.5, np.nan], "s": ["a", None], "i": [1, None], "b": [True, None]}, dtype=object),
        pa.table({"f": [1.5, None], "s": ["a", None], "i": [1, None], "b": [True, None]}),
    ]
    schema = infer(
        pl.DataFrame({"f": [1.5, 2.0], "s": ["a", "b"], "i": [1, 2], "b": [True, False]}),
        kinds={"i": "continuous"},
    )
    for frame in (frames[0], frames[1], frames[3]):
        np.testing.assert_array_equal(encode(schema, frame).values, [[1.5, 0, 1, 1], [np.nan] * 4])
    with pytest.raises(InputError, match=r'column "f" holds 1.5 \(row 0\), expected numbers'):
        encode(schema, frames[2])
    nan = pl.DataFrame({"f": [np.nan], "s": ["b"], "i": [1], "b": [None]})
    np.testing.assert_array_equal(encode(schema, nan).values, [[np.nan, 1, 1, np.nan]])


def test_times_keep_every_tick() -> None:
    start = np.datetime64("2020-01-01T00:00:00.000000001", "ns")
    given = start + np.arange(0, 10**15, 10**13).astype("m8[ns]")
    frame = pl.DataFrame({"when": given})
    values = encode(infer(frame), frame).values
    np.testing.assert_array_equal(values[:, 0], np.arange(0, 10**15, 10**13))


def test_the_same_instants_in_another_unit_or_time_zone() -> None:
    naive = pl.DataFrame({"when": [dt.datetime(2020, 6, 1, 12), dt.datetime(2020, 7, 1, 12)]})
    schema = infer(naive)
    expected = encode(schema, naive).values
    for frame in (naive.to_pandas().astype("datetime64[s]"), naive.cast(pl.Datetime("ns")), naive.to_arrow()):
        np.testing.assert_array_equal(encode(schema, frame).values, expected)
    aware = naive.select(pl.col("when").dt.replace_time_zone("UTC"))
    other = aware.select(pl.col("when").dt.convert_time_zone("Asia/Tokyo"))
    np.testing.assert_array_equal(encode(infer(aware), other).values, expected)
    np.testing.assert_array_equal(encode(infer(aware), other.to_pandas()).values, expected)
    with pytest.raises(InputError, match="times without a time zone"):
        encode(schema, aware)
    with pytest.raises(InputError, match=r"with a time zone \(UTC\)"):
        encode(infer(aware), naive)


# The calendar.


def test_calendar_of_known_days() -> None:
    # A Monday at midnight, the same year's first Thursday at six, and a leap year's exact middle.
    days = [dt.datetime(2018, 1, 1), dt.datetime(2018, 1, 4, 6), dt.datetime(2020, 7, 2, 18)]
    frame = pl.DataFrame({"a": [1.0, 2.0, 3.0], "when": days})
    schema = infer(frame)
    values = encode(schema, frame).values
    assert calendar_parents(schema).tolist() == [1] * 6
    turns = np.array([[0, 0, 0], [1 / 4, 3 / 7, 3 / 365], [3 / 4, 3 / 7, 183 / 366]])
    expected = np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=2).reshape(3, 6)
    np.testing.assert_allclose(values[:, 2:], expected, atol=1e-12)
    assert calendar_names(schema.modelled)[:3] == (
        "sin(hour of when)",
        "cos(hour of when)",
        "sin(weekday of when)",
    )


def test_calendar_of_dates_and_missing_ones() -> None:
    frame = pl.DataFrame(
        {
            "day": [dt.date(1969, 12, 29), None, dt.date(1970, 1, 5)],
            "empty": pl.Series([None] * 3, dtype=pl.Date),
        }
    )
    schema = infer(frame)
    assert calendar_parents(schema).tolist() == [0] * 4
    values = encode(schema, frame).values
    np.testing.assert_allclose(values[[0, 2], 1:3], [[0, 1], [0, 1]], atol=1e-12)  # both were Mondays
    assert np.isnan(values[1]).all()
    nothing = pl.DataFrame({"day": [None, None]})
    assert np.isnan(encode(schema, nothing).values).all()
    for other in (frame.to_arrow(), frame.to_pandas(use_pyarrow_extension_array=True)):
        np.testing.assert_array_equal(encode(schema, other).values, values)


def test_the_calendar_is_that_of_the_time_zone() -> None:
    utc = pl.Series([dt.datetime(2020, 1, 1, 23), dt.datetime(2020, 7, 1, 22)]).dt.replace_time_zone("UTC")
    frame = pl.DataFrame({"when": utc.dt.convert_time_zone("Europe/Vienna")})
    schema = infer(frame)
    for given in (frame, frame.to_pandas(), frame.to_arrow(), pl.DataFrame({"when": utc})):
        hours = encode(schema, given).values[:, 1:3]
        np.testing.assert_allclose(hours, [[0, 1], [0, 1]], atol=1e-12)  # both are midnight in Vienna


# Arrays.


def test_arrays() -> None:
    X = np.array([[1, 0, 5, 2], [2, 0, 5, 3], [4, 0, np.nan, 9]])
    schema = infer(X, kinds={"x3": "categorical"})
    encoded = encode(schema, X.reshape(3, 4))
    np.testing.assert_array_equal(encoded.values, [[1, 0], [2, 1], [4, 2]])
    assert encoded.notices == {}
    encoded = encode(schema, np.array([[1, 2, np.nan, 7], [np.nan, 3, 5, np.nan]]))
    np.testing.assert_array_equal(encoded.values, [[1, 3], [np.nan, np.nan]])
    assert encoded.notices == {
        'constant column "x1": values that differ from 0.0': 2,
        'column "x3": unseen values, encoded as "other"': 1,
    }
    np.testing.assert_array_equal(encode(schema, pl.DataFrame(X)).values, encode(schema, X).values)


def test_truth_values_given_as_numbers() -> None:
    X = np.array([[True, False], [False, True]])
    encoded = encode(infer(X), np.array([[1.0, 0.5], [np.nan, 0.0]]))
    np.testing.assert_array_equal(encoded.values, [[1, np.nan], [np.nan, 0]])
    assert encoded.notices == {'column "x1": unseen values, encoded as missing': 1}


def test_images_may_be_flat() -> None:
    X = np.random.default_rng(0).integers(0, 255, (5, 4, 3, 2), dtype=np.uint8)
    schema = infer(X)
    np.testing.assert_array_equal(encode(schema, X).values, X.reshape(5, -1)[:, schema.modelled_index])
    np.testing.assert_array_equal(encode(schema, X).values, encode(schema, X.reshape(5, -1)).values)
    assert encode(schema, X).values.dtype == np.float64


def test_encoding_copies() -> None:
    X = np.random.default_rng(0).random((5, 2))
    before = X.copy()
    encode(infer(X), X).values[:] = 0
    np.testing.assert_array_equal(X, before)


# What is refused.


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (FRAME.drop("age"), 'missing: "age"'),
        (FRAME.drop("unit"), 'missing: "unit"'),
        (FRAME.with_columns(zz=pl.lit(1)), 'unexpected: "zz"'),
        (FRAME.rename({"age": "aeg"}), 'missing: "age"; unexpected: "aeg". Did you mean "aeg"?'),
        (FRAME.with_columns(age=pl.Series([None, "old", "x"])), "column \"age\" holds 'old' (row 101)"),
        (FRAME.with_columns(age=pl.lit([1])), 'column "age" holds'),
        (FRAME.with_columns(age="when"), 'column "age" holds 2020-01-01 00:00:00 (row 100)'),
        (FRAME.with_columns(city="visits"), 'column "city" holds 0 (row 100), expected text'),
        (FRAME.with_columns(sex=pl.Series([b"m", None, b"f"])), "expected text"),
        (FRAME.with_columns(when="city"), 'column "when" holds \'a\' (row 100), expected dates or times'),
        (FRAME.with_columns(when=pl.lit(dt.timedelta(1))), "expected dates or times"),
        (FRAME.with_columns(age=pl.lit(-np.inf)), 'Input X contains infinity: column "age", row 100'),
        (np.zeros((3, 7)), "expected a frame with named columns, got ndarray"),
        (None, "expected a frame"),
    ],
)  # fmt: skip
def test_frames_that_do_not_fit(given: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        encode(SCHEMA, given, first_row=100)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((3, 4)), "X has 4 features"),
        (np.zeros((3, 2, 3)), "expecting 5 features"),
        (np.zeros((3, 5), dtype=complex), "expected an array of numbers"),
        (np.full((3, 5), "a"), "expected an array of numbers"),
        (pl.DataFrame({"a": ["x"]}), "expected numbers"),
        (pl.DataFrame({"a": [1.0]}), "X has 1 features"),
        ([[1.0, 2.0]], "expected a frame"),
        (np.full((3, 5), np.inf), 'Input X contains infinity: column "x0", row 7'),
    ],
)
def test_arrays_that_do_not_fit(given: Any, words: str) -> None:
    schema = infer(np.random.default_rng(0).random((9, 5)))
    with pytest.raises(InputError) as caught:
        encode(schema, given, first_row=7)
    assert words in str(caught.value)


def test_columns_may_be_reordered_and_left_out_where_they_are_not_needed() -> None:
    schema = SCHEMA.edit(roles={"sex": "label", "city": "condition"}, kinds={"visits": "ignored"})
    expected = encode(schema, FRAME)
    given = FRAME.select("when", "unit", "age", "notes")
    np.testing.assert_array_equal(encode(schema, given).values, expected.values)
    assert expected.values.shape == (3, 2 + 6)
    np.testing.assert_array_equal(encode(schema.conditions, FRAME.select("city")).values, [[0], [1], [2]])
