"""The figures of ``metrics_``: reconstruction errors beside those of PCA with as many components."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from isthmus.data.batches import Batch, Batches, MemoryBatches
from isthmus.data.features import Features, Values
from isthmus.estimators.scoring import apply
from isthmus.model import Model
from isthmus.parts.densities import Density
from isthmus.parts.likelihoods import Likelihood, PerColumn

__all__ = [
    "column_errors",
    "expected",
    "figures",
    "independent_log_likelihood",
    "pca_log_likelihood",
    "row_log_likelihood",
    "some_rows",
]

# PCA is fitted on at most this many numbers (all of MNIST), on a random part of the training rows beyond.
MAX_PCA_ENTRIES = 50_000_000
MAX_FIGURE_ROWS = 10_000
# Steps of L-BFGS by which a model of independent columns is fitted: it starts at the training means.
CONSTANT_STEPS = 30
# Of the largest variance: below, the inverse of PCA's covariance has no correct digit left.
LEAST_NOISE = 1e-12

FloatArray = NDArray[np.floating[Any]]


class _Reader:
    """Splits values into numbers, in the units that errors are told in, and category codes."""

    def __init__(self, features: Features) -> None:
        scale = features.scale.cpu().numpy()
        sd = features.statistics.sd
        in_sd = scale / np.where(sd > 0, sd, 1.0)
        self.unit = in_sd if features.in_frame else scale
        self.binary = np.array([features.in_frame and s == "unit" for s in features.supports], dtype=bool)
        categorical = np.array(features.n_categories) > 0
        self.labels = categorical | self.binary
        facts = features.facts()
        self.centre = facts.mean
        self.n_categories = features.n_categories
        # What a constant guess would be: the training mean, or the most frequent label.
        self.guess = np.array(
            [m if f is None else f.argmax() for m, f in zip(facts.mean, facts.frequencies, strict=True)]
        )

    def squared_error(self, predicted: FloatArray, rows: Values) -> FloatArray:
        """Return squared errors of shape (n, C), 0 for labels and where nothing was observed."""
        values, observed = _numpy(rows)
        error = np.where(observed & ~self.labels, (predicted - values) * self.unit, 0.0)
        return error**2

    def wrong(self, predicted: FloatArray, rows: Values) -> FloatArray:
        """Return 1 where an observed label is not the predicted one, of shape (n, C)."""
        values, observed = _numpy(rows)
        rounded = np.where(self.binary, np.round(predicted), predicted)
        return (observed & self.labels & (rounded != values)).astype(np.float64)

    def design(self, rows: Values) -> FloatArray:
        """Return what PCA sees: centred numbers in error units and one-hot codes, missing entries 0."""
        values, observed = _numpy(rows)
        pieces = [np.where(observed, (values - self.centre) * self.unit, 0.0)[:, ~self._coded]]
        for j in np.flatnonzero(self._coded):
            hot = values[:, j : j + 1] == np.arange(self.n_categories[j])
            pieces.append((hot & observed[:, j : j + 1]).astype(np.float64))
        return np.concatenate(pieces, axis=1)

    def read(self, design: FloatArray) -> FloatArray:
        """Return the values that a reconstructed design matrix stands for."""
        values = np.empty((len(design), len(self.unit)))
        numbers = np.flatnonzero(~self._coded)
        values[:, numbers] = design[:, : len(numbers)] / self.unit[numbers] + self.centre[numbers]
        start = len(numbers)
        for j in np.flatnonzero(self._coded):
            end = start + self.n_categories[j]
            values[:, j] = design[:, start:end].argmax(axis=1)
            start = end
        return values

    @property
    def _coded(self) -> NDArray[np.bool_]:
        return np.array(self.n_categories) > 0


def _numpy(rows: Values) -> tuple[FloatArray, NDArray[np.bool_]]:
    values = rows.values.cpu().numpy().astype(np.float64)
    observed = np.ones(values.shape, bool) if rows.observed is None else rows.observed.cpu().numpy()
    return values, observed


def expected(model: Model, batch: Batch) -> torch.Tensor:
    """Return the rows as the model sees them, in value units: encoded and decoded again."""
    codes = model.encode(batch.rows, batch.condition)
    return model.density.mean(model.decode(codes, batch.condition))


def _reconstructed(model: Model, batch: Batch) -> FloatArray:
    return apply(model, batch, lambda piece: expected(model, piece)).astype(np.float64)


def column_errors(model: Model, batch: Batch) -> dict[str, NDArray[Any]]:
    """Return per column the mean squared error (numbers) or share of wrong labels, over the observed entries.

    Those of the constant guess, training mean or most frequent label, are called ``mean_...``.
    """
    reader, rows = _Reader(model.features), batch.rows
    seen = np.maximum(_numpy(rows)[1].sum(axis=0), 1)
    errors: dict[str, NDArray[Any]] = {"label": reader.labels}
    for prefix, predicted in (("", _reconstructed(model, batch)), ("mean_", reader.guess)):
        errors[f"{prefix}squared_error"] = reader.squared_error(predicted, rows).sum(axis=0) / seen
        errors[f"{prefix}wrong"] = reader.wrong(predicted, rows).sum(axis=0) / seen
    return errors


def _pca_values(reader: _Reader, training: Values, rows: Values, k: int, seed: int) -> FloatArray:
    pca = _pca(reader.design(training), k, seed)
    return reader.read(pca.inverse_transform(pca.transform(reader.design(rows))))


def _pca(design: FloatArray, k: int, seed: int) -> PCA:
    solver = "covariance_eigh" if design.shape[1] <= 1000 and len(design) > design.shape[1] else "auto"
    return PCA(min(k, *design.shape), svd_solver=solver, random_state=seed % 2**31).fit(design)


def figures(
    model: Model, batches: Batches, held_out: Batch | None, n_components: int, seed: int
) -> dict[str, Any]:
    """Measure the fitted model and PCA on the same rows.

    Returns
    -------
    dict
        ``rows`` ("held-out" or "training"), ``n_rows``; ``squared_error`` per row, summed over the numeric
        columns (in data units for arrays, in training standard deviations for frames), ``pca_squared_error``
        and ``mean_squared_error`` (predicting training means) beside it; with labels among the columns
        ``accuracy``, ``pca_accuracy`` and ``mean_accuracy`` (predicting the most frequent label); ``score``:
        mean log-likelihood in nats per row.
    """
    training = some_rows(batches, MAX_PCA_ENTRIES // max(model.features.n_columns, 1))
    measured = (training if held_out is None else held_out).take(slice(0, MAX_FIGURE_ROWS))
    rows = measured.rows
    reader = _Reader(model.features)
    predictions = {
        "": _reconstructed(model, measured),
        "pca_": _pca_values(reader, training.rows, rows, n_components, seed),
        "mean_": np.broadcast_to(reader.guess, (len(rows.values), len(reader.guess))),
    }
    result: dict[str, Any] = {
        "rows": "training" if held_out is None else "held-out",
        "n_rows": len(rows.values),
        "units": "training standard deviations" if model.features.in_frame else "data units",
        "score": float(apply(model, measured, lambda piece: row_log_likelihood(model, piece)).mean()),
    }
    if not reader.labels.all():
        for prefix, predicted in predictions.items():
            result[f"{prefix}squared_error"] = float(reader.squared_error(predicted, rows).sum(axis=1).mean())
    if reader.labels.any():
        seen = max(int(_numpy(rows)[1][:, reader.labels].sum()), 1)
        for prefix, predicted in predictions.items():
            result[f"{prefix}accuracy"] = 1 - float(reader.wrong(predicted, rows).sum()) / seen
    return result


def row_log_likelihood(model: Model, batch: Batch) -> torch.Tensor:
    """Return log p(x | z(x)) per row, float64, in nats."""
    outputs = model.decode(model.encode(batch.rows, batch.condition), batch.condition)
    return model.log_likelihood(outputs, batch.rows).double().sum(dim=1)


def independent_log_likelihood(
    likelihood: Likelihood, features: Features, training: Values, rows: Values
) -> FloatArray:
    """Return log p of rows if the columns were independent, each fitted to the training rows by itself.

    A constant "decoder" and the likelihood's own parameters are fitted by maximum likelihood; what a scale
    shared by all columns would keep from being so is given to each column.
    """
    facts = features.facts()
    density = _each_its_own(likelihood, facts.names).build(facts).to(rows.values.device)
    outputs = density.initial_outputs().requires_grad_()
    _fit_constant(density, outputs, training)
    with torch.no_grad():
        same = outputs.expand(1, len(rows.values), -1)
        return density.row_log_prob(same, rows.values, rows.observed)[0].double().cpu().numpy()


def _each_its_own(likelihood: Likelihood, names: tuple[str, ...]) -> Likelihood:
    """Replace scales that columns share by one for each."""
    own = [
        replace(part, scale="per_feature") if getattr(part, "scale", None) == "shared" else part  # type: ignore[type-var]
        for part in likelihood.for_columns(names)
    ]
    if len(set(own)) == 1:
        return own[0]
    return PerColumn(tuple(zip(names, own, strict=True)))


def _fit_constant(density: Density, outputs: torch.Tensor, rows: Values) -> None:
    """Fit outputs that are the same for all rows; they start at the training means."""
    parameters = [outputs, *density.parameters()]
    optimizer = torch.optim.LBFGS(parameters, max_iter=CONSTANT_STEPS, line_search_fn="strong_wolfe")

    def cost() -> torch.Tensor:
        optimizer.zero_grad()
        same = outputs.expand(1, len(rows.values), -1)
        loss = -density.row_log_prob(same, rows.values, rows.observed).mean()
        loss.backward()
        return loss

    optimizer.step(cost)


def pca_log_likelihood(
    features: Features, training: Values, rows: Values, k: int, seed: int
) -> FloatArray | None:
    """Return log p of rows under probabilistic PCA.

    None unless all columns are numbers without gaps, or where PCA leaves no noise: then it has no density.
    """
    gaps = training.observed is not None or rows.observed is not None
    if gaps or any(support != "real" for support in features.supports) or features.n_columns < 2:
        return None
    reader = _Reader(features)
    pca = _pca(reader.design(training), min(k, features.n_columns - 1), seed)
    if pca.noise_variance_ < LEAST_NOISE * pca.explained_variance_[0]:
        return None
    # PCA's density is per error unit; with the values' own it becomes one of the data as given.
    log_jacobian = float(np.sum(features.facts().log_jacobian + np.log(reader.unit)))
    return pca.score_samples(reader.design(rows)) + log_jacobian


def some_rows(batches: Batches, limit: int) -> Batch:
    """Return all training rows, or a random part of at most `limit` of them."""
    if isinstance(batches, MemoryBatches) and batches.n_rows <= limit:
        return batches.data
    return next(iter(batches.epoch(limit, 0, 0)))
