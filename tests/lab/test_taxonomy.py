from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from isthmus.lab import taxonomy
from isthmus.lab.taxonomy import (
    DIGITS,
    ISOMAP,
    KEPT_ON_DIGITS,
    KEPT_ON_ROLL,
    LABELLED,
    LINEAR,
    LLE,
    METHODS,
    PLAIN,
    ROLL,
    Kept,
    Mapped,
)


class Unrolled:
    """Maps points of an example to their truth."""

    def fit(self, X: Any, y: Any) -> Any:
        return self

    def transform(self, X: Any) -> Any:
        given = taxonomy.examples()[ROLL]
        return given.truth if len(X) == len(given.truth) else given.test_truth


def test_the_true_sheet_keeps_all_neighbours() -> None:
    found = taxonomy.make_map(Unrolled(), taxonomy.examples()[ROLL])
    assert found.own == found.held_out == Kept(1.0, 1.0)


def test_examples_are_apart_and_the_roll_is_cut_in_four_along_its_length() -> None:
    given = taxonomy.examples()[ROLL]
    assert given.train.shape == (1000, 3)
    assert given.test.shape == (500, 3)
    assert np.bincount(given.labels) == pytest.approx([250] * 4, abs=40)
    parts = [given.truth[given.labels == part, 0] for part in range(4)]
    assert all(a.max() <= b.min() for a, b in pairwise(parts))


def test_trustworthiness_is_sklearns_where_neighbours_are_the_rows_own() -> None:
    given = taxonomy.examples()[DIGITS]
    found = taxonomy.make_map(PCA(2, random_state=0), given)
    codes = PCA(2, random_state=0).fit_transform(given.train)
    assert found.own.trust == pytest.approx(trustworthiness(given.train, codes, n_neighbors=10), abs=1e-3)
    assert found.held_out is not None
    assert found.held_out.trust < found.own.trust


def test_every_number_fails_where_maps_are_others() -> None:
    def numbers(linear: float, others: float, plain: float) -> list[bool]:
        def one(share: float, trust: float) -> Mapped:
            return Mapped(np.zeros((1, 2)), Kept(trust, share), Kept(trust, share))

        roll = {name: one(others, 0.95) for name in METHODS}
        roll |= {name: one(linear, 0.95) for name in (LINEAR, LABELLED)}
        digits = dict(roll) | {name: one(linear, 0.95) for name in (ISOMAP, LLE)}
        roll[PLAIN] = digits[PLAIN] = one(others, plain)
        return [n.agrees for n in taxonomy._numbers({ROLL: roll, DIGITS: digits}).values()]

    assert numbers(0.1, 0.9, 0.94) == [True] * len(numbers(0.1, 0.9, 0.94))
    wrong = numbers(0.9, 0.1, 0.96)
    # Held-out rows of the digits are trustworthy here.
    assert wrong == [False] * (len(KEPT_ON_ROLL) + 1 + len(KEPT_ON_DIGITS)) + [True, True]
    assert numbers(0.1, 0.9, 0.5)[-2:] == [False, True]


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = taxonomy.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 16
