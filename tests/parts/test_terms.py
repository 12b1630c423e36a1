from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, distributions

from isthmus.errors import InputError
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.specs import DiagonalGaussian, FiniteScalar, Point
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.base import Step
from isthmus.parts.terms.discrepancy import squared_discrepancy
from isthmus.parts.terms.specs import KL, MaximumMeanDiscrepancy, Sparsity


class Normal(LatentPrior):
    """A normal of any standard deviation, which may claim to be the standard one."""

    def __init__(self, n_components: int, *, sd: float = 1.0, standard_normal: bool = True) -> None:
        super().__init__(n_components)
        self.sd, self.standard_normal = sd, standard_normal

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        return distributions.Normal(0.0, self.sd).log_prob(z).sum(dim=-1)

    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return self.sd * torch.randn(n, self.n_components, generator=generator)


class Unscored(Normal):
    scored = False


class OnSphere(Normal):
    on_sphere = True


class Tokens(Normal):
    discrete = True


def step_of(**given: Any) -> Step:
    """Return a step with as much of it as a term looks at."""
    usual = {"prior": None, "anchors": None, "weight": None, "labels": None, "generator": torch.Generator()}
    return cast(Step, SimpleNamespace(**usual | given))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# KL ---------------------------------------------------------------------------------------------------------


def gaussian_step(prior: LatentPrior, outputs: Tensor, noise: Tensor, **given: Any) -> Step:
    code = DiagonalGaussian().build(outputs.shape[1] // 2)
    codes = code.sample(outputs, noise[None])[0]
    return step_of(code=code, outputs=outputs, codes=codes, prior=prior, **given)


def kl_oracle(outputs: Tensor, sd: float = 1.0) -> Tensor:
    mean, log_sd = outputs.chunk(2, dim=1)
    return distributions.kl_divergence(
        distributions.Normal(mean, log_sd.exp()), distributions.Normal(torch.zeros_like(mean), sd)
    )


def test_the_divergence_is_torchs_where_there_is_a_closed_form() -> None:
    code, prior = DiagonalGaussian().build(3), Normal(3)
    term = KL().build(code, prior, 0)
    outputs = random(5, 6)
    value = term(gaussian_step(prior, outputs, random(5, 3, seed=1)))
    torch.testing.assert_close(value, kl_oracle(outputs).sum(dim=1))
    assert term.name == "kl"


def test_without_a_closed_form_one_draw_estimates_it() -> None:
    code, prior = DiagonalGaussian().build(2), Normal(2, sd=1.7, standard_normal=False)
    term = KL().build(code, prior, 0)
    outputs = random(1, 4).expand(100_000, 4)
    estimates = term(gaussian_step(prior, outputs, random(100_000, 2, seed=1)))
    assert estimates.std() > 0.1
    truth = kl_oracle(outputs[:1], 1.7).sum().item()
    assert estimates.mean().item() == pytest.approx(
        truth, abs=4 * estimates.std().item() / math.sqrt(100_000)
    )


def test_free_bits_cost_nothing_and_have_no_gradient() -> None:
    prior = Normal(3)
    term = KL(free_bits=0.5).build(DiagonalGaussian().build(3), prior, 0)
    # means of divergence over the batch: 0.5 * 0.04 and 0.5 * (9 + 1) / 2, and exactly 0
    means = torch.tensor([[0.2, 3.0, 0.0], [-0.2, 1.0, 0.0]])
    outputs = torch.cat([means, torch.zeros(2, 3)], dim=1).requires_grad_()
    value = term(gaussian_step(prior, outputs, torch.zeros(2, 3)))
    torch.testing.assert_close(value, torch.tensor([0.5 + 4.5 + 0.5, 0.5 + 0.5 + 0.5]))
    (gradient,) = torch.autograd.grad(value.sum(), outputs)
    torch.testing.assert_close(gradient[:, :3], torch.tensor([[0.0, 3.0, 0.0], [0.0, 1.0, 0.0]]))


@pytest.mark.parametrize(("weight", "free"), [([1.0, 1.0], False), ([1.0, 0.05], True)])
def test_rows_count_by_their_weights_in_what_is_free(weight: list[float], free: bool) -> None:
    prior = Normal(1)
    term = KL(free_bits=0.5).build(DiagonalGaussian().build(1), prior, 0)
    outputs = torch.tensor([[0.0, 0.0], [2.0, 0.0]])  # 0 and 2 nats
    step = gaussian_step(prior, outputs, torch.zeros(2, 1), weight=torch.tensor(weight))
    expected = [0.5, 0.5] if free else [0.0, 2.0]
    torch.testing.assert_close(term(step), torch.tensor(expected))


@pytest.mark.parametrize(("free_bits", "free"), [(0.9, False), (1.1, True)])
def test_an_estimate_has_the_free_bits_of_all_components(free_bits: float, free: bool) -> None:
    prior = Normal(4, standard_normal=False)
    term = KL(free_bits=free_bits).build(DiagonalGaussian().build(4), prior, 0)
    outputs = torch.cat([torch.full((1, 4), math.sqrt(2.0)), torch.zeros(1, 4)], dim=1)
    # at the mean, log q - log p is half the squared mean: 1 nat a component, 4 in all
    value = term(gaussian_step(prior, outputs, torch.zeros(1, 4)))
    torch.testing.assert_close(value, torch.tensor([4 * free_bits if free else 4.0]))


def test_the_weight_grows_to_beta() -> None:
    term = KL(beta=4.0, warmup=0.2).build(DiagonalGaussian().build(2), Normal(2), 0)
    assert [term.weight_at(share) for share in (0.0, 0.1, 0.2, 1.0)] == [0.0, 2.0, 4.0, 4.0]
    assert KL(beta=4.0, warmup=0.0).build(DiagonalGaussian().build(2), Normal(2), 0).weight_at(0.0) == 4.0


@pytest.mark.parametrize(
    ("code", "prior", "message"),
    [
        (Point().build(2), Normal(2), "no noise"),
        (DiagonalGaussian().build(2), Unscored(2), "adversarial autoencoder"),
        (DiagonalGaussian().build(2), OnSphere(2), "the prior lies on the unit sphere"),
        (DiagonalGaussian().build(2), None, "give it one"),
    ],
)
def test_what_has_no_divergence_is_refused(code: Code, prior: LatentPrior | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        KL().build(code, prior, 0)


# Sparsity ---------------------------------------------------------------------------------------------------


def test_l1_is_the_sum_of_sizes() -> None:
    term = Sparsity(weight=2.0).build(Point().build(3), None, 0)
    codes = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    assert term(step_of(codes=codes)).tolist() == [3.5, 0.0]
    assert (term.name, term.weight) == ("sparsity", 2.0)


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 3.0])])
def test_kl_compares_the_means_with_the_rate(weight: Tensor | None) -> None:
    term = Sparsity("kl", rate=0.2).build(Point("sigmoid").build(2), None, 0)
    codes = torch.tensor([[0.1, 0.9], [0.3, 0.5]])
    mean = torch.tensor([0.2, 0.7] if weight is None else [0.25, 0.6])
    expected = distributions.kl_divergence(
        distributions.Bernoulli(torch.tensor(0.2)), distributions.Bernoulli(mean)
    ).sum()
    value = term(step_of(codes=codes, weight=weight))
    assert value.ndim == 0
    torch.testing.assert_close(value, expected)


