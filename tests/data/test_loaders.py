from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from isthmus.data.loaders import LoaderSource
from isthmus.errors import InputError

X = torch.arange(24, dtype=torch.float32).reshape(8, 3)


def test_rows_come_in_the_loaders_order_again_and_again() -> None:
    source = LoaderSource(DataLoader(TensorDataset(X, torch.zeros(8)), batch_size=3))
    assert (len(source), source.shape, source.dtype) == (8, (3,), np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(source.blocks())), X)


@pytest.mark.parametrize("loader", [[X], [(X, 1)], [[X[:5], 2], [X[5:], 3]], (X[:1], X[1:])], ids=range(4))
def test_lists_of_tensors_and_of_tuples_are_loaders(loader: list) -> None:
    source = LoaderSource(loader)
    np.testing.assert_array_equal(np.concatenate(list(source.blocks())), X)
    np.testing.assert_array_equal(source.take([7, 0]), X[[7, 0]])


def test_what_is_told_comes_with_the_rows_in_the_order_of_the_pass() -> None:
    data = TensorDataset(X, X.sum(dim=1))
    loader = DataLoader(data, batch_size=3, shuffle=True, generator=torch.Generator().manual_seed(0))
    source = LoaderSource(loader, told=True)
    orders = []
    for _ in range(2):
        rows, told = zip(*source.pairs(), strict=True)
        np.testing.assert_array_equal(np.concatenate(rows).sum(axis=1), np.concatenate(told))
        orders.append(np.concatenate(told).tolist())
    assert orders[0] != orders[1]
    assert not LoaderSource([X], told=True).told
    assert not LoaderSource([(X,)], told=True).told
    with pytest.raises(InputError, match="others rows alone"):
        list(LoaderSource([(X, X), X], told=True).pairs())


def test_images_keep_their_shape_and_gradients_are_left_behind() -> None:
    images = torch.zeros(4, 2, 2, 3, requires_grad=True)
    assert LoaderSource([images]).shape == (2, 2, 3)


def test_bfloat16_becomes_float32() -> None:
    source = LoaderSource([X.bfloat16()])
    assert source.dtype == np.float32
    np.testing.assert_array_equal(next(source.blocks()), X)


def once() -> Iterator[torch.Tensor]:
    yield X


@pytest.mark.parametrize(
    ("loader", "said"),
    [
        ([], "yields no batch"),
        (once(), "only once"),
        ([{"x": X}], "got a dict"),
        ([()], "got a NoneType"),
        ([torch.zeros(3)], r"got of shape \(3,\)"),
        ([np.zeros((3, 2))], "got a ndarray"),
        ([X, X[:, :2]], r"rows of one shape; got \(2,\) after \(3,\)"),
        ([X[:0]], "0 sample"),
    ],
    ids=range(8),
)
def test_what_is_no_loader_is_refused(loader: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        LoaderSource(loader)
