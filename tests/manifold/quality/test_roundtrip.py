from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from isthmus.errors import InputError
from isthmus.manifold.quality import reconstruction_error_rows, round_trip_error_rows


def test_pca_loses_what_it_leaves_out_and_returns_every_code() -> None:
    x = load_digits().data
    pca, all_of_them = PCA(5).fit(x), PCA().fit(x)
    rows = reconstruction_error_rows(x, lambda some: pca.inverse_transform(pca.transform(some)))
    assert rows.shape == (1797,)
    assert rows.sum() / 1796 == pytest.approx(all_of_them.explained_variance_[5:].sum())
    z = pca.transform(x)
    np.testing.assert_allclose(round_trip_error_rows(z, pca.inverse_transform, pca.transform), 0, atol=1e-12)


def test_images_count_their_columns_together() -> None:
    images = np.ones((2, 3, 3), dtype=np.uint8)
    assert reconstruction_error_rows(images, np.zeros((2, 3, 3))).tolist() == [9, 9]
    assert reconstruction_error_rows(images * 0, images).tolist() == [9, 9]


def test_a_round_trip_is_measured_in_the_spread_of_codes() -> None:
    z = np.array([[3.0, 4.0], [-3.0, -4.0]])  # 5 from their mean
    back = z + np.array([[0.0, 5.0], [0.0, 0.0]])
    assert round_trip_error_rows(z, back).tolist() == [1, 0]
    assert round_trip_error_rows(z * 1e6 + 7, back * 1e6 + 7) == pytest.approx([1, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reconstruction_error_rows(np.ones((2, 3)), np.ones((2, 4))), "they must agree"),
        (lambda: reconstruction_error_rows([[np.nan]], [[1.0]]), "X has NaN"),
        (lambda: reconstruction_error_rows([[1.0]], [[np.inf]]), "the reconstruction has NaN or infinity"),
        (lambda: round_trip_error_rows(np.ones((2, 1)), np.ones((3, 1))), "they must agree"),
        (lambda: round_trip_error_rows(np.full((3, 1), 0.1), np.ones((3, 1))), "all codes are equal"),
        (
            lambda: round_trip_error_rows([[1.0], [2.0]], np.square),
            "give both inverse_transform and transform",
        ),
        (
            lambda: round_trip_error_rows([[1.0]], [[2.0]], np.square),
            "give both inverse_transform and transform",
        ),
    ],
)
def test_what_it_cannot_use_is_refused(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
