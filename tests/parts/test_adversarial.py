from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from isthmus.errors import InputError
from isthmus.parts.posteriors.specs import Point
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.adversarial import AdversarialTerm
from isthmus.parts.terms.base import Step
from isthmus.parts.terms.discrepancy import squared_discrepancy
from isthmus.parts.terms.specs import Adversarial

N_COLUMNS, PRICE = 8, 12.0  # 10 nats, and a quarter of one for each column


class Normal(LatentPrior):
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return torch.randn(n, self.n_components, generator=generator)


class Blobs(Normal):
    """Three narrow blobs on a line, at -5, 0 and 5, one for each label."""

    n_kinds = 3

    def sample(self, n: int, generator: torch.Generator, *args: Any, **kwargs: Any) -> Tensor:
        return self.sample_labelled(torch.randint(3, (n,), generator=generator), generator)

    def sample_labelled(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        noise = 0.3 * torch.randn(len(labels), self.n_components, generator=generator)
        return 5.0 * (labels[:, None] - 1) + noise


def make(prior: LatentPrior, n_labels: int = 0, seed: int = 0, **fields: Any) -> AdversarialTerm:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        term = Adversarial(**fields).build(Point().build(prior.n_components), prior, n_labels)
    assert isinstance(term, AdversarialTerm)
    return term


def step_of(codes: Tensor, prior: LatentPrior, seed: int = 0, **given: Any) -> Step:
    rows = SimpleNamespace(values=torch.zeros(len(codes), N_COLUMNS))
    usual = {"anchors": None, "weight": None, "labels": None, "rows": rows}
    generator = torch.Generator().manual_seed(seed)
    return cast(
        Step, SimpleNamespace(**{"codes": codes, "prior": prior, "generator": generator} | usual | given)
    )


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seen_by(discriminator: nn.Module) -> list[Tensor]:
    """Return a list that fills with what the discriminator is given."""
    inputs: list[Tensor] = []
    discriminator.register_forward_pre_hook(lambda module, given: inputs.append(given[0].detach()))
    return inputs


# The losses -------------------------------------------------------------------------------------------------


def test_an_undecided_discriminator_costs_log_2_on_either_side() -> None:
    prior = Normal(2)
    term = make(prior)
    for parameter in term.opponent.parameters():
        nn.init.zeros_(parameter)
    step = step_of(random(5, 2), prior)
    torch.testing.assert_close(term(step), torch.full((5,), PRICE * math.log(2)))
    assert term.opponent_loss(step).item() == pytest.approx(2 * math.log(2))


def test_the_encoder_pays_minus_log_of_the_discriminators_belief() -> None:
    prior = Normal(2)
    term = make(prior)
    codes = random(5, 2)
    belief = torch.sigmoid(term.opponent(codes / term.scale))[:, 0]
    torch.testing.assert_close(term(step_of(codes, prior)), -PRICE * belief.log())
    assert term.scale.item() == pytest.approx(1, abs=0.02)


def test_the_opponent_pays_cross_entropy_and_for_its_slopes() -> None:
    prior = Normal(2)
    term = make(prior, hidden_sizes=(4,))
    codes, weight = random(6, 2, seed=3), torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0, 3.0])
    real = prior.sample(6, torch.Generator().manual_seed(1)).requires_grad_()
    with torch.enable_grad():
        logits = term.opponent(real / term.scale)[:, 0]
        (slopes,) = torch.autograd.grad(logits.sum(), real)
    entropy = -torch.sigmoid(logits).log() - torch.sigmoid(-term.opponent(codes / term.scale)[:, 0]).log()
    expected = entropy + 0.5 * 0.01 * (slopes.square() * term.scale**2).sum(dim=1)
    loss = term.opponent_loss(step_of(codes, prior, seed=1, weight=weight))
    torch.testing.assert_close(loss, (expected * weight).sum() / 8)
    unweighted = term.opponent_loss(step_of(codes, prior, seed=1))
    torch.testing.assert_close(unweighted, expected.mean())


def test_the_opponent_learns_and_the_codes_do_not_follow() -> None:
    prior = Normal(2)
    term, codes = make(prior), random(5, 2).requires_grad_()
    term.opponent_loss(step_of(codes, prior)).backward()
    assert codes.grad is None
    assert all(parameter.grad is not None for parameter in term.opponent.parameters())
    term(step_of(codes, prior)).sum().backward()
    assert codes.grad is not None
    assert codes.grad.any()


def test_the_opponent_is_a_submodule_with_its_own_rate() -> None:
    term = make(Normal(2), learning_rate=0.5, weight=3.0)
    assert {id(p) for p in term.opponent.parameters()} == {id(p) for p in term.parameters()}
    assert set(term.state_dict()) == {f"discriminator.{name}" for name in term.opponent.state_dict()}
    assert (term.name, term.weight, term.opponent_rate) == ("adversarial", 3.0, 0.5)


