"""What a DataLoader's batches say of their rows: it comes with them, for the order may change every pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.batches import Batch
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.loaders import LoaderSource
from isthmus.data.schema import Schema
from isthmus.data.sources import Source
from isthmus.errors import InputError
from isthmus.estimators.conditions import find_rows
from isthmus.estimators.given_conditions import given_columns, given_condition
from isthmus.estimators.preparing import Pieces, to_values

__all__ = ["loader_conditions", "loader_pieces"]


def loader_conditions(source: LoaderSource) -> Source:
    """Return the conditions of one pass; in another one their order may be another."""
    pieces: list[dict[str, NDArray[np.generic]]] = []
    for rows, condition in source.pairs():
        columns = given_columns(condition)
        lengths = {len(values) for values in columns.values()}
        if lengths != {len(rows)}:
            raise InputError(
                f"a batch of the loader has {len(rows)} rows and a condition of {min(lengths, default=0)}; "
                "yield (rows, condition) with one row of it for each"
            )
        if pieces and columns.keys() != pieces[0].keys():
            raise InputError(
                f"batches of the loader are told {', '.join(pieces[0])} and {', '.join(columns)}; "
                "yield the same for all rows"
            )
        pieces.append(columns)
    return given_condition({name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]})


def loader_pieces(source: LoaderSource, schema: Schema, told: Schema) -> Pieces:
    """Return a callable that goes through the batches, where rows and conditions are turned by stages."""

    def iterate(features: Features, stage: Features) -> Iterator[Batch]:
        position = 0
        for rows, condition in source.pairs():
            values = to_values(features, encode(schema, rows).values)
            beside = find_rows(told, None, condition, len(rows)).tensor(stage).to(values.values.device)
            yield Batch(values, None, torch.arange(position, position + len(rows)), beside)
            position += len(rows)

    return iterate
