"""The densities that `fit` measures on held-out rows, beside those of PCA and of independent columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from isthmus.data.splitting import held_out_rows
from isthmus.estimators import Autoencoder, VariationalAutoencoder, VectorQuantizedAutoencoder, density
from isthmus.estimators.density import GREY_NOTE, density_note

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
DENSITY = ("log_likelihood", "log_likelihood_std_error", "log_likelihood_is", "independent_log_likelihood")


def split(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    out = held_out_rows(len(X), 0.1, 0)
    return X[~out], X[out]


def test_the_figures_are_of_held_out_rows(rows: np.ndarray) -> None:
    model = VariationalAutoencoder(2, **SHORT).fit(rows)
    train, test = split(rows)
    metrics = model.metrics_
    found = model.mean_density(test)
    assert metrics["log_likelihood"] == pytest.approx(found.mean, rel=1e-9)
    assert metrics["log_likelihood_std_error"] == pytest.approx(found.std_error, rel=1e-6)
    assert (metrics["log_likelihood_n_rows"], found.n_rows, found.n_samples) == (12, 12, 128)
    assert metrics["pca_log_likelihood"] == pytest.approx(PCA(2).fit(train).score(test), rel=1e-4)
    # The model's columns share one scale; columns by themselves do not.
    alone = stats.norm.logpdf(test, train.mean(axis=0), train.std(axis=0)).sum(axis=1)
    assert metrics["independent_log_likelihood"] == pytest.approx(alone.mean(), rel=1e-3)


def test_independent_counts_are_fitted_by_maximum_likelihood() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.poisson(8, 2000), "b": rng.negative_binomial(2, 0.2, 2000)})
    model = VariationalAutoencoder(1, validation_fraction=0.0, **SHORT).fit(frame)
    a, b = frame.to_numpy().T
    mean, variance = b.mean(), b.var()
    size = mean**2 / (variance - mean)  # by moments; the most likely one is no worse
    alone = (
        stats.poisson.logpmf(a, a.mean()).mean() + stats.nbinom.logpmf(b, size, size / (size + mean)).mean()
    )
    assert model.metrics_["independent_log_likelihood"] == pytest.approx(alone, abs=0.02)


def test_of_a_table_they_are_in_nats_of_the_data_as_given(rows: np.ndarray) -> None:
    frame = pl.DataFrame(rows, schema=list("abcde"))
    metrics = VariationalAutoencoder(2, **SHORT).fit(frame).metrics_
    train, test = split(rows)
    alone = stats.norm.logpdf(test, train.mean(axis=0), train.std(axis=0)).sum(axis=1).mean()
    assert metrics["independent_log_likelihood"] == pytest.approx(alone, rel=0.02)
    sd = train.std(axis=0)
    pca = PCA(2).fit(train / sd).score(test / sd) - np.log(sd).sum()  # PCA of columns in standard deviations
    assert metrics["pca_log_likelihood"] == pytest.approx(pca, rel=1e-4)


def test_pca_stands_aside_where_it_has_no_density(mixed_table: pl.DataFrame, rows: np.ndarray) -> None:
    gaps = rows.copy()
    gaps[3, 2] = np.nan
    flat = np.random.default_rng(0).normal(size=(60, 2)) @ np.ones((2, 4))
    for data in (mixed_table, gaps, flat, rows[:, :1]):
        metrics = VariationalAutoencoder(2, **SHORT).fit(data).metrics_
        assert "pca_log_likelihood" not in metrics
        assert set(DENSITY) <= set(metrics)


def test_models_without_a_density_have_no_figure_of_it(rows: np.ndarray) -> None:
    model = Autoencoder(2, **SHORT).fit(rows)
    assert not any("log_likelihood" in name for name in model.metrics_)
    assert density_note(model) == "log p(x given z(x)), which is not a density"


def test_what_the_figure_is_is_said(rows: np.ndarray) -> None:
    grey = np.random.default_rng(0).random((60, 4))
    for likelihood, data, said in (
        ("auto", rows, "log p(x), a lower bound"),
        ("bernoulli", grey > 0.5, "log p(x), a lower bound"),
        ("bernoulli:binarize=threshold", grey, "log p(x), a lower bound"),
        ("bernoulli", grey, "of grey values a cross-entropy: not a density"),
        ("bernoulli:binarize=dynamic", grey, "of grey values a cross-entropy: not a density"),
    ):
        model = VariationalAutoencoder(2, likelihood=likelihood, **SHORT).fit(data)
        note = density_note(model)
        assert note.endswith((said, said + ")")), likelihood
        # Of the rows of the fit it is known whether they are grey.
        told = GREY_NOTE if data is grey and "threshold" not in likelihood else note
        assert model.metrics_["log_likelihood_is"] == told


def test_tokens_have_a_figure_without_noise(rows: np.ndarray) -> None:
    metrics = VectorQuantizedAutoencoder(4, **SHORT).fit(rows).metrics_
    assert metrics["log_likelihood_std_error"] == 0
    assert metrics["log_likelihood"] < metrics["score"]  # tokens cost nats too


@pytest.mark.filterwarnings("ignore:.*nothing observed")
@pytest.mark.parametrize("kind", [VariationalAutoencoder, VectorQuantizedAutoencoder])
@pytest.mark.parametrize("n_samples", [3, 1500])
def test_rows_with_nothing_observed_have_probability_1(rows: np.ndarray, kind: Any, n_samples: int) -> None:
    model = kind(2, **SHORT).fit(rows)
    X = rows[:4].copy()
    X[1] = np.nan
    values, errors = model.score_samples(X, n_samples=n_samples, return_std_error=True)
    assert (values[1], errors[1]) == (0, 0)
    assert (values[[0, 2, 3]] != 0).all()
    rest = model.score_samples(X[[0, 2, 3]], n_samples=n_samples).sum()
    assert model.bits_per_dim(X, n_samples=n_samples) == pytest.approx(-rest / X[[0, 2, 3]].size / np.log(2))
    assert np.isnan(model.bits_per_dim(X[[1, 1]], n_samples=n_samples))


def test_many_rows_are_not_all_measured(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(density, "FIGURE_ROWS", 7)
    metrics: dict[str, Any] = VariationalAutoencoder(2, **SHORT).fit(rows).metrics_
    assert (metrics["log_likelihood_n_rows"], metrics["n_rows"]) == (7, 12)


def test_figures_of_many_sorted_rows_are_of_rows_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.estimators.density.FIGURE_ROWS", 40)
    rng = np.random.default_rng(0)
    sorted_rows = np.concatenate([rng.normal(-5, 0.1, size=(400, 3)), rng.normal(5, 2.0, size=(400, 3))])
    model = VariationalAutoencoder(1, validation_fraction=0.0, **SHORT).fit(sorted_rows)
    evenly = sorted_rows[np.linspace(0, 799, 40).round().astype(int)]
    assert model.metrics_["log_likelihood"] == pytest.approx(model.score(evenly), rel=1e-6)
