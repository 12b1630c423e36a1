"""A grey image of 200 x 200 pixels can take 256^40000 values; nearly all of them are noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA

from isthmus.lab._digits import SIDE, WHITE, Digits, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.manifold.neighbors import nearest_rows
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["claim", "likeness_of_neighbors", "photograph", "power_of_ten", "spread_kept"]

Array = NDArray[np.float64]

GREYS, WIDTH = 256, 200
N_NOISE, N_COMPONENTS = 10_000, 10
N_PIXELS = SIDE * SIDE


@dataclass(frozen=True, eq=False)
class Evidence:
    """What tells images from noise.

    Attributes
    ----------
    photo, noise : ndarray of shape (200, 200)
        Grey values from 0 to 255.
    noise_rows : ndarray of shape (n, 64)
        Noise in the shape of digits.
    to_noise, to_digits : ndarray
        How far noise and held-out digits are from the nearest digit learned from.
    kept_of_noise, kept_of_digits : ndarray of shape (64,)
        Share of the spread in the first 1, 2, ... principal components of digits.
    """

    photo: Array
    noise: Array
    noise_rows: Array
    to_noise: Array
    to_digits: Array
    kept_of_noise: Array
    kept_of_digits: Array


def power_of_ten(base: int, exponent: int) -> int:
    """Return the largest k with 10^k <= base^exponent, in whole numbers."""
    number = base**exponent
    k = int(exponent * math.log10(base))  # floating point may be off by one
    while 10 ** (k + 1) <= number:
        k += 1
    while 10**k > number:
        k -= 1
    return k


def photograph() -> Array:
    """Return a photograph that comes with scikit-learn, 200 x 200 grey values from 0 to 255."""
    grey = load_sample_image("flower.jpg").mean(axis=2)
    top, left = (grey.shape[0] - 2 * WIDTH) // 2, (grey.shape[1] - 2 * WIDTH) // 2
    square = grey[top : top + 2 * WIDTH, left : left + 2 * WIDTH]
    return square.reshape(WIDTH, 2, WIDTH, 2).mean(axis=(1, 3))


def likeness_of_neighbors(image: Array) -> float:
    """Return the correlation of pixels that stand side by side."""
    return float(np.corrcoef(image[:, 1:].ravel(), image[:, :-1].ravel())[0, 1])


def spread_kept(pca: PCA, rows: Array) -> Array:
    """Return the share of the rows' variance in the first 1, 2, ... components, of shape (n_components,)."""
    centred = rows - rows.mean(axis=0)
    along = (centred @ pca.components_.T) ** 2
    return np.asarray(np.cumsum(along.sum(axis=0)) / (centred**2).sum())


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    found = _measure(digits)
    k = power_of_ten(GREYS, WIDTH**2)
    return Claim(
        name="images_of_noise",
        sentence=f"A grey image of {WIDTH} x {WIDTH} pixels can take {GREYS}^{WIDTH**2} > 10^{k} values. "
        "Drawn at random they are noise: none comes near a digit, and noise fills all dimensions evenly, "
        "where images keep to few.",
        measured_on=f"one photograph and {N_NOISE:,} images of uniform noise, of the shape and range of "
        "scikit-learn's digits; 597 held-out digits, 1,200 others learned from",
        numbers=_numbers(found, digits, k),
        figure=_draw(found, digits),
    )


def _measure(digits: Digits) -> Evidence:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, GREYS, size=(WIDTH, WIDTH)).astype(np.float64)
    rows = rng.integers(0, WHITE + 1, size=(N_NOISE, N_PIXELS)).astype(np.float64)
    pca = PCA(random_state=0).fit(digits.train)
    return Evidence(
        photo=photograph(),
        noise=noise,
        noise_rows=rows,
        to_noise=nearest_rows(rows, digits.train)[1],
        to_digits=nearest_rows(digits.test, digits.train)[1],
        kept_of_noise=spread_kept(pca, rows),
        kept_of_digits=spread_kept(pca, digits.test),
    )


