"""Entangled and disentangled latents: images of a square whose place and size are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import special_ortho_group

from isthmus.estimators import VariationalAutoencoder
from isthmus.lab.claim import Claim, Limit
from isthmus.manifold.mutual_information_gap import InformationGap, mutual_information_gap
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import STYLE

__all__ = ["METHODS", "Squares", "Told", "claim", "compare", "draw_squares", "measure"]

Array = NDArray[np.floating[Any]]

SIDE, N_TRAIN, N_TEST = 16, 3000, 3000
N_LATENTS, SEEDS = 6, (0, 1)
FACTORS = ("across", "down", "size")
PLAIN, STRONG, TC = "beta = 1", "beta = 8", "beta = 1, total correlation"
SETTINGS: dict[str, Any] = {"hidden_sizes": (128, 64), "max_epochs": 60, "batch_size": 128}
METHODS: dict[str, Callable[[int], VariationalAutoencoder]] = {
    PLAIN: lambda seed: VariationalAutoencoder(N_LATENTS, random_state=seed, **SETTINGS),
    STRONG: lambda seed: VariationalAutoencoder(N_LATENTS, beta=8.0, random_state=seed, **SETTINGS),
    TC: lambda seed: VariationalAutoencoder(
        N_LATENTS, terms=("total_correlation:weight=7",), random_state=seed, **SETTINGS
    ),
}


@dataclass(frozen=True, eq=False)
class Squares:
    """Images of a white square, and what they were made of.

    Attributes
    ----------
    images : ndarray of shape (n, 256)
        From 0 to 1; pixels that the square covers in part are grey.
    factors : ndarray of shape (n, 3)
        Where its centre is, across and down, and half of its side, in pixels.
    """

    images: Array
    factors: Array


def draw_squares(n: int, random_state: int = 0) -> Squares:
    """Draw squares whose three factors are uniform and independent, all inside the image."""
    rng = np.random.default_rng(random_state)
    factors = rng.uniform([5, 5, 1.5], [11, 11, 4], size=(n, 3))
    across, down, half = factors.T[:, :, None]
    columns, rows = (_covered(centre, half) for centre in (across, down))
    return Squares((rows[:, :, None] * columns[:, None]).reshape(n, -1), factors)


def _covered(centre: Array, half: Array) -> Array:
    """Return how much of each of the SIDE pixels of a line lies within `half` of `centre`."""
    left = np.arange(SIDE)
    return np.clip(np.minimum(left + 1, centre + half) - np.maximum(left, centre - half), 0, 1)


@dataclass(frozen=True, eq=False)
class Told:
    """What the latents of a model tell of held-out squares.

    Attributes
    ----------
    gap, turned : InformationGap
        Of the latents, and of the same after a rotation of their space.
    error : float
        Squared error of the reconstructions, per image.
    """

    gap: InformationGap
    turned: InformationGap
    error: float


def measure(model: VariationalAutoencoder, train: Squares, test: Squares) -> Told:
    """Fit a model, and compare its latents with the factors."""
    model.fit(train.images)
    codes = model.transform(test.images)
    turn = special_ortho_group.rvs(codes.shape[1], random_state=0)
    return Told(
        gap=mutual_information_gap(codes, test.factors),
        turned=mutual_information_gap(codes @ turn, test.factors),
        error=float(np.square(model.reconstruct(test.images) - test.images).sum(axis=1).mean()),
    )


def compare() -> dict[str, list[Told]]:
    """Measure every method at every seed."""
    train, test = draw_squares(N_TRAIN), draw_squares(N_TEST, random_state=1)
    return {name: [measure(method(seed), train, test) for seed in SEEDS] for name, method in METHODS.items()}


def claim() -> Claim:
    """Measure the claim."""
    found = compare()
    return Claim(
        name="entangled",
        sentence="A variational autoencoder entangles the factors that images are made of: a latent tells of "
        "several. A larger beta sets them apart, and a penalty on total correlation more so and at less "
        "cost; both reproduce the images worse, and no latent is a factor to the last. A rotation of the "
        "latents, which tells as much, entangles them again.",
        measured_on=f"{N_TEST:,} held-out images of a square, {N_TRAIN:,} others learned from without their "
        f"factors: place across, place down, size; mutual information gap of {N_LATENTS} latents (20 bins), "
        f"mean of {len(SEEDS)} seeds",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _numbers(found: Mapping[str, list[Told]]) -> dict[str, Limit]:
    gaps = {name: float(np.mean([told.gap.value for told in runs])) for name, runs in found.items()}
    errors = {name: float(np.mean([told.error for told in runs])) for name, runs in found.items()}
    turned = float(np.mean([told.turned.value for told in found[TC]]))
    return {
        f"gap, {PLAIN}": Limit(0.2, gaps[PLAIN], "at most"),
        f"gap, {STRONG}, above that of {PLAIN}": Limit(0.08, gaps[STRONG] - gaps[PLAIN], "at least"),
        f"gap, {TC}, above that of {PLAIN}": Limit(0.15, gaps[TC] - gaps[PLAIN], "at least"),
        f"gap, {TC}": Limit(0.8, gaps[TC], "at most"),
        f"gap, {TC}, after a rotation": Limit(0.2, turned, "at most"),
        f"squared error, {STRONG} / {PLAIN}": Limit(1.5, errors[STRONG] / errors[PLAIN], "at least"),
        f"squared error, {TC} / {PLAIN}": Limit(1.2, errors[TC] / errors[PLAIN], "at least"),
        f"squared error, {TC} / {STRONG}": Limit(1.0, errors[TC] / errors[STRONG], "at most"),
    }


def _draw(found: Mapping[str, list[Told]]) -> Figure:
    shown = {name: (runs[0].gap, runs[0].error) for name, runs in found.items()}
    shown["the last, turned"] = found[TC][0].turned, found[TC][0].error
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 3.6))
        images, *maps = figure.subplots(1, 1 + len(shown), width_ratios=(1.1, 1, 1, 1, 1))
        for axes, (name, (gap, error)) in zip(maps, shown.items(), strict=True):
            picture = axes.imshow(gap.information.T, cmap="viridis", vmin=0, vmax=2)
            axes.set_xticks(range(N_LATENTS))
            axes.set_yticks(range(len(FACTORS)), FACTORS if axes is maps[0] else [""] * len(FACTORS))
            axes.set_title(f"{name}\ngap {gap.value:.2f}, error {error:.2f}")
            axes.set_xlabel("latent")
        figure.colorbar(picture, ax=maps, orientation="horizontal", shrink=0.4, label="nats told of a factor")
    ImageGridDisplay.from_images(
        draw_squares(25).images.reshape(-1, SIDE, SIDE),
        n_columns=5,
        low=0,
        high=1,
        title="Some of the images",
        ax=images,
    )
    return figure
