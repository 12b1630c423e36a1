from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from isthmus.errors import InputError
from isthmus.parts.posteriors import DiagonalGaussian, FiniteScalar, Point
from isthmus.parts.terms import NeighborEmbedding
from isthmus.parts.terms.base import Step
from isthmus.parts.terms.neighbor_embedding import GROUP_ROWS, GUIDANCE, GUIDED_SHARE

N_COLUMNS, PRICE = 16, 21.0  # 5 nats, and one for each column


def surprise(
    codes: Tensor, near: Tensor | None, share: float = 1.0, layout: Tensor | None = None, **fields: Any
) -> Tensor:
    rows: Any = type("Rows", (), {"values": torch.zeros(len(codes), N_COLUMNS)})
    looked_at = {"codes": codes, "near_codes": near, "layout": layout, "share": share, "rows": rows}
    step = Step(**dict.fromkeys(Step.__dataclass_fields__) | looked_at)
    return NeighborEmbedding(**fields).build(Point().build(codes.shape[1]), None, 0)(step)


def kernel(a: Tensor, b: Tensor, min_dist: float) -> float:
    return 1 / (1 + max(float((a - b).norm()) - min_dist, 0.0) ** 2)


def by_hand(codes: Tensor, near: Tensor, min_dist: float) -> list[float]:
    n, values = len(codes), []
    for i in range(n):
        others = sum(kernel(codes[i], codes[j], min_dist) for j in range(n) if j != i)
        own = [kernel(codes[i], neighbor, min_dist) for neighbor in near[i]]
        shares = [n * k / (k + others) for k in own]
        values.append(-sum(math.log(share) for share in shares) / len(shares))
    return values


def normal(n: int, seed: int) -> Tensor:
    return 3 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("min_dist", [0.0, 0.1, 2.0])
def test_is_the_mean_cross_entropy_over_neighbours_by_hand(min_dist: float) -> None:
    codes, near = normal(5, 0), normal(15, 1).view(5, 3, 2)
    found = surprise(codes, near, min_dist=min_dist)
    assert found.tolist() == pytest.approx([PRICE * v for v in by_hand(codes, near, min_dist)], rel=1e-9)


def test_codes_that_tell_nothing_cost_nothing_and_single_rows_neither() -> None:
    same = torch.zeros(6, 2)
    torch.testing.assert_close(surprise(same, same[:, None]), torch.zeros(6))
    torch.testing.assert_close(surprise(same[:1], same[:1, None] + 5), torch.zeros(1))


def test_neighbours_in_well_separated_pairs_gain_the_logarithm_of_their_number() -> None:
    codes = 1e6 * torch.arange(8, dtype=torch.float64)[:, None].repeat(1, 2)
    expected = torch.full((8,), -PRICE * math.log(8), dtype=torch.float64)  # one of 8 candidates has it all
    torch.testing.assert_close(surprise(codes, codes[:, None]), expected)


def test_long_batches_are_taken_in_groups() -> None:
    codes, near = normal(GROUP_ROWS + 3, 0), normal(GROUP_ROWS + 3, 1)[:, None]
    apart = torch.cat(
        [surprise(codes[:GROUP_ROWS], near[:GROUP_ROWS]), surprise(codes[GROUP_ROWS:], near[GROUP_ROWS:])]
    )
    torch.testing.assert_close(surprise(codes, near), apart)


def test_the_gradient_is_finite_where_codes_meet() -> None:
    codes = torch.zeros(4, 2, requires_grad=True)
    surprise(codes, codes[:, None]).sum().backward()
    assert codes.grad is not None
    assert torch.isfinite(codes.grad).all()


def test_a_first_layout_guides_early_and_is_forgotten() -> None:
    codes, near = normal(4, 0), normal(4, 1)[:, None]
    layout = codes + torch.tensor([1.0, 0.0])
    free = surprise(codes, near)
    off = 1 / float(layout.square().sum(dim=1).mean())
    for share in (0.0, GUIDED_SHARE / 2):
        pull = PRICE * GUIDANCE * (1 - share / GUIDED_SHARE) * off
        torch.testing.assert_close(surprise(codes, near, share, layout), free + pull)
    torch.testing.assert_close(surprise(codes, near, GUIDED_SHARE, layout), free)


def test_rows_without_neighbours_and_tokens_are_refused() -> None:
    with pytest.raises(InputError, match="came without neighbours"):
        surprise(normal(3, 0), None)
    with pytest.raises(InputError, match="these are made of tokens"):
        NeighborEmbedding().build(FiniteScalar().build(2), None, 0)
    NeighborEmbedding().build(DiagonalGaussian().build(2), None, 0)
