from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from isthmus.parts.posteriors import DiagonalGaussian, Point, VonMisesFisher
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.gaussian import GaussianCode
from isthmus.parts.posteriors.von_mises_fisher import SphericalCode
from isthmus.parts.priors import (
    Flow,
    GaussianMixture,
    Prior,
    StandardNormal,
    SwissRoll,
    UniformSphere,
    VampPrior,
)
from isthmus.parts.priors import mixture as mixtures
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.flow import FlowPrior
from isthmus.parts.priors.mixture import LearnedMixturePrior, RingPrior
from isthmus.parts.priors.sphere import UniformSpherePrior
from isthmus.parts.priors.swiss_roll import SwissRollPrior
from isthmus.parts.priors.vamp import VampPriorModule

RING = GaussianMixture(7, layout="ring", radius=3.0, radial_sd=0.6, tangential_sd=0.4)
ROLL = SwissRoll(turns=1.5, radius=5.0, sd=0.05)
N_INPUTS = 6


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed))


def built(spec: Prior, n_components: int, posterior: str = "gaussian") -> tuple[LatentPrior, Tensor | None]:
    """Return a prior whose parameters are not where they start, and its anchors."""
    torch.manual_seed(0)
    code = (DiagonalGaussian() if posterior == "gaussian" else VonMisesFisher()).build(n_components)
    prior = spec.build(code, N_INPUTS)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    encoder = nn.Linear(N_INPUTS, code.n_outputs)
    return prior, prior.anchors(lambda inputs: encoder(0.5 * inputs))


SCORED = [StandardNormal(), GaussianMixture(4), RING, VampPrior(5), Flow(4, 16)]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("spec", SCORED, ids=str)
def test_densities_integrate_to_1_and_are_those_of_draws(spec: Prior) -> None:
    prior, anchors = built(spec, 2)
    edge, n_cells, n_fine = 12.0, 24, 20
    side = torch.linspace(-edge, edge, 2 * n_cells * n_fine + 1)[1::2]  # midpoints
    grid = torch.cartesian_prod(side, side).view(len(side), len(side), 2)
    with torch.no_grad():
        density = prior.log_prob(grid, anchors).exp() * (side[1] - side[0]) ** 2
    assert float(density.sum()) == pytest.approx(1, abs=1e-4)
    expected = density.view(n_cells, n_fine, n_cells, n_fine).sum(dim=(1, 3))
    draws = prior.sample(20_000, generator(1), anchors=anchors)
    bins = torch.linspace(-edge, edge, n_cells + 1).numpy()
    counts, *_ = np.histogram2d(draws[:, 0].numpy(), draws[:, 1].numpy(), bins=(bins, bins))
    expected = (expected / expected.sum() * counts.sum()).numpy()
    assert counts.sum() > 19_990
    common = expected > 10
    rest = [counts[~common].sum(), expected[~common].sum()]
    observed, predicted = np.append(counts[common], rest[0]), np.append(expected[common], rest[1])
    assert stats.chisquare(observed, predicted).pvalue > 0.01


@pytest.mark.parametrize("spec", [*SCORED, UniformSphere()], ids=str)
@pytest.mark.parametrize("n_components", [2, 5])
def test_any_leading_shape_can_be_scored(spec: Prior, n_components: int) -> None:
    prior, anchors = built(spec, n_components)
    z = random(3, 4, n_components)
    found = prior.log_prob(z, anchors)
    assert found.shape == (3, 4)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[1, 2], prior.log_prob(z[1, 2], anchors))
    torch.testing.assert_close(found[1], prior.log_prob(z[1], anchors))


@pytest.mark.parametrize("spec", [*SCORED, ROLL, UniformSphere()], ids=str)
@pytest.mark.parametrize("n_components", [2, 5])
def test_draws_repeat_with_the_generator_and_carry_no_gradient(spec: Prior, n_components: int) -> None:
    prior, anchors = built(spec, n_components)
    draws = prior.sample(50, generator(3), anchors=anchors)
    assert draws.shape == (50, n_components)
    assert draws.dtype == torch.float32
    assert not draws.requires_grad
    torch.manual_seed(5)  # the global state plays no part
    torch.testing.assert_close(draws, prior.sample(50, generator(3), anchors=anchors))
    assert not torch.equal(draws, prior.sample(50, generator(4), anchors=anchors))


