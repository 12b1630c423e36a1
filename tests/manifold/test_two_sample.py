from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from isthmus.errors import InputError
from isthmus.manifold.two_sample import LEAST_ROWS, classifier_two_sample


def normal(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=shape)


def disc(seed: int, n: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(size=n))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def test_equal_normals_are_told_apart_as_often_as_the_standard_error_says() -> None:
    answers = [classifier_two_sample(normal(s, 60, 2), normal(s + 500, 60, 2), s) for s in range(40)]
    z = np.array([(accuracy - 0.5) / error for accuracy, error in answers])
    assert abs(z.mean()) < 3 / np.sqrt(40)
    assert 0.7 < z.std() < 1.35
    assert answers[0].standard_error == pytest.approx(1.25 * 0.5 / np.sqrt(120), rel=0.05)


def test_a_shift_is_seen_nearly_as_well_as_can_be() -> None:
    accuracy, error = classifier_two_sample(normal(0, 1500, 1), normal(1, 1500, 1) + 2)
    best = norm.cdf(1)  # .841, of the best classifier there can be, which knows both normals
    assert best - 0.03 - 3 * error < accuracy < best + 3 * error


def test_a_ring_is_no_disc() -> None:
    within = disc(0, 800)
    ring = within / np.linalg.norm(within, axis=1, keepdims=True) * 0.9
    assert classifier_two_sample(ring, disc(1, 800)).accuracy > 0.85


def test_a_sphere_in_many_dimensions_is_no_normal() -> None:
    # Column by column they are alike; only the rows' lengths differ.
    sphere = normal(0, 500, 16)
    sphere *= 4 / np.linalg.norm(sphere, axis=1, keepdims=True)
    assert classifier_two_sample(sphere, normal(1, 500, 16)).accuracy > 0.85


def test_two_columns_may_differ_in_how_they_go_together() -> None:
    x = normal(0, 600, 2)
    together = np.column_stack([x[:, 0], 0.95 * x[:, 0] + np.sqrt(1 - 0.95**2) * x[:, 1]])
    assert classifier_two_sample(together, normal(1, 600, 2)).accuracy > 0.7


def test_samples_that_share_nothing_are_always_told_apart_but_not_for_sure() -> None:
    accuracy, error = classifier_two_sample(normal(0, LEAST_ROWS, 3), normal(1, LEAST_ROWS, 3) + 50)
    assert accuracy == 1
    assert 0 < error < 0.05


def test_units_do_not_matter() -> None:
    a, b = normal(0, 200, 3), normal(1, 200, 3) * [1.0, 2.0, 1.0]
    units = np.array([1e6, 1.0, 1e-6])
    assert classifier_two_sample(a * units, b * units) == classifier_two_sample(a, b)


def test_as_many_rows_of_each_are_compared() -> None:
    # Otherwise "always the larger sample" would be right in 90% of the cases.
    accuracy, error = classifier_two_sample(normal(0, 900, 2), normal(1, 100, 2))
    assert abs(accuracy - 0.5) < 3 * error
    few = classifier_two_sample(normal(0, 900, 2), normal(1, 900, 2), max_rows=50)
    assert few.standard_error == pytest.approx(1.25 * 0.5 / np.sqrt(100), rel=0.05)


def test_the_seed_decides_and_images_count_their_axes_as_columns() -> None:
    a, b = normal(0, 100, 2, 3), normal(1, 100, 2, 3)
    first, again, other = (classifier_two_sample(a, b, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert classifier_two_sample(a.reshape(100, 6), b.reshape(100, 6), 0) == first


def test_constant_columns_are_no_trouble() -> None:
    accuracy, error = classifier_two_sample(np.ones((50, 2)), np.ones((50, 2)))
    assert abs(accuracy - 0.5) < 3 * error


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((30, 2)), np.zeros((30, 3)), "a has 2 columns, b has 3"),
        (np.zeros((30, 2)), np.zeros((19, 2)), "only 19 rows of each sample.* give 20 or more"),
        (np.full((30, 2), np.nan), np.zeros((30, 2)), "a has NaN or infinity"),
        (np.zeros((30, 2)), np.full((30, 2), np.inf), "b has NaN or infinity"),
        (np.zeros(30), np.zeros(30), r"a has shape \(30,\)"),
        (np.zeros((30, 0)), np.zeros((30, 0)), "at least one column"),
    ],
)
def test_what_it_cannot_use_is_refused(a: Any, b: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        classifier_two_sample(a, b)
