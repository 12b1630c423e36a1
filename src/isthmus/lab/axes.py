"""Small moves on the map change the data smoothly, and some axes of the map have a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from isthmus.estimators import VariationalAutoencoder
from isthmus.lab._digits import SIDE, WHITE, Digits, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots import ImageGridDisplay
from isthmus.plots.style import MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["Meaning", "changes", "claim", "ink", "meaning", "slant", "within"]

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

N_COMPONENTS, N_SHOWN = 10, 9
# Lengths of moves on the map; the prior's standard deviation is 1.
STEPS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
SMALL = 0.2
# From where to where one latent is moved while the others stay.
WALK = np.linspace(-2, 2, N_SHOWN)
INK, SLANT = "ink", "slant"


def ink(rows: Array) -> Array:
    """Return the sum of the pixels of rows of shape (n, 64): how thick and how large the strokes are."""
    return rows.sum(axis=1)


def slant(rows: Array) -> Array:
    """Return how far to the right the strokes of images lean, in columns a row upwards.

    The slope of the regression of a pixel's column on its height, weighted by ink: the ratio of two central
    second moments.
    """
    weight = np.clip(rows, 0, None)
    weight = weight / weight.sum(axis=1, keepdims=True)
    height, column = SIDE - 1 - np.arange(SIDE * SIDE) // SIDE, np.arange(SIDE * SIDE) % SIDE
    up = height - (weight @ height)[:, None]
    right = column - (weight @ column)[:, None]
    return (weight * up * right).sum(axis=1) / (weight * up**2).sum(axis=1)


PROPERTIES = {INK: ink, SLANT: slant}


def within(values: Array, labels: Labels) -> Array:
    """Return values less the mean of their label: what tells a digit from others of its kind."""
    means = np.stack([values[labels == label].mean(axis=0) for label in range(10)])
    return values - means[labels]


@dataclass(frozen=True, eq=False)
class Meaning:
    """How the axes of a map go with a property of images, among held-out digits of the same label.

    Attributes
    ----------
    correlations : ndarray of shape (n_components,)
        Spearman's, of each axis with the property, both less the mean of the label.
    r2 : float
        Of a linear regression of the property on all axes, learned from the other digits.
    walked : float
        Spearman's correlation of the best axis with the property of what the decoder makes of a walk along
        it, with the sign by which they go together in the data: mean over held-out digits.
    """

    correlations: Array
    r2: float
    walked: float

    @property
    def best(self) -> int:
        """The axis that goes best with the property."""
        return int(np.abs(self.correlations).argmax())


def meaning(model: Any, digits: Digits, name: str) -> Meaning:
    """Compare a map's axes with a property of the images."""
    train, test = (np.asarray(model.transform(X), np.float64) for X in (digits.train, digits.test))
    known, asked = PROPERTIES[name](digits.train), PROPERTIES[name](digits.test)
    moved = within(test, digits.test_labels)
    of_label = within(asked, digits.test_labels)
    correlations = np.array([spearmanr(axis, of_label).statistic for axis in moved.T])
    best = int(np.abs(correlations).argmax())
    decoded = model.inverse_transform(walks(test, best, train[:, best].std()).reshape(-1, test.shape[1]))
    found = PROPERTIES[name](decoded).reshape(len(test), -1)
    sign = np.sign(correlations[best])
    walked = sign * np.mean([spearmanr(WALK, values).statistic for values in found])
    fitted = LinearRegression().fit(within(train, digits.train_labels), within(known, digits.train_labels))
    return Meaning(correlations, float(fitted.score(moved, of_label)), float(walked))


def walks(codes: Array, axis: int, spread: float) -> Array:
    """Return codes whose one component takes the values of WALK, in spreads, of shape (n, N_SHOWN, D)."""
    along = np.repeat(codes[:, None], len(WALK), axis=1)
    along[:, :, axis] = spread * WALK
    return along.astype(np.float32)