@pytest.mark.parametrize("spec", [StandardNormal(), RING, ROLL, GaussianMixture(4), VampPrior(5)], ids=str)
def test_temperature_multiplies_the_deviation_of_the_noise(spec: Prior) -> None:
    prior, anchors = built(spec, 4)
    cold = prior.sample(50, generator(3), temperature=0.0, anchors=anchors)
    usual = prior.sample(50, generator(3), anchors=anchors)
    hot = prior.sample(50, generator(3), temperature=2.5, anchors=anchors)
    assert (usual - cold).abs().max() > 0.1
    torch.testing.assert_close(hot - cold, 2.5 * (usual - cold), rtol=1e-4, atol=1e-5)


def test_temperature_in_a_flow_is_that_of_its_noise() -> None:
    prior, _ = built(Flow(4, 16), 3)
    assert isinstance(prior, FlowPrior)
    cold = prior.sample(5, generator(), temperature=0.0)
    torch.testing.assert_close(cold, prior.from_noise(torch.zeros(5, 3)))
    noise, _ = prior.to_noise(prior.sample(5, generator(), temperature=2.0))
    torch.testing.assert_close(noise, 2 * random(5, 3), rtol=1e-4, atol=1e-5)


def test_the_standard_normal_is_scipys() -> None:
    prior, _ = built(StandardNormal(), 3)
    z = random(10, 3)
    np.testing.assert_allclose(prior.log_prob(z), stats.norm.logpdf(z).sum(axis=1), rtol=1e-6)


def test_a_learned_mixture_starts_as_wide_as_the_standard_normal() -> None:
    torch.manual_seed(0)
    for n_components in (1, 2, 32):
        prior = LearnedMixturePrior(n_components, 3000)
        draws = prior.sample(20_000, generator())
        torch.testing.assert_close(draws.std(dim=0), torch.ones(n_components), rtol=0.05, atol=0)
        torch.testing.assert_close(draws.mean(dim=0), torch.zeros(n_components), rtol=0, atol=0.1)
    alone = LearnedMixturePrior(3, 1)
    z = random(10, 3)
    torch.testing.assert_close(alone.log_prob(z), StandardNormal().build(GaussianCode(3), 1).log_prob(z))


def test_a_learned_mixture_learns_two_clusters_and_their_shares() -> None:
    torch.manual_seed(0)
    prior = LearnedMixturePrior(1, 2)
    right = (torch.rand(4000, generator=generator()) < 0.8)[:, None]
    z = torch.where(right, 2 + 0.3 * random(4000, 1, seed=1), -1 + 0.6 * random(4000, 1, seed=2))
    optimizer = torch.optim.LBFGS(prior.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = -prior.log_prob(z).mean()
        total.backward()
        return total

    optimizer.step(loss)
    order = prior.means[:, 0].argsort()
    groups = [z[~right], z[right]]  # they hardly overlap
    for found, expected in (
        (prior.means[order, 0], [group.mean() for group in groups]),
        (prior.log_sds[order, 0].exp(), [group.std() for group in groups]),
        (prior.logits.softmax(dim=0)[order], [len(group) / len(z) for group in groups]),
    ):
        torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=0.01)


def test_a_mixture_draws_its_clusters_by_their_shares() -> None:
    prior, shares = LearnedMixturePrior(2, 3), torch.tensor([0.7, 0.2, 0.1])
    with torch.no_grad():
        prior.logits.copy_(shares.log() + 3)
    draws = prior.sample(5000, generator(), temperature=0.0)
    counts = (draws[:, None] == prior.means.detach()).all(dim=2).sum(dim=0)
    assert stats.chisquare(counts.numpy(), 5000 * shares.double().numpy()).pvalue > 0.01


