"""The shortest ways along what models decode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus.errors import InputError
from isthmus.estimators import (
    Autoencoder,
    ConditionalVariationalAutoencoder,
    VariationalAutoencoder,
    VectorQuantizedAutoencoder,
)

MakeModel = Callable[..., Autoencoder]
SHORT: dict[str, Any] = {"max_epochs": 3, "hidden_sizes": (8,), "random_state": 0}


def walked(rows: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(rows.reshape(len(rows), -1), axis=0), axis=1).sum())


def test_of_a_linear_model_it_is_the_distance_of_the_reconstructions(
    quick: MakeModel, rows: np.ndarray
) -> None:
    model = quick(hidden_sizes=()).fit(rows)
    found = model.geodesic_codes(rows[0], rows[1], 5)
    ends = model.reconstruct(rows[:2])
    assert found.length == pytest.approx(np.linalg.norm(ends[1] - ends[0]), rel=1e-4)
    np.testing.assert_allclose(found.codes, np.linspace(*model.transform(rows[:2]), 5), atol=1e-4)
    np.testing.assert_allclose(model.geodesic(rows[0], rows[1], 5), np.linspace(*ends, 5), atol=1e-3)


@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
def test_a_bent_way_is_shorter_than_the_straight_one(kind: Any, rows: np.ndarray) -> None:
    model = kind(2, **SHORT | {"max_epochs": 20, "activation": "tanh"}).fit(rows)
    a, b = rows[rows[:, 0].argmin()], rows[rows[:, 0].argmax()]
    found = model.geodesic_codes(a, b, 60)
    way = model.geodesic(a, b, 60)
    assert found.length < found.straight_length
    assert walked(way) == pytest.approx(found.length, rel=1e-2)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.max() < 1.2 * steps.mean()
    line = np.linspace(*model.transform(np.stack([a, b])), 400)
    assert walked(model.inverse_transform(line)) == pytest.approx(found.straight_length, rel=1e-3)
    np.testing.assert_allclose(way[[0, -1]], model.reconstruct(np.stack([a, b])), atol=1e-4)
    assert model.geodesic_codes(b, a, 60).length == found.length
    assert np.array_equal(model.geodesic(a, b, 60), way)


def test_interpolate_goes_it_too_and_data_can_only_shorten_it(rows: np.ndarray) -> None:
    model = VariationalAutoencoder(2, **SHORT).fit(rows)
    way = model.interpolate(rows[0], rows[1], 6, path="geodesic", through=rows)
    assert np.array_equal(way, model.geodesic(rows[0], rows[1], 6, through=rows))
    alone, led = (model.geodesic_codes(rows[0], rows[1], through=x).length for x in (None, rows))
    assert led <= alone * (1 + 1e-9)


def test_of_a_frame_it_is_in_standard_deviations(rows: np.ndarray) -> None:
    frame = pl.DataFrame(rows, schema=list("abcde"))
    model = VariationalAutoencoder(2, **SHORT, validation_fraction=0.0).fit(frame)
    found = model.geodesic_codes(frame[0], frame[1], 40)
    way = model.geodesic(frame[0], frame[1], 40)
    assert way.columns == frame.columns
    assert walked(way.to_numpy() / rows.std(axis=0)) == pytest.approx(found.length, rel=1e-2)


def test_images_keep_their_shape_and_tables_their_columns(
    table_model: Autoencoder, table: pl.DataFrame, rows: np.ndarray
) -> None:
    images = rows[:, :4].reshape(-1, 2, 2)
    model = Autoencoder(2, **SHORT).fit(images)
    assert model.geodesic(images[0], images[1], 3).shape == (3, 2, 2)
    way = table_model.geodesic(table[0], table[1], 4)
    assert len(way) == 4
    assert way["city"].dtype == table["city"].dtype
    assert table_model.geodesic_codes(table[0], table[1]).length > 0


def test_it_stays_under_a_condition(sites: pl.DataFrame, told: ConditionalVariationalAutoencoder) -> None:
    names = ["site", "dose", "group"]
    under = told.geodesic(sites[0], sites[1], 4, condition=sites[5])
    assert under.select(names).rows() == 4 * sites[5].select(names).rows()
    with pytest.raises(InputError, match="different conditions"):
        told.geodesic(sites[0], sites[1])
    lengths = [told.geodesic_codes(sites[0], sites[1], condition=sites[i]).length for i in (5, 6)]
    assert lengths[0] != lengths[1]
    same = sites[1].with_columns(sites[0].select(names))
    walk = told.interpolate(sites[0], same, 3, path="geodesic", through=sites)
    assert walk.equals(told.geodesic(sites[0], same, 3, through=sites))


def test_codes_and_data_without_ways_are_refused(rows: np.ndarray) -> None:
    model = VectorQuantizedAutoencoder(2, **SHORT).fit(rows)
    with pytest.raises(InputError, match="are discrete: no way leads"):
        model.geodesic(rows[0], rows[1])
    names = pl.DataFrame({"a": ["x", "y", "z"] * 20, "b": ["u", "v", "u", "w"] * 15})
    with pytest.raises(InputError, match="all columns are categories"):
        Autoencoder(1, **SHORT).fit(names).geodesic(names[0], names[1])
    plain = Autoencoder(2, **SHORT).fit(rows)
    with pytest.raises(InputError, match="n=1"):
        plain.geodesic(rows[0], rows[1], 1)
    with pytest.raises(InputError, match="expected one row"):
        plain.geodesic(rows[:2], rows[1])
