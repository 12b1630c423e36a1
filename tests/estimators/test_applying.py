from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError

from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, load

MakeModel = Callable[..., Autoencoder]


def test_codes_are_float32_of_the_asked_width(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(3).fit(rows)
    codes = model.transform(rows)
    assert (codes.dtype, codes.shape) == (np.float32, (len(rows), 3))
    assert list(model.get_feature_names_out()) == ["autoencoder0", "autoencoder1", "autoencoder2"]
    assert np.array_equal(quick(3).fit_transform(rows), codes)


def test_decoding_codes_reconstructs(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    assert np.array_equal(model.inverse_transform(model.transform(rows)), model.reconstruct(rows))
    with pytest.raises(InputError, match=r"Z has 3 columns.*n_components=2"):
        model.inverse_transform(np.zeros((4, 3)))


def test_the_output_container_governs_codes_only(rows: np.ndarray, quick: MakeModel) -> None:
    frame = pd.DataFrame(rows, columns=list("abcde"), index=range(7, 7 + len(rows)))
    model = quick().fit(frame).set_output(transform="pandas")
    codes = model.transform(frame)
    assert list(codes.columns) == ["autoencoder0", "autoencoder1"]
    assert codes.index.equals(frame.index)
    back = model.inverse_transform(codes)
    assert list(back.columns) == list("abcde")
    assert isinstance(model.score_samples(frame), np.ndarray)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_come_back_in_their_precision(rows: np.ndarray, quick: MakeModel, dtype: type) -> None:
    assert quick().fit(rows.astype(dtype)).reconstruct(rows.astype(dtype)).dtype == dtype


@pytest.mark.parametrize("shape", [(4, 6), (3, 4, 3)])
@pytest.mark.parametrize("eight_bits", [True, False])
def test_images_keep_shape_and_range(quick: MakeModel, shape: tuple[int, ...], eight_bits: bool) -> None:
    levels = np.random.default_rng(0).integers(0, 256, size=(40, *shape))
    images = levels.astype(np.uint8) if eight_bits else levels / 255
    model = quick(max_epochs=10, learning_rate=0.1).fit(images)
    assert {column.kind for column in model.schema_.modelled} == {"pixel"}
    flat = images.reshape(40, -1)
    restored = model.reconstruct(images)
    assert restored.shape == images.shape
    assert restored.dtype == (np.float32 if eight_bits else np.float64)
    assert restored.min() >= 0
    assert restored.max() <= (255 if eight_bits else 1)
    assert model.inverse_transform(model.transform(images)).shape == images.shape
    assert model.inverse_transform(np.full((1, 2), 1e4)).max() <= (255 if eight_bits else 1)
    # Flat rows are the same images.
    assert np.array_equal(model.transform(flat), model.transform(images))
    assert model.reconstruct(flat).shape == flat.shape
    assert model.n_features_in_ == flat.shape[1]


def test_images_of_another_shape_are_refused(quick: MakeModel) -> None:
    model = quick().fit(np.random.default_rng(0).random((20, 4, 6)))
    with pytest.raises(InputError, match=r"\(8, 3\)"):
        model.transform(np.zeros((2, 8, 3)))
    with pytest.raises(ValueError, match="25 features"):
        model.transform(np.zeros((2, 5, 5)))


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_rows_equal_dense_ones(quick: MakeModel, form: Callable[..., object]) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6)) * (rng.random((60, 6)) < 0.4)
    dense, thin = quick().fit(X), quick().fit(form(X))
    for method in ("transform", "reconstruct", "score_samples"):
        assert np.array_equal(getattr(dense, method)(X), getattr(thin, method)(form(X)))


def test_sources_equal_arrays(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(as_source(rows))
    assert np.array_equal(model.transform(as_source(rows)), quick().fit(rows).transform(rows))


@pytest.mark.parametrize("length", [1, 8200])
def test_methods_do_not_mind_how_many_rows_come(quick: MakeModel, rows: np.ndarray, length: int) -> None:
    model = quick().fit(rows)
    X = np.resize(rows, (length, 5))
    assert model.transform(X).shape == (length, 2)
    assert model.reconstruct(X).shape == (length, 5)
    assert model.score_samples(X).shape == (length,)


@pytest.mark.parametrize("method", ["transform", "inverse_transform", "reconstruct", "score_samples", "save"])
def test_an_unfitted_model_says_so(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(Autoencoder(), method)(np.zeros((2, 2)))


def test_tensors_are_encoded_as_arrays_are_and_have_gradients(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    tensor = torch.tensor(rows, requires_grad=True)
    codes = model.encode_tensor(tensor)
    np.testing.assert_allclose(codes.detach().numpy(), model.transform(rows), atol=1e-5)
    codes.square().sum().backward()
    step = 1e-3
    moved = [rows[:1].copy(), rows[:1].copy()]
    moved[0][0, 1] += step
    moved[1][0, 1] -= step
    up, down = (np.square(model.transform(X).astype(float)).sum() for X in moved)
    assert tensor.grad is not None
    assert tensor.grad[0, 1].item() == pytest.approx((up - down) / (2 * step), rel=0.02, abs=1e-3)


def test_image_tensors_are_encoded_too(quick: MakeModel) -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(30, 4, 4), dtype=np.uint8)
    images[:, 0, 0] = 3  # a constant pixel is no input of the encoder
    model = quick().fit(images)
    codes = model.encode_tensor(torch.from_numpy(images)).detach().numpy()
    np.testing.assert_allclose(codes, model.transform(images), atol=1e-5)


def test_tensors_that_do_not_fit_are_refused(
    rows: np.ndarray, quick: MakeModel, table_model: Autoencoder
) -> None:
    model = quick().fit(rows)
    with pytest.raises(InputError, match="X has 4 features per row, but the model expects 5"):
        model.encode_tensor(torch.zeros(2, 4))
    with pytest.raises(InputError, match="fitted on a frame"):
        table_model.encode_tensor(torch.zeros(2, 4))
    codes = np.random.default_rng(0).choice([2.0, 5.0, 9.0], size=(40, 1))
    X = np.column_stack([rows[:40], codes])
    schema = infer_schema(as_source(X), kinds={"x5": "categorical"})
    kinds = {"kind": "per_column", "columns": {f"x{j}": "gaussian" for j in range(5)} | {"x5": "categorical"}}
    mixed = quick(schema=schema, likelihood=kinds).fit(X)
    assert set(np.unique(mixed.reconstruct(X)[:, 5])) <= {2.0, 5.0, 9.0}
    with pytest.raises(InputError, match="has categories"):
        mixed.encode_tensor(torch.from_numpy(X))


def test_binary_arrays_are_modelled_as_such(quick: MakeModel) -> None:
    X = np.random.default_rng(0).random((60, 5)) < 0.3
    model = quick().fit(X)
    assert str(model.architecture_.likelihood).startswith("bernoulli")
    shares = model.reconstruct(X)
    assert ((shares > 0) & (shares < 1)).all()
    assert (model.score_samples(X) < 0).all()


def test_no_warning_comes_without_reason(
    rows: np.ndarray, table: pl.DataFrame, table_model: Autoencoder
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table_model.transform(table)


def test_load_is_the_same_function() -> None:
    import isthmus

    assert isthmus.load is load