def test_a_mixtures_pieces_make_up_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    prior, _ = built(GaussianMixture(4), 2)
    z = random(3, 5, 2)
    whole = prior.log_prob(z)
    monkeypatch.setattr(mixtures, "LARGEST_PIECE", 17)  # four points at a time
    torch.testing.assert_close(prior.log_prob(z), whole)


def test_a_ring_is_the_mixture_of_its_petals() -> None:
    prior, _ = built(RING, 4)
    z = 3 * random(20, 4)
    petals = []
    for turn in 2 * np.pi * np.arange(7) / 7:
        axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        covariance = axes @ np.diag([0.6**2, 0.4**2]) @ axes.T
        petals.append(stats.multivariate_normal(3 * axes[:, 0], covariance).pdf(z[:, :2]))
    expected = np.log(np.mean(petals, axis=0)) + stats.norm.logpdf(z[:, 2:]).sum(axis=1)
    np.testing.assert_allclose(prior.log_prob(z), expected, rtol=1e-5)


def test_labelled_draws_of_a_ring_are_those_of_the_labels_petal() -> None:
    prior, _ = built(RING, 3)
    assert isinstance(prior, RingPrior)
    assert prior.n_kinds == 7
    for label in (0, 1, 5):
        draws = prior.sample_labelled(torch.full((4000,), label), generator(label))
        turn = torch.tensor(2 * math.pi * label / 7)
        along = draws[:, 0] * turn.cos() + draws[:, 1] * turn.sin()
        across = draws[:, 1] * turn.cos() - draws[:, 0] * turn.sin()
        for values, mean, sd in ((along, 3.0, 0.6), (across, 0.0, 0.4), (draws[:, 2], 0.0, 1.0)):
            assert stats.kstest(values.numpy(), stats.norm(mean, sd).cdf).pvalue > 0.01


def arc_length(turn: np.ndarray) -> np.ndarray:
    """Return the length of the roll's spiral up to each angle, by a fine polygon."""
    fine = np.linspace(0, 3 * np.pi, 100_001)
    points = 5 * fine / fine[-1] * np.array([np.cos(fine), np.sin(fine)])
    steps = np.hypot(*np.diff(points, axis=1))
    return np.interp(turn, fine, np.concatenate([[0], np.cumsum(steps)]))


def test_a_swiss_roll_is_uniform_along_its_curve_and_normal_across() -> None:
    prior, _ = built(ROLL, 3)
    assert isinstance(prior, SwissRollPrior)
    assert not prior.scored
    draws = prior.sample(5000, generator(), temperature=0.0)
    turn = torch.hypot(draws[:, 0], draws[:, 1]) / 5 * 3 * math.pi
    on_curve = (turn / (3 * math.pi) * 5)[:, None] * torch.stack([turn.cos(), turn.sin()], dim=1)
    torch.testing.assert_close(draws[:, :2], on_curve, rtol=0, atol=1e-4)
    share = arc_length(turn.numpy()) / arc_length(np.array(3 * np.pi))
    assert stats.kstest(share, stats.uniform.cdf).pvalue > 0.01
    noisy = prior.sample(5000, generator())  # the same places, with noise
    for j, sd in enumerate([0.05, 0.05, 1.0]):
        assert stats.kstest((noisy - draws)[:, j].numpy(), stats.norm(0, sd).cdf).pvalue > 0.01


def test_labelled_draws_of_a_swiss_roll_lie_in_the_labels_tenth() -> None:
    prior, _ = built(SwissRoll(turns=1.5, radius=5.0, sd=1e-6), 2)
    assert prior.n_kinds == 10
    labels = torch.arange(10).repeat(200)
    draws = prior.sample_labelled(labels, generator())
    turn = np.hypot(draws[:, 0].numpy(), draws[:, 1].numpy()) / 5 * 3 * np.pi
    place = 10 * arc_length(turn) / arc_length(np.array(3 * np.pi))
    assert (np.abs(place - labels.numpy() - 0.5) < 0.501).all()
    assert stats.kstest(place - labels.numpy(), stats.uniform.cdf).pvalue > 0.01


