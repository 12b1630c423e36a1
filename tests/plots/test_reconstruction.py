from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from sklearn.decomposition import PCA

from isthmus import Autoencoder, DenoisingAutoencoder
from isthmus.errors import InputError
from isthmus.plots import ReconstructionDisplay, new_axes
from isthmus.plots.style import OTHER_COLOR


def drawn(display: ReconstructionDisplay) -> np.ndarray[Any, Any]:
    return np.asarray(display.image_.get_array())


def texts(display: ReconstructionDisplay) -> list[str]:
    return [text.get_text() for text in display.ax_.texts]


def test_the_rows_are_originals_reconstructions_and_pca(digits_model: Any, digits: Any) -> None:
    X = digits.images
    display = ReconstructionDisplay.from_estimator(digits_model, X, n_images=3, pca_rows=X, ax=new_axes())
    assert texts(display) == ["original", "reconstructed", "PCA, 4 components"]
    np.testing.assert_array_equal(display.rows["original"], X[:3])
    np.testing.assert_array_equal(display.rows["reconstructed"], digits_model.reconstruct(X[:3]))
    flat = X.reshape(len(X), -1)
    pca = PCA(4).fit(flat)
    expected = pca.inverse_transform(pca.transform(flat[:3])).reshape(3, 8, 8)
    np.testing.assert_allclose(display.rows["PCA, 4 components"], expected, atol=1e-6)


def test_grey_images_stand_in_the_picture_as_they_are() -> None:
    images = np.arange(8.0).reshape(2, 2, 2)
    display = ReconstructionDisplay(rows={"a": images, "b": images}, value_range=(0, 7)).plot(new_axes())
    picture = drawn(display)  # two images of 2 x 2, gaps of one pixel, a line of text above each row
    assert picture.shape == (6, 5, 4)
    np.testing.assert_allclose(picture[1:3, 0:2, 0], images[0] / 7)
    np.testing.assert_allclose(picture[4:6, 3:5, 2], images[1] / 7)
    assert (picture[..., 3].sum(axis=0) == [4, 4, 0, 4, 4]).all()


def test_colours_are_kept_and_values_beyond_the_range_clipped() -> None:
    image = np.array([[[0.0, 0.5, 2.0], [1.0, -1.0, 0.25]]])[None]
    display = ReconstructionDisplay(rows={"a": image}, value_range=(0, 1)).plot(new_axes())
    np.testing.assert_array_equal(drawn(display)[1, :, :3], [[0, 0.5, 1], [1, 0, 0.25]])


def test_what_was_not_observed_is_orange() -> None:
    image = np.array([[[np.nan, 1.0]]])
    display = ReconstructionDisplay(rows={"a": image}, value_range=(0, 1)).plot(new_axes())
    np.testing.assert_allclose(drawn(display)[1, 0], to_rgba(OTHER_COLOR))


def test_a_denoising_model_is_shown_corrupted_images(digits: Any) -> None:
    X = digits.images[:200]
    model = DenoisingAutoencoder(
        3, corruption="masking:p=0.3", hidden_sizes=(16,), max_epochs=2, random_state=0
    )
    display = ReconstructionDisplay.from_estimator(model.fit(X), X, n_images=20, pca_rows=X, ax=new_axes())
    corrupted = display.rows["corrupted, masking:p=0.3"]
    kept = np.isclose(X[:20], corrupted, atol=1e-4)
    np.testing.assert_allclose(corrupted[~kept], 0, atol=1e-4)
    assert (X[:20][kept] > 0).sum() / (X[:20] > 0).sum() == pytest.approx(0.7, abs=0.05)
    np.testing.assert_array_equal(
        display.rows["reconstructed, from the corrupted"], model.reconstruct(corrupted)
    )
    assert texts(display)[-1] == "PCA, 3 components, from the corrupted"


def test_flat_rows_are_images_where_their_shape_is_given(digits: Any) -> None:
    X = digits.data
    model = Autoencoder(2, hidden_sizes=(), max_epochs=2, random_state=0).fit(X)
    with pytest.raises(InputError, match=r"give image_shape=\(height, width\)"):
        ReconstructionDisplay.from_estimator(model, X, ax=new_axes())
    with pytest.raises(InputError, match=r"not images of shape \(8, 9\)"):
        ReconstructionDisplay.from_estimator(model, X, image_shape=(8, 9), ax=new_axes())
    display = ReconstructionDisplay.from_estimator(model, X, image_shape=(8, 8), ax=new_axes())
    np.testing.assert_array_equal(display.rows["original"], digits.images[:8])


def test_bytes_are_drawn_from_0_to_255() -> None:
    X = np.random.default_rng(0).integers(50, 100, (30, 4, 5, 3)).astype(np.uint8)
    model = Autoencoder(2, hidden_sizes=(), max_epochs=2, random_state=0).fit(X)
    display = ReconstructionDisplay.from_estimator(model, X, ax=new_axes())
    assert display.value_range == (0, 255)
    assert display.rows["reconstructed"].shape == (8, 4, 5, 3)


def test_pca_is_left_out_where_entries_are_missing(digits_model: Any, digits: Any) -> None:
    X = digits.images[:20].copy()
    X[0, 3, 3] = np.nan
    with pytest.warns(UserWarning, match='"x27"'):
        display = ReconstructionDisplay.from_estimator(digits_model, X, pca_rows=digits.images, ax=new_axes())
    assert texts(display) == ["original", "reconstructed"]


def test_tables_have_no_images(table_model: Any, mixed_table: Any) -> None:
    with pytest.raises(InputError, match="are not images"):
        ReconstructionDisplay.from_estimator(table_model, mixed_table, ax=new_axes())
    with pytest.raises(InputError, match="images cannot be drawn"):
        ReconstructionDisplay(rows={"a": np.zeros((2, 3))}, value_range=(0, 1))
    with pytest.raises(InputError, match="images cannot be drawn"):
        ReconstructionDisplay(rows={"a": np.zeros((1, 3, 3)), "b": np.zeros((1, 3, 4))}, value_range=(0, 1))
