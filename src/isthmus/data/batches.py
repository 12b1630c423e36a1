"""An epoch of batches: gathered from rows held on the device, or streamed from a source that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from isthmus.data.features import Values
from isthmus.data.neighbor_draws import NeighborGraph
from isthmus.data.splitting import derive_seed
from isthmus.errors import InputError

__all__ = ["Batch", "Batches", "MemoryBatches", "StreamBatches", "concatenate"]

# Rows that a streamed epoch shuffles among themselves: many batches deep, yet small beside any memory.
SHUFFLE_ROWS = 32_768


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows in value units with their training weights (None: all one) and positions in the source.

    `condition`, of shape (B, E), is what the networks are told beside each row; `labels`, of shape (B,),
    what an opponent is told (-1: unknown). Where a term asks for them, `neighbors` holds a neighbour of each
    row, and `layout`, of shape (B, D), where a first layout puts the rows. Where training rows have positions
    of their own, `place`, of shape (B,), says which are these rows', and `near`, of shape (B, M), which are
    their neighbours'.
    """

    rows: Values
    weight: Tensor | None
    index: Tensor
    condition: Tensor | None = None
    labels: Tensor | None = None
    neighbors: Batch | None = None
    layout: Tensor | None = None
    place: Tensor | None = None
    near: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def sides(self) -> tuple[Tensor | None, Tensor, Tensor | None, Tensor | None]:
        """What stands beside the rows, in the order of the fields."""
        return self.weight, self.index, self.condition, self.labels

    def take(self, index: Tensor | slice) -> Batch:
        near = None if self.neighbors is None else self.neighbors.take(index)
        return self._with(self.rows.rows(index), lambda side: side[index], near)

    def to(self, device: torch.device) -> Batch:
        near = None if self.neighbors is None else self.neighbors.to(device)
        return self._with(self.rows.to(device), lambda side: side.to(device), near)

    def _with(self, rows: Values, change: Callable[[Tensor], Tensor], near: Batch | None) -> Batch:
        others = self.layout, self.place, self.near
        *sides, layout, place, beside = (None if a is None else change(a) for a in (*self.sides, *others))
        return Batch(rows, *sides, near, layout, place, beside)  # type: ignore[arg-type]


class Batches(Protocol):
    """Training rows to go through again and again, each epoch in an order fixed by (seed, epoch)."""

    n_rows: int
    mean_weight: float

    def n_batches(self, batch_size: int) -> int: ...

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]: ...


def _count(n_rows: int, batch_size: int) -> int:
    return max(1, -(-n_rows // batch_size))


def _split(order: Tensor, n_batches: int) -> Iterator[Tensor]:
    # Batches of nearly equal size: a last batch of one row would take a step as long as all the others.
    yield from torch.tensor_split(order, n_batches)


class MemoryBatches:
    """Rows held on the device; an epoch is a permutation of them.

    Parameters
    ----------
    data : Batch
    graph : NeighborGraph, optional
        Each row's neighbours, of which every epoch draws some.
    n_drawn : int, default=0
        How many; 0 hands on the row of one.
    """

    def __init__(self, data: Batch, graph: NeighborGraph | None = None, n_drawn: int = 0) -> None:
        self.data, self.graph, self.n_drawn = data, graph, n_drawn
        self.n_rows = len(data)
        self.mean_weight = 1.0 if data.weight is None else float(data.weight.double().mean())

    def n_batches(self, batch_size: int) -> int:
        return _count(self.n_rows, batch_size)

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(derive_seed(seed, 2, epoch))
        order = torch.randperm(self.n_rows, generator=generator).to(self.data.index.device)
        near = None if self.graph is None else self.graph.draw(generator, self.n_drawn or 1).to(order.device)
        for position, index in enumerate(_split(order, self.n_batches(batch_size))):
            if position < start:
                continue
            batch = self.data.take(index)
            if near is None:
                yield batch
            elif self.n_drawn:
                yield replace(batch, near=near[index])
            else:
                yield replace(batch, neighbors=self.data.take(near[index, 0]))


class StreamBatches:
    """Rows read from the source in every epoch, shuffled within a buffer.

    Parameters
    ----------
    blocks : callable
        Returns a new iterator over consecutive pieces of the training rows, as batches on the host.
    n_rows : int
    mean_weight : float
    device : torch.device
    shuffle : bool
        False for a loader that brings its own order.
    """

    def __init__(
        self,
        blocks: Callable[[], Iterator[Batch]],
        n_rows: int,
        mean_weight: float,
        device: torch.device,
        *,
        shuffle: bool = True,
    ) -> None:
        self.blocks, self.n_rows, self.mean_weight = blocks, n_rows, mean_weight
        self.device, self.shuffle = device, shuffle

    def _buffer_sizes(self) -> list[int]:
        n_buffers = _count(self.n_rows, SHUFFLE_ROWS)
        size, longer = divmod(self.n_rows, n_buffers)
        return [size + (number < longer) for number in range(n_buffers)]

    def n_batches(self, batch_size: int) -> int:
        return sum(_count(size, batch_size) for size in self._buffer_sizes())

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        position = 0
        for number, buffer in enumerate(regroup(self.blocks(), self._buffer_sizes())):
            generator = torch.Generator().manual_seed(derive_seed(seed, 3, epoch, number))
            order = torch.arange(len(buffer))
            if self.shuffle:
                order = torch.randperm(len(buffer), generator=generator)
            for index in _split(order, _count(len(buffer), batch_size)):
                if position >= start:
                    yield buffer.take(index).to(self.device)
                position += 1


def concatenate(pieces: list[Batch]) -> Batch:
    """Join pieces of rows; a piece where all was observed gets a full mask if another has gaps."""
    if len(pieces) == 1:
        return pieces[0]
    gaps = any(piece.rows.observed is not None for piece in pieces)
    masks = [_mask(piece) for piece in pieces] if gaps else None
    extras = [piece.rows.extra for piece in pieces if piece.rows.extra is not None]
    rows = Values(
        torch.cat([piece.rows.values for piece in pieces]),
        torch.cat(masks) if masks else None,
        torch.cat(extras) if extras else None,
    )
    sides = zip(*(piece.sides for piece in pieces), strict=True)
    return Batch(rows, *(None if side[0] is None else torch.cat(side) for side in sides))  # type: ignore[arg-type]


def _mask(piece: Batch) -> Tensor:
    if piece.rows.observed is not None:
        return piece.rows.observed
    return torch.ones_like(piece.rows.values, dtype=torch.bool)


def regroup(blocks: Iterator[Batch], sizes: list[int]) -> Iterator[Batch]:
    """Cut a stream of pieces into consecutive pieces of the given sizes."""
    held: list[Batch] = []
    n_held = 0
    for size in sizes:
        while n_held < size:
            piece = next(blocks, None)
            if piece is None:
                raise InputError(
                    f"the data ended before all of its {sum(sizes)} training rows came; "
                    "every pass over it must yield the same number of rows"
                )
            held.append(piece)
            n_held += len(piece)
        joined = concatenate(held)
        yield joined.take(slice(0, size))
        held, n_held = [joined.take(slice(size, None))], n_held - size
