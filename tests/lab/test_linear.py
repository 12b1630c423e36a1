from __future__ import annotations

import numpy as np
import pytest

from isthmus.lab import linear


@pytest.mark.slow
def test_linear_autoencoder_is_pca() -> None:
    claim = linear.claim()
    assert claim.confirmed, claim.numbers
    # No linear map of this rank does better than PCA, so a ratio below 1 would be a wrong measurement.
    ratios = [number.measured for name, number in claim.numbers.items() if "/ PCA's" in name]
    assert len(ratios) == 3
    assert min(ratios) > 1 - 1e-6


def test_the_comparison_measures_against_the_best_subspace() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)) * [5.0, 3.0, 0.5]
    comparison = linear.compare(X, 2)
    singular = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    least = np.sum((X - comparison.pca_reconstruction) ** 2)
    assert least == pytest.approx(singular[2] ** 2)
    assert np.sum((X - comparison.reconstruction) ** 2) == pytest.approx(comparison.ratio * least)
    assert comparison.angle < 0.05