@pytest.mark.parametrize("extreme", [0.0, 1.0])
def test_kl_is_finite_where_a_component_is_always_off_or_on(extreme: float) -> None:
    term = Sparsity("kl").build(Point("sigmoid").build(2), None, 0)
    codes = torch.full((4, 2), extreme, requires_grad=True)
    value = term(step_of(codes=codes))
    value.backward()
    assert 0.1 < value.item() < 100
    assert codes.grad is not None
    assert torch.isfinite(codes.grad).all()


def test_kl_needs_codes_between_0_and_1_and_top_k_belongs_to_the_code() -> None:
    for code in (Point().build(2), Point("tanh").build(2), DiagonalGaussian().build(2)):
        with pytest.raises(InputError, match="between 0 and 1"):
            Sparsity("kl").build(code, None, 0)
    with pytest.raises(InputError, match=r"SparseAutoencoder.*Point\(top_k=3\)"):
        Sparsity("top_k", k=3).build(Point().build(8), None, 0)


# Maximum mean discrepancy -----------------------------------------------------------------------------------


def test_codes_are_compared_with_as_many_draws_at_the_priors_own_scale() -> None:
    prior = Normal(3, sd=5.0)
    term = MaximumMeanDiscrepancy().build(Point().build(3), prior, 0)
    codes = random(20, 3)
    value = term(step_of(codes=codes, prior=prior, generator=torch.Generator().manual_seed(7)))
    draws = prior.sample(20, torch.Generator().manual_seed(7))
    assert value.ndim == 0
    expected = squared_discrepancy(codes, draws, "inverse_multiquadric", 5.0)
    torch.testing.assert_close(value, expected, rtol=0.02, atol=0)
    assert not term.state_dict()
    again = MaximumMeanDiscrepancy().build(Point().build(3), prior, 0)
    assert torch.equal(cast(Tensor, term.scale), cast(Tensor, again.scale))


def test_the_scale_of_a_prior_that_learns_does_not_depend_on_its_first_weights() -> None:
    prior = Normal(3, sd=5.0)
    prior.register_parameter("shift", torch.nn.Parameter(torch.zeros(3)))
    term = MaximumMeanDiscrepancy().build(Point().build(3), prior, 0)
    assert cast(Tensor, term.scale).item() == 1.0


@pytest.mark.parametrize("kernel", ["inverse_multiquadric", "gaussian"])
def test_codes_that_follow_its_gradient_take_the_priors_shape(kernel: str) -> None:
    prior, generator = Normal(2, sd=2.0), torch.Generator().manual_seed(0)
    term = MaximumMeanDiscrepancy(kernel=kernel).build(Point().build(2), prior, 0)
    shift, log_sd = torch.tensor([6.0, -3.0], requires_grad=True), torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([shift, log_sd], lr=0.05)
    for _ in range(400):
        codes = shift + log_sd.exp() * torch.randn(128, 2, generator=generator)
        optimizer.zero_grad()
        term(step_of(codes=codes, prior=prior, generator=generator)).backward()
        optimizer.step()
    torch.testing.assert_close(shift.detach(), torch.zeros(2), atol=0.3, rtol=0)
    torch.testing.assert_close(log_sd.exp().detach(), torch.full((2,), 2.0), atol=0.3, rtol=0)


def test_codes_made_of_tokens_are_not_compared() -> None:
    with pytest.raises(InputError, match="tokens"):
        MaximumMeanDiscrepancy().build(FiniteScalar().build(2), Tokens(2), 0)
