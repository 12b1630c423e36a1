from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from scipy import special, stats
from torch import Tensor, nn

from isthmus.data.batches import Batch
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure
from isthmus.model import BOUND_TERM, LIKELIHOOD_TERM, Model
from isthmus.nets.mlp import mlp
from isthmus.parts import (
    KL,
    Autoregressive,
    Bernoulli,
    Bound,
    Corruption,
    DiagonalGaussian,
    Gaussian,
    ImportanceWeighted,
    Likelihood,
    Masking,
    StandardNormal,
    Term,
    TotalCorrelation,
    VectorQuantized,
)
from isthmus.parts.posteriors.point import PointCode

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
    model = Model(
        features, mlp([features.n_inputs, 2]), mlp([2, density.n_outputs]), density, PointCode(2), corruption
    )
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


# Codes that are drawn, and codes made of tokens ------------------------------------------------------------


def build_variational(
    likelihood: Likelihood | None = None,
    rows: Any = X,
    bound: Bound | None = None,
    kl: KL | None = None,
    terms: tuple[Term, ...] = (),
) -> tuple[Model, Batch]:
    """Return a linear variational model of two latents, and its rows as one batch."""
    plain, batch = build(rows, likelihood)
    code = DiagonalGaussian().build(2)
    prior = StandardNormal().build(code, plain.features.n_inputs)
    torch.manual_seed(1)
    model = Model(
        plain.features,
        mlp([plain.features.n_inputs, 4]),
        plain.decoder,
        plain.density,
        code,
        prior=prior,
        bound=bound,
        divergence=(kl or KL(warmup=0.0)).build(code, prior, 0),
        terms=[term.build(code, prior, 0) for term in terms],
    )
    return model, batch


def by_hand(model: Model, noise: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return draws (K, n, 2), and log q(z | x) and log p(x | z) of them (K, n), from SciPy's formulas."""
    with torch.no_grad():
        inputs = model.features.to_values(torch.from_numpy(X)).values
        outputs = model.encoder(inputs).double().numpy()
        mean, sd = outputs[:, :2], np.exp(outputs[:, 2:])
        z = mean + sd * noise.double().numpy()
        decoded = [
            model.features.to_data(model.decoder(torch.from_numpy(each).float())).numpy() for each in z
        ]
    log_q = stats.norm.logpdf(z, mean, sd).sum(axis=2)
    return z, log_q, stats.norm.logpdf(X, np.stack(decoded), 1.0).sum(axis=2)


def test_the_elbo_is_the_likelihood_of_a_draw_and_the_divergence() -> None:
    model, batch = build_variational(kl=KL(beta=3.0, warmup=0.5))
    with torch.no_grad():
        terms = model.loss(batch, generator(3), share=0.25)
        outputs = model.encoder(batch.rows.values).double().numpy()
    _, _, log_likelihood = by_hand(model, torch.randn(1, 40, 2, generator=generator(3)))
    variance = np.exp(2 * outputs[:, 2:])
    kl = 0.5 * (outputs[:, :2] ** 2 + variance - 1 - np.log(variance)).sum(axis=1)
    assert list(terms) == [LIKELIHOOD_TERM, "kl"]
    np.testing.assert_allclose(terms[LIKELIHOOD_TERM], -log_likelihood[0], rtol=1e-5)
    np.testing.assert_allclose(terms["kl"], 1.5 * kl, rtol=1e-4)  # half-way to the end of the warm-up
    assert model.ramp == 0.5


@pytest.mark.parametrize("beta", [1.0, 0.4])
def test_the_importance_weighted_bound_is_the_log_of_the_mean_weight(beta: float) -> None:
    model, batch = build_variational(bound=ImportanceWeighted(7), kl=KL(beta=beta, warmup=0.0))
    terms = model.loss(batch, generator(3))
    z, log_q, log_likelihood = by_hand(model, torch.randn(7, 40, 2, generator=generator(3)))
    log_w = log_likelihood + beta * (stats.norm.logpdf(z).sum(axis=2) - log_q)
    assert list(terms) == [BOUND_TERM]
    wanted = np.log(7) - special.logsumexp(log_w, axis=0)
    np.testing.assert_allclose(terms[BOUND_TERM].detach(), wanted, rtol=1e-5)


def test_other_terms_are_weighted_and_named() -> None:
    for bound in (None, ImportanceWeighted(3)):
        model, batch = build_variational(bound=bound, terms=(TotalCorrelation(weight=4.0),))
        step, z = model.run(batch, generator(1))
        terms = model.objective(step, z)
        torch.testing.assert_close(terms["total_correlation"], 4.0 * model.terms[0](step))


def test_encoder_and_loss_see_the_same_binary_draw() -> None:
    model, batch = build_variational(Bernoulli(binarize="dynamic"), PIXELS)
    step, z = model.run(batch, generator(3))
    assert set(step.rows.values.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(step.outputs, model.encoder(model.features(step.rows)))
    assert not torch.equal(step.outputs, model.encoder_outputs(batch.rows))
    logits = model.decode(z[0])
    wanted = nn.functional.softplus(logits).sum(dim=1) - (step.rows.values * logits).sum(dim=1)
    torch.testing.assert_close(model.objective(step, z)[LIKELIHOOD_TERM], wanted)


def build_tokens() -> tuple[Model, Batch]:
    plain, batch = build(X)
    code = VectorQuantized(n_codes=4, token_size=1, commitment=0.5).build(2)
    prior = Autoregressive(width=8).build(code, 3)
    return Model(plain.features, plain.encoder, plain.decoder, plain.density, code, prior=prior), batch


def test_commitment_is_the_squared_distance_from_the_codebook() -> None:
    model, batch = build_tokens()
    model.train()
    model.loss(batch, generator())  # the first batch provides the codebook
    learned = model.code.codebook.clone()
    assert len(learned.unique()) > 1
    model.eval()
    with torch.no_grad():
        terms, outputs = model.loss(batch, generator()), model.encoder_outputs(batch.rows)
    assert torch.equal(model.code.codebook, learned)  # held-out rows teach it nothing
    assert list(terms) == [LIKELIHOOD_TERM, "commitment"]
    distance = (outputs[..., None] - learned[:, 0]).abs().amin(dim=2)
    torch.testing.assert_close(terms["commitment"], 0.5 * distance.square().sum(dim=1))


def test_the_prior_of_tokens_learns_beside_the_networks_by_the_rows_weights() -> None:
    model, batch = build_tokens()
    model.loss(batch, generator())
    opponent = model.opponents()["prior"]
    assert opponent.module is model.prior
    own, others = set(model.own_parameters()), set(model.prior.parameters())
    assert own.isdisjoint(others)
    assert own | others == set(model.parameters())
    half = replace(batch, weight=(torch.arange(40) < 20).float())
    step, _ = model.run(half, generator())
    alone, _ = model.run(batch.take(slice(0, 20)), generator())
    torch.testing.assert_close(opponent.loss(step), opponent.loss(alone))


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
