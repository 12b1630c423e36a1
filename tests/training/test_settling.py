from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from isthmus.data.neighbor_draws import NeighborGraph
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


def test_the_same_seed_settles_the_same_and_no_epoch_moves_nothing() -> None:
    graph, _ = groups(3, 10)
    start = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    first, again, other = (settle(start, graph, 5, 0.1, 5, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(settle(start, graph, 5, 0.1, 0, 0), start)
