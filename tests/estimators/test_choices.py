from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from isthmus.errors import InputError
from isthmus.estimators import Autoencoder
from isthmus.estimators.choices import choose_device

MakeModel = Callable[..., Autoencoder]


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused(rows: np.ndarray, quick: MakeModel, device: str) -> None:
    with pytest.raises(InputError, match=f'device="{device}" cannot be used here') as caught:
        quick(device=device).fit(rows)
    assert "\n" not in str(caught.value)


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("hidden_sizes", [(0,), (-1, 3), ("a",), (3.7,), (True,), [None]])
def test_layers_are_whole_numbers_of_at_least_1(
    rows: np.ndarray, quick: MakeModel, hidden_sizes: Any
) -> None:
    with pytest.raises(InputError, match="is no layer"):
        quick(hidden_sizes=hidden_sizes).fit(rows)


@pytest.mark.parametrize("hidden_sizes", [[7, 3], (7, 3), (np.int64(7), np.int32(3))])
def test_layers_are_mirrored(rows: np.ndarray, quick: MakeModel, hidden_sizes: Any) -> None:
    model = quick(hidden_sizes=hidden_sizes).fit(rows)
    assert model.architecture_.hidden_sizes == (7, 3)
    sizes = [tuple(p.shape) for p in model.model_.parameters() if p.ndim == 2]
    assert sizes == [(7, 5), (3, 7), (2, 3), (3, 2), (7, 3), (5, 7)]


def test_what_is_left_at_auto_is_resolved() -> None:
    rng = np.random.default_rng(0)
    plane = rng.uniform(size=(6000, 2)) @ rng.normal(size=(2, 6))
    model = Autoencoder(max_epochs=1, random_state=0).fit(plane)
    assert model.architecture_.hidden_sizes == (32, 16)
    assert model.n_components_ == 2


def test_the_dimension_of_a_table_is_that_of_its_encoded_columns(table: pl.DataFrame) -> None:
    plain = table.drop("key", "label", "importance")
    assert 1 <= Autoencoder(max_epochs=1, random_state=0).fit(plain).n_components_ <= 16


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"n_components": 0}, "n_components"),
        ({"n_components": "many"}, "n_components"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"activation": "swish"}, "activation"),
        ({"encoder": "conv"}, "encoder"),
        ({"schema": "none"}, "schema"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_parameters_out_of_range_are_named(
    rows: np.ndarray, quick: MakeModel, params: dict[str, Any], name: str
) -> None:
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        quick().set_params(**params).fit(rows)
