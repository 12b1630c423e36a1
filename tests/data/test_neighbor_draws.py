from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from isthmus.data.neighbor_draws import NeighborGraph


def test_neighbours_are_drawn_by_their_weights() -> None:
    weights = csr_array(np.array([[0, 3.0, 1.0, 0], [0.5, 0, 0, 0], [0, 0, 0, 1e9], [1, 1, 1, 0.0]]))
    drawn = NeighborGraph.of(weights).draw(torch.Generator().manual_seed(0), 20_000)
    assert drawn.shape == (4, 20_000)
    shares = np.stack([np.bincount(row, minlength=4) / 20_000 for row in drawn.numpy()])
    expected = [[0, 0.75, 0.25, 0], [1, 0, 0, 0], [0, 0, 0, 1], [1 / 3, 1 / 3, 1 / 3, 0]]
    np.testing.assert_allclose(shares, expected, atol=0.015)
    assert ((shares > 0) == (np.array(expected) > 0)).all()


def test_a_weight_of_0_is_never_drawn() -> None:
    stored = csr_array(([0.0, 1.0, 0.0, 2.0], [0, 1, 0, 1], [0, 2, 4]), (2, 2))
    drawn = NeighborGraph.of(stored).draw(torch.Generator().manual_seed(0), 1000)
    assert (drawn == 1).all()


def test_the_same_generator_draws_the_same() -> None:
    graph = NeighborGraph.of(csr_array(np.ones((5, 5))))
    first, again, other = (graph.draw(torch.Generator().manual_seed(seed), 3) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
