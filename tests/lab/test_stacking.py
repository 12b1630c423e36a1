from __future__ import annotations

import numpy as np
import pytest

from isthmus.lab import stacking
from isthmus.lab._digits import Digits, split_digits


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Digits:
    """Return fewer digits, for fewer seeds, sizes and steps."""
    monkeypatch.setattr(stacking, "SEEDS", (0,))
    monkeypatch.setattr(stacking, "SIZES", (10, 40))
    monkeypatch.setattr(stacking, "N_STEPS", {"silu": 20})
    digits = split_digits()
    return Digits(digits.train[:200], digits.test[:100], digits.train_labels[:200], digits.test_labels[:100])


def test_both_starts_are_compared_on_the_same_rows(few: Digits) -> None:
    errors = stacking.compare(few, "silu")
    assert errors.pretrained.shape == errors.random.shape == (1, 2)
    assert errors.gains == pytest.approx(errors.random[0] - errors.pretrained[0])
    assert not np.array_equal(errors.pretrained, errors.random)
    assert 0 < errors.pretrained[0, 1] < errors.pretrained[0, 0] < 0.9


def test_more_labels_are_added_to_those_told_before(few: Digits) -> None:
    some, more = stacking.labelled_rows(few, 10, 3), stacking.labelled_rows(few, 40, 3)
    assert np.array_equal(some, more[:10])
    assert len(set(more.tolist())) == 40
    assert not np.array_equal(some, stacking.labelled_rows(few, 10, 4))


def test_logistic_regression_errs_less_with_more_labels(few: Digits) -> None:
    linear = stacking.linear_errors(few)
    assert linear.shape == (2,)
    assert 0.9 > linear[0] > linear[1] > 0


def test_the_claim_fails_where_starts_are_alike_or_swapped(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = np.array([[0.2, 0.2, 0.1, 0.1]]), np.array([[0.3, 0.3, 0.2, 0.1]])
    monkeypatch.setattr(stacking, "linear_errors", lambda digits: good[0])
    monkeypatch.setattr(stacking, "compare", lambda digits, activation: stacking.Errors(good, bad))
    assert stacking.claim().confirmed
    monkeypatch.setattr(stacking, "compare", lambda digits, activation: stacking.Errors(bad, good))
    assert not any(number.agrees for number in stacking.claim().numbers.values())


@pytest.mark.slow
def test_layers_trained_first_need_fewer_labels() -> None:
    claim = stacking.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 5
