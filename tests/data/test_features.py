from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from isthmus.data.encoding import encode
from isthmus.data.features import Features, Values
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure

SUPPORT = {"binary": "unit", "categorical": "category", "count": "count"}


def build(
    X: Any, supports: Sequence[str] | str | None = None, *, mark_missing: bool = False, **kinds: str
) -> tuple[Features, Tensor]:
    """Return the device stage of some data, with the usual support of each kind, and the encoded rows."""
    schema = infer_schema(as_source(X), kinds=kinds)
    encoded = encode(schema, X).values
    if supports is None:
        supports = [SUPPORT.get(column.kind, "real") for column in schema.modelled]
    elif isinstance(supports, str):
        supports = [supports] * len(schema.modelled)
    features = Features(schema, measure(schema, [encoded]), supports, mark_missing=mark_missing)
    return features, torch.from_numpy(encoded)


def table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "real": [1.0, 2.0, None, 3.0, 4.5, 7.0],
            "city": ["b", "a", "c", None, "a", "a"],
            "n": [0, 3, 1, 2, 5, 9],
            "yes": [True, False, True, True, False, True],
        }
    )


# Values -----------------------------------------------------------------------------------------------------


def test_centring_in_float64_keeps_small_deviations_of_large_numbers() -> None:
    X = 1.7e9 + np.random.default_rng(0).normal(scale=30, size=(500, 2))
    assert len(np.unique(X.astype(np.float32))) < 10
    features, encoded = build(X)
    values = features.to_values(encoded).values
    assert values.dtype == torch.float32
    torch.testing.assert_close(values.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(values.std(0, correction=0), torch.ones(2), atol=0.05, rtol=0)
    np.testing.assert_allclose(features.to_data(values), X, rtol=0, atol=1e-5)


@given(st.integers(0, 1000), st.sampled_from([1e-3, 1.0, 1e6]), st.sampled_from([0.0, -5.0, 1e4]))
def test_real_values_come_back(seed: int, scale: float, offset: float) -> None:
    X = offset + scale * np.random.default_rng(seed).normal(size=(20, 3))
    for data in (X, pl.DataFrame(X, schema=["a", "b", "c"])):
        features, encoded = build(data)
        back = features.to_data(features.to_values(encoded).values)
        np.testing.assert_allclose(back, X, rtol=0, atol=1e-6 * np.ptp(X, axis=0).max())


@given(st.integers(0, 1000), st.sampled_from(["uint8", "float32", "float64"]))
def test_pixels_come_back(seed: int, dtype: str) -> None:
    X = np.random.default_rng(seed).integers(0, 256, size=(9, 4, 3)).astype(dtype)
    X = X if dtype == "uint8" else X / np.array(255, dtype)
    features, encoded = build(X, "unit")
    values = features.to_values(encoded).values
    assert 0 <= values.min() <= values.max() <= 1
    back = features.to_data(values).numpy().reshape(X.shape)
    np.testing.assert_allclose(back, X, rtol=0, atol=1e-5 if dtype == "uint8" else 1e-7)


@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from("abcd"), st.booleans()), min_size=8))
def test_counts_codes_and_truths_come_back_exactly(rows: list[tuple[int, str, bool]]) -> None:
    rows = [(0, "a", True), (1, "b", False), (2, "c", True), *rows]
    frame = pl.DataFrame(rows, schema=["n", "letter", "truth"], orient="row")
    features, encoded = build(frame, n="count")
    assert features.supports == ("count", "category", "unit")
    np.testing.assert_array_equal(features.to_data(features.to_values(encoded).values), encoded)


def test_missing_entries_hold_the_mean_or_the_first_category() -> None:
    features, encoded = build(table())
    values, observed, extra = features.to_values(encoded)
    assert observed is not None
    assert extra is None
    np.testing.assert_array_equal((~observed).nonzero(), [[2, 0], [3, 1]])
    assert values[2, 0] == 0
    assert values[3, 1] == 0
    assert features.to_data(values)[2, 0].item() == pytest.approx(np.nanmean(encoded[:, 0]))


def test_a_gap_in_a_column_that_was_complete_is_filled_with_the_mean() -> None:
    features, encoded = build(np.array([[1.0, 2.0], [3.0, 5.0], [5.0, 11.0]]))
    encoded[0, 1] = torch.nan
    rows = features.to_values(encoded)
    assert rows.observed is not None
    assert rows.observed.sum() == 5
    assert features.n_inputs == 2  # no flag
    assert features(rows)[0, 1] == 0


def test_no_mask_where_all_is_observed() -> None:
    features, encoded = build(np.eye(3))
    assert features.to_values(encoded).observed is None


