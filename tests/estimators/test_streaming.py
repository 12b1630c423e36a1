from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.estimators import Autoencoder

MakeModel = Callable[..., Autoencoder]

SIDES = ["key", "label", "importance"]


def as_pandas(table: pl.DataFrame) -> pd.DataFrame:
    frame = table.to_pandas()
    frame.index = pd.Index([f"row {i}" for i in range(len(frame))], name="place")
    return frame


LIBRARIES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda table: table,
    "pandas": as_pandas,
    "pyarrow": lambda table: table.to_arrow(),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_table_goes_all_the_way_in_its_own_library(
    quick: MakeModel, table: pl.DataFrame, library: str
) -> None:
    frame = LIBRARIES[library](table)
    model = quick(schema=infer(frame)).fit(frame)
    scores, n_observed = model.score_samples(frame, return_n_observed=True)
    assert np.isfinite(scores).all()
    assert n_observed.tolist() == [7.0 if i % 5 == 0 else 8.0 for i in range(len(table))]
    restored = model.reconstruct(frame)
    assert type(restored) is type(frame)
    check_restored(nw.from_native(restored, eager_only=True), nw.from_native(frame, eager_only=True))
    decoded = model.inverse_transform(model.transform(frame))
    assert type(decoded) is type(frame)
    assert nw.from_native(decoded, eager_only=True)["x"].to_list() == list(
        nw.from_native(restored, eager_only=True)["x"]
    )


def infer(frame: Any) -> Schema:
    from isthmus.data.inference import infer_schema

    roles = {"label": "label", "importance": "weight", "key": "id"}
    return infer_schema(as_source(frame), roles=roles)


def check_restored(restored: nw.DataFrame[Any], frame: nw.DataFrame[Any]) -> None:
    assert restored.columns == frame.columns
    copied = [*SIDES, "constant", "empty"]
    for name in frame.columns:
        # pyarrow has two texts, and a copy keeps the one it was.
        assert restored.schema[name] == frame.schema[name], name
        if name in copied:
            assert restored[name].to_list() == frame[name].to_list(), name
        else:
            assert restored[name].null_count() == 0
    assert all(type(value) is int and value >= 0 for value in restored["count"].to_list())
    assert all(type(value) is int for value in restored["whole"].to_list())
    assert set(restored["city"].to_list()) <= {"rome", "oslo", "lima"}
    assert set(restored["flag"].to_list()) <= {True, False}


def test_a_pandas_index_is_kept(quick: MakeModel, table: pl.DataFrame) -> None:
    frame = as_pandas(table)
    model = quick(schema=infer(frame)).fit(frame)
    assert model.reconstruct(frame).index.equals(frame.index)
    assert model.reconstruct(frame).index.name == "place"


@pytest.mark.parametrize("fitted_on", LIBRARIES)
@pytest.mark.parametrize("given", LIBRARIES)
def test_the_library_of_the_rows_decides(
    quick: MakeModel, table: pl.DataFrame, fitted_on: str, given: str
) -> None:
    plain = table.select("x", "gap", "whole", "count", "flag", "city")
    model = quick(max_epochs=1).fit(LIBRARIES[fitted_on](plain))
    frame = LIBRARIES[given](plain)
    assert type(model.reconstruct(frame)) is type(frame)
    assert type(model.inverse_transform(np.zeros((2, 2)))) is type(LIBRARIES[fitted_on](plain))
    np.testing.assert_array_equal(model.transform(frame), model.transform(plain))


def test_only_the_columns_given_come_back_in_their_order(
    table: pl.DataFrame, table_model: Autoencoder
) -> None:
    without = table.drop(SIDES)
    assert table_model.reconstruct(without).columns == without.columns
    first = table.select("label", pl.exclude(SIDES))
    restored = table_model.reconstruct(first)
    assert restored.columns == first.columns
    assert restored["label"].to_list() == table["label"].to_list()
    decoded = table_model.inverse_transform(table_model.transform(table))
    assert decoded.columns == table.columns
    assert decoded["label"].null_count() == len(table)


@pytest.mark.parametrize("library", LIBRARIES)
def test_more_rows_than_a_block_come_back_whole(quick: MakeModel, table: pl.DataFrame, library: str) -> None:
    model = quick(schema=infer(LIBRARIES[library](table)), max_epochs=1).fit(LIBRARIES[library](table))
    many = LIBRARIES[library](pl.concat([table] * 103))
    restored = nw.from_native(model.reconstruct(many), eager_only=True)
    assert len(restored) == 103 * 80
    some = nw.from_native(model.reconstruct(LIBRARIES[library](table)), eager_only=True)
    assert restored["x"].to_list() == some["x"].to_list() * 103
    assert restored["label"].to_list() == table["label"].to_list() * 103
    if library == "pandas":
        assert model.reconstruct(many).index.equals(many.index)


def test_a_category_that_was_never_seen_is_one_of_the_known_ones_when_decoded(
    table: pl.DataFrame, table_model: Autoencoder
) -> None:
    new = table.with_columns(pl.lit("paris").alias("city"))
    with pytest.warns(UserWarning, match="unseen"):
        restored = table_model.reconstruct(new)
    assert set(restored["city"]) <= {"rome", "oslo", "lima"}


def test_rows_without_names_are_taken_in_the_order_of_fit(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(pd.DataFrame(rows, columns=list("abcde")))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        codes = model.transform(rows)
    np.testing.assert_array_equal(codes, model.transform(pd.DataFrame(rows, columns=list("abcde"))))


def test_a_table_of_numbers_serves_a_model_of_an_array(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    frame = pl.DataFrame(rows)
    with pytest.warns(UserWarning, match="has feature names"):
        codes = model.transform(frame)
    assert np.array_equal(codes, model.transform(rows))


def test_pandas_columns_called_by_numbers_work(rows: np.ndarray, quick: MakeModel) -> None:
    frame = pd.DataFrame(rows)
    model = quick().fit(frame)
    restored = model.reconstruct(frame)
    assert list(restored.columns) == [0, 1, 2, 3, 4]
