from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus.lab import axes
from isthmus.lab._digits import split_digits
from isthmus.lab.axes import INK, SLANT, STEPS, Meaning


def test_slant_is_the_lean_of_a_stroke_and_ink_its_pixels() -> None:
    upright, right, flat = np.zeros((3, 8, 8))
    upright[:, 3] = 2
    right[np.arange(8), 7 - np.arange(8)] = 1  # the top row's pixel is rightmost
    flat[2:4, 1:7] = 1
    rows = np.stack([upright, right, right[:, ::-1], flat]).reshape(4, 64)
    assert axes.slant(rows) == pytest.approx([0, 1, -1, 0], abs=1e-12)
    assert axes.ink(rows).tolist() == [16, 8, 8, 12]
    # Neither more ink nor another place changes the lean.
    assert axes.slant(3 * rows) == pytest.approx(axes.slant(rows))
    assert axes.slant(np.roll(upright, 2, axis=1).reshape(1, 64)) == pytest.approx([0])


def test_values_within_a_label_have_mean_0() -> None:
    labels = np.repeat(np.arange(10), 3)
    found = axes.within(np.arange(30.0), labels)
    assert found.tolist() == [-1, 0, 1] * 10


def test_a_walk_moves_one_component_only() -> None:
    codes = np.arange(6.0).reshape(3, 2)
    walked = axes.walks(codes, 1, 0.5)
    assert walked.shape == (3, 9, 2)
    assert np.array_equal(walked[:, :, 0], np.repeat(codes[:, :1], 9, axis=1))
    assert walked[0, :, 1] == pytest.approx(np.linspace(-1, 1, 9))


def test_a_linear_map_changes_in_proportion_and_tells_linear_properties() -> None:
    digits = split_digits()
    pca = PCA(61, random_state=0).fit(digits.train)  # the other axes are constant
    moves = axes.changes(pca, pca.transform(digits.test))
    # A rotation: as far in pixels as in codes.
    np.testing.assert_allclose(moves, np.tile(STEPS, (597, 1)), rtol=1e-3)
    found = axes.meaning(pca, digits, INK)
    assert found.r2 == pytest.approx(1.0)
    assert found.walked == pytest.approx(1.0)
    assert axes.meaning(pca, digits, SLANT).r2 < 0.999


def test_an_axis_that_is_the_property_is_found_whatever_its_sign() -> None:
    digits = split_digits()

    class Told:
        def transform(self, X: Any) -> Any:
            return np.stack([np.cos(np.arange(len(X))), -axes.ink(X)], axis=1)

        def inverse_transform(self, Z: Any) -> Any:
            return np.repeat(-Z[:, 1:] / 64, 64, axis=1)

    found = axes.meaning(Told(), digits, INK)
    assert found.best == 1
    assert found.correlations[1] == pytest.approx(-1)
    assert (found.r2, found.walked) == pytest.approx((1, 1))


def test_every_number_fails_where_the_map_is_another() -> None:
    fine = {name: Meaning(np.array([0.1, -0.9]), 0.9, 1.0) for name in (INK, SLANT)}
    wrong = {name: Meaning(np.array([0.1, -0.2]), 0.2, 0.5) for name in (INK, SLANT)}
    linear = np.tile(STEPS, (3, 1))
    jumping = np.tile(np.ones(len(STEPS)), (3, 1)) * np.array([[1.0], [2.0], [9.0]])
    assert all(number.agrees for number in axes._numbers(linear, fine, wrong).values())
    assert not any(number.agrees for number in axes._numbers(jumping, wrong, fine).values())


@pytest.mark.slow
def test_the_claim_is_confirmed() -> None:
    claim = axes.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 9
