from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import stats

from isthmus.estimators import Autoencoder, scoring
from isthmus.estimators.building import model_arrays

MakeModel = Callable[..., Autoencoder]


def closed_form(model: Autoencoder, X: np.ndarray) -> np.ndarray:
    """Return log p(x | z(x)) of a linear model with Gaussian likelihood, in float64 from its parameters."""
    arrays = {name: array.astype(np.float64) for name, array in model_arrays(model.model_).items()}
    features, density = model.model_.features, model.model_.density
    centre, scale = features.centre.numpy(), features.scale.numpy()
    sigma = density.scale().detach().double().numpy() * scale
    values = (X - centre) / scale
    codes = values @ arrays["model.encoder.0.weight"].T + arrays["model.encoder.0.bias"]
    outputs = codes @ arrays["model.decoder.0.weight"].T + arrays["model.decoder.0.bias"]
    return stats.norm.logpdf(X, outputs * scale + centre, sigma).sum(axis=1)


@pytest.mark.parametrize("likelihood", ["auto", "gaussian:scale=per_feature", "gaussian:scale=2.5"])
def test_the_score_of_a_linear_model_is_its_closed_form(
    rows: np.ndarray, quick: MakeModel, likelihood: str
) -> None:
    model = quick(hidden_sizes=(), likelihood=likelihood, max_epochs=20).fit(rows)
    np.testing.assert_allclose(model.score_samples(rows), closed_form(model, rows), atol=1e-4, rtol=0)
    sigma = model.model_.density.scale().detach().numpy() * model.model_.features.scale.numpy()
    if likelihood == "auto":
        assert np.ptp(sigma) < 1e-5 * sigma.mean()  # one standard deviation, in data units, for all columns
    if likelihood.endswith("2.5"):
        np.testing.assert_allclose(sigma, 2.5, rtol=1e-6)


def test_the_score_of_a_linear_model_of_a_table_is_its_closed_form(
    rows: np.ndarray, quick: MakeModel
) -> None:
    frame = pl.DataFrame(rows, schema=list("abcde"))
    model = quick(hidden_sizes=(), max_epochs=20).fit(frame)
    np.testing.assert_allclose(model.score_samples(frame), closed_form(model, rows), atol=1e-4, rtol=0)


def test_the_score_is_in_nats_of_the_data_as_given(rows: np.ndarray, quick: MakeModel) -> None:
    frame = pl.DataFrame(rows, schema=list("abcde"))
    larger = frame.with_columns(pl.col("a") * 1000)
    difference = quick().fit(frame).score_samples(frame) - quick().fit(larger).score_samples(larger)
    np.testing.assert_allclose(difference, math.log(1000), atol=1e-3)
    # An array's objective is in data units too: a common factor changes the score of every column.
    difference = quick().fit(rows).score(rows) - quick().fit(1000 * rows).score(1000 * rows)
    assert difference == pytest.approx(5 * math.log(1000), abs=1e-3)


def test_the_score_is_the_mean_of_the_rows(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    assert model.score(rows) == pytest.approx(model.score_samples(rows).mean())
    assert model.score_samples(rows).dtype == np.float64


def test_a_missing_entry_costs_nothing_and_is_not_counted(rows: np.ndarray, quick: MakeModel) -> None:
    holes = rows.copy()
    holes[::3, 1] = np.nan
    model = quick().fit(holes)
    scores, n_observed = model.score_samples(holes, return_n_observed=True)
    assert n_observed.tolist() == [4.0 if i % 3 == 0 else 5.0 for i in range(len(rows))]
    row = model.model_
    values = row.features.to_values(torch.from_numpy(holes[:1]))
    with torch.no_grad():
        each = row.density.log_prob(row.decode(row.encode(values)), values.values)[0].double().numpy()
    assert scores[0] == pytest.approx(np.delete(each, 1).sum(), abs=1e-4)


RESULTS: dict[str, Callable[[Autoencoder, Any], Any]] = {
    "transform": lambda model, X: model.transform(X),
    "reconstruct": lambda model, X: np.asarray(model.reconstruct(X)),
    "score_samples": lambda model, X: model.score_samples(X),
}


@pytest.mark.parametrize("method", RESULTS)
@pytest.mark.parametrize("n_hidden", [(), (40, 13)])
def test_a_rows_result_is_the_same_to_the_bit_whatever_the_company(
    quick: MakeModel, method: str, n_hidden: tuple[int, ...]
) -> None:
    X = np.random.default_rng(0).normal(size=(2 * scoring.PIECE_ROWS + 77, 5))
    X[::7, 2] = np.nan
    model = quick(hidden_sizes=n_hidden, max_epochs=1).fit(X)
    result = RESULTS[method](model, X)
    for chosen in (np.arange(9), np.random.default_rng(1).permutation(len(X)), np.array([300]), np.r_[1:300]):
        assert np.array_equal(RESULTS[method](model, X[chosen]), result[chosen])


def test_a_tables_row_has_one_result_whatever_the_company(
    table: pl.DataFrame, table_model: Autoencoder
) -> None:
    result = table_model.score_samples(table)
    for chosen in ([3], [5, 4, 0], list(range(79, -1, -1))):
        assert np.array_equal(table_model.score_samples(table[chosen]), result[chosen])


def test_an_empty_row_scores_0_with_one_warning(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    X = rows[:5].copy()
    X[2] = np.nan
    with pytest.warns(UserWarning, match="nothing observed.*score 0") as caught:
        scores, n_observed = model.score_samples(X, return_n_observed=True)
    assert len(caught) == 1
    assert (scores[2], n_observed[2]) == (0, 0)
    with pytest.warns(UserWarning, match="nothing known"):
        codes = model.transform(X)
    means = model.model_.features.statistics.mean
    np.testing.assert_allclose(codes[2], model.transform(means[None])[0], atol=1e-5)


def test_a_gap_in_columns_complete_at_fit_takes_their_mean_with_one_warning(
    rows: np.ndarray, quick: MakeModel
) -> None:
    model = quick().fit(rows)
    X = rows[:4].copy()
    X[1, 2] = X[3, 0] = X[3, 2] = np.nan
    with pytest.warns(UserWarning, match=r'training mean: "x0", "x2" \(2 rows\)') as caught:
        codes = model.transform(X)
    assert len(caught) == 1
    filled = np.where(np.isnan(X), model.model_.features.statistics.mean, X)
    np.testing.assert_allclose(codes, model.transform(filled), atol=1e-6)


def test_a_changed_constant_is_reported(rows: np.ndarray, quick: MakeModel) -> None:
    X = np.column_stack([rows, np.full(len(rows), 4.0)])
    model = quick().fit(X)
    changed = X.copy()
    changed[:3, 5] = 5
    with pytest.warns(UserWarning, match=r'constant column "x5".*4\.0 \(3 rows\)'):
        scores = model.score_samples(changed)
    assert np.array_equal(scores, model.score_samples(X))  # a constant costs 0 nats
    assert (model.reconstruct(X)[:, 5] == 4).all()


def test_levels_that_fit_never_saw_are_reported(table: pl.DataFrame, table_model: Autoencoder) -> None:
    new = table.with_columns(pl.lit("paris").alias("city"), pl.lit(8.0).alias("constant"))
    with pytest.warns(UserWarning) as caught:  # noqa: PT030  several warnings, read below
        scores = table_model.score_samples(new)
    told = [str(warning.message) for warning in caught]
    assert len(told) == 2
    assert any('"city": unseen values, encoded as "other" (80 rows)' in text for text in told)
    assert any('constant column "constant"' in text for text in told)
    assert np.isfinite(scores).all()
