from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from isthmus.data.neighbor_draws import NeighborGraph
from isthmus.parts.terms import neighbor_embedding
from isthmus.training import settling
from isthmus.training.settling import settle


def groups(n_groups: int, size: int) -> tuple[NeighborGraph, torch.Tensor]:
    """Return a graph in which all rows of a group are neighbours, and which group each row is in."""
    weights = np.kron(np.eye(n_groups), 1 - np.eye(size))
    return NeighborGraph.of(csr_array(weights)), torch.arange(n_groups).repeat_interleave(size)


def test_neighbours_come_together_and_groups_part() -> None:
    graph, group = groups(4, 30)
    start = torch.randn(120, 2, generator=torch.Generator().manual_seed(0))
    settled = settle(start, graph, 5, 0.1, 300, 0)
    centres = torch.stack([settled[group == i].mean(dim=0) for i in range(4)])
    within = (settled - centres[group]).norm(dim=1).mean()
    assert torch.pdist(centres).min() > 8 * within
    start_centres = torch.stack([start[group == i].mean(dim=0) for i in range(4)])
    assert torch.pdist(start_centres).min() < (start - start_centres[group]).norm(dim=1).mean()


def test_groups_stay_on_their_sides_and_the_layout_is_left_as_it_was() -> None:
    graph, group = groups(2, 40)
    start = torch.where(group == 0, -3.0, 3.0)[:, None] * torch.tensor([1.0, 0.0])
    start = start + 0.1 * torch.randn(80, 2, generator=torch.Generator().manual_seed(0))
    before = start.clone()
    settled = settle(start, graph, 5, 0.1, 100, 0)
    assert torch.equal(start, before)
    assert (settled[group == 0, 0].max() < settled[group == 1, 0].min()).item()


def test_a_layout_that_guides_to_the_end_holds_rows_where_it_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph, group = groups(16, 10)
    centres = torch.stack([torch.arange(16) % 4, torch.arange(16) // 4], dim=1).float()
    layout = centres[group] + 0.3 * torch.randn(160, 2, generator=torch.Generator().manual_seed(0))
    moved = {}
    for share in (0.0, 1.0):
        monkeypatch.setattr(settling, "GUIDED_SHARE", share)
        monkeypatch.setattr(neighbor_embedding, "GUIDED_SHARE", share or 1.0)
        moved[share] = (settling.settle(layout, graph, 5, 0.1, 300, 0) - layout).norm(dim=1).mean()
    assert moved[1.0] < 0.25 * moved[0.0]


def test_the_same_seed_settles_the_same_and_no_epoch_moves_nothing() -> None:
    graph, _ = groups(3, 10)
    start = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    first, again, other = (settle(start, graph, 5, 0.1, 5, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(settle(start, graph, 5, 0.1, 0, 0), start)