def test_an_absurd_value_is_cut_and_not_taken_for_missing() -> None:
    features, encoded = build(np.array([[1.0], [2.0], [4.0]]))
    encoded[0] = -1e300
    values, observed, _ = features.to_values(encoded)
    assert observed is None
    assert torch.isfinite(values.square().sum())
    assert values[0] < -1e17


def test_an_array_column_that_hardly_varies_is_not_blown_up() -> None:
    X = np.random.default_rng(0).normal(size=(200, 4)) * [1.0, 1.0, 1.0, 1e-6]
    sd = X.std(axis=0)
    features, _ = build(X)
    rms = np.sqrt(np.mean(sd**2))
    np.testing.assert_allclose(features.scale, [*sd[:3], 0.1 * rms], rtol=1e-6)
    in_frame, _ = build(pl.DataFrame(X, schema=list("abcd")))
    np.testing.assert_allclose(in_frame.scale, sd, rtol=1e-6)


def test_a_column_constant_in_the_training_rows_is_not_scaled() -> None:
    X = pl.DataFrame({"a": [0.1] * 30 + [0.7], "b": np.arange(31) / 7})
    schema = infer_schema(as_source(X))
    encoded = encode(schema, X).values
    features = Features(schema, measure(schema, [encoded[:30]]), ["real", "real"])
    values = features.to_values(torch.from_numpy(encoded)).values
    assert values[-1, 0].item() == pytest.approx(0.6)


