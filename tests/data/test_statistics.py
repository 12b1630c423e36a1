from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.data.encoding import encode
from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import Statistics, level_counts, measure
from isthmus.errors import InputError


def encoded(X: object, **kinds: str) -> tuple[Schema, np.ndarray]:
    schema = infer_schema(as_source(X), kinds=kinds)
    return schema, encode(schema, X).values


@given(
    seed=st.integers(0, 1000),
    n=st.integers(2, 60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    offset=st.sampled_from([0.0, -3.0, 1.7e9]),
    missing=st.sampled_from([0.0, 0.3]),
)
def test_blocks_of_any_size_give_the_moments_of_the_whole(
    seed: int, n: int, cuts: list[int], offset: float, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    deviation = rng.normal(scale=[1.0, 30.0, 1e-3], size=(n, 3))
    deviation[rng.random((n, 3)) < missing] = np.nan
    deviation[:2] = [[-1, -1, -1], [1, 1, 1]]  # no column is constant or never observed
    schema, X = encoded(offset + deviation)
    found = measure(schema, np.split(X, sorted(min(cut, n) for cut in cuts)))
    rounding = 1e-15 * abs(offset)
    np.testing.assert_array_equal(found.count, (~np.isnan(X)).sum(axis=0))
    np.testing.assert_allclose(found.mean - offset, np.nanmean(X - offset, axis=0), rtol=1e-9, atol=rounding)
    np.testing.assert_allclose(found.sd, np.nanstd(X - offset, axis=0), rtol=1e-9, atol=rounding)
    np.testing.assert_array_equal(found.low, np.nanmin(X, axis=0))
    np.testing.assert_array_equal(found.high, np.nanmax(X, axis=0))


def test_equal_values_have_exactly_no_spread() -> None:
    # The mean of a hundred 0.1 is rounded, and 1e-17 as a scale would blow up the one row that differs.
    X = np.full((101, 2), 0.1)
    X[100] = 0.7
    schema, values = encoded(X)
    found = measure(schema, [values[:60], values[60:100]])
    np.testing.assert_array_equal(found.sd, 0.0)
    np.testing.assert_array_equal(found.mean, 0.1)


def test_a_column_never_observed_in_these_rows_has_zeros() -> None:
    schema, values = encoded(np.array([[1.0, np.nan], [2.0, np.nan], [4.0, 5.0], [4.0, 6.0]]))
    found = measure(schema, [values[:2]])
    assert (found.count[1], found.mean[1], found.sd[1], found.low[1], found.high[1]) == (0, 0, 0, 0, 0)


def test_frequencies_of_codes_stand_one_column_after_the_other() -> None:
    frame = pl.DataFrame(
        {
            "a": ["x", "y", "z", "y", None, "y"],
            "number": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5],
            "b": ["p", "p", "q", "r", "r", "r"],
        }
    )
    schema, values = encoded(frame)
    assert level_counts(schema) == (4, 0, 4)  # three levels and "other"
    np.testing.assert_array_equal(
        measure(schema, [values[:1], values[1:]]).frequencies, [1, 3, 1, 0, 2, 1, 3, 0]
    )


def test_counts_have_log_moments_in_a_frame_and_in_an_array() -> None:
    counts = np.random.default_rng(0).poisson(4.0, size=(50, 1))
    wanted = np.log1p(counts).mean(), np.log1p(counts).std()
    for X in (pl.DataFrame({"n": counts[:, 0]}), counts, counts.astype(np.float32)):
        schema, values = encoded(X)
        found = measure(schema, [values[:7], values[7:]])
        np.testing.assert_allclose([found.log_mean[0], found.log_sd[0]], wanted, rtol=1e-12)


def test_columns_with_negative_values_have_no_log_moments() -> None:
    schema, values = encoded(np.array([[-1.0, 0.2], [3.0, 0.4], [5.0, 0.9]]))
    found = measure(schema, [values])
    np.testing.assert_array_equal([found.log_mean, found.log_sd], 0.0)


def test_a_negative_value_among_later_rows_counts_as_none() -> None:
    schema, _ = encoded(np.array([[0.0], [3.0], [5.0]]))
    found = measure(schema, [np.array([[-2.0], [np.e - 1]])])
    assert found.log_mean[0] == pytest.approx(0.5)


def test_values_whose_spread_is_no_number_are_refused_by_name() -> None:
    schema, values = encoded(np.array([[1.0, 1e200], [2.0, -1e200], [3.0, 0.0]]))
    with pytest.raises(InputError, match='column "x1" holds values too large'):
        measure(schema, [values])


def test_calendar_columns_are_not_measured() -> None:
    frame = pl.DataFrame({"when": [dt.datetime(2024, 1, day) for day in (1, 2, 5, 9)], "x": [1.0, 2, 3, 5]})
    schema, values = encoded(frame)
    assert values.shape[1] == 8
    assert measure(schema, [values]).mean.shape == (2,)


def test_statistics_survive_as_arrays() -> None:
    schema, values = encoded(pl.DataFrame({"a": ["x", "y", "z", "y"], "n": [1.0, 2, None, 4]}))
    found = measure(schema, [values])
    again = Statistics.from_arrays(found.to_arrays())
    for name, array in found.to_arrays().items():
        np.testing.assert_array_equal(getattr(again, name), array)
