from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, inputs

MakeModel = Callable[..., Autoencoder]


def test_columns_must_be_those_of_fit_in_their_order(table: pl.DataFrame, table_model: Autoencoder) -> None:
    with pytest.raises(ValueError, match="same order"):
        table_model.transform(table.select(reversed(table.columns)))
    with pytest.raises(ValueError, match="now missing"):
        table_model.transform(table.drop("x"))
    with pytest.raises(ValueError, match="unseen at fit"):
        table_model.transform(table.with_columns(pl.lit(1).alias("new")))
    with pytest.raises(InputError, match="column \"x\" holds 'high'"):
        table_model.transform(table.with_columns(pl.lit("high").alias("x")))


@pytest.mark.parametrize("shape", [(60, 4), (60, 2, 2)])
def test_what_a_mask_hides_is_missing(quick: MakeModel, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    X, hidden = rng.normal(size=shape), rng.random(shape) < 0.2
    masked = np.ma.array(np.where(hidden, 1e6, X), mask=hidden)
    gaps = np.where(hidden, np.nan, X)
    model = quick(network="mlp").fit(masked)
    assert np.array_equal(model.score_samples(masked), quick(network="mlp").fit(gaps).score_samples(gaps))


def test_a_column_of_a_type_that_is_not_read_is_named_at_fit(quick: MakeModel) -> None:
    numbers = np.random.default_rng(0).normal(size=60)
    frame = pd.DataFrame({"a": numbers, "b": pd.Series([None, *numbers[1:]], dtype=object)})
    with pytest.warns(
        UserWarning, match='"b" is left out: values of type float.* are not read.*convert_dtypes'
    ):
        model = quick().fit(frame)
    assert model.schema_["b"].kind == "ignored"
    assert quick().fit(frame.convert_dtypes()).schema_["b"].kind == "continuous"


def test_a_query_is_a_frame(quick: MakeModel, table: pl.DataFrame) -> None:
    model = quick().fit(table.lazy())
    assert np.array_equal(model.transform(table.lazy()), quick().fit(table).transform(table))
    assert model.reconstruct(table.lazy()).equals(model.reconstruct(table))
    weighed = quick(schema=infer_schema(as_source(table), roles={"importance": "weight"}))
    by_query = weighed.fit(table.lazy()).transform(table)
    assert np.array_equal(by_query, weighed.fit(table).transform(table))


def test_labels_weights_identifiers_and_ignored_columns_are_left_aside(
    table: pl.DataFrame, table_model: Autoencoder
) -> None:
    names = ["x", "gap", "whole", "count", "flag", "city", "day", "when", "constant", "empty"]
    assert list(table_model.feature_names_in_) == names
    assert table_model.n_features_in_ == 10
    codes = table_model.transform(table)
    other = table.with_columns(pl.col("label").reverse(), pl.col("key") * 2, pl.col("importance") * 3)
    assert np.array_equal(table_model.transform(other), codes)
    assert np.array_equal(table_model.transform(table.drop("key", "label", "importance", "empty")), codes)


def test_the_weight_column_weighs_and_sample_weight_comes_first(
    quick: MakeModel, table: pl.DataFrame, table_schema: Schema
) -> None:
    by_column = quick(schema=table_schema).fit(table)
    plain = table.drop("key", "label", "importance")
    by_argument = quick().fit(plain, sample_weight=table["importance"].to_numpy())
    assert np.array_equal(by_column.transform(table), by_argument.transform(plain))
    assert not np.array_equal(by_column.transform(table), quick().fit(plain).transform(plain))
    ones = quick(schema=table_schema).fit(table, sample_weight=np.ones(len(table)))
    np.testing.assert_allclose(ones.transform(table), quick().fit(plain).transform(plain), atol=1e-6)
    source = quick(schema=table_schema).fit(as_source(table))
    assert np.array_equal(source.transform(table), by_column.transform(table))


@pytest.mark.parametrize(
    ("weight", "problem"),
    [
        (np.zeros(120), "zero"),
        (np.full(120, -1.0), "[Nn]egative"),
        (np.ones(7), "inconsistent|shape"),
        (np.full(120, np.nan), "NaN"),
    ],
)
def test_weights_that_mean_nothing_are_refused(
    rows: np.ndarray, quick: MakeModel, weight: np.ndarray, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        quick().fit(rows, sample_weight=weight)


def test_arrays_and_tables_do_not_stand_for_each_other_in_a_source(
    rows: np.ndarray, table_model: Autoencoder
) -> None:
    with pytest.raises(InputError, match="array and the model was fitted on a frame with columns x, gap"):
        table_model.transform(as_source(rows))


def test_a_given_schema_of_a_frame_refuses_an_array(
    rows: np.ndarray, quick: MakeModel, table_schema: Schema
) -> None:
    with pytest.raises(InputError, match="expected a frame"):
        quick(schema=table_schema).fit(rows)


def test_memory_that_was_never_written_is_not_checked(
    rows: np.ndarray, quick: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A source is checked by a stand-in row; np.empty may hold NaN.
    monkeypatch.setattr(inputs.np, "empty", lambda shape: np.full(shape, np.nan))
    quick().fit(as_source(rows))


@pytest.mark.parametrize(
    ("X", "problem"),
    [
        (np.full((10, 3), np.nan), "nothing to learn, every column is ignored"),
        (np.ones((10, 3)), "nothing to learn, every column is constant"),
        (np.ones((1, 3)), "1 sample"),
        (np.array([[1.0, np.inf]] * 4), "infinity"),
        (np.ones((4, 2, 2, 2, 2)), "expected a 2-D array"),
        (np.array([["a", "b"]] * 4), "could not convert|numeric"),
        (np.ones(4), "2D|1D|Reshape"),
        (np.ones((4, 2)) * 1j, "[Cc]omplex"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous|one length"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(quick: MakeModel, X: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        quick().fit(X)


def test_an_edited_schema_is_obeyed(quick: MakeModel, table: pl.DataFrame) -> None:
    plain = table.select("x", "count", "city", "whole")
    schema = infer_schema(as_source(plain), kinds={"count": "continuous", "city": "ignored"})
    model = quick(schema=schema).fit(plain)
    assert [column.name for column in model.schema_.modelled] == ["x", "count", "whole"]
    assert model.reconstruct(plain)["city"].to_list() == plain["city"].to_list()