def _numbers(found: Evidence, digits: Digits, k: int) -> dict[str, Number | Limit]:
    # A whole number from 0 to n, all alike, has mean n / 2 and variance n (n + 2) / 12.
    mean = digits.train.mean(axis=0)
    squared = float(((found.noise_rows - mean) ** 2).sum(axis=1).mean())
    expected = N_PIXELS * WHITE * (WHITE + 2) / 12 + float(((WHITE / 2 - mean) ** 2).sum())
    share = N_COMPONENTS / N_PIXELS
    nearer = int(np.count_nonzero(found.to_noise <= found.to_digits.max()))
    kept = f"share of spread in {N_COMPONENTS} principal components of digits"
    return {
        f"largest k with 10^k <= {GREYS}^{WIDTH**2}": Number(96329, k, 0),
        "correlation of pixels side by side, photograph": Limit(
            0.9, likeness_of_neighbors(found.photo), "at least"
        ),
        "correlation of pixels side by side, noise": Number(0.0, likeness_of_neighbors(found.noise), 0.02),
        f"of {N_NOISE:,} noise images, as near to a digit as held-out digits are": Number(
            0, nearer, 0, "images"
        ),
        "nearest noise image / farthest held-out digit, distance": Limit(
            1.2, float(found.to_noise.min() / found.to_digits.max()), "at least"
        ),
        "squared distance of noise to the mean digit": Number(
            expected, squared, 0.01 * expected, "grey values²"
        ),
        f"{kept}, noise": Number(share, float(found.kept_of_noise[N_COMPONENTS - 1]), 0.005),
        f"{kept}, digits": Limit(0.7, float(found.kept_of_digits[N_COMPONENTS - 1]), "at least"),
    }


def _draw(found: Evidence, digits: Digits) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 6.4))
        panels: Any = figure.subplots(2, 3)
        _draw_distances(panels[0, 2], found)
        _draw_spread(panels[1, 2], found)
    large = {"A photograph": found.photo, "An image drawn at random": found.noise}
    for axes, (title, image) in zip(panels[0, :2], large.items(), strict=True):
        title += f", {WIDTH} x {WIDTH}"
        ImageGridDisplay.from_images(image[None], low=0, high=GREYS - 1, title=title, ax=axes)
    small = {"Digits": digits.test, "Drawn at random": found.noise_rows}
    for axes, (title, rows) in zip(panels[1, :2], small.items(), strict=True):
        images, title = rows[:25].reshape(-1, SIDE, SIDE), f"{title}, {SIDE} x {SIDE}"
        ImageGridDisplay.from_images(images, low=0, high=WHITE, title=title, ax=axes)
    return figure


def _draw_distances(axes: Axes, found: Evidence) -> None:
    end = float(max(found.to_noise.max(), found.to_digits.max()))
    bins = np.linspace(0, end, 60).tolist()
    for values, color, name in (
        (found.to_digits, MODEL_COLOR, "held-out digits"),
        (found.to_noise, OTHER_COLOR, f"{N_NOISE:,} noise images"),
    ):
        axes.hist(values, bins, density=True, color=color, label=name)
    axes.set(xlabel="distance to the nearest digit (grey values)", yticks=[], ylim=(0, 0.15))
    axes.set_title("No noise image is near a digit")
    axes.legend(loc="upper left")


def _draw_spread(axes: Axes, found: Evidence) -> None:
    steps = np.arange(1, N_PIXELS + 1)
    axes.plot(steps, found.kept_of_digits, color=MODEL_COLOR, label="held-out digits")
    axes.plot(steps, found.kept_of_noise, color=OTHER_COLOR, label="noise")
    axes.set(xlabel="principal components of digits", ylabel="share of the spread", ylim=(0, 1.02))
    axes.set_title("Noise fills all dimensions, digits few")
    axes.legend(loc="lower right")
