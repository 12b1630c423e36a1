from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from isthmus.data.batches import Batch
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure
from isthmus.model import LIKELIHOOD_TERM, Model
from isthmus.nets.mlp import mlp
from isthmus.parts import Bernoulli, Corruption, Gaussian, Likelihood, Masking

X = np.random.default_rng(0).normal(5, 2, size=(40, 3))
PIXELS = np.random.default_rng(1).random((30, 4, 2)).astype(np.float32)


def build(
    X: Any, likelihood: Likelihood | None = None, corruption: Corruption | None = None
) -> tuple[Model, Batch]:
    """Return a model of some data whose encoder and decoder are linear, and its rows as one batch."""
    likelihood = likelihood or Gaussian(scale=1.0)
    schema = infer_schema(as_source(X))
    encoded = encode(schema, X).values
    supports = [likelihood.support] * len(schema.modelled)
    features = Features(schema, measure(schema, [encoded]), supports, mark_missing=corruption is not None)
    density = likelihood.build(features.facts())
    torch.manual_seed(0)
    model = Model(features, mlp([features.n_inputs, 2]), mlp([2, density.n_outputs]), density, corruption)
    rows = features.to_values(torch.from_numpy(encoded))
    return model, Batch(rows, None, torch.arange(len(encoded)))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def loss(model: Model, batch: Batch, seed: int = 0) -> Tensor:
    terms = model.loss(batch, generator(seed))
    assert list(terms) == [LIKELIHOOD_TERM]
    return terms[LIKELIHOOD_TERM]


def test_the_loss_is_the_negative_log_likelihood_in_nats_of_the_data() -> None:
    model, batch = build(X)
    with torch.no_grad():
        outputs = model.decode(model.encode(batch.rows))
        mean = model.features.to_data(outputs).numpy()
        wanted = 0.5 * ((X - mean) ** 2 + np.log(2 * np.pi)).sum(axis=1)
        np.testing.assert_allclose(loss(model, batch), wanted, rtol=1e-5)


def test_missing_entries_cost_nothing_and_have_no_gradient() -> None:
    gaps = X.copy()
    gaps[:5, 1] = np.nan
    gaps[7] = np.nan
    model, batch = build(gaps)
    per_entry = model.log_likelihood(model.decode(model.encode(batch.rows)), batch.rows)
    np.testing.assert_array_equal(per_entry.detach() == 0, np.isnan(gaps))
    outputs = torch.zeros(40, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.log_likelihood(outputs, batch.rows).sum(), outputs)
    np.testing.assert_array_equal(gradient[np.isnan(gaps)], 0)
    assert loss(model, batch)[7] == 0


def test_only_the_encoder_sees_the_corruption() -> None:
    model, batch = build(X, corruption=Masking(1.0))
    with torch.no_grad():
        hidden = model.features.to_values(torch.zeros(1, 3, dtype=torch.float64))
        outputs = model.decode(model.encode(hidden)).expand(40, 3)
        wanted = -model.log_likelihood(outputs, batch.rows).sum(dim=1)
        torch.testing.assert_close(loss(model, batch), wanted)


def test_masking_marks_entries_of_a_frame_missing() -> None:
    model, batch = build(pl.DataFrame(X, schema=["a", "b", "c"]), corruption=Masking(0.5))
    seen = model.corrupt(batch.rows, generator())
    assert batch.rows.observed is None
    assert seen.observed is not None
    np.testing.assert_array_equal(model.features(seen)[:, 3:], ~seen.observed)
    assert 0.3 < seen.observed.float().mean() < 0.7


def test_noise_is_a_function_of_the_generator_alone() -> None:
    model, batch = build(X, corruption=Masking(0.3))
    torch.testing.assert_close(loss(model, batch, 1), loss(model, batch, 1), rtol=0, atol=0)
    assert not torch.equal(loss(model, batch, 1), loss(model, batch, 2))


def test_without_corruption_rows_stay_as_they_are() -> None:
    model, batch = build(X)
    assert model.corrupt(batch.rows, generator()) is batch.rows
    assert model.noise is None


class Constant(nn.Module):
    """A decoder whose outputs ignore the code."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = nn.Parameter(outputs)

    def forward(self, codes: Tensor) -> Tensor:
        return self.outputs.expand(len(codes), -1)


def test_dynamic_binarisation_draws_the_targets_of_the_loss() -> None:
    model, batch = build(PIXELS, Bernoulli(binarize="dynamic"))
    model.decoder = Constant(torch.linspace(-2, 2, 8))
    # log p(x) is linear in x, with slope the logit: draws of x show as sums of logits.
    with torch.no_grad():
        logits = model.decoder.outputs
        drawn = torch.bernoulli(batch.rows.values, generator=generator(3))
        wanted = nn.functional.softplus(logits).sum() - drawn @ logits
        torch.testing.assert_close(loss(model, batch, 3), wanted)
        assert not torch.equal(loss(model, batch, 4), loss(model, batch, 3))
        # Averaged over draws it is the cross-entropy that the scoring gives without drawing.
        scored = -model.log_likelihood(logits.expand(30, 8), batch.rows).sum(dim=1)
        mean = torch.stack([loss(model, batch, seed) for seed in range(2000)]).mean(dim=0)
        torch.testing.assert_close(mean, scored, atol=0.25, rtol=0)
        cross_entropy = build(PIXELS, Bernoulli())[0]
        cross_entropy.decoder = model.decoder
        torch.testing.assert_close(loss(cross_entropy, batch), scored)


def test_scoring_draws_nothing() -> None:
    model, batch = build(PIXELS, Bernoulli(binarize="dynamic"))
    before = torch.get_rng_state()
    scores = [
        model.log_likelihood(model.decode(model.encode(batch.rows)), batch.rows).detach() for _ in range(2)
    ]
    torch.testing.assert_close(*scores, rtol=0, atol=0)
    torch.testing.assert_close(torch.get_rng_state(), before)


@pytest.mark.parametrize("corruption", [None, Masking(0.5)])
def test_all_tensors_move_to_the_device(
    corruption: Corruption | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = build(X, corruption=corruption)
    facts = model.features.facts()
    monkeypatch.setattr(model.features, "facts", lambda: facts)  # "meta" tensors hold none
    model.set_device(torch.device("meta"))
    assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    assert model.noise is None or model.noise.zero.is_meta
