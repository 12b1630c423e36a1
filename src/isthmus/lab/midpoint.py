"""Half way between two pictures of a digit: in data space a double image, on the manifold a digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.svm import SVC

from isthmus.estimators import Autoencoder
from isthmus.lab._digits import WHITE, Digits, split_digits
from isthmus.lab.claim import Claim, Limit
from isthmus.lab.pixels import placed
from isthmus.manifold.neighbors import nearest_rows
from isthmus.manifold.paths import along_graph, straight
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import FAINT, GREY, MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["Judge", "Midpoints", "claim", "draw_pairs", "measure", "moved_about"]

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

N_PAIRS, N_SHOWN = 300, 7
# Of held-out digits, this share is taken to be near a digit learned from.
USUAL = 0.95
STILL, MOVED = "digits as they are", "digits moved about"
REAL, DATA, CODE, GRAPH = "a real digit", "mean of pixels", "mean of codes", "along the manifold"
COLORS = {REAL: FAINT, DATA: OTHER_COLOR, CODE: GREY, GRAPH: MODEL_COLOR}


@dataclass(frozen=True, eq=False)
class Judge:
    """Says whether rows look like a digit.

    They do if a support vector machine reads that digit, and a row learned from is as near as it is to most
    held-out digits: a classifier alone reads digits into double images too.

    Attributes
    ----------
    digits : Digits
    reader : SVC
    limit : float
        The distance that 95% of the held-out digits keep to.
    """

    digits: Digits
    reader: SVC
    limit: float

    @classmethod
    def of(cls, digits: Digits) -> Judge:
        """Learn from digits."""
        distance = nearest_rows(digits.test, digits.train)[1]
        reader = SVC(gamma=0.001, C=10.0).fit(digits.train, digits.train_labels)
        return cls(digits, reader, float(np.quantile(distance, USUAL)))

    def share(self, rows: Array, labels: Labels) -> float:
        """Return the share of rows that look like the digits they should be."""
        near = nearest_rows(rows, self.digits.train)[1] <= self.limit
        return float(np.mean(near & (self.reader.predict(rows) == labels)))


@dataclass(frozen=True, eq=False)
class Midpoints:
    """What lies between pairs of held-out rows of the same digit.

    Attributes
    ----------
    first, second : ndarray of shape (n_pairs, d)
    between : dict of str to ndarray of shape (n_pairs, d)
    shares : dict of str to float
        Of these that look like the digit.
    """

    first: Array
    second: Array
    between: Mapping[str, Array]
    shares: Mapping[str, float]


def moved_about(digits: Digits) -> Digits:
    """Return digits at random places of a larger canvas, those held out too."""
    X, y = placed(digits)
    held_out = replace(digits, train=digits.test, train_labels=digits.test_labels)
    test, test_labels = placed(held_out, random_state=1)
    return Digits(X, test, y, test_labels)


def draw_pairs(labels: Labels, n: int = N_PAIRS, random_state: int = 0) -> NDArray[np.intp]:
    """Draw pairs of rows with the same label, of shape (n, 2)."""
    rng = np.random.default_rng(random_state)
    first = rng.integers(len(labels), size=n)
    others = np.equal.outer(labels[first], labels)
    others[np.arange(n), first] = False
    return np.stack([first, np.where(others, rng.random(others.shape), -1.0).argmax(axis=1)], axis=1)


def measure(digits: Digits, model: Autoencoder) -> Midpoints:
    """Fit a model, and look half way between pairs."""
    model.fit(digits.train)
    pairs = draw_pairs(digits.test_labels)
    first, second = digits.test[pairs[:, 0]], digits.test[pairs[:, 1]]
    labels = digits.test_labels[pairs[:, 0]]
    ends = model.transform(first), model.transform(second)
    known = model.transform(digits.train)
    codes = {
        CODE: np.stack([straight(a, b, 3)[1] for a, b in zip(*ends, strict=True)]),
        GRAPH: np.stack(
            [
                along_graph(a, b, 3, known[digits.train_labels == label])[1]
                for a, b, label in zip(*ends, labels, strict=True)
            ]
        ),
    }
    between = {REAL: first, DATA: (first + second) / 2}
    between |= {name: model.inverse_transform(found) for name, found in codes.items()}
    judge = Judge.of(digits)
    shares = {name: judge.share(rows, labels) for name, rows in between.items()}
    return Midpoints(first, second, between, shares)


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    found = {
        STILL: measure(digits, Autoencoder(10, hidden_sizes=(128, 64), max_epochs=100, random_state=0)),
        MOVED: measure(
            moved_about(digits), Autoencoder(20, hidden_sizes=(256, 128), max_epochs=40, random_state=0)
        ),
    }
    return Claim(
        name="midpoint",
        sentence="Half way between two pictures of a digit that stand at different places, the mean of their "
        "pixels is a double image, and half way along the manifold is a digit. The mean of two codes leaves "
        "the manifold too: the way has to keep to codes of data. Between digits that lie alike, all do.",
        measured_on=f"{N_PAIRS} pairs of held-out rows with the same label, of scikit-learn's digits; 1,200 "
        "others learned from. Like a digit is what a support vector machine reads as it, and what is as near "
        f"to a row learned from as {USUAL:.0%} of held-out digits are",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _numbers(found: Mapping[str, Midpoints]) -> dict[str, Limit]:
    still, moved = found[STILL].shares, found[MOVED].shares
    return {
        f"share like a digit, {MOVED}, {REAL}": Limit(0.85, moved[REAL], "at least"),
        f"share like a digit, {MOVED}, {DATA}": Limit(0.5, moved[DATA], "at most"),
        f"share like a digit, {MOVED}, {CODE}": Limit(0.5, moved[CODE], "at most"),
        f"share like a digit, {MOVED}, {GRAPH}": Limit(0.95, moved[GRAPH], "at least"),
        f"share like a digit, {STILL}, {DATA}": Limit(0.9, still[DATA], "at least"),
        f"share like a digit, {STILL}, {CODE}": Limit(0.9, still[CODE], "at least"),
        f"share like a digit, {STILL}, {GRAPH}": Limit(0.95, still[GRAPH], "at least"),
    }


def _draw(found: Mapping[str, Midpoints]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 3.6))
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 0.8))
        _draw_shares(right, found)
    for axes, (name, one) in zip((left, middle), found.items(), strict=True):
        _draw_pairs(axes, name, one, row_titles=axes is left)
    return figure


def _draw_pairs(axes: Axes, name: str, found: Midpoints, *, row_titles: bool) -> None:
    rows = {"one": found.first, DATA: found.between[DATA], CODE: found.between[CODE]}
    rows |= {GRAPH: found.between[GRAPH], "the other": found.second}
    side = int(np.sqrt(found.first.shape[1]))
    images = np.concatenate([array[:N_SHOWN].reshape(-1, side, side) for array in rows.values()])
    ImageGridDisplay.from_images(
        images,
        n_columns=N_SHOWN,
        low=0,
        high=WHITE,
        row_titles=list(rows) if row_titles else None,
        title=f"Between {name}",
        ax=axes,
    )
    axes.set_anchor("N")


def _draw_shares(axes: Axes, found: Mapping[str, Midpoints]) -> None:
    places = np.arange(len(found))
    height = 0.8 / len(COLORS)
    for i, (name, color) in enumerate(COLORS.items()):
        shares = [one.shares[name] for one in found.values()]
        bars = axes.barh(places + i * height, shares, 0.9 * height, color=color)
        axes.bar_label(bars, [f"{name}: {share:.0%}" for share in shares], padding=3)
    axes.set(xlim=(0, 1.9), ylim=(len(found) - 0.2, -0.5), xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)
    for place, name in enumerate(found):
        axes.text(0.02, place - 0.7 * height, name)
    axes.set_title("Share that looks like the digit")
