from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from isthmus.estimators import Autoencoder


@pytest.mark.parametrize("factor", [1, 1000])
def test_the_linear_one_is_pca(rows: np.ndarray, factor: float) -> None:
    X = factor * rows
    short = {"validation_fraction": 0.0, "max_epochs": 350, "random_state": 0}
    model = Autoencoder(2, hidden_sizes=(), **short).fit(X)
    pca = PCA(2).fit(X)
    ours, theirs = model.reconstruct(X), pca.inverse_transform(pca.transform(X))
    assert np.sum((X - ours) ** 2) / np.sum((X - theirs) ** 2) == pytest.approx(1, abs=1e-3)
    spanned = np.linalg.svd(ours - ours.mean(axis=0), full_matrices=False)[2][:2]
    assert subspace_angles(spanned.T, pca.components_.T).max() < 0.05


def test_a_deep_one_bends_where_pca_cannot() -> None:
    angle = np.random.default_rng(0).uniform(-2, 2, 400)
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    model = Autoencoder(1, hidden_sizes=(32,), max_epochs=120, random_state=0).fit(X)
    assert model.metrics_["squared_error"] < 0.05 * model.metrics_["pca_squared_error"]


def test_a_time_far_from_zero_keeps_its_digits() -> None:
    # 1.7e9 + N(0, 30) in float32 keeps 3 different values.
    X = 1.7e9 + np.random.default_rng(0).normal(0, 30, size=(60, 2)) @ np.ones((2, 3))
    model = Autoencoder(1, hidden_sizes=(), validation_fraction=0.0, max_epochs=300, random_state=0).fit(X)
    assert np.abs(model.reconstruct(X) - X).max() < 1
