from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isthmus.lab import denoising
from isthmus.lab._digits import Digits, split_digits


def test_the_correlation_of_known_images() -> None:
    row, column = np.mgrid[:8, :8]
    checks, stripes = (-1.0) ** (row + column), (-1.0) ** row
    assert denoising.neighbour_correlation(checks[None]) == pytest.approx(-1)
    assert denoising.neighbour_correlation(stripes[None]) == pytest.approx(0)  # alike across, opposite down
    assert denoising.neighbour_correlation((row + column)[None] + 5.0) > 0.6
    assert denoising.neighbour_correlation(np.stack([checks, stripes])) == pytest.approx(-0.5)
    noise = np.random.default_rng(0).normal(size=(2000, 8, 8))
    assert denoising.neighbour_correlation(noise) == pytest.approx(-1 / 64, abs=0.01)


def test_filters_are_the_weights_in_the_places_of_their_pixels() -> None:
    X = np.random.default_rng(0).normal(size=(50, 64))
    X[:, 9] = 3.0  # constant: not seen
    model = denoising.fit_layer(X, noise=1.0)
    found = denoising.filters(model)
    assert found.shape == (100, 8, 8)
    assert np.all(found[:, 1, 1] == 0)
    assert np.count_nonzero(found) == 100 * 63
    codes = 1 / (1 + np.exp(-_standardised(X) @ found.reshape(100, 64).T - _bias(model)))
    assert model.transform(X) == pytest.approx(codes, abs=1e-4)


def _standardised(X: np.ndarray) -> np.ndarray:
    return (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)


def _bias(model: Any) -> np.ndarray:
    return model.model_.encoder[0].bias.detach().numpy()


def test_the_error_with_few_labels_is_that_of_what_the_features_tell() -> None:
    labels = np.arange(600) % 10
    digits = Digits(np.empty((300, 64)), np.empty((300, 64)), labels[:300], labels[300:])
    told = np.eye(10)[labels]
    assert denoising.few_label_error(told[:300], told[300:], digits) == 0
    # Neither scale nor draw matters to what is told; features that tell nothing leave nine of ten.
    assert denoising.few_label_error(1e-3 * told[:300], 1e-3 * told[300:], digits, draws=[7]) == 0
    blind = np.random.default_rng(0).normal(size=(600, 5))
    assert denoising.few_label_error(blind[:300], blind[300:], digits) == pytest.approx(0.9, abs=0.05)


@pytest.mark.slow
def test_noise_smooths_filters_and_the_error_is_a_u() -> None:
    claim = denoising.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 5


def test_the_claim_fails_where_noise_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = denoising.Layer(np.ones((100, 8, 8)), 0.0, 0.1)
    worse = denoising.Layer(layer.filters, 0.1, 0.2)
    monkeypatch.setattr(
        denoising, "measure", lambda digits, *, noise=0.0, weight_decay=0.0: worse if noise else layer
    )
    agreeing = [number.agrees for number in denoising.claim().numbers.values()]
    assert agreeing == [True, True, False, True, False]
    worst = denoising.Layer(layer.filters, -0.1, 0.2)
    best = denoising.Layer(layer.filters, 0.0, 0.1)
    monkeypatch.setattr(
        denoising,
        "measure",
        lambda digits, *, noise=0.0, weight_decay=0.0: worst if 0 < noise < 32 else best,
    )
    assert not any(number.agrees for number in denoising.claim().numbers.values())


def test_one_fit_of_little_noise_on_digits() -> None:
    digits = split_digits()
    model = denoising.fit_layer(digits.train[:200], noise=4.0, seed=1)
    assert str(model.corruption) == "gaussian_noise:sd=4.0"
    assert model.transform(digits.train[:5]).shape == (5, 100)