def changes(model: Any, codes: Array, random_state: int = 0) -> Array:
    """Return how far decoded rows move when codes move in a random direction, of shape (n, len(STEPS))."""
    directions = np.random.default_rng(random_state).normal(size=codes.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    here = model.inverse_transform(codes)
    there = [model.inverse_transform((codes + step * directions).astype(np.float32)) for step in STEPS]
    return np.stack([np.linalg.norm(rows - here, axis=1) for rows in there], axis=1)


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    model = VariationalAutoencoder(N_COMPONENTS, hidden_sizes=(128, 64), max_epochs=100, random_state=0).fit(
        digits.train
    )
    pca = PCA(N_COMPONENTS, random_state=0).fit(digits.train)
    moves = changes(model, model.transform(digits.test))
    found = {name: meaning(model, digits, name) for name in PROPERTIES}
    linear = {name: meaning(pca, digits, name) for name in PROPERTIES}
    return Claim(
        name="axes",
        sentence="Small moves on a variational autoencoder's map change digits smoothly: half a move makes "
        "half of the change. One latent goes with slant, better than any axis of PCA, and one with ink, no "
        "better; who moves it alone, moves the property. But all latents together tell each far better.",
        measured_on=f"597 held-out rows of scikit-learn's digits, {N_COMPONENTS} latents learned from 1,200 "
        "others; ink and slant are computed from the images, and all correlations are among digits of the "
        "same label",
        numbers=_numbers(moves, found, linear),
        figure=_draw(model, digits, moves, found, linear),
    )


def _numbers(
    moves: Array, found: Mapping[str, Meaning], linear: Mapping[str, Meaning]
) -> dict[str, Limit | Number]:
    small = STEPS.index(SMALL)
    halved = moves[:, small - 1] / moves[:, small]
    furthest = float(halved[np.abs(halved - 0.5).argmax()])
    numbers: dict[str, Limit | Number] = {
        f"change by half a move / by a move of {SMALL}, the digit farthest from 1/2": Number(
            0.5, furthest, 0.03
        ),
        f"change by a move of {SMALL}, most / least of all digits": Limit(
            5.0, float(moves[:, small].max() / moves[:, small].min()), "at most"
        ),
    }
    for name, limits in {SLANT: (0.6, 0.8), INK: (0.5, 0.7)}.items():
        one = found[name]
        numbers |= {
            f"correlation of the best latent with {name}": Limit(
                limits[0], float(abs(one.correlations[one.best])), "at least"
            ),
            f"variance of {name} that all latents explain": Limit(limits[1], one.r2, "at least"),
            f"correlation of the best latent with {name} of what is decoded along it": Limit(
                0.95, one.walked, "at least"
            ),
        }
    best = abs(linear[SLANT].correlations[linear[SLANT].best])
    numbers[f"correlation of PCA's best axis with {SLANT}"] = Limit(0.55, float(best), "at most")
    return numbers


def _draw(
    model: Any,
    digits: Digits,
    moves: Array,
    found: Mapping[str, Meaning],
    linear: Mapping[str, Meaning],
) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 3.9))
        smooth, bars, *grids = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1))
        _draw_changes(smooth, moves)
        _draw_bars(bars, found, linear)
    train = model.transform(digits.train)
    codes = model.transform(digits.test[[int(np.argmax(digits.test_labels == label)) for label in range(10)]])
    for axes, (name, one) in zip(grids, found.items(), strict=True):
        along = walks(codes, one.best, train[:, one.best].std())
        if one.correlations[one.best] < 0:
            along = along[:, ::-1]
        images = model.inverse_transform(along.reshape(-1, N_COMPONENTS)).reshape(-1, SIDE, SIDE)
        title = f"Latent {one.best} alone moves: {name}"
        ImageGridDisplay.from_images(images, n_columns=N_SHOWN, low=0, high=WHITE, title=title, ax=axes)
        axes.set_anchor("N")
    return figure


def _draw_changes(axes: Axes, moves: Array) -> None:
    low, middle, high = np.quantile(moves, (0.05, 0.5, 0.95), axis=0)
    axes.plot(STEPS, middle, "o-", ms=4, color=MODEL_COLOR)
    axes.fill_between(STEPS, low, high, color=MODEL_COLOR, alpha=0.15, linewidth=0)
    axes.set(xscale="log", yscale="log", xlabel="move on the map", ylabel="change of the decoded image")
    axes.set_title("Moves of codes: median, 90% of digits")


def _draw_bars(axes: Axes, found: Mapping[str, Meaning], linear: Mapping[str, Meaning]) -> None:
    places = np.arange(len(found))
    for shift, (title, maps, color) in enumerate(
        [("VAE's best axis", found, MODEL_COLOR), ("PCA's best axis", linear, OTHER_COLOR)]
    ):
        heights = [abs(one.correlations[one.best]) for one in maps.values()]
        bars = axes.bar(places + 0.4 * shift - 0.2, heights, 0.36, color=color, label=title)
        axes.bar_label(bars, [f"{height:.2f}" for height in heights], padding=2)
    axes.set_xticks(places, list(found))
    axes.set(ylim=(0, 1.25), yticks=(0, 0.5, 1))
    axes.legend(loc="upper left", ncols=1)
    axes.set_title("Correlation within a label")
