"""A source becomes batches: statistics in one pass, values in a second one or in every epoch."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.batches import Batch, Batches, MemoryBatches, StreamBatches, concatenate
from isthmus.data.encoding import encode
from isthmus.data.features import Features, Values
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.data.splitting import held_out_rows
from isthmus.data.statistics import Statistics, measure
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.estimators.conditions import ConditionRows

__all__ = [
    "Pieces",
    "Prepared",
    "Sides",
    "batch_fingerprint",
    "encoded_blocks",
    "fingerprint",
    "prepare",
    "to_values",
    "value_blocks",
    "warn",
]

BLOCK_ROWS = 8192
# The share of the machine's memory that the training rows may take on the host; beyond it they are streamed.
MEMORY_SHARE = 0.25

FloatArray = NDArray[np.float64]
# Goes through the training rows with what is told of them, given the stages of both.
Pieces: TypeAlias = Callable[[Features, Features], Iterator[Batch]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a fit learns from, by its name; `condition` turns conditions into what the networks are told."""

    features: Features
    batches: Batches
    held_out: Batch | None
    condition: Features | None = None
    name: str = "the data"


@dataclass(frozen=True, eq=False)
class Sides:
    """What stands beside all rows of a source, a value or a row of values each.

    Attributes
    ----------
    weight : ndarray of shape (n,), or None
    condition : Tensor of shape (n, E), or None
        What the networks are told.
    labels : ndarray of int of shape (n,), or None
        What an opponent is told.
    """

    weight: FloatArray | None = None
    condition: torch.Tensor | None = None
    labels: NDArray[np.int64] | None = None

    def beside(self, rows: Values, index: NDArray[np.int64]) -> Batch:
        """Join rows and what stands beside them at the positions `index`."""
        return Batch(
            rows,
            None if self.weight is None else torch.from_numpy(self.weight[index]).to(torch.float32),
            torch.from_numpy(index),
            None
            if self.condition is None
            else self.condition[torch.from_numpy(index)].to(rows.values.device),
            None if self.labels is None else torch.from_numpy(self.labels[index]),
        )


def encoded_blocks(
    source: Source, schema: Schema, notices: Counter[str] | None = None
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (position of the first row, encoded rows), counting what had to be noticed on the way."""
    position = 0
    for block in source.blocks(BLOCK_ROWS):
        encoded = encode(schema, block, first_row=position)
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
    condition: ConditionRows | None = None,
    condition_stage: Features | None = None,
    labels: NDArray[np.int64] | None = None,
    fraction: float,
    seed: int,
    device: torch.device,
    statistics: Statistics | None = None,
    streamed: bool = False,
    pieces: Pieces | None = None,
) -> Prepared:
    """Split, measure and load the rows of `source`.

    Parameters
    ----------
    source, schema : Source, Schema
    weight : ndarray of shape (n,) or None
    make_features : callable
        Builds the device stage from the training rows' statistics.
    condition : ConditionRows, optional
    condition_stage : Features, optional
        That of an earlier fit, when training goes on.
    labels : ndarray of int of shape (n,), optional
    fraction : float
        Share of the rows to hold out.
    seed : int
    device : torch.device
    statistics : Statistics, optional
        Those of an earlier fit, when training goes on.
    streamed : bool
        Whether to go through the source in every epoch, in its own order, even if it fits in memory.
    pieces : callable, optional
        Goes through the rows where conditions come with them; `condition` then only tells which there are.
    """
    held_out = held_out_rows(len(source), fraction, seed)
    if weight is not None and not weight[held_out].any():
        held_out[:] = False  # rows that do not count cannot tell which weights are best
    if statistics is None:
        blocks = (values[~held_out[at : at + len(values)]] for at, values in encoded_blocks(source, schema))
        statistics = measure(schema, blocks)
        _refuse_nothing(statistics, source)
    features = make_features(statistics)
    stage, told = None, None
    if condition is not None:
        stage = condition_stage or condition.stage(~held_out)
        told = None if pieces is not None else condition.tensor(stage)
    sides = Sides(weight, told, labels)
    chosen = _pieces(source, schema, features, sides, held_out)
    validation = _collect(chosen, device) if held_out.any() else None
    n_train = int((~held_out).sum())
    if weight is not None and not weight[~held_out].any():
        raise InputError(
            "sample_weight is zero for every training row; give more rows a positive weight, "
            "or set validation_fraction=0"
        )
    mean_weight = 1.0 if weight is None else float(weight[~held_out].mean())
    training = _pieces(source, schema, features, sides, ~held_out)
    if pieces is not None and stage is not None:
        training = partial(pieces, features, stage)
    if not streamed and n_train * (4 * features.n_columns + 8) <= _memory_limit():
        return Prepared(features, MemoryBatches(_collect(training, device)), validation, stage, source.name)
    batches = StreamBatches(training, n_train, mean_weight, device, shuffle=not streamed)
    return Prepared(features, batches, validation, stage, source.name)


def _refuse_nothing(statistics: Statistics, source: Source) -> None:
    if not statistics.count.any():
        raise InputError(f"{source.name}: nothing is observed in the training rows; every entry is missing")


def _memory_limit() -> float:
    return MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _pieces(
    source: Source,
    schema: Schema,
    features: Features,
    sides: Sides,
    chosen: NDArray[np.bool_],
) -> Callable[[], Iterator[Batch]]:
    """Return a callable that goes through the chosen rows, in value units, where `features` is by then."""

    def iterate() -> Iterator[Batch]:
        for at, values in encoded_blocks(source, schema):
            keep = chosen[at : at + len(values)]
            if keep.any():
                yield sides.beside(to_values(features, values[keep]), at + np.flatnonzero(keep))

    return iterate


def to_values(features: Features, encoded: FloatArray) -> Values:
    """Return encoded rows in value units, on the device of `features`."""
    return features.to_values(torch.from_numpy(encoded).to(features.centre.device))


def _collect(pieces: Callable[[], Iterator[Batch]], device: torch.device) -> Batch:
    return concatenate(list(pieces())).to(device)


def value_blocks(
    source: Source,
    schema: Schema,
    features: Features,
    notices: Counter[str] | None = None,
    sides: Sides | None = None,
) -> Iterator[Batch]:
    """Yield the rows of `source` in value units, in order, on the device of `features`."""
    sides = sides or Sides()
    for at, values in encoded_blocks(source, schema, notices):
        yield sides.beside(to_values(features, values), np.arange(at, at + len(values)))


def fingerprint(source: Source, schema: Schema, sides: Iterable[NDArray[np.generic]]) -> str:
    """Return a hash of the encoded rows and what stands beside them: a run is resumed on the same data."""
    digest = hashlib.blake2b(digest_size=16)
    for _, values in encoded_blocks(source, schema):
        digest.update(values.tobytes())
    for side in sides:
        digest.update(side.tobytes())
    return digest.hexdigest()


def batch_fingerprint(batch: Batch) -> str:
    """Return a hash of rows in value units, with their positions and weights."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (*batch.rows, *batch.sides):
        digest.update(b"" if part is None else part.cpu().numpy().tobytes())
    return digest.hexdigest()
