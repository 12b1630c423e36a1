"""Densities of rows, and their means with standard errors that account for noise which rows share."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.batches import Batch
from isthmus.estimators.baseline import (
    MAX_PCA_ENTRIES,
    independent_log_likelihood,
    pca_log_likelihood,
    some_rows,
)
from isthmus.estimators.importance import DEFAULT_SAMPLES, Estimate, gives_density, log_likelihood, std_error
from isthmus.estimators.likelihood_choice import soft_targets
from isthmus.estimators.preparing import Prepared
from isthmus.estimators.scoring import apply
from isthmus.model import Model

if TYPE_CHECKING:
    from isthmus.estimators.applying import Applying

__all__ = ["MeanDensity", "Scorer", "bits_per_dim", "density_figures", "density_note", "spread"]

# Rows that the figures of a fit are measured on: the standard error of a mean is then small beside the spread
# between models, and the time small beside that of the fit.
FIGURE_ROWS = 2_000
# Rows that the model of independent columns is fitted to.
CONSTANT_ROWS = 5_000
GREY_NOTE = "minus the cross-entropy of grey values, a lower bound, and no density"


@dataclass(frozen=True)
class MeanDensity:
    """A mean of log p(x) over rows, in nats per row.

    Attributes
    ----------
    mean : float
    std_error : float
        Of the Monte Carlo estimate, given the rows; rows that share noise err together, which is counted.
    n_rows, n_samples : int
    """

    mean: float
    std_error: float
    n_rows: int
    n_samples: int


class Scorer:
    """Scores blocks of rows, and sums up what their mean and its standard error need.

    Parameters
    ----------
    model : Model
    n_samples : int
    random_state : int or None
        See `isthmus.estimators.importance.log_likelihood`.
    """

    def __init__(self, model: Model, n_samples: int, random_state: int | None) -> None:
        self.model, self.n_samples, self.random_state = model, n_samples, random_state
        with torch.no_grad():
            self.anchors = model.eval().anchors()
        self.total, self.n_rows, self.n_observed, self.variance = 0.0, 0, 0, 0.0
        self.shares: NDArray[np.float64] | None = None
        self.sizes: Tensor | None = None

    def __call__(self, piece: Batch) -> Tensor:
        """Return value, standard error and observed entries of each row, then the groups' shares."""
        found = self.estimate(piece)
        self.sizes = found.sizes
        seen = _n_observed(piece)
        columns = [found.value, found.std_error(), seen]
        shares = [] if found.shares is None else [found.shares]
        return torch.cat([torch.stack(columns, dim=1), *shares], dim=1)

    def estimate(self, piece: Batch) -> Estimate:
        """Estimate log p(x) of the rows of a piece."""
        return log_likelihood(self.model, piece, self.n_samples, self.random_state, self.anchors)

    def watch(self, blocks: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float64]]:
        """Pass on (value, standard error, observed entries) of each block's rows, and count them."""
        for block in blocks:
            self.total += float(block[:, 0].sum())
            self.variance += float(np.square(block[:, 1]).sum())
            self.n_rows += len(block)
            self.n_observed += int(block[:, 2].sum())
            if block.shape[1] > 3:
                shares = block[:, 3:].sum(axis=0)
                self.shares = shares if self.shares is None else self.shares + shares
            yield block[:, :3].copy()  # a view would keep all groups' shares

    def mean(self) -> MeanDensity:
        """Return the mean over all rows that were passed on."""
        return MeanDensity(self.total / self.n_rows, self._std_error(), self.n_rows, self.n_samples)

    def _std_error(self) -> float:
        if self.random_state is not None or self.shares is None or self.sizes is None:
            return math.sqrt(self.variance) / self.n_rows
        # All rows saw the same draws: it is their mean share of each group that varies.
        return float(std_error(torch.from_numpy(self.shares / self.n_rows), self.sizes.cpu()))


def bits_per_dim(total: float, n_observed: float) -> float:
    """Return minus a sum of log p(x), in nats, as bits per observed entry; NaN where none is observed."""
    return -total / n_observed / math.log(2) if n_observed else math.nan


def _n_observed(piece: Batch) -> Tensor:
    observed = piece.rows.observed
    if observed is not None:
        return observed.sum(dim=1).double()
    n_rows, n_columns = piece.rows.values.shape
    return torch.full((n_rows,), float(n_columns), dtype=torch.float64, device=piece.rows.values.device)


def spread(batch: Batch, most: int) -> Batch:
    """Return at most so many rows, evenly spaced: the first ones of sorted rows would all be alike."""
    if len(batch) <= most:
        return batch
    index = torch.linspace(0, len(batch) - 1, most, dtype=torch.float64).round().long()
    return batch.take(index.to(batch.index.device))


def density_note(estimator: Applying) -> str:
    """Say what `score_samples` gives: a bound on a density or a probability, or neither, and why."""
    if not gives_density(estimator.model_):
        return "log p(x given z(x)), which is not a density"
    told = getattr(estimator, "condition_schema_", None) is not None
    bound = "log p(x given its condition), a lower bound" if told else "log p(x), a lower bound"
    if soft_targets(estimator.architecture_.likelihood, estimator.schema_):
        return f"{bound}, of binary rows (of grey values a cross-entropy: not a density)"
    return bound


def density_figures(estimator: Applying, prepared: Prepared) -> dict[str, Any]:
    """Measure log p(x) of held-out rows beside probabilistic PCA and independent columns; else nothing."""
    model = estimator.model_
    if not gives_density(model):
        return {}
    training = some_rows(prepared.batches, MAX_PCA_ENTRIES // max(model.features.n_columns, 1))
    measured = spread(training if prepared.held_out is None else prepared.held_out, FIGURE_ROWS)
    score = Scorer(model, DEFAULT_SAMPLES, None)
    for _ in score.watch(iter([apply(model, measured, score)])):
        pass
    found = score.mean()
    likelihood = estimator.architecture_.likelihood
    grey = soft_targets(likelihood, estimator.schema_)
    result = {
        "log_likelihood": found.mean,
        "log_likelihood_std_error": found.std_error,
        "log_likelihood_n_rows": found.n_rows,
        "log_likelihood_is": GREY_NOTE if grey else density_note(estimator),
        "independent_log_likelihood": float(
            independent_log_likelihood(
                likelihood, model.features, spread(training, CONSTANT_ROWS).rows, measured.rows
            ).mean()
        ),
    }
    pca = pca_log_likelihood(
        model.features, training.rows, measured.rows, estimator.n_components_, estimator.seed_
    )
    return result if pca is None else result | {"pca_log_likelihood": float(pca.mean())}
