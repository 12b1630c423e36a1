"""Features learned without labels: a linear classifier with few labels on pixels, PCA and learned codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from isthmus.estimators import Autoencoder, DenoisingAutoencoder, VariationalAutoencoder
from isthmus.lab._digits import Digits, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots.style import CATEGORY_COLORS, GREY, INK, MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["FEATURES", "SIZES", "accuracies", "balanced", "claim", "compare", "features"]

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]

# Rows with labels; all 1,200 are seen without.
SIZES = (10, 20, 50, 100, 200, 500, 1000)
# Networks begin at so many seeds, and labelled rows are drawn so often for each of them.
N_SEEDS, N_DRAWS = 3, 4
N_COMPONENTS = 20
PIXELS, LINEAR, AE, DAE, VAE = "pixels", "PCA", "autoencoder", "denoising autoencoder", "VAE"
SETTINGS: dict[str, Any] = {"hidden_sizes": (128, 64), "max_epochs": 100}
FEATURES: dict[str, Callable[[int], Any]] = {
    LINEAR: lambda seed: PCA(N_COMPONENTS, random_state=seed),
    AE: lambda seed: Autoencoder(N_COMPONENTS, random_state=seed, **SETTINGS),
    DAE: lambda seed: DenoisingAutoencoder(
        N_COMPONENTS, corruption="masking:p=0.3", random_state=seed, **SETTINGS
    ),
    VAE: lambda seed: VariationalAutoencoder(N_COMPONENTS, random_state=seed, **SETTINGS),
}
COLORS = {PIXELS: INK, LINEAR: GREY, AE: MODEL_COLOR, DAE: OTHER_COLOR, VAE: CATEGORY_COLORS[3]}


def features(digits: Digits, seed: int) -> dict[str, tuple[Array, Array]]:
    """Return what each method makes of the rows to learn from, and of the others, without labels."""
    found: dict[str, tuple[Array, Array]] = {PIXELS: (digits.train, digits.test)}
    for name, method in FEATURES.items():
        model = method(seed).fit(digits.train)
        found[name] = model.transform(digits.train), model.transform(digits.test)
    return found


def balanced(labels: Labels, seed: int) -> NDArray[np.intp]:
    """Return rows in a random order in which the labels take turns: the first ten are of ten digits."""
    order = np.random.default_rng(seed).permutation(len(labels))
    mine = labels[order]
    turn = np.zeros(len(labels), dtype=np.intp)
    for label in np.unique(labels):
        turn[mine == label] = np.arange(np.sum(mine == label))
    return order[np.argsort(turn, kind="stable")]


def accuracies(digits: Digits, train: Array, test: Array, draws: Sequence[int]) -> Array:
    """Return accuracies on held-out rows of logistic regressions, of shape (len(draws), len(SIZES)).

    All columns are divided by one number, their typical spread: PCA's small components stay small.
    """
    unit = np.sqrt(train.var(axis=0).mean())
    train, test = (np.asarray(X - train.mean(axis=0), dtype=np.float64) / unit for X in (train, test))
    found = np.empty((len(draws), len(SIZES)))
    for i, draw in enumerate(draws):
        order = balanced(digits.train_labels, draw)
        for j, n in enumerate(SIZES):
            told = order[:n]
            model = LogisticRegression(max_iter=1000).fit(train[told], digits.train_labels[told])
            found[i, j] = model.score(test, digits.test_labels)
    return found


def compare(digits: Digits) -> dict[str, Array]:
    """Return the accuracies of every kind of features, of shape (N_SEEDS * N_DRAWS, len(SIZES)).

    All kinds meet the same draws.
    """
    found: dict[str, list[Array]] = {}
    for seed in range(N_SEEDS):
        draws = range(seed * N_DRAWS, (seed + 1) * N_DRAWS)
        for name, pair in features(digits, seed).items():
            found.setdefault(name, []).append(accuracies(digits, *pair, draws))
    return {name: np.concatenate(values) for name, values in found.items()}


def claim() -> Claim:
    """Measure the claim."""
    found = compare(split_digits())
    return Claim(
        name="features",
        sentence="With few labels a linear classifier does better on the codes of a denoising autoencoder, "
        "learned without labels, than on pixels; with 1,000 the gain is gone. A narrow code alone is none: "
        "PCA's components do as well as pixels, and codes of a plain or variational autoencoder worse.",
        measured_on=f"597 held-out rows of scikit-learn's digits; features of {N_COMPONENTS} numbers learned "
        f"from 1,200 others without labels ({N_SEEDS} seeds), logistic regressions from some of these with "
        f"labels; mean of {N_SEEDS * N_DRAWS} draws of them",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _numbers(found: Mapping[str, Array]) -> dict[str, Limit | Number]:
    gains = {name: np.mean(values - found[PIXELS], axis=0).tolist() for name, values in found.items()}
    first, third, last = 0, SIZES.index(50), len(SIZES) - 1
    numbers: dict[str, Limit | Number] = {
        f"accuracy above pixels', {SIZES[first]} labels, {DAE}": Limit(0.02, gains[DAE][first], "at least"),
        f"accuracy above pixels', {SIZES[third]} labels, {DAE}": Limit(0.01, gains[DAE][third], "at least"),
        f"accuracy above pixels', {SIZES[last]:,} labels, {DAE}": Number(0.0, gains[DAE][last], 0.01),
    }
    for j in (first, third, last):
        numbers |= {
            f"accuracy above pixels', {SIZES[j]:,} labels, {LINEAR}": Number(0.0, gains[LINEAR][j], 0.015),
            f"accuracy above pixels', {SIZES[j]:,} labels, {AE}": Limit(0.0, gains[AE][j], "at most"),
            f"accuracy above pixels', {SIZES[j]:,} labels, {VAE}": Limit(0.0, gains[VAE][j], "at most"),
        }
    return numbers


def _draw(found: Mapping[str, Array]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 3.9))
        left, right = figure.subplots(1, 2)
        for name, values in found.items():
            left.plot(SIZES, values.mean(axis=0), "o-", ms=4, color=COLORS[name], label=name)
            gains = values - found[PIXELS]
            right.plot(SIZES, gains.mean(axis=0), "o-", ms=4, color=COLORS[name])
            error = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
            low, high = gains.mean(axis=0) - 2 * error, gains.mean(axis=0) + 2 * error
            right.fill_between(SIZES, low, high, color=COLORS[name], alpha=0.15, linewidth=0)
        for axes in (left, right):
            axes.set(xscale="log", xlabel="labelled rows")
            axes.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
            axes.minorticks_off()
        left.set_title("Accuracy of logistic regression on held-out rows")
        left.legend(loc="lower right")
        right.set_title(f"Above pixels': mean of {N_SEEDS * N_DRAWS} draws, two standard errors")
    return figure