def test_held_out_rows_are_judged_by_their_discrepancy() -> None:
    prior = Normal(2)
    term, codes = make(prior).eval(), 2 * random(30, 2)
    value = term(step_of(codes, prior, seed=4))
    draws = prior.sample(30, torch.Generator().manual_seed(4))
    discrepancy = squared_discrepancy(codes, draws, "inverse_multiquadric", term.scale)
    torch.testing.assert_close(value, PRICE * discrepancy)
    for parameter in term.opponent.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(term(step_of(codes, prior, seed=4)), value)


# Labels -----------------------------------------------------------------------------------------------------


def test_it_is_told_the_label_of_codes_and_of_draws_alike() -> None:
    prior = Blobs(1)
    term = make(prior, n_labels=2)
    inputs = seen_by(term.opponent)
    labels = torch.tensor([0, 1, -1, 0])
    term.opponent_loss(step_of(random(4, 1), prior, labels=labels))
    told = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])
    real, fake = inputs
    assert torch.equal(real[:, 1:], told)
    assert torch.equal(fake[:, 1:], told)
    torch.testing.assert_close(fake[:, :1] * term.scale, random(4, 1))
    blobs = (real[:, 0] * term.scale)[[0, 1, 3]]
    torch.testing.assert_close(blobs, torch.tensor([-5.0, 0, -5]), atol=1.5, rtol=0)


@pytest.mark.parametrize("labels", [None, torch.full((300,), -1)])
def test_rows_of_unknown_label_are_compared_with_the_whole_prior(labels: Tensor | None) -> None:
    prior = Blobs(1)
    term = make(prior, n_labels=2)
    inputs = seen_by(term.opponent)
    term.opponent_loss(step_of(random(300, 1), prior, labels=labels))
    assert (inputs[0][:, 1:] == torch.tensor([0.0, 0.0, 1.0])).all()
    shares = torch.bincount((inputs[0][:, 0] * term.scale / 5 + 1).round().long(), minlength=3) / 300
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), atol=0.1, rtol=0)


def test_held_out_rows_are_compared_with_their_labels_parts() -> None:
    prior = Blobs(1)
    term = make(prior, n_labels=3).eval()
    labels = torch.zeros(100, dtype=torch.long)
    codes = prior.sample_labelled(labels, torch.Generator().manual_seed(9))
    assert abs(term(step_of(codes, prior, labels=labels)).item()) < 0.05 * PRICE
    assert term(step_of(codes, prior)).item() > 0.5 * PRICE


def test_labels_need_a_prior_with_as_many_parts() -> None:
    with pytest.raises(InputError, match="carry no label"):
        make(Normal(2), n_labels=2)
    with pytest.raises(InputError, match="4 labels, and Blobs has 3"):
        make(Blobs(2), n_labels=4)
    assert make(Blobs(2), n_labels=3).opponent[1].in_features == 2 + 4 + 2 * 2 * 3  # type: ignore[index]


# The game ---------------------------------------------------------------------------------------------------


def play(
    term: AdversarialTerm,
    encode: nn.Module,
    x: Tensor,
    prior: LatentPrior,
    n_steps: int,
    rate: float = 0.03,
    **given: Any,
) -> None:
    own = torch.optim.Adam(encode.parameters(), lr=rate, betas=(0.5, 0.9))
    others = torch.optim.Adam(term.opponent.parameters(), lr=rate, betas=(0.5, 0.9))
    generator = torch.Generator().manual_seed(0)
    for number in range(n_steps):
        for optimizer in (own, others):
            optimizer.param_groups[0]["lr"] = rate * (1 - number / n_steps)
        step = step_of(encode(x), prior, generator=generator, **given)
        own.zero_grad()
        term(step).mean().backward()
        own.step()
        others.zero_grad()
        term.opponent_loss(step).backward()
        others.step()


def test_codes_take_the_priors_shape() -> None:
    prior, x = Normal(2), random(256, 2, seed=5)
    encode = nn.Linear(2, 2)
    with torch.no_grad():
        encode.weight.copy_(torch.tensor([[0.1, 0.0], [0.0, 4.0]]))
        encode.bias.copy_(torch.tensor([3.0, -1.0]))
    play(make(prior, hidden_sizes=(32, 32)), encode, x, prior, 600)
    codes = encode(x).detach()
    torch.testing.assert_close(codes.mean(dim=0), torch.zeros(2), atol=0.25, rtol=0)
    torch.testing.assert_close(torch.cov(codes.T), torch.eye(2), atol=0.35, rtol=0)


@pytest.mark.slow
def test_known_labels_bring_codes_to_their_parts() -> None:
    prior, labels = Blobs(1), torch.arange(3).repeat(40)
    x = torch.cat([torch.eye(3)[labels], random(120, 1, seed=6)], dim=1)
    encode = nn.Linear(4, 1)
    nn.init.zeros_(encode.weight)
    nn.init.zeros_(encode.bias)
    # At three times the rate a group may end in another one's blob, on one processor and not on the next.
    play(make(prior, 3, hidden_sizes=(32, 32)), encode, x, prior, 4000, rate=0.01, labels=labels)
    means = torch.stack([encode(x[labels == k]).mean() for k in range(3)]).detach()
    torch.testing.assert_close(means, torch.tensor([-5.0, 0.0, 5.0]), atol=0.6, rtol=0)