# Inputs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("support", ["real", "unit", "count"])
def test_inputs_are_centred_and_of_unit_spread(support: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "real": rng.normal(5, 3, (400, 3)),
        "unit": np.stack([rng.permutation(np.arange(0, 240, 2, np.uint8)) for _ in range(3)], axis=1)[
            ..., None
        ],
        "count": rng.poisson(7.0, (400, 3)),
    }
    features, encoded = build(arrays[support], support)
    inputs = features(features.to_values(encoded))
    torch.testing.assert_close(inputs.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(inputs.std(0, correction=0), torch.ones(3), atol=1e-5, rtol=0)


def test_pixels_share_a_unit_so_that_dark_ones_are_not_scaled_up() -> None:
    rng = np.random.default_rng(0)
    images = np.stack([rng.integers(0, high, 400) for high in (256, 128, 2)], axis=1).astype(np.uint8)
    features, encoded = build(images[..., None], "unit")
    inputs = features(features.to_values(encoded))
    spread = images.std(axis=0)
    torch.testing.assert_close(inputs.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    least = np.sqrt(np.mean(spread**2))
    np.testing.assert_allclose(inputs.std(0, correction=0), spread / np.maximum(spread, least), rtol=1e-5)
    # Columns of a frame have units of their own.
    features, encoded = build(pl.DataFrame({"a": rng.random(400) < 0.5, "b": rng.random(400) < 0.01}))
    inputs = features(features.to_values(encoded))
    torch.testing.assert_close(inputs.std(0, correction=0), torch.ones(2), atol=1e-5, rtol=0)


def test_numbers_codes_and_flags_stand_where_they_should() -> None:
    features, encoded = build(table())
    inputs = features(features.to_values(encoded))
    n = np.log1p([0, 3, 1, 2, 5, 9])
    yes = np.array([1, 0, 1, 1, 0, 1])
    real = np.array([1.0, 2.0, 3.5, 3.0, 4.5, 7.0])  # 3.5 is the mean of the rest
    assert features.n_inputs == inputs.shape[1] == 3 + 4 + 2
    spread = np.array([real[[0, 1, 3, 4, 5]].std(), n.std(), yes.std()])
    wanted = (np.stack([real, n, yes], axis=1) - [3.5, n.mean(), yes.mean()]) / spread
    np.testing.assert_allclose(inputs[:, :3], wanted, atol=1e-6)
    codes = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal(inputs[:, 3:7], codes)
    np.testing.assert_array_equal(inputs[:, 7:], [[0, 0], [0, 0], [1, 0], [0, 1], [0, 0], [0, 0]])


def test_an_unseen_level_has_a_place_of_its_own() -> None:
    features, _ = build(table())
    row = torch.tensor([[1.0, 3.0, 0.0, 1.0]], dtype=torch.float64)  # code 3: "other"
    np.testing.assert_array_equal(features(features.to_values(row))[0, 3:7], [0, 0, 0, 1])


def test_every_column_gets_a_flag_where_a_corruption_marks() -> None:
    features, encoded = build(table(), mark_missing=True)
    rows = features.to_values(encoded)
    hidden = torch.zeros(6, 4, dtype=torch.bool)
    inputs = features(rows._replace(observed=hidden))
    assert features.n_inputs == 3 + 4 + 4
    np.testing.assert_array_equal(inputs[:, :7], 0)
    np.testing.assert_array_equal(inputs[:, 7:], 1)
    assert not features(rows._replace(observed=None))[:, 7:].any()


def test_calendar_parts_come_last_and_vanish_with_their_date() -> None:
    when = [dt.datetime(2024, 1, 1, 6), None, dt.datetime(2024, 1, 1, 18), dt.datetime(2024, 1, 4)]
    features, encoded = build(pl.DataFrame({"when": when, "x": [1.0, 2.0, 4.0, 8.0]}))
    rows = features.to_values(encoded)
    inputs = features(rows)
    assert features.n_inputs == inputs.shape[1] == 2 + 1 + 6
    np.testing.assert_allclose(inputs[[0, 2], 3:5], [[1, 0], [-1, 0]], atol=1e-6)  # 6 and 18 o'clock
    np.testing.assert_allclose(inputs[[0, 2], 5:7], [[0, 1], [0, 1]], atol=1e-6)  # Mondays
    np.testing.assert_array_equal(inputs[1, 3:], 0)
    assert rows.observed is not None
    hidden = rows.observed.clone()
    hidden[:, 0] = False  # a corruption hides the date: its calendar parts must not give it away
    np.testing.assert_array_equal(features(rows._replace(observed=hidden))[:, 3:], 0)


def test_values_of_an_array_without_gaps_are_the_inputs() -> None:
    features, encoded = build(np.random.default_rng(0).normal(size=(10, 3)))
    rows = features.to_values(encoded)
    assert features.plain
    assert features(rows) is rows.values


# Facts ------------------------------------------------------------------------------------------------------


def test_facts_of_an_array_are_in_data_units() -> None:
    X = np.random.default_rng(0).integers(0, 8, size=(50, 2)) * [1.0, 10.0] + [0.0, 100.0]
    features, encoded = build(X)
    facts, sd = features.facts(), X.std(axis=0)
    np.testing.assert_allclose(facts.log_jacobian, -np.log(sd))
    np.testing.assert_allclose(facts.unit, sd)
    np.testing.assert_allclose(facts.mean, 0, atol=1e-12)
    np.testing.assert_allclose(facts.zero, -X.mean(axis=0) / sd)
    np.testing.assert_allclose(facts.resolution, [1, 10] / sd)
    values = features.to_values(encoded).values
    np.testing.assert_allclose(facts.low, values.min(0).values, rtol=1e-6)
    np.testing.assert_allclose(facts.high, values.max(0).values, rtol=1e-6)
    assert facts.real.all()
    assert not facts.mark_missing


def test_facts_of_a_frame_are_in_training_standard_deviations() -> None:
    features, encoded = build(table())
    facts = features.facts()
    assert facts.n_categories == (0, 4, 0, 0)
    assert facts.frequencies[0] is None
    np.testing.assert_array_equal(facts.frequencies[1], [3, 1, 1, 0])
    np.testing.assert_array_equal(facts.real, [True, False, False, False])
    assert facts.unit[0] == 1
    assert facts.unit[3] == pytest.approx(1 / encoded[:, 3].numpy().std())
    assert facts.mean[3] == pytest.approx(4 / 6)
    np.testing.assert_array_equal(facts.log_jacobian[1:], 0)
    assert facts.mark_missing


def test_pixels_are_scored_in_units_of_the_data() -> None:
    facts = build(np.array([[[0], [255]], [[3], [7]], [[9], [90]]], dtype=np.uint8), "unit")[0].facts()
    np.testing.assert_allclose(facts.log_jacobian, -np.log(255))
    np.testing.assert_allclose(facts.unit, 255)
    np.testing.assert_allclose(facts.resolution * 255, [3, 83])


def test_all_is_derived_from_the_statistics_hence_nothing_is_in_the_weights() -> None:
    assert not build(table())[0].state_dict()


def test_rows_are_taken_by_index_and_slice() -> None:
    rows = Values(torch.arange(8.0).reshape(4, 2), torch.eye(4, 2) > 0, None)
    for index in (slice(1, 3), torch.tensor([1, 2])):
        taken = rows.rows(index)
        np.testing.assert_array_equal(taken.values, [[2, 3], [4, 5]])
        np.testing.assert_array_equal(taken.observed, [[False, True], [False, False]])
        assert taken.extra is None
    moved = rows.to(torch.device("meta"))
    assert moved.values.is_meta
    assert moved.observed is not None
    assert moved.observed.is_meta
