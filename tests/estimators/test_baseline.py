from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import PCA

from isthmus.data.splitting import held_out_rows
from isthmus.estimators import Autoencoder, preparing
from isthmus.estimators.baseline import column_errors
from isthmus.estimators.card import figure_rows

MakeModel = Callable[..., Autoencoder]


def pca_error(train: np.ndarray, test: np.ndarray, k: int) -> float:
    pca = PCA(k).fit(train)
    return float(np.mean(np.sum((pca.inverse_transform(pca.transform(test)) - test) ** 2, axis=1)))


@pytest.mark.parametrize("streamed", [False, True])
def test_the_figures_of_an_array_are_in_data_units(
    rows: np.ndarray, quick: MakeModel, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    if streamed:
        monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    model = quick().fit(rows)
    out = held_out_rows(len(rows), 0.1, 0)
    train, test = rows[~out], rows[out]
    metrics = model.metrics_
    assert (metrics["rows"], metrics["n_rows"], metrics["units"]) == ("held-out", 12, "data units")
    assert metrics["pca_squared_error"] == pytest.approx(pca_error(train, test, 2), rel=1e-4)
    means = np.mean(np.sum((test - train.mean(axis=0)) ** 2, axis=1))
    assert metrics["mean_squared_error"] == pytest.approx(means, rel=1e-5)
    ours = np.mean(np.sum((test - model.reconstruct(test)) ** 2, axis=1))
    assert metrics["squared_error"] == pytest.approx(ours, rel=1e-5)
    assert metrics["score"] == pytest.approx(model.score(test), rel=1e-9)
    assert model.n_training_rows_ == len(train)


def test_the_figures_of_given_and_of_training_rows(rows: np.ndarray, quick: MakeModel) -> None:
    given = quick().fit(rows[:90], validation_data=rows[90:]).metrics_
    assert given["pca_squared_error"] == pytest.approx(pca_error(rows[:90], rows[90:], 2), rel=1e-4)
    training = quick(validation_fraction=0).fit(rows).metrics_
    assert training["pca_squared_error"] == pytest.approx(pca_error(rows, rows, 2), rel=1e-4)


def test_pixels_are_measured_in_their_own_units(quick: MakeModel) -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(60, 3, 3), dtype=np.uint8)
    metrics = quick(validation_fraction=0, likelihood="continuous_bernoulli").fit(images).metrics_
    flat = images.reshape(60, -1).astype(float)
    assert metrics["pca_squared_error"] == pytest.approx(pca_error(flat, flat, 2), rel=1e-4)


def test_the_figures_of_a_table_are_in_standard_deviations_and_shares(quick: MakeModel) -> None:
    rng = np.random.default_rng(0)
    number, flag = rng.normal(5, 3, 60), rng.random(60) < 0.2
    city = rng.choice(["a", "b", "c"], 60, p=[0.6, 0.3, 0.1])
    frame = pl.DataFrame({"number": number, "flag": flag, "city": city})
    model = quick(validation_fraction=0).fit(frame)
    metrics, restored = model.metrics_, model.reconstruct(frame)
    assert metrics["units"] == "training standard deviations"
    error = np.mean((restored["number"].to_numpy() - number) ** 2) / number.var()
    assert metrics["squared_error"] == pytest.approx(error, rel=1e-4)
    assert metrics["mean_squared_error"] == pytest.approx(1, rel=1e-5)
    right = np.mean([restored["flag"].to_numpy() == flag, restored["city"].to_numpy() == city])
    assert metrics["accuracy"] == pytest.approx(right)
    usual = np.mean([~flag, city == "a"])
    assert metrics["mean_accuracy"] == pytest.approx(usual)
    assert 0 <= metrics["pca_accuracy"] <= 1
    rows = figure_rows(metrics)
    assert [row[0].split(",")[0] for row in rows] == [
        "squared error per row (training standard deviations²)",
        "share of categories reconstructed rightly",
    ]


def test_missing_entries_are_left_out_of_the_figures(quick: MakeModel) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[::2, 0] = np.nan
    model = quick(validation_fraction=0).fit(X)
    ours = np.nansum((model.reconstruct(X) - X) ** 2) / len(X)
    assert model.metrics_["squared_error"] == pytest.approx(ours, rel=1e-5)
    batch = next(preparing.value_blocks(source(X), model.schema_, model.model_.features))
    each = column_errors(model.model_, batch)["squared_error"]
    np.testing.assert_allclose(each, np.nanmean((model.reconstruct(X) - X) ** 2, axis=0), rtol=1e-4)


def source(X: np.ndarray) -> object:
    from isthmus.data.sources import as_source

    return as_source(X)


def test_a_table_of_labels_alone_has_no_squared_error(quick: MakeModel) -> None:
    frame = pl.DataFrame({"a": ["x", "y", "z"] * 10, "b": ["u", "u", "v"] * 10})
    metrics = quick().fit(frame).metrics_
    assert "squared_error" not in metrics
    assert 0 <= metrics["accuracy"] <= 1
