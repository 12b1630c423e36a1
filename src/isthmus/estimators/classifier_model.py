"""A classifier as a model for the training loop: the likelihood is that of the label."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isthmus.data.batches import Batch
from isthmus.data.column_facts import ColumnFacts
from isthmus.data.features import Features, Values
from isthmus.model import LIKELIHOOD_TERM, Model, Opponent
from isthmus.nets.mlp import ACTIVATIONS
from isthmus.parts.densities import Density
from isthmus.parts.likelihoods import Categorical
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.point import PointCode

__all__ = ["ClassifierModel", "label_density"]


def label_density(counts: NDArray[np.number[Any]]) -> Density:
    """Return the categorical density of a label, given how many rows of each class there are."""
    one = np.ones(1)
    facts = ColumnFacts(
        names=("y",),
        n_categories=(len(counts),),
        log_jacobian=0 * one,
        unit=one,
        resolution=0 * one,
        mean=0 * one,
        frequencies=(counts / counts.sum(),),
        low=0 * one,
        high=one * (len(counts) - 1),
        zero=0 * one,
        real=np.zeros(1, dtype=bool),
        mark_missing=False,
    )
    return Categorical().build(facts)


class ClassifierModel(nn.Module):
    """An autoencoder's features, encoder and code, then one linear layer to a categorical likelihood.

    It has of `Model` what the training loop asks for.

    Parameters
    ----------
    features : Features
    encoder : nn.Module
    code : Code
    density : Density
        Of the label's code, one column.
    activation : str
        Between the code and the last layer, where the code has none of its own.
    """

    ramp = 0.0

    def __init__(
        self, features: Features, encoder: nn.Module, code: Code, density: Density, activation: str
    ) -> None:
        super().__init__()
        self.features, self.encoder, self.code, self.density = features, encoder, code, density
        curved = isinstance(code, PointCode) and code.activation != "identity"
        self.activation = nn.Identity() if curved else ACTIVATIONS[activation]()
        self.head = nn.Linear(code.n_components, density.n_outputs)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(density.initial_outputs())

    @classmethod
    def on(cls, model: Model, density: Density, activation: str) -> ClassifierModel:
        """Put a classifier on a copy of an autoencoder's encoder."""
        features, encoder, code = copy.deepcopy((model.features, model.encoder, model.code))
        return cls(features.cpu(), encoder.cpu(), code.cpu(), density, activation)

    def logits(self, rows: Values) -> Tensor:
        """Return unnormalised log-probabilities, of shape (B, n_classes)."""
        return self.head(self.activation(self.code.code(self.encoder(self.features(rows)))))

    def loss(self, batch: Batch, generator: torch.Generator, share: float = 1.0) -> dict[str, Tensor]:
        """Return -log p(y given x) in nats per row."""
        assert batch.labels is not None
        targets = batch.labels[:, None].to(batch.rows.values.dtype)
        return {LIKELIHOOD_TERM: -self.density.log_prob(self.logits(batch.rows), targets)[:, 0]}

    def run(self, batch: Batch, generator: torch.Generator, share: float) -> tuple[Batch, torch.Generator]:
        """Hand on what `objective` needs: nothing is drawn."""
        return batch, generator

    def objective(
        self, step: Batch, z: torch.Generator, condition: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the terms of the loss."""
        return self.loss(step, z)

    def opponents(self) -> dict[str, Opponent]:
        """Return nothing: none learns beside it."""
        return {}

    def own_parameters(self) -> list[nn.Parameter]:
        """Return all parameters."""
        return list(self.parameters())
