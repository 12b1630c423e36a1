"""Squared error between pixels calls a damaged digit nearer than the same digit moved by one pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from isthmus.estimators import Autoencoder, AutoencoderClassifier
from isthmus.lab._digits import SIDE, Digits, show_image, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR

__all__ = ["Trio", "claim", "damage", "nearest_of_another_class", "on_canvas", "placed", "shift", "trio"]

Array = NDArray[np.float64]
Features = Callable[[Array], Array]

# A margin on each side, so that moving a digit loses no ink.
MARGIN = 2
# The side of the square that is erased: it takes a third of the ink.
HOLE = 3
# Each digit is learned from at this many random places.
N_PLACES = 5
PIXELS = "pixels (grey values)"


@dataclass(frozen=True)
class Trio:
    """Images of digits, of shape (n, h, w): as they are, with a part erased, and moved right by one pixel."""

    original: Array
    damaged: Array
    shifted: Array

    def distances(self, features: Features) -> tuple[Array, Array]:
        """Return how far, in some features, the damaged and the shifted images are from the originals."""
        original, damaged, shifted = map(features, (self.original, self.damaged, self.shifted))
        return np.linalg.norm(damaged - original, axis=1), np.linalg.norm(shifted - original, axis=1)


def on_canvas(rows: Array) -> Array:
    """Return rows of 64 pixels as images with an empty margin."""
    return np.pad(rows.reshape(-1, SIDE, SIDE), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)))


def damage(image: Array, side: int = HOLE) -> Array:
    """Return an image without the square that has the most ink."""
    squares = np.lib.stride_tricks.sliding_window_view(image, (side, side))
    ink = squares.sum(axis=(2, 3))
    top, left = np.unravel_index(int(ink.argmax()), ink.shape)
    damaged = image.copy()
    damaged[top : top + side, left : left + side] = 0
    return damaged


def shift(images: Array, down: int, right: int) -> Array:
    """Return images moved by at most their margin, which is empty."""
    return np.roll(images, (down, right), axis=(-2, -1))


def trio(rows: Array) -> Trio:
    """Return rows of 64 pixels in the three ways."""
    original = on_canvas(rows)
    return Trio(original, np.stack([damage(image) for image in original]), shift(original, 0, 1))


def nearest_of_another_class(images: Array, labels: NDArray[np.int64]) -> Array:
    """Return each image's distance to the nearest one with another label."""
    rows = pixels(images)
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    distances[labels[:, None] == labels] = np.inf
    return np.sqrt(distances.min(axis=1))


def placed(digits: Digits, *, random_state: int = 0) -> tuple[Array, NDArray[np.int64]]:
    """Return the digits to learn from at random places of the canvas, as rows, and their labels."""
    rng = np.random.default_rng(random_state)
    images = np.repeat(on_canvas(digits.train), N_PLACES, axis=0)
    moves = rng.integers(-MARGIN, MARGIN + 1, size=(len(images), 2))
    moved = np.stack([shift(image, *move) for image, move in zip(images, moves, strict=True)])
    return pixels(moved), np.repeat(digits.train_labels, N_PLACES)


def pixels(images: Array) -> Array:
    """Return images as rows: the features that squared error compares."""
    return images.reshape(len(images), -1)


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    X, y = placed(digits)
    autoencoder = Autoencoder(20, hidden_sizes=(256, 128), max_epochs=40, random_state=0).fit(X)
    classifier = AutoencoderClassifier(autoencoder, max_epochs=60, random_state=0).fit(X, y)
    images = trio(digits.test)
    distances = {
        PIXELS: images.distances(pixels),
        "codes of an autoencoder": images.distances(lambda a: autoencoder.transform(pixels(a))),
        "log-probabilities of a classifier": images.distances(lambda a: _log_probabilities(classifier, a)),
    }
    recognised = {
        name: float(np.mean(classifier.predict(pixels(rows)) == digits.test_labels))
        for name, rows in vars(images).items()
    }
    others = nearest_of_another_class(images.original, digits.test_labels)
    return Claim(
        name="pixels",
        sentence="Squared error between pixels takes a digit with a third of its ink erased, or even another "
        "digit, for more alike than the same digit moved by one pixel. An autoencoder's codes inherit that; "
        "a classifier's features do not.",
        measured_on=f"{len(digits.test)} held-out rows of scikit-learn's digits (1,200 learned from, at "
        f"{N_PLACES} random places each); shares are of these rows",
        numbers=_numbers(distances, recognised, float(np.mean(others < distances[PIXELS][1]))),
        figure=_draw(images, distances, recognised),
    )


def _log_probabilities(classifier: AutoencoderClassifier, images: Array) -> Array:
    return np.log(classifier.predict_proba(pixels(images)).clip(1e-12))


def _share(distances: tuple[Array, Array]) -> float:
    damaged, shifted = distances
    return float(np.mean(damaged < shifted))


def _numbers(
    distances: dict[str, tuple[Array, Array]], recognised: dict[str, float], another: float
) -> dict[str, Number | Limit]:
    in_pixels, in_codes, in_classes = map(_share, distances.values())
    return {
        "damaged digit nearer than shifted one, pixels: share": Limit(0.95, in_pixels, "at least"),
        "another digit nearer than shifted one, pixels: share": Limit(0.95, another, "at least"),
        "damaged nearer than shifted, codes of an autoencoder: share": Limit(0.5, in_codes, "at least"),
        "damaged nearer than shifted, classifier: share": Limit(0.5, in_classes, "at most"),
        "shifted digits recognised; limit: damaged ones": Limit(
            recognised["damaged"], recognised["shifted"], "at least"
        ),
    }


def _draw(images: Trio, distances: dict[str, tuple[Array, Array]], recognised: dict[str, float]) -> Figure:
    figure = Figure(figsize=(9.5, 6), layout="constrained")
    halves: Any = figure.subfigures(2, 1, height_ratios=(1, 1.8))
    _draw_examples(halves[0].subplots(1, 6).reshape(2, 3), images, distances[PIXELS])
    panels = halves[1].subplots(1, 3)
    for axes, (name, found) in zip(panels, distances.items(), strict=True):
        _draw_distances(axes, name, found)
    panels[0].set_ylabel("distance from original to shifted")
    shares = ", ".join(f"{name} {share:.0%}" for name, share in recognised.items())
    halves[1].suptitle(
        f"{len(images.original)} digits; the classifier recognises: {shares}", fontsize="medium"
    )
    return figure


def _draw_examples(panels: NDArray[np.object_], images: Trio, distances: tuple[Array, Array]) -> None:
    for row, line in enumerate(panels):
        for axes, (name, shown) in zip(line, vars(images).items(), strict=True):
            show_image(axes, shown[row])
            axes.set_title(name, fontsize="medium")
        for axes, found in zip(line[1:], distances, strict=True):
            axes.set_xlabel(f"distance {found[row]:.0f}")


def _draw_distances(axes: Axes, name: str, distances: tuple[Array, Array]) -> None:
    damaged, shifted = distances
    nearer = damaged < shifted
    end = 1.05 * float(max(damaged.max(), shifted.max()))
    axes.plot([0, end], [0, end], color=GREY, linewidth=0.8)
    for chosen, color in ((nearer, OTHER_COLOR), (~nearer, MODEL_COLOR)):
        axes.plot(damaged[chosen], shifted[chosen], ".", markersize=3, color=color)
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal", xlabel="from original to damaged")
    axes.set_title(f"{name}:\ndamaged nearer in {nearer.mean():.1%}", fontsize="medium")
