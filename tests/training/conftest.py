from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from isthmus.data.batches import Batch, MemoryBatches
from isthmus.data.encoding import encode
from isthmus.data.features import Features
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure
from isthmus.model import Model
from isthmus.nets.mlp import mlp
from isthmus.parts import Corruption, Gaussian
from isthmus.parts.posteriors.point import PointCode
from isthmus.training.loop import Trainer
from isthmus.training.randomness import isolated
from isthmus.training.settings import Settings

MakeTrainer = Callable[..., Trainer]

SETTINGS = Settings(
    max_epochs=6,
    batch_size=16,
    learning_rate=1e-2,
    patience=3,
    warmup_steps=4,
    decay_epochs=2,
    weight_decay=0.0,
    seed=0,
)


def rows_of(X: np.ndarray, features: Features, weight: np.ndarray | None = None) -> Batch:
    encoded = encode(infer_schema(as_source(X)), X).values
    kept = None if weight is None else torch.as_tensor(weight, dtype=torch.float32)
    return Batch(features.to_values(torch.from_numpy(encoded)), kept, torch.arange(len(X)))


def trainer_of(
    X: np.ndarray | None = None,
    *,
    weight: np.ndarray | None = None,
    held_out: int = 16,
    corruption: Corruption | None = None,
    dropout: float = 0.0,
    hidden: tuple[int, ...] = (5,),
    **changes: Any,
) -> Trainer:
    """Return a run at its start on the rows of `X`, of which the last `held_out` are held out."""
    if X is None:
        X = np.random.default_rng(0).normal(3, 2, size=(80, 4))
    schema = infer_schema(as_source(X))
    n = len(X) - held_out
    statistics = measure(schema, [encode(schema, X[:n]).values])
    features = Features(schema, statistics, ["real"] * X.shape[1])
    density = Gaussian().build(features.facts())
    with isolated(1, torch.device("cpu")):
        encoder = mlp([X.shape[1], *hidden, 2])
        decoder = mlp([2, *reversed(hidden), density.n_outputs])
    if dropout:
        encoder.append(nn.Dropout(dropout))
    model = Model(features, encoder, decoder, density, PointCode(2), corruption)
    data = rows_of(X, features, weight)
    kept = data.take(slice(n, None)) if held_out else None
    return Trainer(model, MemoryBatches(data.take(slice(0, n))), kept, replace(SETTINGS, **changes))


@pytest.fixture
def make_trainer() -> MakeTrainer:
    return trainer_of
