"""Positions of rows that settle among their neighbours, before there are networks that have to follow."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.data.neighbor_draws import NeighborGraph
from isthmus.data.splitting import derive_seed
from isthmus.parts.terms.neighbor_embedding import GUIDED_SHARE, misplacement, surprise
from isthmus.training.settings import DECAY_SHARE, WARMUP_SHARE

__all__ = ["longest", "settle"]

BATCH_ROWS = 256
# How far a step moves a row, between warm-up and decay. Steps of 1 and more never settle.
STEP = 0.4
# 10,000 digits keep training neighbours better the longer they settle (area of R_NX 0.33 after 150 epochs,
# 0.36 after 300), but then it takes a fifth of the fit. Few rows need as many steps as some thousands.
ENOUGH_EPOCHS, LEAST_STEPS = 300, 2_000


def longest(n_rows: int) -> int:
    """Return the number of steps after which so many rows have settled."""
    return max(LEAST_STEPS, ENOUGH_EPOCHS * _per_epoch(n_rows))


def settle(
    layout: Tensor, graph: NeighborGraph, n_drawn: int, min_dist: float, n_steps: int, seed: int
) -> Tensor:
    """Move rows from a first layout to where neighbours lie together and other rows do not.

    A step takes no network, and so costs a small part of one of the model's. The layout guides the first
    steps, as it does there.

    Parameters
    ----------
    layout : Tensor of shape (n, D)
    graph : NeighborGraph
    n_drawn : int
        Neighbours that a row looks at in an epoch.
    min_dist : float
        Rows nearer than this are not drawn nearer still.
    n_steps : int
        Of Adam, with 256 rows each; epochs are not left unfinished.
    seed : int

    Returns
    -------
    Tensor of shape (n, D)
    """
    table = nn.Parameter(layout.clone())
    adam = torch.optim.Adam([table], fused=True)
    per_epoch = _per_epoch(len(layout))
    n_epochs = n_steps // per_epoch
    n_steps, step = n_epochs * per_epoch, 0
    for epoch in range(n_epochs):
        generator = torch.Generator().manual_seed(derive_seed(seed, 12, epoch))
        near = graph.draw(generator, n_drawn).to(table.device)
        order = torch.randperm(len(table), generator=generator).to(table.device)
        for rows in order.tensor_split(per_epoch):
            share = step / n_steps
            rise, fall = (step + 1) / (WARMUP_SHARE * n_steps), (1 - share) / DECAY_SHARE
            adam.param_groups[0]["lr"] = STEP * min(1.0, rise, fall)
            codes = functional.embedding(rows, table)
            loss = surprise(codes, functional.embedding(near[rows], table), min_dist)
            if share < GUIDED_SHARE:
                loss = loss + misplacement(codes, layout[rows], share)
            loss.mean().backward()
            adam.step()
            adam.zero_grad()
            step += 1
    return table.detach()


def _per_epoch(n_rows: int) -> int:
    return math.ceil(n_rows / BATCH_ROWS)
