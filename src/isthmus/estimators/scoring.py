"""Apply a fitted model to rows in pieces of one size: a row's result does not depend on its company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from isthmus.data.batches import Batch
from isthmus.data.features import Values
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.estimators.preparing import Sides, value_blocks, warn
from isthmus.model import Model

__all__ = ["apply", "apply_to_codes", "apply_to_source"]

# Matrix products round differently for different numbers of rows, and (where few columns come out) for rows
# that begin at differently aligned addresses. With pieces of one size, padded where needed, whose rows all
# begin at multiples of 64 bytes, the result of a row is the same to the bit whatever stands beside it.
PIECE_ROWS = 256
ALIGNED_BYTES = 64


def apply_to_source(
    model: Model,
    source: Source,
    schema: Schema,
    function: Callable[[Batch], Tensor],
    sides: Sides | None = None,
) -> Iterator[NDArray[np.generic]]:
    """Yield `function` of every block's rows, as NumPy arrays, then warn of what was noticed."""
    notices: Counter[str] = Counter()
    gaps = _Gaps(schema, model)
    for block in value_blocks(source, schema, model.features, notices, sides):
        gaps.look(block)
        yield apply(model, block, function)
    warn(notices + gaps.notices())


class _Gaps:
    """Counts rows with nothing observed, and rows that lack what no training row lacked."""

    def __init__(self, schema: Schema, model: Model) -> None:
        self.names = np.array([column.name for column in schema.modelled], dtype=object)
        self.unusual = np.ones(len(self.names), dtype=bool)
        self.unusual[model.features.flagged.cpu().numpy()] = False
        self.n_empty = self.n_gaps = 0
        self.columns = np.zeros(len(self.names), dtype=bool)

    def look(self, block: Batch) -> None:
        if block.rows.observed is None:
            return
        missing = np.logical_not(block.rows.observed.cpu().numpy())
        empty = missing.all(axis=1, keepdims=True)
        gaps = missing & self.unusual & ~empty
        self.n_empty += int(empty.sum())
        self.n_gaps += int(gaps.any(axis=1).sum())
        self.columns |= gaps.any(axis=0)

    def notices(self) -> Counter[str]:
        notices: Counter[str] = Counter()
        notices['rows with nothing observed get the code of "nothing known" and score 0'] = self.n_empty
        names = self.names[self.columns]
        listed = ", ".join(f'"{name}"' for name in names[:5]) + (", ..." if len(names) > 5 else "")
        notices[f"columns complete at fit lack entries, which take the training mean: {listed}"] = self.n_gaps
        return +notices


@torch.no_grad()
def apply(model: Model, batch: Batch, function: Callable[[Batch], Tensor]) -> NDArray[np.generic]:
    """Return `function` of all rows, computed piece by piece on the model's device."""
    device = next(model.parameters()).device
    model.eval()
    pieces = []
    with _aligning(model):
        for start in range(0, len(batch), PIECE_ROWS):
            piece = batch.take(slice(start, start + PIECE_ROWS)).to(device)
            n_short = PIECE_ROWS - len(piece)
            result = function(_pad(piece, n_short) if n_short else piece)
            pieces.append(result[: PIECE_ROWS - n_short].cpu().numpy())
    return np.concatenate(pieces)


@contextmanager
def _aligning(model: Model) -> Iterator[None]:
    """Align the rows that each linear layer of `model` reads."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(_align) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _align(layer: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor | None:
    """Return the input in memory whose rows begin at aligned addresses; None leaves it as it is."""
    if len(inputs) != 1 or inputs[0].ndim != 2 or inputs[0].device.type != "cpu":
        return None
    (rows,) = inputs
    n_columns, whole = rows.shape[1], ALIGNED_BYTES // rows.element_size()
    if n_columns % whole == 0 and rows.data_ptr() % ALIGNED_BYTES == 0:
        return None
    memory = rows.new_empty(len(rows), -(-n_columns // whole) * whole)
    return memory[:, :n_columns].copy_(rows)


def _pad(piece: Batch, n_short: int) -> Batch:
    """Append rows of zeros; they stand at the positions that would follow."""

    def longer(part: Tensor | None) -> Tensor | None:
        return None if part is None else functional.pad(part, (0, 0) * (part.ndim - 1) + (0, n_short))

    rows = Values(*map(longer, piece.rows))  # type: ignore[arg-type]
    return Batch(rows, *map(longer, piece.sides))  # type: ignore[arg-type]


def apply_to_codes(
    model: Model,
    codes: NDArray[np.float32],
    function: Callable[[Tensor, Tensor | None], Tensor],
    condition: Tensor | None = None,
) -> NDArray[np.generic]:
    """Return `function` of codes of shape (n, n_components) and their conditions, piece by piece."""
    values = Values(torch.from_numpy(np.require(codes, requirements=("C", "W"))), None, None)
    batch = Batch(values, None, torch.arange(len(codes)), condition)
    return apply(model, batch, lambda piece: function(piece.rows.values, piece.condition))
