"""Apply a fitted model to rows, in pieces of one fixed size so that a row's result does not depend on its company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from isthmus.data.batches import Batch
from isthmus.data.features import Values
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.estimators.preparing import value_blocks, warn
from isthmus.model import Model

__all__ = ["apply", "apply_to_codes", "apply_to_source"]

# Matrix products round differently for different numbers of rows; with pieces of one size, padded where needed, the
# result of a row is the same to the bit whatever stands beside it.
PIECE_ROWS = 256


def apply_to_source(
    model: Model, source: Source, schema: Schema, function: Callable[[Values], Tensor]
) -> Iterator[NDArray[np.generic]]:
    """Yield `function` of every block's rows, as NumPy arrays, then warn of what was noticed."""
    notices: Counter[str] = Counter()
    for block in value_blocks(source, schema, model.features, notices):
        _notice_missing(block, model, schema, notices)
        yield apply(model, block.rows, function)
    warn(notices)


def _notice_missing(block: Batch, model: Model, schema: Schema, notices: Counter[str]) -> None:
    observed = block.rows.observed
    if observed is None:
        return
    empty = int((~observed).all(dim=1).sum())
    if empty:
        notices['rows with nothing observed get the code of "nothing known" and score 0'] += empty
    flagged = set(model.features.flagged.tolist())
    for j in torch.nonzero((~observed).any(dim=0)).flatten().tolist():
        if j not in flagged:
            name = schema.modelled[j].name
            notices[f"column {name!r} was complete in the training data; missing entries take its mean"] += int(
                (~observed[:, j]).sum()
            )


@torch.no_grad()
def apply(model: Model, rows: Values, function: Callable[[Values], Tensor]) -> NDArray[np.generic]:
    """Return `function` of all rows, computed piece by piece on the model's device."""
    device = next(model.parameters()).device
    model.eval()
    n_rows = len(rows.values)
    pieces = []
    for start in range(0, n_rows, PIECE_ROWS):
        piece = rows.rows(slice(start, start + PIECE_ROWS)).to(device)
        n_short = PIECE_ROWS - len(piece.values)
        result = function(_pad(piece, n_short) if n_short else piece)
        pieces.append(result[: PIECE_ROWS - n_short].cpu().numpy())
    return np.concatenate(pieces)


def _pad(piece: Values, n_short: int) -> Values:
    padded = [None if part is None else functional.pad(part, (0, 0, 0, n_short)) for part in piece]
    return Values(*padded)  # type: ignore[arg-type]


def apply_to_codes(
    model: Model, codes: NDArray[np.float32], function: Callable[[Tensor], Tensor]
) -> NDArray[np.generic]:
    """Return `function` of codes of shape (n, n_components), piece by piece."""
    rows = Values(torch.from_numpy(np.require(codes, requirements=("C", "W"))), None, None)
    return apply(model, rows, lambda piece: function(piece.values))
