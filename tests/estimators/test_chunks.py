from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.decomposition import PCA

from isthmus import Autoencoder
from isthmus.errors import InputError


def test_chunks_teach(rows: np.ndarray) -> None:
    model = Autoencoder(2, hidden_sizes=(), random_state=0)
    scores = []
    for _ in range(60):
        for chunk in np.array_split(rows, 3):
            model.partial_fit(chunk)
        scores.append(model.score(rows))
    assert scores[-1] > scores[0] + 1
    assert model.n_iter_ == 180
    assert model.metrics_ == {}


def test_the_first_chunk_fixes_the_columns(rows: np.ndarray) -> None:
    model = Autoencoder(2, hidden_sizes=(4,), random_state=0).partial_fit(rows[:50])
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(rows[50:, :3])


def test_chunks_repeat_to_the_bit(rows: np.ndarray) -> None:
    def learned() -> np.ndarray:
        model = Autoencoder(2, hidden_sizes=(4,), random_state=3)
        for chunk in np.array_split(rows, 4):
            model.partial_fit(chunk)
        return model.transform(rows)

    np.testing.assert_array_equal(learned(), learned())


def test_copies_answer_the_same_and_learn_apart(rows: np.ndarray) -> None:
    model = Autoencoder(2, hidden_sizes=(4,), max_epochs=3, random_state=0).fit(rows)
    expected = model.transform(rows)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        np.testing.assert_array_equal(twin.transform(rows), expected)
        twin.partial_fit(rows)
        assert not np.array_equal(twin.transform(rows), expected)
    np.testing.assert_array_equal(model.transform(rows), expected)


def test_pca_stands_beside_the_model_on_the_same_rows(rows: np.ndarray) -> None:
    train, held_out = rows[:90], rows[90:]
    model = Autoencoder(2, max_epochs=2, random_state=0).fit(train, validation_data=held_out)
    pca = PCA(2).fit(train)
    errors = np.sum((held_out - pca.inverse_transform(pca.transform(held_out))) ** 2, axis=1)
    assert model.metrics_["rows"] == "held-out"
    assert model.metrics_["n_rows"] == 30
    assert model.metrics_["pca_squared_error"] == pytest.approx(errors.mean(), rel=1e-4)
    ours = np.sum((held_out - model.reconstruct(held_out)) ** 2, axis=1)
    assert model.metrics_["squared_error"] == pytest.approx(ours.mean(), rel=1e-4)
    means = np.sum((held_out - train.mean(axis=0)) ** 2, axis=1)
    assert model.metrics_["mean_squared_error"] == pytest.approx(means.mean(), rel=1e-4)


def test_tensors_are_encoded_with_their_gradient(rows: np.ndarray) -> None:
    import torch

    model = Autoencoder(2, hidden_sizes=(4,), max_epochs=3, random_state=0).fit(rows)
    X = torch.tensor(rows, requires_grad=True)
    codes = model.encode_tensor(X)
    np.testing.assert_allclose(codes.detach().numpy(), model.transform(rows), rtol=1e-5, atol=1e-5)
    codes.sum().backward()
    assert X.grad is not None
    assert bool((X.grad != 0).any())
    with pytest.raises(InputError, match="features"):
        model.encode_tensor(X[:, :2])


def test_a_broken_fit_goes_on_to_the_same_bits(rows: np.ndarray, tmp_path) -> None:
    class Stop:
        def setup(self, estimator, context) -> None: ...
        def teardown(self, estimator, context) -> None: ...
        def on_fit_task_begin(self, estimator, context) -> None: ...

        def on_fit_task_end(self, estimator, context) -> None:
            if context.task_name == "epoch" and len(estimator.history_) == 4:
                raise KeyboardInterrupt

    params = {"hidden_sizes": (4,), "max_epochs": 12, "random_state": 0}
    whole = Autoencoder(2, **params).fit(rows)
    broken = Autoencoder(2, **params, checkpoint=tmp_path / "run", checkpoint_seconds=0).set_callbacks(Stop())
    with pytest.warns(UserWarning, match="interrupted in epoch 5"):
        broken.fit(rows)
    assert broken.n_iter_ == 4
    broken.set_callbacks()
    broken.resume(rows)
    assert broken.n_iter_ == whole.n_iter_
    np.testing.assert_array_equal(broken.transform(rows), whole.transform(rows))
