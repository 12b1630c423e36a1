from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from isthmus import Autoencoder, ConditionalVariationalAutoencoder, VariationalAutoencoder, read
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.splitting import derive_seed, held_out_rows
from isthmus.errors import InputError
from isthmus.tasks.dimension import dimension_by_evidence, ladder
from isthmus.tasks.encoded import encoded_inputs
from isthmus.tasks.evidence import DimensionEvidence, compare

Rows = np.ndarray[Any, Any]
LINEAR = {"hidden_sizes": (), "batch_size": 32, "learning_rate": 0.03, "max_epochs": 40, "patience": 40}


def flat(seed: int, n: int, latents: int, columns: int, noise: float) -> Rows:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, latents)) @ rng.normal(size=(latents, columns)) + noise * rng.normal(
        size=(n, columns)
    )


def curved(seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    hidden = np.tanh(rng.normal(size=(600, 2)) @ rng.normal(size=(2, 10)) + 0.5 * rng.normal(size=10))
    return hidden @ rng.normal(size=(10, 10)) / 3 + 0.1 * rng.normal(size=(600, 10))


# The rule -------------------------------------------------------------------------------------------------


def test_the_standard_error_is_that_of_paired_differences() -> None:
    rng = np.random.default_rng(0)
    rows = 10 * rng.normal(size=50)  # rows differ by far more than models do
    scores = np.stack([rows - 5 + rng.normal(size=50), rows - 0.01 * np.arange(50), rows])
    table, chosen, best = compare([1, 2, 3], scores[:, None], [7, 8, 9], [0.1, 0.2, 0.3])
    assert (chosen, best) == (3, 3)  # 2 is behind in every row but one
    assert [row.n_epochs for row in table] == [7, 8, 9]
    for row, own in zip(table, scores, strict=True):
        assert row.nats == pytest.approx(own.mean())
        assert row.standard_error == pytest.approx(own.std(ddof=1) / np.sqrt(50))
        assert row.behind == pytest.approx((scores[2] - own).mean())
        assert row.behind_error == pytest.approx((scores[2] - own).std(ddof=1) / np.sqrt(50))
    assert table[1].behind > table[1].behind_error
    assert table[1].behind < table[1].standard_error  # unpaired, it would have been chosen


@pytest.mark.parametrize(("gap", "chosen"), [(0.99, 2), (1.01, 4)])
def test_one_standard_error_is_the_limit(gap: float, chosen: int) -> None:
    differences = np.array([1.0, -1.0] * 50)  # standard error: root of 100 / 99 / 100
    behind = gap * np.sqrt(1 / 99)
    scores = np.stack([np.full(100, -9.0), differences - behind, np.full(100, -5.0), np.zeros(100)])
    assert compare([1, 2, 3, 4], scores[:, None], [1] * 4, [1.0] * 4)[1:] == (chosen, 4)


def test_how_much_fits_vary_counts() -> None:
    differences = np.array([1.0, -1.0] * 50)  # the same as above, one half of a standard error further behind
    behind = 1.5 * np.sqrt(1 / 99)
    less = differences - behind
    steady = np.stack([[less, less], np.zeros((2, 100))])
    assert compare([1, 2], steady, [1] * 2, [1.0] * 2)[1] == 2
    moved = np.stack([[less - 0.2, less + 0.2], np.zeros((2, 100))])
    table, chosen, best = compare([1, 2], moved, [1] * 2, [1.0] * 2)
    assert (chosen, best) == (1, 2)
    assert table[0].behind == pytest.approx(behind)
    assert table[0].behind_error == pytest.approx(np.sqrt(1 / 99 + 0.2**2))  # 2 * 0.2**2 / 1, over 2 fits
    assert table[0].standard_error == pytest.approx(np.sqrt(1 / 99 + 0.2**2))
    assert table[1].behind_error == 0


def test_the_sentence_says_what_was_chosen_and_why() -> None:
    scores = np.stack([np.full(100, -9.0), np.array([1.0, -1.0] * 50) - 0.05, np.zeros(100)])
    table, chosen, best = compare([1, 2, 3], scores[:, None], [1] * 3, [1.0] * 3)
    found = DimensionEvidence(table, chosen, best, 100, 400, 50, "log p(x)")
    assert found.sentence == (
        "2 latent components: the fewest within one standard error of the best, 3: 0.05 ± 0.1 nats per row "
        "behind it on 100 held-out rows."
    )
    table, chosen, best = compare([1, 3], scores[[0, 2], None], [1] * 2, [1.0] * 2)
    alone = DimensionEvidence(table, chosen, best, 100, 400, 50, "log p(x)").sentence
    assert "evidence is largest there" in alone
    assert alone.endswith("the largest that was tried, so more may be better.")
    assert json.loads(json.dumps(found.as_dict()))["table"][1]["n_components"] == 2


def test_the_ladder() -> None:
    assert ladder(0.0, 5) == [1]
    assert ladder(3.4, 100) == [1, 2, 3, 4, 5, 6, 7]
    assert ladder(9.0, 4) == [1, 2, 3, 4]
    found = ladder(40.0, 1000)
    assert (found[0], found[-1]) == (1, 80)
    assert len(found) <= 7
    assert np.diff(np.log(found)).max() < 2 * np.log(80) / 6


# The evidence ---------------------------------------------------------------------------------------------


def test_two_flat_dimensions_are_found() -> None:
    told = list[tuple[int, float]]()
    found = dimension_by_evidence(
        flat(0, 400, 2, 8, 0.3),
        (3, 1, 2, 2),
        estimator=VariationalAutoencoder(**LINEAR | {"max_epochs": 25}),
        on_candidate=lambda *what: told.append(what),
    )
    assert [row.n_components for row in found.table] == [1, 2, 3]
    assert found.chosen in (2, 3)
    assert (found.n_rows, found.n_training_rows, found.n_samples) == (80, 320, 500)
    assert found.table[0].behind > 5 * found.table[0].behind_error
    assert told == [(row.n_components, row.nats) for row in found.table]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_two_curved_dimensions_are_found(seed: int) -> None:
    estimator = VariationalAutoencoder(
        hidden_sizes=(32, 32), max_epochs=100, patience=100, batch_size=64, learning_rate=5e-3
    )
    found = dimension_by_evidence(curved(seed), (1, 2, 3), estimator=estimator, random_state=seed)
    assert found.chosen in (2, 3)
    assert found.table[0].behind > 10 * found.table[0].behind_error


def test_the_scores_are_importance_sampled_densities_of_rows_that_no_candidate_saw() -> None:
    X = flat(0, 200, 1, 3, 0.5)
    estimator = VariationalAutoencoder(7, random_state=3, **LINEAR | {"max_epochs": 5})
    found = dimension_by_evidence(X, (1,), estimator=estimator, n_samples=20, random_state=9)
    aside = held_out_rows(200, 0.2, 9)
    model = VariationalAutoencoder(1, random_state=3, **LINEAR | {"max_epochs": 5}).fit(X[~aside])
    scores = model.score_samples(X[aside], n_samples=20, random_state=9)
    assert found.table[0].nats == scores.mean()
    assert estimator.n_components == 7
    assert not hasattr(estimator, "model_")


def test_the_mean_of_several_fits_is_compared() -> None:
    X = flat(0, 200, 2, 6, 0.3)
    few = {"hidden_sizes": (8,), "max_epochs": 3}
    found = dimension_by_evidence(
        X, (2,), estimator=VariationalAutoencoder(random_state=3, **few), n_samples=20, n_fits=3
    )
    aside = held_out_rows(200, 0.2, 0)
    seeds = [3, *(derive_seed(3, 12, fit) % 2**31 for fit in (1, 2))]
    fits = [VariationalAutoencoder(2, random_state=seed, **few).fit(X[~aside]) for seed in seeds]
    nats = [fit.score_samples(X[aside], n_samples=20, random_state=0).mean() for fit in fits]
    assert len(set(nats)) == 3
    assert found.table[0].nats == pytest.approx(np.mean(nats))
    assert found.table[0].behind_error == 0
    assert found.n_fits == 3


def test_the_same_seed_gives_the_same_bits() -> None:
    X = flat(0, 150, 1, 3, 0.5)
    few = LINEAR | {"max_epochs": 3}
    runs = [
        dimension_by_evidence(X, (1, 2), estimator=VariationalAutoencoder(**few), random_state=seed)
        for seed in (0, 0, 1)
    ]
    nats = [[row.nats for row in run.table] for run in runs]
    assert nats[0] == nats[1] != nats[2]


def test_tables_and_files_with_columns_of_all_kinds(mixed_table: pl.DataFrame, tmp_path: Path) -> None:
    mixed_table.write_parquet(tmp_path / "t.parquet")
    few = VariationalAutoencoder(hidden_sizes=(8,), max_epochs=2)
    found = [
        dimension_by_evidence(X, (1,), estimator=few, n_samples=8)
        for X in (mixed_table, read(tmp_path / "t.parquet"))
    ]
    assert found[0].table[0].nats == pytest.approx(found[1].table[0].nats)
    assert found[0].n_rows == 60
    default = dimension_by_evidence(mixed_table, estimator=few, n_samples=8, max_rows=120)
    assert default.n_rows + default.n_training_rows == 120
    assert default.table[0].n_components == 1
    assert len(default.table) > 2


def test_inputs_are_what_an_encoder_reads(mixed_table: pl.DataFrame) -> None:
    source = as_source(mixed_table)
    inputs = encoded_inputs(source, infer_schema(source))
    model = VariationalAutoencoder(2, hidden_sizes=(4,), max_epochs=1, validation_fraction=0).fit(mixed_table)
    assert inputs.shape == (300, model.model_.features.n_inputs)
    assert np.isfinite(inputs).all()
    X = flat(0, 300, 2, 4, 0.5) * [1, 5, 1, 2]
    inputs = encoded_inputs(as_source(X), infer_schema(as_source(X)))
    assert_allclose(inputs, (X - X.mean(axis=0)) / X.std(axis=0), atol=1e-4)
    few = encoded_inputs(as_source(X), infer_schema(as_source(X)), max_rows=50)
    assert few.shape == (50, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": Autoencoder()}, "Autoencoder, whose score is no density"),
        ({"estimator": ConditionalVariationalAutoencoder()}, "is told a condition"),
        ({"estimator": VariationalAutoencoder(prior="swiss_roll")}, "swiss_roll has no density"),
        ({"candidates": ()}, r"candidates are \[\]"),
        ({"candidates": (0, 1)}, "whole numbers of at least 1"),
        ({"candidates": (1.5,)}, "whole numbers of at least 1"),
        ({"n_samples": 1}, "n_samples is 1"),
        ({"n_fits": 0}, "n_fits is 0"),
        ({"held_out_fraction": 1.0}, "held_out_fraction is 1.0"),
        ({"held_out_fraction": 0.1}, "of 100 rows 10 would be held out"),
    ],
)
def test_what_it_cannot_use_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dimension_by_evidence(flat(0, 100, 1, 3, 0.5), **options)
