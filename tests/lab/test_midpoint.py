from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from isthmus.estimators import Autoencoder
from isthmus.lab import midpoint
from isthmus.lab._digits import split_digits
from isthmus.lab.midpoint import CODE, DATA, GRAPH, MOVED, REAL, STILL, Judge, Midpoints


def test_pairs_are_of_one_label_and_of_two_rows() -> None:
    labels = np.array([0, 1, 0, 1, 1, 0])
    pairs = midpoint.draw_pairs(labels, 200)
    assert np.array_equal(labels[pairs[:, 0]], labels[pairs[:, 1]])
    assert np.all(pairs[:, 0] != pairs[:, 1])
    assert len(np.unique(pairs, axis=0)) == 12


def test_the_judge_knows_digits_from_noise_and_from_other_digits() -> None:
    digits = split_digits()
    judge = Judge.of(digits)
    assert judge.share(digits.test, digits.test_labels) > 0.9
    assert judge.share(digits.test, (digits.test_labels + 1) % 10) < 0.05
    noise = np.random.default_rng(0).uniform(0, 16, size=(200, 64))
    assert judge.share(noise, judge.reader.predict(noise)) == 0


def test_digits_are_moved_about_those_held_out_too() -> None:
    digits = midpoint.moved_about(split_digits())
    assert digits.train.shape == (6000, 144)
    assert digits.test.shape == (2985, 144)
    assert len(np.unique(digits.test[:5], axis=0)) > 1
    assert np.array_equal(digits.test_labels[::5], split_digits().test_labels)


def test_half_way_is_half_way_in_pixels_and_in_codes() -> None:
    digits = split_digits()
    few = replace(digits, train=digits.train[:200], train_labels=digits.train_labels[:200])
    # A linear model: the mean of two codes gives the mean of what they stand for.
    model = Autoencoder(5, hidden_sizes=(), max_epochs=3, random_state=0)
    found = midpoint.measure(few, model)
    ends = [model.reconstruct(rows) for rows in (found.first, found.second)]
    assert found.between[CODE] == pytest.approx(np.mean(ends, axis=0), abs=1e-3)
    assert found.between[DATA] == pytest.approx((found.first + found.second) / 2)
    assert set(found.shares) == {REAL, DATA, CODE, GRAPH}


def test_every_number_fails_where_shares_are_others() -> None:
    nothing = Midpoints(np.zeros(0), np.zeros(0), {}, {REAL: 0.5, DATA: 0.6, CODE: 0.6, GRAPH: 0.5})
    numbers = midpoint._numbers({STILL: nothing, MOVED: nothing})
    assert not any(number.agrees for number in numbers.values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = midpoint.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 7
