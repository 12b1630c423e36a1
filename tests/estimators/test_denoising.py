from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

from isthmus.estimators import Autoencoder, DenoisingAutoencoder


def zeroed(X: np.ndarray, seed: int) -> np.ndarray:
    return X * (np.random.default_rng(seed).random(X.shape) >= 0.3)


@pytest.mark.slow
def test_it_restores_damaged_digits_better_than_a_plain_one_and_pca() -> None:
    # One of the three seeds of benchmarks/denoising.py.
    train, test = train_test_split(load_digits().data, test_size=397, random_state=0)
    damaged = zeroed(test, 0)

    def error(restored: np.ndarray) -> float:
        return float(np.mean(np.sum((restored - test) ** 2, axis=1)))

    denoising = DenoisingAutoencoder(random_state=0).fit(train)
    plain = Autoencoder(random_state=0).fit(train)
    pca = PCA(plain.n_components_).fit(train)
    ours = error(denoising.reconstruct(damaged))
    assert ours <= 0.75 * error(plain.reconstruct(damaged))
    assert ours < error(pca.inverse_transform(pca.transform(damaged)))


@pytest.mark.parametrize(
    "corruption", ["masking:p=0.5", "gaussian_noise:sd=1.0", "salt_and_pepper", "swap_noise"]
)
def test_every_corruption_damages_rows_in_training_only(rows: np.ndarray, corruption: str) -> None:
    quick = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
    model = DenoisingAutoencoder(2, corruption=corruption, **quick).fit(rows)
    plain = Autoencoder(2, **quick).fit(rows)
    assert not np.array_equal(model.transform(rows), plain.transform(rows))
    assert np.array_equal(model.transform(rows), model.transform(rows))
    # The noise of the held-out loss is drawn once for a fit: no rate, no change.
    still = DenoisingAutoencoder(2, corruption=corruption, learning_rate=1e-30, **quick).fit(rows)
    losses = [row["validation_loss"] for row in still.history_]
    assert losses[0] == pytest.approx(losses[-1], rel=1e-6)


def test_a_corruption_that_does_nothing_is_the_plain_autoencoder(rows: np.ndarray) -> None:
    quick = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
    model = DenoisingAutoencoder(2, corruption="masking:p=0.0", **quick).fit(rows)
    assert np.array_equal(model.transform(rows), Autoencoder(2, **quick).fit(rows).transform(rows))


def test_in_a_table_masked_entries_are_flagged_so_that_missing_ones_need_no_warning(
    table: pl.DataFrame,
) -> None:
    features = table.drop("key", "label", "importance")
    model = DenoisingAutoencoder(2, hidden_sizes=(8,), max_epochs=2, random_state=0).fit(features)
    gone = features.with_columns(pl.lit(None, dtype=pl.Float64).alias("x"))
    assert np.isfinite(model.score_samples(gone)).all()


@pytest.mark.slow
def test_on_gaussian_data_it_is_tweedies_formula_and_shrinks_each_component() -> None:
    # r(x~) = x~ + s^2 grad log p_s(x~), p_s = N(mean, cov + s^2 I): component i keeps l_i / (l_i + s^2).
    rng, s = np.random.default_rng(0), 1.0
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    X = rng.normal(size=(4000, 3)) * [2.0, 1.0, 0.5] @ axes.T + [1, 2, 3]
    model = DenoisingAutoencoder(
        3,
        hidden_sizes=(),
        corruption=f"gaussian_noise:sd={s}",
        validation_fraction=0.0,
        max_epochs=120,
        random_state=0,
    ).fit(X)
    mean, cov = X.mean(axis=0), np.cov(X.T, bias=True)
    noisy = X[:500] + s * rng.normal(size=(500, 3))
    restored = model.reconstruct(noisy)
    score = -(noisy - mean) @ np.linalg.inv(cov + s**2 * np.eye(3))
    np.testing.assert_allclose(restored, noisy + s**2 * score, atol=0.08)
    assert np.abs(restored - noisy).max() > 2  # far more than the tolerance
    lengths, directions = np.linalg.eigh(cov)
    slopes = np.linalg.lstsq(noisy - noisy.mean(axis=0), restored - restored.mean(axis=0), rcond=None)[0]
    kept = np.diag(directions.T @ slopes @ directions)
    np.testing.assert_allclose(kept, lengths / (lengths + s**2), atol=0.015)
