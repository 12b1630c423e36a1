from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isthmus.lab import features
from isthmus.lab._digits import split_digits
from isthmus.lab.features import AE, DAE, FEATURES, LINEAR, PIXELS, SIZES, VAE


def test_labels_take_turns_in_an_order_that_depends_on_the_draw() -> None:
    labels = split_digits().train_labels
    order = features.balanced(labels, 0)
    assert np.array_equal(np.sort(order), np.arange(len(labels)))
    for n in (10, 50, 100):
        assert np.bincount(labels[order[:n]]).tolist() == [n // 10] * 10
    assert not np.array_equal(order[:10], features.balanced(labels, 1)[:10])


def test_features_that_are_the_label_are_read_at_once_and_noise_never() -> None:
    digits = split_digits()
    told = [np.eye(10)[labels] for labels in (digits.train_labels, digits.test_labels)]
    assert features.accuracies(digits, told[0], told[1], [0, 1]).tolist() == [[1.0] * len(SIZES)] * 2
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1200, 5)), rng.normal(size=(597, 5))
    assert (features.accuracies(digits, *noise, [0]) < 0.2).all()


def test_the_unit_of_the_features_does_not_matter() -> None:
    digits = split_digits()
    found = features.accuracies(digits, digits.train, digits.test, [0])
    other = features.accuracies(digits, 1000 * digits.train + 7, 1000 * digits.test + 7, [0])
    assert other == pytest.approx(found, abs=0.002)


def test_all_features_are_learned_without_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(features.SETTINGS, "max_epochs", 1)
    digits = split_digits()
    found = features.features(replace(digits, train_labels=np.full(1200, -1)), 0)
    assert list(found) == [PIXELS, *FEATURES]
    assert found[PIXELS][0] is digits.train
    for name in FEATURES:
        assert [part.shape for part in found[name]] == [(1200, 20), (597, 20)]


def test_every_number_fails_where_accuracies_are_others() -> None:
    level = np.full((2, len(SIZES)), 0.8)
    fine = {PIXELS: level, LINEAR: level, DAE: level + np.linspace(0.05, 0, len(SIZES))}
    fine |= {AE: level - 0.01, VAE: level - 0.01}
    assert all(number.agrees for number in features._numbers(fine).values())
    wrong = {PIXELS: level, LINEAR: level - 0.02, DAE: level - np.linspace(0, 0.02, len(SIZES))}
    wrong |= {AE: level + 0.01, VAE: level + 0.01}
    assert not any(number.agrees for number in features._numbers(wrong).values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = features.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 12
