"""Which of the rows given were learned from, and which held out?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.data.splitting import held_out_rows
from isthmus.estimators.baseline import MAX_FIGURE_ROWS, row_log_likelihood
from isthmus.estimators.scoring import apply
from isthmus.plots.rows import Rows, sample_rows

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


def recognise(rows: Rows) -> Measured:
    """Find the held-out rows again, if these are what their model was fitted on; else take rows at random.

    They are, if there are as many and those that the seed holds out score what was measured at the fit.
    """
    model = rows.model
    metrics = model.metrics_
    split = held_out_rows(len(rows), float(model.validation_fraction), model.seed_)
    training = np.flatnonzero(~split)
    if metrics and len(training) == model.n_training_rows_:
        chosen = np.flatnonzero(split) if metrics["rows"] == "held-out" else training
        chosen = chosen[:MAX_FIGURE_ROWS]
        if len(chosen) == metrics["n_rows"] and _scores(rows, chosen, metrics["score"]):
            return Measured(metrics["rows"], chosen, training)
    index = np.sort(sample_rows(len(rows), MAX_FIGURE_ROWS))
    return Measured("given", index, index)


def _scores(rows: Rows, index: Index, expected: float | None) -> bool:
    if expected is None:
        return False
    module = rows.model.model_
    found = apply(module, rows.batch(index), lambda piece: row_log_likelihood(module, piece))
    return bool(np.isclose(found.mean(), expected, rtol=1e-4, atol=1e-4))