@pytest.mark.parametrize("n_components", [2, 3, 10])
def test_the_uniform_sphere(n_components: int) -> None:
    prior, _ = built(UniformSphere(), n_components, "sphere")
    assert isinstance(prior, UniformSpherePrior)
    assert prior.on_sphere
    draws = prior.sample(5000, generator(), temperature=0.0)
    torch.testing.assert_close(draws.norm(dim=1), torch.ones(5000))
    # A coordinate's square is a beta variable.
    law = stats.beta(0.5, 0.5 * (n_components - 1))
    assert stats.kstest(draws[:, 1].square().numpy(), law.cdf).pvalue > 0.01
    area = 2 * np.pi ** (n_components / 2) / math.gamma(n_components / 2)
    np.testing.assert_allclose(prior.log_prob(draws), -np.log(area), rtol=1e-6)


class Coded(nn.Module):
    """An encoder, a code and a prior that mixes the code's distributions, as a model owns them."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.encoder = nn.Linear(N_INPUTS, code.n_outputs)
        self.code = code
        self.prior = VampPriorModule(code, N_INPUTS, 5)


@pytest.mark.parametrize("code", [GaussianCode(3), SphericalCode(3)], ids=["gaussian", "sphere"])
def test_a_vamp_prior_is_the_mean_of_its_inputs_posteriors(code: Code) -> None:
    torch.manual_seed(0)
    model = Coded(code)
    assert model.prior.on_sphere == code.on_sphere
    anchors = model.prior.anchors(model.encoder)
    torch.testing.assert_close(anchors, model.encoder(model.prior.pseudo_inputs))
    z = nn.functional.normalize(random(4, 1, 3), dim=2)
    each = torch.stack([code.log_prob(anchors[m : m + 1], z) for m in range(5)])
    torch.testing.assert_close(model.prior.log_prob(z, anchors), each.exp().mean(dim=0).log())
    cold = model.prior.sample(40, generator(), temperature=0.0, anchors=anchors)
    distances = torch.cdist(cold, code.code(anchors))
    assert distances.min(dim=1).values.max() < 1e-3
    assert len(distances.argmin(dim=1).unique()) == 5  # all of them are drawn from


def test_a_vamp_prior_learns_its_inputs_through_the_encoder() -> None:
    torch.manual_seed(0)
    model = Coded(GaussianCode(3))
    assert [name for name, _ in model.prior.named_parameters()] == ["pseudo_inputs"]
    assert list(model.prior.children()) == []  # the code is the model's
    model.prior.log_prob(random(4, 3), model.prior.anchors(model.encoder)).sum().backward()
    for parameter in (model.prior.pseudo_inputs, model.encoder.weight):
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0


def test_a_copied_model_ties_the_copied_prior_to_the_copied_code() -> None:
    model = Coded(GaussianCode(3))
    copied = copy.deepcopy(model)
    assert copied.prior._code[0] is copied.code
    assert copied.code is not model.code


def test_a_vamp_prior_asks_for_its_anchors() -> None:
    prior = VampPriorModule(GaussianCode(3), N_INPUTS, 5)
    with pytest.raises(ValueError, match="anchors"):
        prior.log_prob(random(4, 3))
    with pytest.raises(ValueError, match="anchors"):
        prior.sample(4, generator())


def test_pseudo_inputs_start_spread_as_encoder_inputs_are() -> None:
    torch.manual_seed(0)
    given = VampPriorModule(GaussianCode(3), 50, 500).pseudo_inputs.detach()
    assert float(given.std()) == pytest.approx(1, abs=0.05)
    assert float(given.mean()) == pytest.approx(0, abs=0.05)


def test_a_vamp_prior_needs_a_code_that_is_drawn() -> None:
    with pytest.raises(ValueError, match="another prior"):
        VampPrior().build(Point().build(3), N_INPUTS)
