from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, VectorQuantizedAutoencoder

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}


@pytest.fixture(scope="module")
def model(rows: np.ndarray) -> VectorQuantizedAutoencoder:
    small = "vector_quantized:n_codes=8,token_size=2"
    return VectorQuantizedAutoencoder(6, posterior=small, **SHORT | {"max_epochs": 20}).fit(rows)


def test_tokens_name_the_vectors_of_a_code(model: VectorQuantizedAutoencoder, rows: np.ndarray) -> None:
    tokens, codes = model.encode_indices(rows), model.transform(rows)
    assert (tokens.dtype, tokens.shape, codes.shape) == (np.int64, (120, 3), (120, 6))
    assert tokens.min() >= 0
    assert tokens.max() < 8
    assert len(np.unique(tokens)) > 2
    codebook = model.model_.code.codebook.numpy()
    np.testing.assert_array_equal(codes.reshape(120, 3, 2), codebook[tokens])
    assert np.array_equal(model.model_.code.from_indices(torch.from_numpy(tokens)).numpy(), codes)
    assert np.array_equal(model.reconstruct(rows), model.inverse_transform(codes))


def test_tokens_are_a_rows_own(model: VectorQuantizedAutoencoder, rows: np.ndarray) -> None:
    tokens = model.encode_indices(rows)
    chosen = np.random.default_rng(0).permutation(120)[:50]
    assert np.array_equal(model.encode_indices(rows[chosen]), tokens[chosen])
    assert np.array_equal(model.encode_indices(as_source(rows)), tokens)


def test_finite_scalars_are_levels(rows: np.ndarray) -> None:
    model = VectorQuantizedAutoencoder(3, posterior="finite_scalar:levels=5", **SHORT).fit(rows)
    codes, tokens = model.transform(rows), model.encode_indices(rows)
    np.testing.assert_allclose(codes, tokens / 2 - 1, atol=1e-6)
    assert set(np.unique(tokens)) <= set(range(5))


def test_the_prior_learns_which_tokens_occur_together() -> None:
    # Two columns that tell the same of two states, in which three tokens can differ but for one bit.
    state = np.random.default_rng(0).random((400, 1)) < 0.5
    X = np.hstack([state, state])
    settings: dict[str, Any] = {
        "posterior": "finite_scalar:levels=2",
        "hidden_sizes": (16,),
        "random_state": 0,
    }
    model = VectorQuantizedAutoencoder(3, **settings, max_epochs=60, learning_rate=0.01).fit(X)
    losses = [row["opponent_prior"] for row in model.history_]
    assert losses[0] > 1.0  # from three coins, 2.08 nats,
    assert losses[-1] == pytest.approx(np.log(2), abs=0.05)  # to one
    drawn = model.sample(500, random_state=0)
    assert (drawn[:, 0] == drawn[:, 1]).mean() > 0.97
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.1)
    assert model.metrics_["log_likelihood"] == pytest.approx(-np.log(2), abs=0.1)


def test_the_history_tells_commitment_and_the_priors_loss(rows: np.ndarray) -> None:
    model = VectorQuantizedAutoencoder(4, **SHORT).fit(rows)
    last = model.history_[-1]
    assert last["loss"] == pytest.approx(last["negative_log_likelihood"] + last["commitment"])
    assert last["commitment"] > 0
    assert last["opponent_prior"] > 0  # learned beside the networks, no part of the objective
    assert "validation_opponent_prior" not in last


@pytest.mark.parametrize(
    ("k", "token_size", "n_tokens"),
    [(1, 1, 1), (2, 2, 1), (3, 3, 1), (4, 4, 1), (6, 3, 2), (7, 1, 7), (8, 4, 2)],
)
@pytest.mark.parametrize("posterior", ["vector_quantized", {"kind": "vector_quantized", "n_codes": 16}])
def test_tokens_left_open_divide_the_code(
    rows: np.ndarray, posterior: Any, k: int, token_size: int, n_tokens: int
) -> None:
    model = VectorQuantizedAutoencoder(k, posterior=posterior, **SHORT | {"max_epochs": 1}).fit(rows)
    assert model.architecture_.posterior.token_size == token_size
    assert model.encode_indices(rows).shape == (120, n_tokens)


def test_components_left_open_make_whole_tokens(rows: np.ndarray) -> None:
    fixed = SHORT | {"max_epochs": 1}
    plain = Autoencoder(**fixed).fit(rows).n_components_
    for posterior, size in (("vector_quantized", 4), ("vector_quantized:token_size=3", 3)):
        found = VectorQuantizedAutoencoder(posterior=posterior, **fixed).fit(rows).n_components_
        assert found % size == 0
        assert plain <= found < plain + size
    assert VectorQuantizedAutoencoder(posterior="finite_scalar", **fixed).fit(rows).n_components_ == plain


def test_only_tokens_are_quantised(rows: np.ndarray, mixed_table: pl.DataFrame) -> None:
    for params, problem in (
        ({"posterior": "point"}, 'posterior=.*"vector_quantized" or "finite_scalar"'),
        ({"prior": "standard_normal"}, 'prior=.*"autoregressive"'),
        ({"posterior": "vector_quantized:token_size=3"}, "no multiple of token_size=3; take 6"),
    ):
        with pytest.raises(InputError, match=problem):
            VectorQuantizedAutoencoder(4, **SHORT).set_params(**params).fit(rows)
    assert not hasattr(Autoencoder, "encode_indices")
    table = VectorQuantizedAutoencoder(4, **SHORT).fit(mixed_table)
    assert table.encode_indices(mixed_table).shape == (300, 1)


def test_temperature_zero_is_the_likeliest_row_of_tokens(model: VectorQuantizedAutoencoder) -> None:
    codes = model.sample_codes(20, temperature=0, random_state=0)
    assert len(np.unique(codes, axis=0)) == 1
    assert len(np.unique(model.sample_codes(200, random_state=0), axis=0)) > 5
