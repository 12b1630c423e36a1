"""How well a variational autoencoder reproduces digits from 2, 5, 10 and 20 numbers; the manifold of two."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from isthmus.estimators import VariationalAutoencoder
from isthmus.lab._digits import SIDE, WHITE, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import STYLE

__all__ = ["LATENTS", "Reproduction", "claim", "reproduce", "squared_error"]

Array = NDArray[np.floating[Any]]

LATENTS = (2, 5, 10, 20)
SETTINGS: dict[str, Any] = {"hidden_sizes": (128, 64), "max_epochs": 150, "random_state": 0}
N_SHOWN, N_GRID = 10, 20


@dataclass(frozen=True, eq=False)
class Reproduction:
    """Held-out rows, reproduced from codes of one width.

    Attributes
    ----------
    model : VariationalAutoencoder
    rows, pca_rows : ndarray of shape (n, d)
        What comes out, and what comes out of PCA with as many components, fitted on the same rows.
    error, pca_error : float
        Squared error per row.
    n_active : int
        Latents that tell rows apart.
    """

    model: VariationalAutoencoder
    rows: Array
    pca_rows: Array
    error: float
    pca_error: float
    n_active: int


def squared_error(X: Array, reproduced: Array) -> float:
    """Return the mean over the rows of the squared error, summed over the columns."""
    return float(np.square(X - reproduced).sum(axis=1).mean())


def reproduce(k: int, train: Array, test: Array) -> Reproduction:
    """Learn codes of k numbers from `train`, and reproduce `test` from them."""
    model = VariationalAutoencoder(k, **SETTINGS).fit(train)
    pca = PCA(k, random_state=0).fit(train)
    rows, pca_rows = model.reconstruct(test), pca.inverse_transform(pca.transform(test))
    return Reproduction(
        model=model,
        rows=rows,
        pca_rows=pca_rows,
        error=squared_error(test, rows),
        pca_error=squared_error(test, pca_rows),
        n_active=int(model.diagnose(test).active_units.sum()),
    )


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    results = {k: reproduce(k, digits.train, digits.test) for k in LATENTS}
    return Claim(
        name="reproduction",
        sentence="The more latents, the better a variational autoencoder reproduces rows, each helping less, "
        "until it leaves some unused. With few, it is better than PCA; with 20, PCA has caught up.",
        measured_on="597 held-out rows of scikit-learn's digits (pixels 0 to 16), 1,200 others learned from",
        numbers=_numbers(results),
        figure=_draw(digits.test, results),
    )


def _numbers(results: Mapping[int, Reproduction]) -> dict[str, Number | Limit]:
    errors = [results[k].error for k in LATENTS]
    spared = (-np.diff(errors) / np.diff(LATENTS)).tolist()
    most, numbers = LATENTS[-1], dict[str, Number | Limit]()
    for i, (before, after) in enumerate(itertools.pairwise(LATENTS)):
        ratio = errors[i + 1] / errors[i]
        numbers[f"squared error, {after} latents / {before} latents"] = Limit(1.0, ratio, "at most")
        if i:
            name = f"spared by each latent, {before} to {after} / {LATENTS[i - 1]} to {before}"
            numbers[name] = Limit(1.0, spared[i] / spared[i - 1], "at most")
    for k, found in results.items():
        ratio = found.error / found.pca_error
        numbers[f"squared error, VAE / PCA, {k} components"] = (
            Number(1.0, ratio, 0.15) if k == most else Limit(0.8, ratio, "at most")
        )
    return numbers | {
        f"latents in use, of {most}": Limit(most - 1, results[most].n_active, "at most", "latents")
    }


def _draw(test: Array, results: Mapping[int, Reproduction]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 4.9))
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    rows = {"original": test}
    rows |= {f"VAE, {k}: {found.error:.0f}": found.rows for k, found in results.items()}
    rows |= {f"PCA, {k}: {found.pca_error:.0f}": found.pca_rows for k, found in results.items()}
    ImageGridDisplay.from_images(
        np.concatenate([array[:N_SHOWN].reshape(-1, SIDE, SIDE) for array in rows.values()]),
        n_columns=N_SHOWN,
        low=0,
        high=WHITE,
        row_titles=list(rows),
        title="Held-out digits, and what 2 to 20 numbers give back: squared error per row",
        ax=left,
    )
    manifold = results[LATENTS[0]].model.manifold_grid(N_GRID)
    ImageGridDisplay.from_images(
        manifold.reshape(-1, SIDE, SIDE),
        low=0,
        high=WHITE,
        gap=0.12,
        title=f"What {LATENTS[0]} latents decode to, at the prior's quantiles",
        ax=right,
    )
    for axes in (left, right):
        axes.set_anchor("N")
    return figure
