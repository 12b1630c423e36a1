from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import polars as pl
import pytest

# A first example may import a library, and CI's cores are shared: a slow example is no failure.
hypothesis.settings.register_profile("isthmus", deadline=None)
hypothesis.settings.load_profile("isthmus")


@pytest.fixture(scope="session")
def digits() -> Any:
    """Return scikit-learn's digits: ``images`` of 8 x 8 and ``target``."""
    from sklearn.datasets import load_digits

    return load_digits()


@pytest.fixture(scope="session")
def digits_model(digits: Any) -> Any:
    """Return a model of digits, fitted for a few epochs."""
    from isthmus import Autoencoder

    return Autoencoder(4, hidden_sizes=(32,), max_epochs=12, random_state=0).fit(digits.images)


@pytest.fixture(scope="session")
def mixed_table() -> pl.DataFrame:
    """Return 300 rows of three causes: numbers, categories, counts, dates, and some of them missing."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 300))
    city = np.array(["Basel", "Bern", "Chur"])[np.clip((b + 1.5).astype(int), 0, 2)]
    return pl.DataFrame(
        {
            "<script>alert(1)</script>": 3 * a + 0.1 * rng.normal(size=300),
            "price in $ or US$": np.exp(a).round(2),
            "city & canton": [
                None if x < 0.1 else str(y) for x, y in zip(rng.random(300), city, strict=True)
            ],
            "member": a + b > 0,
            "visits": rng.poisson(np.exp(b)),
            "day": np.datetime64("2024-01-01") + (100 * a + 400).astype(int),
            "名前": 0.5 * b + rng.normal(size=300),
            "segment": np.where(a > 0, "gold", "silver"),
        }
    )


@pytest.fixture(scope="session")
def table_model(mixed_table: pl.DataFrame) -> Any:
    """Return a model of the mixed table, whose "segment" is a label."""
    from isthmus import Autoencoder
    from isthmus.data.inference import infer_schema
    from isthmus.data.sources import as_source

    schema = infer_schema(as_source(mixed_table), roles={"segment": "label"})
    return Autoencoder(2, hidden_sizes=(16,), max_epochs=20, schema=schema, random_state=0).fit(mixed_table)
