from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import as_source
from isthmus.estimators import Autoencoder, ConditionalVariationalAutoencoder

MakeModel = Callable[..., Autoencoder]

ROLES = {"label": "label", "importance": "weight", "key": "id"}


@pytest.fixture(scope="session")
def quick() -> MakeModel:
    """Return a maker of small autoencoders that are trained for a moment only."""

    def make(k: int | str = 2, **params: Any) -> Autoencoder:
        return Autoencoder(k, **{"max_epochs": 3, "hidden_sizes": (8,), "random_state": 0} | params)

    return make


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    """Return rows near a plane, with columns of unlike mean and scale."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(120, 2)) @ rng.normal(size=(2, 5))
    return (plane + 0.1 * rng.normal(size=plane.shape)) * [1, 2, 3, 0.5, 1] + [0, 5, -3, 100, 1]


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    """Return a table with a column of every kind and role, and missing entries in one column."""
    rng, n = np.random.default_rng(0), 80
    start = datetime.datetime(2024, 1, 1)
    x = rng.normal(size=n)
    return pl.DataFrame(
        {
            "x": 3 * x + 1,
            "gap": [None if i % 5 == 0 else float(i) for i in range(n)],
            "whole": rng.integers(-50, 50, n),
            "count": rng.poisson(2, n),
            "flag": x + rng.normal(size=n) > 0.4,
            "city": rng.choice(["rome", "oslo", "lima"], n),
            "day": [(start + datetime.timedelta(days=int(i))).date() for i in rng.integers(0, 300, n)],
            "when": [start + datetime.timedelta(minutes=int(i)) for i in rng.integers(0, 300_000, n)],
            "constant": np.full(n, 7.0),
            "empty": [None] * n,
            "key": np.arange(n),
            "label": rng.choice(["a", "b"], n),
            "importance": rng.random(n) + 0.5,
        }
    )


def schema_of(frame: Any) -> Schema:
    return infer_schema(as_source(frame), roles=ROLES)


@pytest.fixture(scope="session")
def table_schema(table: pl.DataFrame) -> Schema:
    return schema_of(table)


@pytest.fixture(scope="session")
def table_model(quick: MakeModel, table: pl.DataFrame, table_schema: Schema) -> Autoencoder:
    """Return a model of the table; do not change it."""
    return quick(schema=table_schema).fit(table)


@pytest.fixture(scope="session")
def sites() -> pl.DataFrame:
    """Return rows of two numbers and a flag, beside a category, an amount and integers that are names."""
    rng, n = np.random.default_rng(0), 160
    site, dose = rng.choice(["a", "b", "c"], n), rng.normal(10, 3, n)
    return pl.DataFrame(
        {
            "x": rng.normal(size=n) + 3 * (site == "a"),
            "site": site,
            "z": rng.normal(size=n) + dose,
            "dose": dose,
            "flag": rng.random(n) < 0.3,
            "group": rng.integers(0, 4, n),
        }
    )


@pytest.fixture(scope="session")
def told(sites: pl.DataFrame) -> ConditionalVariationalAutoencoder:
    """Return a model whose condition is columns of its frame; do not change it."""
    return ConditionalVariationalAutoencoder(
        2, condition=["site", "dose", "group"], hidden_sizes=(8,), max_epochs=3, random_state=0
    ).fit(sites)
