from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap

from isthmus.lab import swiss_roll
from isthmus.lab.swiss_roll import LINEAR, METHODS, OURS, REFERENCE


def test_the_length_of_the_spiral_is_its_integral() -> None:
    integral, _ = quad(lambda t: math.hypot(1, t), 0, 7.5)
    assert float(swiss_roll.roll_length(np.array(7.5))) == pytest.approx(integral)


def test_sheets_are_where_their_length_and_width_say() -> None:
    for shape, sheet in swiss_roll.sheets(200).items():
        order = np.argsort(sheet.length)
        flat = sheet.points[order][:, [0, 2]]
        # Neighbours on the curve are as far apart as their lengths differ: chords of short arcs.
        chords = np.linalg.norm(np.diff(flat, axis=0), axis=1)
        arcs = np.diff(sheet.length[order])
        assert np.all(chords <= arcs + 1e-9), shape
        assert chords.sum() == pytest.approx(arcs.sum(), rel=0.01), shape
        assert np.array_equal(sheet.points[:, 1], sheet.width), shape


def test_the_true_places_are_recovered_and_shuffled_ones_are_not() -> None:
    sheet = swiss_roll.sheets()["s-curve"]
    places = np.stack([sheet.length, sheet.width], axis=1)
    found = swiss_roll.recover(places, sheet)
    assert min(found.axis, found.width) > 0.97
    shuffled = swiss_roll.recover(np.random.default_rng(0).permutation(places), sheet)
    assert max(shuffled.axis, shuffled.width) < 0.2


def test_the_numbers_fail_where_methods_change_places() -> None:
    sheet = swiss_roll.sheets()["swiss roll"]
    flat, unrolled = (
        swiss_roll.recover(swiss_roll._codes(method, sheet.points), sheet)
        for method in (PCA(2), Isomap(n_neighbors=10))
    )
    right: dict[str, Any] = {LINEAR: flat, REFERENCE: unrolled, OURS: unrolled}
    assert all(n.agrees for n in swiss_roll._numbers({"swiss roll": right}).values())
    wrong: dict[str, Any] = {LINEAR: unrolled, REFERENCE: flat, OURS: flat}
    assert not any(n.agrees for n in swiss_roll._numbers({"swiss roll": wrong}).values())
    bent = replace(unrolled, axis=0.5)
    assert not all(n.agrees for n in swiss_roll._numbers({"swiss roll": right | {OURS: bent}}).values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = swiss_roll.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 12
    assert len(claim.figure.axes) == 2 * (1 + len(METHODS))
