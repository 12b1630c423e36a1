"""A conditional variational autoencoder draws the digit it is told, also in the style of a given one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.svm import SVC

from isthmus.estimators import ConditionalVariationalAutoencoder
from isthmus.lab._digits import SIDE, WHITE, Digits, split_digits
from isthmus.lab.claim import Claim, Limit
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import STYLE

__all__ = ["agreement", "claim", "shared_thickness"]

Array = NDArray[np.floating[Any]]

LATENTS = FEW, SOME, MANY = (2, 5, 10)
LABELS = np.arange(10)
SETTINGS: dict[str, Any] = {"hidden_sizes": (128, 64), "max_epochs": 150, "random_state": 0}
N_SAMPLES = 100  # of each label
SHOWN_LABELS, N_GRID, SHOWN_ROWS = (0, 3, 6, 8), 8, 8


def agreement(classifier: Any, rows: Array, labels: NDArray[np.int_]) -> float:
    """Return the share of rows that a classifier reads as intended."""
    return float(np.mean(classifier.predict(rows) == labels))


def shared_thickness(analogies: Array) -> float:
    """Return how thickness of stroke (mean ink) correlates between labels, over rows of analogies.

    Parameters
    ----------
    analogies : ndarray of shape (n, n_labels, d)
        The same code under each label.

    Returns
    -------
    float
        The mean correlation over all pairs of labels: 1 if a thick one is thick under every label, 0 if
        labels go each their own way.
    """
    correlations = np.corrcoef(analogies.mean(axis=2).T)
    return float(correlations[np.triu_indices(len(correlations), 1)].mean())


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    models = {k: _fitted(k, digits) for k in LATENTS}
    analogies = {k: _analogies(model, digits) for k, model in models.items()}
    return Claim(
        name="conditional",
        sentence="A conditional variational autoencoder draws the digit it is told, and under other "
        "labels a digit's code gives these in its style. The more latents, the more of the style is shared "
        "between labels, and the less the label is obeyed.",
        measured_on=f"{N_SAMPLES} samples of each label, read by a support vector machine, and 597 held-out "
        "rows of scikit-learn's digits; models and reader learned from 1,200 others",
        numbers=_numbers(models, analogies, digits),
        figure=_draw(models[FEW], analogies[SOME], digits),
    )


def _fitted(k: int, digits: Digits) -> ConditionalVariationalAutoencoder:
    model = ConditionalVariationalAutoencoder(k, **SETTINGS)
    return model.fit(digits.train, condition=digits.train_labels)


def _analogies(model: ConditionalVariationalAutoencoder, digits: Digits) -> Array:
    """Return held-out rows told otherwise, of shape (n, n_labels, d)."""
    rows = model.analogies(digits.test, LABELS, condition=digits.test_labels)
    return rows.reshape(len(digits.test), len(LABELS), -1)


def _numbers(models: Mapping[int, Any], analogies: Mapping[int, Array], digits: Digits) -> dict[str, Limit]:
    reader = SVC(gamma=0.001, C=10.0).fit(digits.train, digits.train_labels)
    real = agreement(reader, digits.test, digits.test_labels)
    asked = np.repeat(LABELS, N_SAMPLES)
    read = {
        k: agreement(reader, model.sample(len(asked), condition=asked, random_state=0), asked)
        for k, model in models.items()
    }
    told = analogies[SOME].reshape(-1, digits.test.shape[1])
    retold = agreement(reader, told, np.tile(LABELS, len(digits.test)))
    shared = {k: shared_thickness(rows) for k, rows in analogies.items()}
    samples, thickness = "share read as asked for, samples,", "correlation of thickness between labels,"
    return {
        "share read rightly, real digits": Limit(0.95, real, "at least"),
        f"{samples} {FEW} latents": Limit(0.9, read[FEW], "at least"),
        f"{samples} {SOME} latents": Limit(0.9, read[SOME], "at least"),
        f"{samples} {MANY} latents; limit: {SOME}": Limit(read[SOME], read[MANY], "at most"),
        f"share read as asked for, analogies, {SOME} latents": Limit(0.9, retold, "at least"),
        f"{thickness} {SOME} latents": Limit(0.3, shared[SOME], "at least"),
        f"{thickness} {FEW} latents; limit: {SOME}": Limit(shared[SOME], shared[FEW], "at most"),
        f"{thickness} {MANY} latents; limit: {SOME}": Limit(shared[SOME], shared[MANY], "at least"),
    }


def _draw(model: ConditionalVariationalAutoencoder, analogies: Array, digits: Digits) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 5.4))
        places = figure.add_gridspec(2, 3, width_ratios=(2.3, 1, 1))
        left = figure.add_subplot(places[:, 0])
        right = [figure.add_subplot(places[i, 1 + j]) for i in range(2) for j in range(2)]
    _draw_analogies(left, analogies, digits)
    for axes, label in zip(right, SHOWN_LABELS, strict=True):
        images = model.manifold_grid(N_GRID, condition=label).reshape(-1, SIDE, SIDE)
        title = f"{FEW} latents, told “{label}”"
        ImageGridDisplay.from_images(images, low=0, high=WHITE, gap=0.12, title=title, ax=axes)
    for axes in (left, *right):
        axes.set_anchor("N")
    return figure


def _draw_analogies(axes: Axes, analogies: Array, digits: Digits) -> None:
    rows = np.concatenate([digits.test[:, None], analogies], axis=1)[:SHOWN_ROWS]
    ImageGridDisplay.from_images(
        rows.reshape(-1, SIDE, SIDE),
        n_columns=1 + len(LABELS),
        low=0,
        high=WHITE,
        column_titles=["data", *map(str, LABELS)],
        title=f"Held-out digits, and their codes ({SOME} latents) under each label",
        ax=axes,
    )
