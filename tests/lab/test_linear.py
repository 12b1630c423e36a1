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


def test_the_comparison_notices_another_subspace() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)) * [5.0, 3.0, 1.0, 0.5]
    comparison = linear.compare(X, 2)
    assert comparison.angle < 0.05
    error = np.sum((X - X[:, [0, 1, 2, 3]] * [1, 0, 1, 0] - 0) ** 2)
    assert error / np.sum((X - comparison.pca_reconstruction) ** 2) > 1.5
