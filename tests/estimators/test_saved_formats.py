"""A folder of every format version that was ever written is kept, and still means what it meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import isthmus
from isthmus.store import FORMAT_VERSION

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
    model = isthmus.ConditionalVariationalAutoencoder(
        2,
        condition=["city", "member"],
        prior="vamp_prior:n_pseudo_inputs=3",
        hidden_sizes=(4,),
        max_epochs=30,
        random_state=0,
    ).fit(made_table())
    folder.mkdir()
    model.save(folder / "model")
    drawn = model.sample(4, condition=ROWS, expected=True, random_state=0)
    answers = {
        "codes": model.transform(ROWS).tolist(),
        "scores": model.score_samples(ROWS).tolist(),
        "drawn": drawn.to_dicts(),
    }
    (folder / "answers.json").write_text(json.dumps(answers))


def load_with_answers(version: int) -> tuple[Any, dict[str, Any]]:
    folder = FIXTURES / f"format-{version}"
    return isthmus.load(folder / "model"), json.loads((folder / "answers.json").read_text())


@pytest.mark.filterwarnings("ignore:conditions complete at fit lack entries")
@pytest.mark.parametrize("version", [1, 2])
def test_old_folders_give_the_same_answers(version: int) -> None:
    model, answers = load_with_answers(version)
    np.testing.assert_allclose(model.transform(ROWS), answers["codes"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.score_samples(ROWS), answers["scores"], rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:conditions complete at fit lack entries")
def test_old_folders_generate_the_same_rows() -> None:
    model, answers = load_with_answers(2)
    drawn = model.sample(4, condition=ROWS, expected=True, random_state=0)
    assert drawn.schema == made_table().schema
    for row, wanted in zip(drawn.to_dicts(), answers["drawn"], strict=True):
        assert row["height"] == pytest.approx(wanted["height"], rel=1e-4)
        assert {name: row[name] for name in ("city", "member")} == {
            name: wanted[name] for name in ("city", "member")
        }
        assert abs(row["visits"] - wanted["visits"]) <= 1


def test_there_is_a_folder_of_every_version() -> None:
    assert {path.name for path in FIXTURES.glob("format-*")} == {
        f"format-{version}" for version in range(1, FORMAT_VERSION + 1)
    }
    for path in FIXTURES.glob("format-*"):
        config = json.loads((path / "model" / "config.json").read_text())
        assert f"format-{config['format_version']}" == path.name


@pytest.mark.filterwarnings("ignore:conditions complete at fit lack entries")
@pytest.mark.parametrize("version", [1, 2])
def test_old_models_learn_on_and_are_saved_as_new_ones(version: int, tmp_path: Path) -> None:
    model, _ = load_with_answers(version)
    model.save(tmp_path / "model")
    again = isthmus.load(tmp_path / "model")
    assert np.array_equal(again.score_samples(ROWS), model.score_samples(ROWS))
    assert np.isfinite(again.partial_fit(made_table()).score(made_table()))
