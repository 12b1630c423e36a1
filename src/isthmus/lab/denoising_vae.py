"""A variational autoencoder restores damaged digits better if it has learned from damaged ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from isthmus.estimators import VariationalAutoencoder
from isthmus.lab._digits import SIDE, WHITE, split_digits
from isthmus.lab.claim import Claim, Limit
from isthmus.parts import SaltAndPepper
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import STYLE

__all__ = ["claim", "salt_and_pepper"]

Array = NDArray[np.floating[Any]]

K, SHARE = 10, 0.2
SETTINGS: dict[str, Any] = {"hidden_sizes": (128, 64), "max_epochs": 150, "random_state": 0}
N_SHOWN = 12
PLAIN, DENOISING = "VAE", "denoising VAE"


def salt_and_pepper(X: Array, low: Array, high: Array, share: float, seed: int) -> Array:
    """Set a share of the entries, at random, to their column's lowest or highest value, either as likely."""
    draws = np.random.default_rng(seed).random(X.shape)
    return np.where(draws < share, np.where(draws < share / 2, low, high), X)


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    train, test = digits.train, digits.test
    damaged = salt_and_pepper(test, train.min(axis=0), train.max(axis=0), SHARE, seed=0)
    plain = VariationalAutoencoder(K, **SETTINGS).fit(train)
    denoising = VariationalAutoencoder(K, corruption=SaltAndPepper(SHARE), **SETTINGS).fit(train)
    pca = PCA(K, random_state=0).fit(train)
    restored = {
        "original": test,
        "damaged": damaged,
        PLAIN: plain.reconstruct(damaged),
        DENOISING: denoising.reconstruct(damaged),
        "PCA": pca.inverse_transform(pca.transform(damaged)),
    }
    errors = {name: _error(test, rows) for name, rows in restored.items()}
    costs = _error(test, denoising.reconstruct(test)) / _error(test, plain.reconstruct(test))
    return Claim(
        name="denoising_vae",
        sentence="A variational autoencoder that learned to tell clean rows from damaged ones restores "
        "damaged rows better than one that saw clean rows only, and clean rows worse.",
        measured_on=f"597 held-out rows of scikit-learn's digits, {SHARE:.0%} of the entries set to their "
        f"column's lowest or highest value; {K} latents, 1,200 other rows were learned from",
        numbers=_numbers(errors, costs),
        figure=_draw(restored, errors),
    )


def _error(X: Array, restored: Array) -> float:
    return float(np.square(X - restored).sum(axis=1).mean())


def _numbers(errors: Mapping[str, float], costs: float) -> dict[str, Limit]:
    def ratio(name: str) -> float:
        return errors[DENOISING] / errors[name]

    return {
        "squared error, denoising VAE / the damaged rows": Limit(1.0, ratio("damaged"), "at most"),
        "squared error, denoising VAE / plain VAE": Limit(1.0, ratio(PLAIN), "at most"),
        "squared error, denoising VAE / PCA": Limit(1.0, ratio("PCA"), "at most"),
        "squared error given clean rows, denoising VAE / plain VAE": Limit(1.0, costs, "at least"),
    }


def _draw(restored: Mapping[str, Array], errors: Mapping[str, float]) -> Figure:
    with matplotlib.rc_context(STYLE):
        axes = Figure(figsize=(9, 3.6)).subplots()
    titles = [name if name == "original" else f"{name}: {errors[name]:,.0f}" for name in restored]
    display = ImageGridDisplay.from_images(
        np.concatenate([rows[:N_SHOWN].reshape(-1, SIDE, SIDE) for rows in restored.values()]),
        n_columns=N_SHOWN,
        low=0,
        high=WHITE,
        row_titles=titles,
        title="Held-out digits, damaged and restored: squared error per row",
        ax=axes,
    )
    return display.figure_
