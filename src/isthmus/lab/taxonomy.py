"""The ways to make a map, side by side on the same data: linear or not, with labels, with a way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE, Isomap, LocallyLinearEmbedding

from isthmus.estimators import Autoencoder, ManifoldAutoencoder
from isthmus.lab._digits import split_digits
from isthmus.lab.claim import Claim, Limit
from isthmus.lab.swiss_roll import Sheet, sheets
from isthmus.manifold.quality import map_quality
from isthmus.plots.style import CATEGORY_COLORS, STYLE

__all__ = ["METHODS", "Example", "Kept", "Mapped", "claim", "compare", "examples", "make_map"]

Array = NDArray[np.floating[Any]]

N_NEIGHBORS = 10
LINEAR, LABELLED, ISOMAP, LLE, T_SNE = "PCA", "LDA (told labels)", "Isomap", "LLE", "t-SNE"
PLAIN, OURS = "Autoencoder", "ManifoldAutoencoder"
ROLL, DIGITS = "swiss roll", "digits"
# The roll is cut across into so many parts, which LDA is told.
N_PARTS = 4
METHODS: dict[str, Callable[[], Any]] = {
    LINEAR: lambda: PCA(2, random_state=0),
    LABELLED: lambda: LinearDiscriminantAnalysis(n_components=2),
    ISOMAP: lambda: Isomap(n_neighbors=N_NEIGHBORS, n_components=2),
    LLE: lambda: LocallyLinearEmbedding(n_neighbors=N_NEIGHBORS, n_components=2, random_state=0),
    T_SNE: lambda: TSNE(2, random_state=0),
    PLAIN: lambda: Autoencoder(2, hidden_sizes=(128, 64), max_epochs=100, random_state=0),
    OURS: lambda: ManifoldAutoencoder(2, max_epochs=60, random_state=0),
}
# Shares of neighbours, with some room for another machine's rounding.
KEPT_ON_ROLL: dict[str, tuple[float, Literal["at most", "at least"]]] = {
    LINEAR: (0.55, "at most"),
    LABELLED: (0.45, "at most"),
    ISOMAP: (0.8, "at least"),
    LLE: (0.6, "at least"),
    T_SNE: (0.8, "at least"),
    OURS: (0.6, "at least"),
}
KEPT_ON_DIGITS: dict[str, tuple[float, Literal["at most", "at least"]]] = {
    LINEAR: (0.2, "at most"),
    LABELLED: (0.2, "at most"),
    ISOMAP: (0.3, "at most"),
    LLE: (0.3, "at most"),
    T_SNE: (0.5, "at least"),
    PLAIN: (0.32, "at least"),
    OURS: (0.35, "at least"),
}


@dataclass(frozen=True, eq=False)
class Example:
    """Rows to map, and rows held back.

    Attributes
    ----------
    train, test : ndarray of shape (n, d)
    truth, test_truth : ndarray of shape (n, m)
        Among which neighbours count: the rows themselves, or places on the sheet that they are rolled from.
    labels : ndarray of shape (n,)
        What LDA is told.
    colors : ndarray of shape (n,)
        Numbers that tell rows apart in pictures.
    """

    train: Array
    test: Array
    truth: Array
    test_truth: Array
    labels: NDArray[np.integer[Any]]
    colors: NDArray[Any]


class Kept(NamedTuple):
    """How much of the neighbourhoods a map keeps, from 0 to 1.

    Attributes
    ----------
    trust : float
        Trustworthiness: whether rows that are near on the map are near in truth.
    share : float
        Of the nearest rows in truth that are among as many nearest on the map.
    """

    trust: float
    share: float


@dataclass(frozen=True, eq=False)
class Mapped:
    """A map of an example's rows.

    Attributes
    ----------
    codes : ndarray of shape (n, 2)
    own : Kept
        Of these rows among themselves.
    held_out : Kept or None
        Of rows held back among these; None where a method cannot map new rows.
    """

    codes: Array
    own: Kept
    held_out: Kept | None


def examples(n_train: int = 1000) -> dict[str, Example]:
    """Return the swiss roll and the digits."""
    sheet, digits = sheets(n_train + 500)[ROLL], split_digits()
    return {
        ROLL: _rolled(sheet, n_train),
        DIGITS: Example(
            digits.train, digits.test, digits.train, digits.test, digits.train_labels, digits.train_labels
        ),
    }


def _rolled(sheet: Sheet, n: int) -> Example:
    truth = np.stack([sheet.length, sheet.width], axis=1)
    parts = np.quantile(sheet.length, np.arange(1, N_PARTS) / N_PARTS)
    labels = np.searchsorted(parts, sheet.length[:n])
    return Example(sheet.points[:n], sheet.points[n:], truth[:n], truth[n:], labels, sheet.length[:n])


def make_map(method: Any, example: Example) -> Mapped:
    """Map the rows, and those held back where the method can, and measure both maps."""
    if not hasattr(method, "transform"):
        codes, held_out = method.fit_transform(example.train), None
    else:
        codes = method.fit(example.train, example.labels).transform(example.train)
        new = method.transform(example.test)
        held_out = _kept(example.test_truth, new, example.truth, codes)
    return Mapped(np.asarray(codes), _kept(example.truth, codes), held_out)


def _kept(X: Array, Z: Array, X_reference: Any = None, Z_reference: Any = None) -> Kept:
    quality = map_quality(
        X,
        Z,
        X_reference=X_reference,
        Z_reference=Z_reference,
        n_neighbors=N_NEIGHBORS,
        k_max=50,
        distances=False,
    )
    return Kept(*(float(quality[f"{name}@{N_NEIGHBORS}"].value) for name in ("trustworthiness", "q_nx")))


def compare() -> dict[str, dict[str, Mapped]]:
    """Make every map of every example."""
    return {
        name: {title: make_map(method(), example) for title, method in METHODS.items()}
        for name, example in examples().items()
    }


def claim() -> Claim:
    """Measure the claim."""
    found = compare()
    return Claim(
        name="taxonomy",
        sentence="A linear map, PCA's or LDA's, loses more than half of the neighbours of a rolled-up sheet, "
        "and most of digits; methods that keep neighbourhoods keep most of the sheet's. A plain autoencoder "
        "lays the roll's ends on each other. On digits t-SNE keeps the most, then autoencoders, which map "
        "new rows too; Isomap and LLE, good on the sheet, keep few.",
        measured_on=f"1,000 points of the swiss roll (500 others held out), neighbours counted on the sheet, "
        f"and 1,200 of scikit-learn's digits (597 held out): trustworthiness of {N_NEIGHBORS} neighbours",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _numbers(found: Mapping[str, Mapping[str, Mapped]]) -> dict[str, Limit]:
    roll, digits = found[ROLL], found[DIGITS]
    numbers = {
        f"{ROLL}, neighbours kept, {name}": Limit(limit, roll[name].own.share, side)
        for name, (limit, side) in KEPT_ON_ROLL.items()
    }
    numbers[f"{ROLL}, trustworthiness, {PLAIN}; limit: {LINEAR}"] = Limit(
        roll[LINEAR].own.trust, roll[PLAIN].own.trust, "at most"
    )
    numbers |= {
        f"{DIGITS}, neighbours kept, {name}": Limit(limit, digits[name].own.share, side)
        for name, (limit, side) in KEPT_ON_DIGITS.items()
    }
    for name in (PLAIN, OURS):
        held_out = digits[name].held_out
        assert held_out is not None
        numbers[f"{DIGITS}, held out, trustworthiness, {name}"] = Limit(0.93, held_out.trust, "at least")
    return numbers


def _draw(found: Mapping[str, Mapping[str, Mapped]]) -> Figure:
    given = examples()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(14, 5))
        grid = figure.subplots(len(found), len(METHODS), squeeze=False)
        for row, (name, maps) in zip(grid, found.items(), strict=True):
            colors = given[name].colors
            cmap = "viridis" if name == ROLL else ListedColormap(CATEGORY_COLORS)
            for axes, (title, one) in zip(row, maps.items(), strict=True):
                axes.scatter(*one.codes.T, c=colors, s=3, cmap=cmap, linewidths=0)
                axes.set(xticks=[], yticks=[])
                axes.set_title(f"{title}\ntrust {one.own.trust:.3f}, kept {one.own.share:.0%}", fontsize=9)
                below = (
                    "no way for new rows" if one.held_out is None else f"held out {one.held_out.trust:.3f}"
                )
                axes.set_xlabel(below, fontsize=9)
            row[0].set_ylabel(name)
    return figure
