"""The doubly reparametrised gradient of the importance-weighted bound (Tucker et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from isthmus.data.batches import Batch
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure
from isthmus.model import BOUND_TERM, Model
from isthmus.nets.mlp import mlp
from isthmus.parts import KL, DiagonalGaussian, Gaussian, ImportanceWeighted, Prior, StandardNormal, VampPrior
from isthmus.parts.terms.base import Step, TermModule

X = np.random.default_rng(0).normal(5, 2, size=(3, 3))
CHUNKS, COPIES = 60, 400


class Sum(TermModule):
    """A term that pulls every component of the code the same way."""

    def forward(self, step: Step) -> Tensor:
        return step.codes.sum(dim=1)


def build(
    k: int, beta: float = 1.0, prior: Prior | None = None, *, pulled: bool = False
) -> tuple[Model, Batch]:
    """Return a linear model of rows of which there are `COPIES`, each with draws of its own."""
    schema = infer_schema(as_source(X))
    encoded = encode(schema, X).values
    features = Features(schema, measure(schema, [encoded]), ["real"] * 3)
    density = Gaussian(scale=1.5).build(features.facts())
    code = DiagonalGaussian().build(2)
    torch.manual_seed(0)
    prior_module = (prior or StandardNormal()).build(code, 3)
    model = Model(
        features,
        mlp([3, 4]),
        mlp([2, 3]),
        density,
        code,
        prior=prior_module,
        bound=ImportanceWeighted(k),
        divergence=KL(beta=beta, warmup=0.0).build(code, prior_module, 0),
        terms=[Sum("sum", 1.0)] if pulled else [],
    ).double()
    rows = features.to_values(torch.from_numpy(np.tile(encoded, (COPIES, 1))))
    rows = rows._replace(values=rows.values.double())
    return model, Batch(rows, None, torch.arange(len(rows.values)))


def put_near_the_posterior(model: Model) -> None:
    """Let each latent move one column, and give the encoder nearly the posterior that follows."""
    sd = torch.as_tensor(1.5 / model.features.scale)[:2]  # of the likelihood, in value units
    encoder, decoder = model.encoder[0], model.decoder[0]
    precision = 1 + sd**-2
    with torch.no_grad():
        decoder.weight.zero_()
        decoder.weight[:2, :2] = torch.eye(2)
        decoder.bias.zero_()
        encoder.weight.zero_()
        encoder.weight[:2, :2] = torch.diag(sd**-2 / precision)
        encoder.bias[:2] = 0.1
        encoder.bias[2:] = -0.5 * precision.log() + 0.1


def plain_bound(model: Model, step: Step, z: Tensor, beta: float) -> Tensor:
    """Return the bound whose gradient is that of the reparametrised draws alone (Burda et al. 2016)."""
    log_w = model.log_weights(step.outputs, z, step.rows, None, step.anchors, beta)
    return torch.logsumexp(log_w, dim=0)


def gradients(model: Model, batch: Batch, beta: float, *, plain: bool) -> Iterator[dict[str, Tensor]]:
    """Yield the gradient of the mean loss over many rows, from other draws each time."""
    for seed in range(CHUNKS):
        model.zero_grad()
        step, z = model.run(batch, torch.Generator().manual_seed(seed))
        loss = -plain_bound(model, step, z, beta) if plain else model.objective(step, z)[BOUND_TERM]
        loss.mean().backward()
        found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        yield {name: gradient.flatten().clone() for name, gradient in found.items()}


def moments(
    k: int, beta: float, prior: Prior | None, *, plain: bool, near: bool = False
) -> dict[str, tuple[Tensor, Tensor]]:
    """Return mean and standard deviation of each parameter's gradient."""
    model, batch = build(k, beta, prior)
    if near:
        put_near_the_posterior(model)
    found = list(gradients(model, batch, beta, plain=plain))
    stacked = {name: torch.stack([each[name] for each in found]) for name in found[0]}
    return {name: (g.mean(dim=0), g.std(dim=0)) for name, g in stacked.items()}


@pytest.mark.parametrize(("k", "beta"), [(1, 1.0), (5, 1.0), (5, 0.3), (5, 0.0), (5, 2.0), (64, 1.0)])
def test_the_gradient_is_the_plain_one_in_expectation(k: int, beta: float) -> None:
    ours, plain = moments(k, beta, None, plain=False), moments(k, beta, None, plain=True)
    assert set(ours) == set(plain)
    for name, (mean, sd) in ours.items():
        wanted, spread = plain[name]
        if name.startswith("decoder"):  # the same formula, hence the same numbers
            torch.testing.assert_close(mean, wanted)
        else:
            error = torch.sqrt((sd**2 + spread**2) / CHUNKS) + 1e-12
            assert ((mean - wanted) / error).abs().max() < 4.5
            assert (wanted.abs() / (spread / CHUNKS**0.5)).max() > 20  # it is no comparison of noise


def signal_to_noise(k: int, *, plain: bool) -> float:
    """Return how large the encoder's mean gradient is beside the spread of one over `COPIES` draws."""
    found = moments(k, 1.0, None, plain=plain, near=True)
    chosen = [found[name] for name in found if name.startswith("encoder")]
    signal, noise = (sum(float(each[i].square().sum()) for each in chosen) for i in (0, 1))
    return (signal / noise) ** 0.5


def test_the_encoders_signal_does_not_drown_in_noise_as_draws_grow_many() -> None:
    few, many = signal_to_noise(2, plain=True), signal_to_noise(64, plain=True)
    assert many < 0.5 * few  # Rainforth et al. (2018)
    ours_few, ours_many = signal_to_noise(2, plain=False), signal_to_noise(64, plain=False)
    assert ours_many > ours_few > few


def test_a_learned_prior_gets_its_gradient_too() -> None:
    prior = VampPrior(n_pseudo_inputs=4)
    ours, plain = moments(3, 1.0, prior, plain=False), moments(3, 1.0, prior, plain=True)
    mean, _ = ours["prior.pseudo_inputs"]
    assert mean.abs().max() > 1e-3
    torch.testing.assert_close(mean, plain["prior.pseudo_inputs"][0])
    for name, (found, sd) in ours.items():
        wanted, spread = plain[name]
        error = torch.sqrt((sd**2 + spread**2) / CHUNKS) + 1e-12
        assert ((found - wanted) / error).abs().max() < 4.5, name


def test_what_other_terms_ask_of_the_code_keeps_its_whole_gradient() -> None:
    found = []
    for pulled in (False, True):
        model, batch = build(5, pulled=pulled)
        step, z = model.run(batch, torch.Generator().manual_seed(0))
        sum(term.mean() for term in model.objective(step, z).values()).backward()  # type: ignore[union-attr]
        found.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    model, batch = build(5)
    step, z = model.run(batch, torch.Generator().manual_seed(0))
    z[0].sum(dim=1).mean().backward()
    for name in ("encoder.0.weight", "encoder.0.bias"):
        wanted = dict(model.named_parameters())[name].grad
        torch.testing.assert_close(found[1][name] - found[0][name], wanted)
