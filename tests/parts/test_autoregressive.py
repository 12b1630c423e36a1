from __future__ import annotations

import copy
import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from isthmus.errors import InputError
from isthmus.parts.posteriors.specs import FiniteScalar, Point, VectorQuantized
from isthmus.parts.priors.autoregressive import AutoregressivePrior
from isthmus.parts.priors.specs import Autoregressive


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(
    n_tokens: int, n_values: int, width: int = 8, seed: int = 0, spread: float = 1.0
) -> AutoregressivePrior:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        prior = Autoregressive(width).build(FiniteScalar(n_values).build(n_tokens), n_inputs=1)
        assert isinstance(prior, AutoregressivePrior)
        for parameter in prior.parameters():
            nn.init.normal_(parameter, std=spread)
    return prior


def all_sequences(n_tokens: int, n_values: int) -> Tensor:
    return torch.tensor(list(itertools.product(range(n_values), repeat=n_tokens)))


def sticky(n: int, n_tokens: int, stay: float, draws: torch.Generator) -> Tensor:
    """Return chains of two states that start fairly and stay where they are with probability `stay`."""
    flips = (torch.rand(n, n_tokens, generator=draws) > stay).long()
    flips[:, 0] = torch.randint(2, (n,), generator=draws)
    return flips.cumsum(dim=1) % 2


@pytest.mark.parametrize(("n_tokens", "n_values"), [(1, 5), (3, 3), (4, 2)])
def test_the_probabilities_of_all_sequences_sum_to_one(n_tokens: int, n_values: int) -> None:
    log_prob = make(n_tokens, n_values).log_prob_indices(all_sequences(n_tokens, n_values))
    assert log_prob.shape == (n_values**n_tokens,)
    assert log_prob.exp().std() > 1e-3
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_a_token_is_judged_by_those_before_it_and_by_its_place() -> None:
    prior = make(3, 2)
    p = prior.log_prob_indices(all_sequences(3, 2)).exp().view(2, 2, 2).detach()
    third = p[..., 1] / p.sum(dim=2)  # p(third = 1 given the first two)
    assert abs(third[0, 0] - third[1, 0]) > 1e-3  # it remembers more than the last token
    assert abs(third[0, 0] - third[0, 1]) > 1e-3


def test_it_learns_how_tokens_depend_on_each_other() -> None:
    n_tokens, stay, draws = 4, 0.9, generator(1)
    prior = make(n_tokens, 2, width=16, spread=0.2)
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        prior.companion_loss(sticky(256, n_tokens, stay, draws)).backward()
        optimizer.step()
    entropy_of_step = -stay * math.log(stay) - (1 - stay) * math.log(1 - stay)
    entropy = math.log(2) + (n_tokens - 1) * entropy_of_step
    sequences = all_sequences(n_tokens, 2)
    n_flips = sequences.diff(dim=1).abs().sum(dim=1)
    truth = 0.5 * stay ** (n_tokens - 1 - n_flips) * (1 - stay) ** n_flips
    cross_entropy = -(truth * prior.log_prob_indices(sequences)).sum().item()
    assert entropy < cross_entropy < entropy + 0.02
    assert n_tokens * math.log(2) > entropy + 1  # independent tokens would be far worse


@pytest.mark.parametrize(("n_tokens", "n_values"), [(3, 2), (2, 4)])
def test_draws_are_as_frequent_as_they_are_probable(n_tokens: int, n_values: int) -> None:
    prior, n = make(n_tokens, n_values, spread=0.7), 40_000
    drawn = prior.sample_indices(n, generator(2))
    assert drawn.shape == (n, n_tokens)
    places = n_values ** torch.arange(n_tokens - 1, -1, -1)
    share = torch.bincount((drawn * places).sum(dim=1), minlength=n_values**n_tokens) / n
    p = prior.log_prob_indices(all_sequences(n_tokens, n_values)).exp().detach()
    assert ((share - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all()
    assert p.max() > 2 * p.min()


def test_temperature_divides_the_logits() -> None:
    prior, n = make(1, 4), 40_000
    log_prob = prior.log_prob_indices(all_sequences(1, 4)).detach()
    for temperature in (0.5, 3.0):
        share = torch.bincount(prior.sample_indices(n, generator(3), temperature)[:, 0], minlength=4) / n
        torch.testing.assert_close(share, torch.softmax(log_prob / temperature, 0), atol=0.012, rtol=0)


def test_at_temperature_zero_each_token_is_the_likeliest() -> None:
    prior = make(3, 3)
    drawn = prior.sample_indices(20, generator(4), temperature=0)
    best: list[int] = []
    for place in range(3):
        rows = torch.tensor([[*best, value, *[0] * (2 - place)] for value in range(3)])
        rest = all_sequences(2 - place, 3) if place < 2 else torch.empty(1, 0, dtype=torch.long)
        totals = [
            prior.log_prob_indices(torch.cat([row[: place + 1].expand(len(rest), -1), rest], 1)).logsumexp(0)
            for row in rows
        ]
        best.append(int(torch.stack(totals).argmax()))
    assert (drawn == torch.tensor(best)).all()


def test_codes_are_those_that_the_tokens_stand_for() -> None:
    code = VectorQuantized(n_codes=5, token_size=2).build(6)
    code.update(torch.randn(40, 6, generator=generator()), generator())
    prior = Autoregressive(4).build(code, n_inputs=1)
    assert isinstance(prior, AutoregressivePrior)
    z = prior.sample(7, generator(5))
    assert z.shape == (7, 6)
    assert torch.equal(z, code.from_indices(prior.sample_indices(7, generator(5))))  # type: ignore[attr-defined]
    assert not z.requires_grad


def test_it_learns_apart_from_the_code_and_is_copied_with_it() -> None:
    code = VectorQuantized(n_codes=5, token_size=2).build(4)
    model = nn.ModuleDict({"code": code, "prior": Autoregressive(4).build(code, n_inputs=1)})
    assert not any("codebook" in name for name in model["prior"].state_dict())
    twin = copy.deepcopy(model)
    twin["code"].update(torch.ones(3, 4), generator())
    drawn = twin["prior"].sample(2, generator())  # type: ignore[operator]
    assert torch.equal(drawn, torch.ones(2, 4))
    assert torch.equal(model["prior"].sample(2, generator()), torch.zeros(2, 4))  # type: ignore[operator]


def test_rows_count_by_their_weights() -> None:
    prior, rows = make(2, 3), torch.tensor([[0, 1], [2, 2], [1, 0]])
    log_prob = prior.log_prob_indices(rows)
    expected = -(log_prob[0] + 3 * log_prob[1]) / 4
    torch.testing.assert_close(prior.companion_loss(rows, torch.tensor([1.0, 3.0, 0.0])), expected)
    torch.testing.assert_close(prior.companion_loss(rows), -log_prob.mean())


def test_it_gives_no_density_of_codes() -> None:
    prior = make(2, 3)
    assert prior.discrete
    assert not prior.scored
    with pytest.raises(InputError, match="log_prob_indices"):
        prior.log_prob(torch.zeros(1, 2))


def test_it_is_no_prior_of_continuous_codes() -> None:
    with pytest.raises(InputError, match="discrete codes"):
        Autoregressive().build(Point().build(2), n_inputs=1)
