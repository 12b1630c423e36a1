from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import InputError
from isthmus.estimators import SparseAutoencoder

SETTINGS = {"hidden_sizes": (16,), "max_epochs": 60, "random_state": 0}


def test_only_k_latents_are_active_and_all_reconstruct(rows: np.ndarray) -> None:
    model = SparseAutoencoder(12, sparsity="sparsity:penalty=top_k,k=3", **SETTINGS).fit(rows)
    codes = model.transform(rows)
    assert ((codes != 0).sum(axis=1) == 3).all()
    assert len(np.unique(codes != 0, axis=0)) > 1  # not always the same ones
    assert model.architecture_.posterior.top_k == 3
    assert "sparsity" not in model.history_[-1]  # no penalty: the code itself is sparse
    assert model.metrics_["squared_error"] < 0.2 * model.metrics_["mean_squared_error"]


def test_codes_shrink_as_the_weight_of_l1_grows(rows: np.ndarray) -> None:
    sizes = []
    for weight in (0.0, 1.0, 30.0):
        model = SparseAutoencoder(8, sparsity=f"sparsity:penalty=l1,weight={weight}", **SETTINGS).fit(rows)
        sizes.append(np.abs(model.transform(rows)).sum(axis=1).mean())
    assert sizes[2] < sizes[1] < sizes[0]
    assert sizes[2] < 0.2 * sizes[0]
    last = SparseAutoencoder(2, max_epochs=1, random_state=0).fit(rows).history_[-1]
    assert last["loss"] == pytest.approx(last["negative_log_likelihood"] + last["sparsity"])


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_mean_activity_reaches_the_rate(rows: np.ndarray, rate: float) -> None:
    model = SparseAutoencoder(
        8,
        posterior="point:activation=sigmoid",
        sparsity=f"sparsity:penalty=kl,weight=30,rate={rate}",
        **SETTINGS | {"max_epochs": 150},
    ).fit(rows)
    codes = model.transform(rows)
    assert ((codes > 0) & (codes < 1)).all()
    np.testing.assert_allclose(codes.mean(axis=0), rate, atol=0.25 * rate + 0.02)
    # Sparse means unlike: each latent is nearly off for most rows and on for some.
    assert (codes < rate).mean() > 0.5


def test_what_cannot_be_sparse_is_refused(rows: np.ndarray) -> None:
    for params, problem in (
        ({"sparsity": "kl"}, "sparsity"),
        ({"sparsity": "sparsity:penalty=kl"}, "codes must lie between 0 and 1"),
        ({"sparsity": "sparsity:penalty=top_k,k=5"}, "top_k must be at most n_components=2"),
        (
            {"sparsity": "sparsity:penalty=top_k,k=1", "posterior": "diagonal_gaussian"},
            'posterior=.*"point"',
        ),
        ({"sparsity": "sparsity:penalty=l2"}, "l2"),
    ):
        with pytest.raises(InputError, match=problem):
            SparseAutoencoder(2, **SETTINGS).set_params(**params).fit(rows)
