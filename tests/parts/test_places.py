from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors import Places
from isthmus.parts.posteriors.places import PlacesCode, Positions


def grid(n: int = 5, width: float = 1.0) -> PlacesCode:
    """Return a code of n x n places at whole numbers, of which the middle one is at 0."""
    code = Places(n * n).build(2)
    assert isinstance(code, PlacesCode)
    steps = torch.arange(n, dtype=torch.float32) - (n - 1) / 2
    code.places.copy_(torch.cartesian_prod(steps, steps))
    code.width.fill_(width)
    return code


def around(code: PlacesCode, point: Tensor, width: float = 1.0) -> Tensor:
    """Return logits that spread a row over the places around `point`."""
    return -(code.places - point).square().sum(dim=1) / (2 * width**2)


def outputs(code: PlacesCode, logits: Tensor, guess: Tensor) -> Tensor:
    """Join logits and a guess, given in the units of the code."""
    return torch.cat([logits, (guess - code.places.mean(dim=0)) / code.places.std()])[None]


FAR = torch.tensor([1e4, 1e4])


def test_the_likelier_of_two_regions_is_taken_not_the_mean_of_both() -> None:
    code = grid(21)
    left, right = torch.tensor([-6.0, 0.0]), torch.tensor([6.0, 2.0])
    both = torch.logaddexp(around(code, left, 0.7) + math.log(0.4), around(code, right, 0.7) + math.log(0.6))
    found = code.code(outputs(code, both, FAR))
    torch.testing.assert_close(found, right[None], atol=1e-3, rtol=0)


def test_a_guess_counts_where_it_agrees_and_not_where_it_is_far() -> None:
    code = grid(21)
    with torch.no_grad():
        code.log_scale.fill_(-1.5)
    logits = around(code, torch.zeros(2))
    guess = torch.tensor([0.3, 0.0])
    trust = math.exp(3.0) * math.exp(-(0.3**2) / (2 * 0.5**2))  # agreement is at half the places' width
    expected = torch.tensor([[0.3 * trust / (1 + trust), 0.0]])
    torch.testing.assert_close(code.code(outputs(code, logits, guess)), expected, atol=1e-4, rtol=0)
    far = code.code(outputs(code, logits, FAR))
    torch.testing.assert_close(far, torch.zeros(1, 2), atol=1e-4, rtol=0)


def test_right_outputs_surprise_nothing_and_wrong_ones_by_the_divergence() -> None:
    code = grid(width=0.7)
    point = torch.tensor([1.2, -0.4])
    right = outputs(code, around(code, point, 0.7), point)
    torch.testing.assert_close(code.surprise(right, point[None, None]), torch.zeros(1), atol=1e-5, rtol=0)
    spread = torch.softmax(around(code, point, 0.7), dim=0)
    uniform = outputs(code, torch.zeros(25), point)
    expected = math.log(25) - float(torch.special.entr(spread).sum())
    assert code.surprise(uniform, point[None, None]).item() == pytest.approx(expected, rel=1e-5)
    missed = outputs(code, around(code, point, 0.7), point + torch.tensor([1.4, 0.0]))
    assert code.surprise(missed, point[None, None]).item() == pytest.approx(
        1.5 * math.log(1 + 2**2), rel=1e-4
    )


def test_of_several_targets_the_mean_is_wanted() -> None:
    code = grid()
    targets = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]])
    halves = torch.stack([torch.softmax(around(code, target), dim=0) for target in targets[0]])
    right = outputs(code, halves.mean(dim=0).log(), torch.zeros(2))
    assert code.surprise(right, targets).item() == pytest.approx(
        1.5 * math.log(2), rel=1e-5
    )  # the guess is 1 off


def test_places_follow_their_landmarks() -> None:
    code = grid(3)
    layout = torch.tensor([[float(i), 0.0] for i in range(18)])
    positions = Positions(layout, torch.arange(0, 18, 2), 2e-3)
    code.follow(positions)
    torch.testing.assert_close(code.places, layout[::2])
    # Every other row is a place itself, the rest are 1 away from one.
    assert float(code.width) == pytest.approx(math.sqrt(0.5), rel=1e-5)
    torch.testing.assert_close(positions.at(torch.tensor([[3, 5]])), layout[None, [3, 5]])
    code.follow(Positions(layout + 1, None, 2e-3))
    torch.testing.assert_close(code.places, layout[::2])


def test_rows_in_one_point_leave_a_width() -> None:
    code = grid(3)
    code.follow(Positions(torch.zeros(9, 2), torch.arange(9), 2e-3))
    assert float(code.width) > 0
    assert torch.isfinite(code.code(torch.zeros(2, 11))).all()


def test_there_are_as_many_places_as_rows_allow() -> None:
    assert Places().for_rows(1_000_000) == Places(3000)
    assert Places().for_rows(1000) == Places(333)
    assert Places().for_rows(3) == Places(2)
    with pytest.raises(InputError, match="n_places"):
        Places(1)


def test_a_guess_is_trusted_as_far_as_guesses_have_been_right() -> None:
    code = grid()
    error = 0.3 * torch.randn(2000, 1, 2, generator=torch.Generator().manual_seed(0))
    given = outputs(code, torch.zeros(25), torch.zeros(2)).expand(2000, -1)
    fit = torch.optim.Adam([code.log_scale], lr=0.05)
    for _ in range(200):
        fit.zero_grad()
        code.surprise(given, error).mean().backward()
        fit.step()
    # The likeliest scale of a Cauchy distribution solves mean(m / (1 + m)) = D / (D + 1).
    missed = (error / code.log_scale.detach().exp()).square().sum(dim=2)
    assert float((missed / (1 + missed)).mean()) == pytest.approx(2 / 3, abs=1e-3)
    assert code.log_scale.exp().item() < 0.3
