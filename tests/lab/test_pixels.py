from __future__ import annotations

import numpy as np
import pytest

from isthmus.lab import pixels
from isthmus.lab._digits import split_digits


def test_the_square_with_the_most_ink_is_erased() -> None:
    image = np.ones((6, 6))
    image[2:4, 3:5] = 9.0
    damaged = pixels.damage(image, side=2)
    assert np.all(damaged[2:4, 3:5] == 0)
    assert damaged.sum() == 32
    assert image.sum() == 68  # its argument stays


def test_a_digit_is_moved_without_loss_of_ink() -> None:
    rows = split_digits().test
    images = pixels.on_canvas(rows)
    assert images.shape == (597, 12, 12)
    moved = pixels.shift(images, 1, -2)
    assert np.array_equal(moved[:, 3:11, 0:8], rows.reshape(-1, 8, 8))
    assert moved.sum() == rows.sum()


def test_distances_of_known_images() -> None:
    row = np.zeros(64)
    row[27] = 5.0  # one pixel
    images = pixels.trio(row[None])
    damaged, shifted = images.distances(pixels.pixels)
    assert damaged == pytest.approx([5.0])
    assert shifted == pytest.approx([np.sqrt(50)])
    # Features that are blind to the place see the shift as nothing.
    damaged, shifted = images.distances(lambda a: a.sum(axis=(1, 2))[:, None])
    assert (damaged[0], shifted[0]) == (5.0, 0.0)


def test_the_nearest_of_another_class() -> None:
    images = np.array([0.0, 1.0, 3.0, 10.0]).reshape(4, 1, 1)
    found = pixels.nearest_of_another_class(images, np.array([0, 0, 1, 1]))
    assert found == pytest.approx([3, 2, 2, 9])


def test_digits_are_learned_from_at_random_places() -> None:
    digits = split_digits()
    X, y = pixels.placed(digits)
    assert X.shape == (6000, 144)
    assert np.array_equal(y[::5], digits.train_labels)
    assert X.sum() == pytest.approx(5 * digits.train.sum())
    assert len(np.unique(X[:5], axis=0)) > 1


def test_the_claim_fails_where_the_shares_are_others() -> None:
    near, far = np.ones(4), 2 * np.ones(4)
    wrong = {"pixels": (far, near), "codes": (far, near), "classifier": (near, far)}
    numbers = pixels._numbers(wrong, {"damaged": 0.9, "shifted": 0.8}, 0.5)
    assert not any(number.agrees for number in numbers.values())


@pytest.mark.slow
def test_a_damaged_digit_is_nearer_than_a_shifted_one() -> None:
    claim = pixels.claim()
    assert claim.confirmed, claim.numbers
    assert len(claim.numbers) == 5
