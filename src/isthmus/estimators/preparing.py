"""A source becomes batches: statistics in one pass, values in a second one or in every epoch."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.batches import Batch, Batches, MemoryBatches, StreamBatches, concatenate
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import held_out_rows
from isthmus.data.statistics import Statistics, measure
from isthmus.errors import InputError

__all__ = [
    "Prepared",
    "batch_fingerprint",
    "encoded_blocks",
    "fingerprint",
    "prepare",
    "value_blocks",
    "warn",
]

BLOCK_ROWS = 8192
# The share of the machine's memory that the training rows may take on the host; beyond it they are streamed.
MEMORY_SHARE = 0.25

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a fit learns from."""

    features: Features
    batches: Batches
    held_out: Batch | None


def encoded_blocks(
    source: Source, schema: Schema, notices: Counter[str] | None = None
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (position of the first row, encoded rows), counting what had to be noticed on the way."""
    position = 0
    for block in source.blocks(BLOCK_ROWS):
        encoded = encode(schema, block)
        if notices is not None:
            notices.update(encoded.notices)
        yield position, encoded.values
        position += len(encoded.values)


def warn(notices: Counter[str]) -> None:
    """Say once what was noticed while rows were read."""
    for sentence, count in notices.items():
        warnings.warn(f"{sentence} ({count} rows)", UserWarning, stacklevel=4)


def prepare(
    source: Source,
    schema: Schema,
    weight: FloatArray | None,
    make_features: Callable[[Statistics], Features],
    *,
    fraction: float,
    seed: int,
    device: torch.device,
    statistics: Statistics | None = None,
    streamed: bool = False,
) -> Prepared:
    """Split, measure and load the rows of `source`.

    Parameters
    ----------
    source, schema : Source, Schema
    weight : ndarray of shape (n,) or None
    make_features : callable
        Builds the device stage from the training rows' statistics.
    fraction : float
        Share of the rows to hold out.
    seed : int
    device : torch.device
    statistics : Statistics, optional
        Those of an earlier fit, when training goes on.
    streamed : bool
        Whether to go through the source in every epoch, in its own order, even if it fits in memory.
    """
    held_out = held_out_rows(len(source), fraction, seed)
    if weight is not None and not weight[held_out].any():
        held_out[:] = False  # rows that do not count cannot tell which weights are best
    if statistics is None:
        blocks = (values[~held_out[at : at + len(values)]] for at, values in encoded_blocks(source, schema))
        statistics = measure(schema, blocks)
        _refuse_nothing(statistics, source)
    features = make_features(statistics)
    chosen = _pieces(source, schema, features, weight, held_out)
    validation = _collect(chosen, device) if held_out.any() else None
    n_train = int((~held_out).sum())
    if weight is not None and not weight[~held_out].any():
        raise InputError(
            "sample_weight is zero for every training row; give more rows a positive weight, "
            "or set validation_fraction=0"
        )
    mean_weight = 1.0 if weight is None else float(weight[~held_out].mean())
    training = _pieces(source, schema, features, weight, ~held_out)
    if not streamed and n_train * (4 * features.n_columns + 8) <= _memory_limit():
        return Prepared(features, MemoryBatches(_collect(training, device)), validation)
    batches = StreamBatches(training, n_train, mean_weight, device, shuffle=not streamed)
    return Prepared(features, batches, validation)


def _refuse_nothing(statistics: Statistics, source: Source) -> None:
    if not statistics.count.any():
        raise InputError(f"{source.name}: nothing is observed in the training rows; every entry is missing")


def _memory_limit() -> float:
    return MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _pieces(
    source: Source,
    schema: Schema,
    features: Features,
    weight: FloatArray | None,
    chosen: NDArray[np.bool_],
) -> Callable[[], Iterator[Batch]]:
    """Return a callable that goes through the chosen rows, in value units, where `features` is by then."""

    def iterate() -> Iterator[Batch]:
        for at, values in encoded_blocks(source, schema):
            keep = chosen[at : at + len(values)]
            if keep.any():
                index = at + np.flatnonzero(keep)
                yield _batch(features, values[keep], None if weight is None else weight[index], index)

    return iterate


def _batch(
    features: Features, encoded: FloatArray, weight: FloatArray | None, index: NDArray[np.int64]
) -> Batch:
    rows = features.to_values(torch.from_numpy(encoded).to(features.centre.device))
    kept = None if weight is None else torch.from_numpy(weight).to(torch.float32)
    return Batch(rows, kept, torch.from_numpy(index))


def _collect(pieces: Callable[[], Iterator[Batch]], device: torch.device) -> Batch:
    return concatenate(list(pieces())).to(device)


def value_blocks(
    source: Source, schema: Schema, features: Features, notices: Counter[str] | None = None
) -> Iterator[Batch]:
    """Yield the rows of `source` in value units, in order, on the device of `features`."""
    for at, values in encoded_blocks(source, schema, notices):
        yield _batch(features, values, None, np.arange(at, at + len(values)))


def fingerprint(source: Source, schema: Schema, weight: FloatArray | None) -> str:
    """Return a hash of the encoded rows and their weights: a run is only resumed on the same data."""
    digest = hashlib.blake2b(digest_size=16)
    for _, values in encoded_blocks(source, schema):
        digest.update(values.tobytes())
    if weight is not None:
        digest.update(weight.tobytes())
    return digest.hexdigest()


def batch_fingerprint(batch: Batch) -> str:
    """Return a hash of rows in value units, with their positions and weights."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (*batch.rows, batch.weight, batch.index):
        digest.update(b"" if part is None else part.cpu().numpy().tobytes())
    return digest.hexdigest()
