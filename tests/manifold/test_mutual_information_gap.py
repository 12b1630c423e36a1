from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from isthmus.errors import InputError
from isthmus.manifold.mutual_information_gap import mutual_information_gap

rng = np.random.default_rng(0)
FACTORS = rng.integers(0, 4, size=(4000, 2))
NOISE = rng.normal(size=(4000, 1))


def test_a_latent_for_each_factor_has_the_gap_1_and_turned_ones_0() -> None:
    found = mutual_information_gap(np.hstack([FACTORS, NOISE]), FACTORS)
    assert found.by_factor == pytest.approx([1, 1], abs=0.02)
    assert found.value == pytest.approx(found.by_factor.mean())
    assert found.information.shape == (3, 2)
    turned = FACTORS @ np.array([[1, 1], [-1, 1]])
    assert mutual_information_gap(turned, FACTORS).value == pytest.approx(0, abs=0.02)


def test_the_gap_by_hand() -> None:
    # The first latent tells the factor, the second whether it is above 1: half of its two bits.
    factor = np.tile(np.arange(4), 10)
    found = mutual_information_gap(np.stack([factor, factor > 1], axis=1), factor[:, None])
    assert found.information.ravel() == pytest.approx([math.log(4), math.log(2)])
    assert found.value == pytest.approx(0.5)


def test_a_factor_told_twice_has_no_gap() -> None:
    assert mutual_information_gap(np.hstack([FACTORS[:, :1]] * 2), FACTORS[:, :1]).value == 0


def test_information_of_levels_is_sklearns() -> None:
    codes = rng.integers(0, 6, size=(4000, 2)) + FACTORS
    found = mutual_information_gap(codes, FACTORS).information
    expected = [[mutual_info_score(code, factor) for factor in FACTORS.T] for code in codes.T]
    assert found == pytest.approx(np.array(expected), abs=1e-12)


def test_monotone_functions_change_nothing_and_bins_hold_equally_many_rows() -> None:
    codes, factors = rng.normal(size=(2, 4000, 2))
    codes[:, 0] += 3 * factors[:, 0]
    found = mutual_information_gap(codes, factors)
    other = mutual_information_gap(np.exp(codes), -(factors**3))
    assert found.information == pytest.approx(other.information, abs=1e-12)
    # A latent that is the factor tells all of it: the entropy of equal bins.
    same = mutual_information_gap(np.hstack([factors, NOISE]), factors, n_bins=8)
    assert np.diag(same.information) == pytest.approx([math.log(8)] * 2)


def test_noise_tells_as_much_as_the_formula_says() -> None:
    latents, factors = rng.normal(size=(4000, 2)), rng.normal(size=(4000, 3))
    found = mutual_information_gap(latents, factors, n_bins=10).information
    assert found.mean() == pytest.approx(81 / 8000, rel=0.25)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one latent": ({"Z": FACTORS[:, :1]}, ">= 2"),
    "other rows": ({"factors": FACTORS[:5]}, "give "),
    "a constant": ({"factors": np.ones((4000, 1))}, "one value for all rows"),
    "a gap": ({"factors": np.full((4000, 1), np.nan)}, "NaN"),
    "a bin": ({"n_bins": 1}, "n_bins is 1"),
    "no factor": ({"factors": np.ones((4000, 0))}, "no factors"),
}


@pytest.mark.parametrize(("given", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        mutual_information_gap(**({"Z": FACTORS, "factors": FACTORS} | given))
