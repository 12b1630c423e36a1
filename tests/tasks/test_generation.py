from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neighbors import NearestNeighbors

from isthmus import Autoencoder, ConditionalVariationalAutoencoder, VariationalAutoencoder
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.tasks import nearest

FEW: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def array() -> Any:
    return 1e3 + 5 * np.random.default_rng(0).normal(size=(200, 6))


@pytest.fixture(scope="module")
def array_model(array: Any) -> VariationalAutoencoder:
    return VariationalAutoencoder(2, **FEW).fit(array)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    random = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "size": random.normal(50, 10, 100),
            "town": random.choice(["a", "b", "c"], 100),
            "same": ["x"] * 100,
        }
    )


@pytest.fixture(scope="module")
def frame_model(frame: pl.DataFrame) -> VariationalAutoencoder:
    return VariationalAutoencoder(2, validation_fraction=0, **FEW).fit(frame)


def test_rows_are_their_own_nearest_ones_at_distance_0(array: Any, array_model: Any) -> None:
    index, distance = nearest(array_model, array[[7, 3, 199]], array)
    assert_array_equal(index, [7, 3, 199])
    assert_array_equal(distance, [0, 0, 0])


def test_distances_of_arrays_are_euclidean_in_units_of_the_data(array: Any, array_model: Any) -> None:
    moved = array[:5].copy()
    moved[:, 0] += 0.03
    moved[:, 1] -= 0.04
    index, distance = nearest(array_model, moved, array)
    assert_array_equal(index, range(5))
    assert_allclose(distance, 0.05, rtol=1e-9)


def test_samples_agree_with_a_search_by_scikit_learn(array: Any, array_model: Any) -> None:
    drawn = array_model.sample(30, random_state=0)
    expected = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(array).kneighbors(drawn)
    index, distance = nearest(array_model, drawn, array)
    assert_array_equal(index, expected[1][:, 0])
    assert_allclose(distance, expected[0][:, 0])


def test_images_and_integers(digits: Any, digits_model: Any) -> None:
    rows = digits.images.astype(np.uint8)
    index, distance = nearest(digits_model, digits.images[[5, 1000]] + 1, rows)
    assert_array_equal(index, [5, 1000])
    # Columns that are the same in all training rows say nothing and do not count.
    assert_allclose(distance, np.sqrt(len(digits_model.schema_.modelled)))


def test_data_in_blocks_and_sources(array_model: Any) -> None:
    rows = np.random.default_rng(2).normal(size=(20_000, 6))
    rows[17_000] = 9
    rows[17_001] = 9  # of equally near ones the first
    index, distance = nearest(array_model, np.full((1, 6), 9.5), as_source(rows))
    assert index.tolist() == [17_000]
    assert distance[0] == pytest.approx(0.5 * np.sqrt(6))


def test_missing_entries_of_arrays_count_as_the_training_mean(array: Any) -> None:
    holes = array.copy()
    holes[0, 2] = np.nan
    model = VariationalAutoencoder(2, validation_fraction=0, **FEW).fit(holes)
    asked = array[:1].copy()
    asked[0, 2] = np.nanmean(holes[:, 2]) + 3
    index, distance = nearest(model, asked, holes)
    assert index.tolist() == [0]
    assert distance[0] == pytest.approx(3, rel=1e-5)


def test_distances_of_frames_are_in_standard_deviations_and_one_hot(frame: Any, frame_model: Any) -> None:
    first = frame[:1].with_columns(town=pl.lit("a"), size=pl.lit(50.0))
    sd = float(frame["size"].to_numpy().std())
    for changed, expected in (
        (first, 0),
        (first.with_columns(size=pl.lit(50 + sd / 2)), 0.5),
        (first.with_columns(town=pl.lit("b")), np.sqrt(2)),
        (first.with_columns(town=pl.lit("b"), size=pl.lit(50 + sd)), np.sqrt(3)),
    ):
        distance = nearest(frame_model, changed, first)[1]
        assert distance[0] == pytest.approx(expected, abs=1e-6)


def test_frames_of_another_library(frame: Any, frame_model: Any) -> None:
    pandas = pytest.importorskip("pandas")
    assert isinstance(frame.to_pandas(), pandas.DataFrame)
    index, distance = nearest(frame_model, frame[[4, 2]].to_pandas(), frame)
    assert_array_equal(index, [4, 2])
    assert_array_equal(distance, [0, 0])


def test_what_a_frame_never_held_is_told(frame: Any, frame_model: Any) -> None:
    with pytest.warns(UserWarning, match="unseen values"):
        nearest(frame_model, frame[:2], frame.with_columns(town=pl.lit("elsewhere")))


def test_a_condition_does_not_count(frame: Any) -> None:
    model = ConditionalVariationalAutoencoder(1, condition="town", **FEW).fit(frame)
    drawn = model.sample(5, condition="a", random_state=0)
    other = drawn.with_columns(town=pl.lit("b"))
    assert_array_equal(nearest(model, drawn, frame)[1], nearest(model, other, frame)[1])


def test_models_without_a_prior_have_neighbours_too(array: Any) -> None:
    model = Autoencoder(2, **FEW).fit(array)
    assert nearest(model, array[[3]], array)[0].tolist() == [3]


def test_what_cannot_be_compared_is_refused(array: Any, array_model: Any, frame: Any) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        nearest(VariationalAutoencoder(), array, array)
    with pytest.raises(ValueError, match="6 features"):
        nearest(array_model, array[:, :4], array)
    with pytest.raises(ValueError, match="infinity"):
        nearest(array_model, array[:1], np.full((2, 6), np.inf))
    with pytest.raises(InputError, match="infinity"):  # a Source is read block by block
        nearest(array_model, array[:1], as_source(np.full((2, 6), np.inf)))
