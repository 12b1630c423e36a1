"""A folder of every format version that was ever written is kept, and still means what it meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import isthmus

FIXTURES = Path(__file__).parents[1] / "fixtures"

ROWS = pl.DataFrame(
    {
        "height": [1.5, 1.7, None, 1.9],
        "city": ["Busan", "Jeju", "Seoul", "Seoul"],
        "visits": [0, 3, 1, 7],
        "member": [True, False, None, True],
    }
)


def made_table() -> pl.DataFrame:
    """Return the generated table that the saved models were fitted on."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=120)
    return pl.DataFrame(
        {
            "height": np.where(rng.random(120) < 0.1, np.nan, 1.7 + 0.1 * z),
            "city": np.array(["Busan", "Jeju", "Seoul"])[np.clip(np.round(z) + 1, 0, 2).astype(int)],
            "visits": rng.poisson(np.exp(1 + 0.5 * z)),
            "member": z + rng.normal(size=120) > 0,
        }
    ).with_columns(pl.col("height").fill_nan(None))


def write_fixture(folder: Path) -> None:
    """Write a model of the present format and what it says of `ROWS`."""
    model = isthmus.DenoisingAutoencoder(2, hidden_sizes=(4,), max_epochs=30, random_state=0).fit(
        made_table()
    )
    model.save(folder / "model")
    answers = {"codes": model.transform(ROWS).tolist(), "scores": model.score_samples(ROWS).tolist()}
    (folder / "answers.json").write_text(json.dumps(answers))


@pytest.mark.parametrize("version", [1])
def test_old_folders_give_the_same_answers(version: int) -> None:
    folder = FIXTURES / f"format-{version}"
    answers = json.loads((folder / "answers.json").read_text())
    model = isthmus.load(folder / "model")
    np.testing.assert_allclose(model.transform(ROWS), answers["codes"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.score_samples(ROWS), answers["scores"], rtol=1e-4, atol=1e-4)
