"""Which of the rows given were learned from, and which held out?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.sources import Source
from isthmus.data.splitting import held_out_rows
from isthmus.estimators.baseline import MAX_FIGURE_ROWS, row_log_likelihood
from isthmus.estimators.scoring import apply
from isthmus.plots.rows import batch_of, sample_rows

__all__ = ["Measured", "recognise"]

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Measured:
    """The rows of a source that figures and pictures are made from.

    Attributes
    ----------
    name : str
        "held-out", "training" or "given".
    index : ndarray of int
        Their positions.
    training : ndarray of int
        The rows a baseline may learn from: those the model learned from, else the rows given.
    """

    name: str
    index: Index
    training: Index

    @property
    def recognised(self) -> bool:
        """Whether the source is the one that the model was fitted on."""
        return self.name != "given"


def recognise(model: Any, source: Source) -> Measured:
    """Find the held-out rows again, if `source` is what `model` was fitted on; else take rows at random.

    It is, if it has as many rows and those that the seed holds out score what was measured at the fit.
    """
    metrics = model.metrics_
    split = held_out_rows(len(source), float(model.validation_fraction), model.seed_)
    training = np.flatnonzero(~split)
    if metrics and len(training) == model.n_training_rows_:
        chosen = np.flatnonzero(split) if metrics["rows"] == "held-out" else training
        chosen = chosen[:MAX_FIGURE_ROWS]
        if len(chosen) == metrics["n_rows"] and _scores(model, source, chosen, metrics["score"]):
            return Measured(metrics["rows"], chosen, training)
    index = np.sort(sample_rows(len(source), MAX_FIGURE_ROWS))
    return Measured("given", index, index)


def _scores(model: Any, source: Source, index: Index, expected: float | None) -> bool:
    if expected is None:
        return False
    module = model.model_
    found = apply(module, batch_of(model, source, index), lambda piece: row_log_likelihood(module, piece))
    return bool(np.isclose(found.mean(), expected, rtol=1e-4, atol=1e-4))
