"""Codes of an autoencoder spread and drift as it learns; those of a variational one stay near N(0, I)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from isthmus.estimators import Autoencoder, VariationalAutoencoder
from isthmus.lab._digits import Digits, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots.style import CATEGORY_COLORS, INK, STYLE

__all__ = ["EPOCHS", "Place", "Snapshots", "claim", "movement", "place"]

Array = NDArray[np.floating[Any]]
Codes = Mapping[int, Array]
Side = Literal["at most", "at least"]

EPOCHS = (1, 10, 50, 150)
SETTINGS: dict[str, Any] = {
    "hidden_sizes": (128, 64),
    "max_epochs": EPOCHS[-1],
    "validation_fraction": 0.0,  # so that nothing ends the schedule early
    "random_state": 0,
}


class Place(NamedTuple):
    """Where codes lie beside a standard normal: 0 and 0 where they are centred and of unit spread.

    Attributes
    ----------
    centre : float
        Distance of their mean from 0.
    sd : float
        How far the standard deviation of the component that is worst in this is from 1.
    """

    centre: float
    sd: float


def place(codes: Array) -> Place:
    """Measure where the codes of all rows together lie."""
    deviations = np.abs(codes.std(axis=0) - 1)
    return Place(float(np.linalg.norm(codes.mean(axis=0))), float(deviations.max()))


def movement(before: Array, after: Array) -> float:
    """Return how far a row's code has moved: the root mean square over the rows."""
    return float(np.sqrt(np.square(after - before).sum(axis=1).mean()))


class Snapshots:
    """A callback (``set_callbacks``) that keeps the codes of some rows after some epochs.

    Parameters
    ----------
    X : rows as in `fit`
    epochs : iterable of int

    Attributes
    ----------
    codes : dict of int to ndarray of shape (n, n_components)
    """

    def __init__(self, X: Array, epochs: Iterable[int] = EPOCHS) -> None:
        self.X, self.epochs = X, frozenset(epochs)
        self.codes: dict[int, Array] = {}

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin a fit."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Begin an epoch."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
        """Keep the codes; training is to go on."""
        epoch = len(estimator.history_)
        if context.task_name == "epoch" and epoch in self.epochs:
            self.codes[epoch] = fitted_estimator.transform(self.X)
        return False

    def teardown(self, estimator: Any, context: Any) -> None:
        """End a fit."""


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    plain = _followed(Autoencoder(2, **SETTINGS), digits)
    variational = _followed(VariationalAutoencoder(2, **SETTINGS), digits)
    return Claim(
        name="latent_scatter",
        sentence="While they learn, the codes of an autoencoder spread and drift, and those of a variational "
        "autoencoder stay near N(0, I), though in units of their spread both move alike.",
        measured_on="codes of 2 components of 597 held-out rows of scikit-learn's digits; 1,200 others were "
        f"learned from, for {EPOCHS[-1]} epochs",
        numbers=_numbers(plain, variational),
        figure=_draw({"autoencoder": plain, "variational autoencoder": variational}, digits.test_labels),
    )


def _followed(model: Any, digits: Digits) -> Codes:
    snapshots = Snapshots(digits.test)
    model.set_callbacks(snapshots).fit(digits.train)
    return snapshots.codes


def _numbers(plain: Codes, variational: Codes) -> dict[str, Number | Limit]:
    numbers: dict[str, Number | Limit] = {}
    for epoch in EPOCHS[1:]:
        # Not 0.1: reconstruction of 64 pixels from 2 numbers wins a little room from the divergence.
        numbers |= _near_normal(f"VAE, epoch {epoch}", place(variational[epoch]), 0.5, "at most")
    numbers |= _near_normal(f"AE, epoch {EPOCHS[-1]}", place(plain[EPOCHS[-1]]), 0.5, "at least")
    for first, second in itertools.pairwise(EPOCHS):
        ours, theirs = (movement(codes[first], codes[second]) for codes in (variational, plain))
        numbers[f"movement from epoch {first} to {second}, AE's / VAE's"] = Limit(
            2.0, theirs / ours, "at least"
        )
    relative = [
        movement(codes[first], codes[second]) / float(codes[second].std()) for codes in (variational, plain)
    ]
    return numbers | {
        f"the same from {first} to {second}, in units of the spread": Number(
            1, relative[1] / relative[0], 0.5
        )
    }


def _near_normal(whose: str, found: Place, limit: float, side: Side) -> dict[str, Limit]:
    return {
        f"{whose}: distance of the codes' mean from 0": Limit(limit, found.centre, side),
        f"{whose}: |standard deviation - 1|": Limit(limit, found.sd, side),
    }


def _draw(codes: Mapping[str, Codes], labels: NDArray[np.int_]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 5.6))
        panels = figure.subplots(len(codes), len(EPOCHS), sharex="row", sharey="row")
        for line, (name, followed) in zip(panels, codes.items(), strict=True):
            for axes, epoch in zip(line, EPOCHS, strict=True):
                _scatter(axes, followed[epoch], labels)
                axes.set_title(f"epoch {epoch}")
            line[0].set_ylabel(f"{name}\nsecond component of the code")
        figure.suptitle("Codes of held-out digits; the circle holds 95% of N(0, I)")
        for axes in panels[-1]:
            axes.set_xlabel("first component of the code")
        handles = [axes.plot([], [], "o", color=c, label=str(i))[0] for i, c in enumerate(CATEGORY_COLORS)]
        figure.legend(handles=handles, loc="outside right center", title="digit", labelspacing=0.3)
    return figure


def _scatter(axes: Axes, codes: Array, labels: NDArray[np.int_]) -> None:
    """Draw codes, and the circle that holds 95% of a standard normal."""
    axes.scatter(*codes.T, s=6, c=np.array(CATEGORY_COLORS)[labels], linewidths=0, alpha=0.8)
    axes.add_patch(Circle((0, 0), np.sqrt(-2 * np.log(0.05)), fill=False, color=INK, linewidth=1))
    axes.set_aspect("equal", adjustable="box")
    axes.locator_params(nbins=5)
