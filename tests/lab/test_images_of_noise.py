from __future__ import annotations

from dataclasses import replace
from decimal import Context

import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus.lab import images_of_noise as noise
from isthmus.lab._digits import split_digits


@pytest.mark.parametrize(
    ("base", "exponent", "power"), [(10, 3, 3), (2, 10, 3), (999, 1, 2), (1000, 1, 3), (256, 0, 0), (2, 9, 2)]
)
def test_known_powers_of_ten(base: int, exponent: int, power: int) -> None:
    assert noise.power_of_ten(base, exponent) == power


def test_the_number_of_images_agrees_with_decimal_arithmetic() -> None:
    number = Context(prec=50, Emax=10**6, Emin=-(10**6)).power(256, 40000)
    assert noise.power_of_ten(256, 40000) == number.adjusted() == 96329


def test_neighbors_of_a_ramp_are_alike_and_those_of_a_checkerboard_opposite() -> None:
    rows, columns = np.indices((8, 9))
    assert noise.likeness_of_neighbors(columns.astype(float)) == pytest.approx(1)
    assert noise.likeness_of_neighbors(((rows + columns) % 2).astype(float)) == pytest.approx(-1, abs=0.05)


def test_the_photograph_is_grey_and_of_the_size_named() -> None:
    photo = noise.photograph()
    assert photo.shape == (200, 200)
    assert 0 <= photo.min() < photo.max() <= 255


def test_the_spread_kept_is_that_of_the_learned_rows_by_pca_itself() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4)) * [4, 3, 2, 1]
    pca = PCA().fit(rows)
    assert noise.spread_kept(pca, rows) == pytest.approx(np.cumsum(pca.explained_variance_ratio_))


def test_the_claim_is_confirmed_and_fails_for_digits_in_place_of_noise() -> None:
    claim = noise.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 8
    digits = split_digits()
    found = noise._measure(digits)
    swapped = replace(
        found,
        photo=found.noise,
        noise=found.photo,
        noise_rows=digits.test,
        to_noise=found.to_digits,
        kept_of_noise=found.kept_of_digits,
        kept_of_digits=found.kept_of_noise,
    )
    assert not any(number.agrees for number in noise._numbers(swapped, digits, 96330).values())
