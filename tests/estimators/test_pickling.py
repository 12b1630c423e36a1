from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from isthmus.estimators import Autoencoder, DenoisingAutoencoder

MakeModel = Callable[..., Autoencoder]

COPIES: dict[str, Callable[[Autoencoder], Autoencoder]] = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_behaves_to_the_bit(rows: np.ndarray, quick: MakeModel, how: str) -> None:
    model = quick().fit(rows)
    twin = COPIES[how](model)
    for method in ("transform", "reconstruct", "score_samples"):
        assert np.array_equal(getattr(twin, method)(rows), getattr(model, method)(rows))
    assert twin.history_ == model.history_
    assert twin.metrics_ == model.metrics_
    assert twin.get_params() == model.get_params()


@pytest.mark.parametrize("how", ["pickle", "deepcopy"])
def test_a_copy_is_independent(rows: np.ndarray, quick: MakeModel, how: str) -> None:
    model = quick().partial_fit(rows)
    before = model.transform(rows)
    COPIES[how](model).partial_fit(rows)
    assert np.array_equal(model.transform(rows), before)


def test_tables_and_corruptions_survive(table: pl.DataFrame) -> None:
    plain = table.drop("key", "label", "importance")
    model = DenoisingAutoencoder(2, hidden_sizes=(4,), max_epochs=1, random_state=0).fit(plain)
    twin = pickle.loads(pickle.dumps(model))
    assert np.array_equal(twin.score_samples(plain), model.score_samples(plain))
    assert twin.reconstruct(plain).equals(model.reconstruct(plain))


def test_a_pickle_holds_no_training_rows_and_no_torch_module(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(verbose=0).partial_fit(np.tile(rows, (1000, 1)))
    data = pickle.dumps(model)
    assert len(data) < 50_000
    assert b"torch" not in data


def test_a_clone_is_unfitted(rows: np.ndarray, quick: MakeModel) -> None:
    fresh = clone(quick().fit(rows))
    with pytest.raises(NotFittedError):
        fresh.transform(rows)
    assert np.array_equal(fresh.fit(rows).transform(rows), quick().fit(rows).transform(rows))


def test_fitted_models_work_in_other_processes(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows)
    parts = np.array_split(rows, 2)
    codes = joblib.Parallel(n_jobs=2)(joblib.delayed(model.transform)(part) for part in parts)
    assert np.array_equal(np.concatenate(codes), model.transform(rows))
