from __future__ import annotations

import numpy as np

from isthmus.lab import _digits


def test_the_split_is_fixed_and_no_pixel_varies_in_the_held_out_rows_alone() -> None:
    digits, again = _digits.split_digits(), _digits.split_digits()
    assert digits.train.shape == (1200, 64)
    assert digits.test.shape == (597, 64)
    assert np.array_equal(digits.test, again.test)
    assert len(digits.train_labels) == 1200
    constant = np.ptp(digits.train, axis=0) == 0
    assert np.array_equal(
        digits.test[:, constant], np.broadcast_to(digits.train[0, constant], (597, constant.sum()))
    )


def test_images_stand_side_by_side_with_a_gap() -> None:
    strip = _digits.image_strip(np.arange(8.0).reshape(2, 2, 2))
    assert np.array_equal(strip, [[0, 1, np.nan, 4, 5], [2, 3, np.nan, 6, 7]], equal_nan=True)
