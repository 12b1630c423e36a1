"""A rolled-up sheet is 3-D data on a 2-D manifold, whose coordinates can be found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.datasets import make_s_curve, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.manifold import Isomap
from sklearn.neighbors import KNeighborsRegressor

from isthmus.lab.claim import Claim, Limit
from isthmus.plots.style import STYLE

__all__ = ["METHODS", "Recovered", "Sheet", "claim", "recover", "roll_length", "sheets"]

Array = NDArray[np.floating[Any]]

N_TRAIN, N_TEST, N_NEIGHBORS = 1500, 1000, 10
OURS, REFERENCE, LINEAR = "ManifoldAutoencoder", "Isomap", "PCA"


def _ours() -> Any:
    from isthmus.estimators import ManifoldAutoencoder

    return ManifoldAutoencoder(2, random_state=0)


# What brings rows of 3 numbers to codes of 2.
METHODS: dict[str, Callable[[], Any]] = {
    LINEAR: lambda: PCA(2, random_state=0),
    REFERENCE: lambda: Isomap(n_neighbors=N_NEIGHBORS, n_components=2),
    OURS: _ours,
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Points on a rolled-up rectangle that is longer than wide, in random order.

    Attributes
    ----------
    points : ndarray of shape (n, 3)
    length, width : ndarray of shape (n,)
        Where they are on the rectangle.
    """

    points: Array
    length: Array
    width: Array


@dataclass(frozen=True, eq=False)
class Recovered:
    """What a map makes of a sheet's held-out points, as rank correlations (Spearman) without their sign.

    Attributes
    ----------
    codes : ndarray of shape (n, 2)
        On the principal axes of the codes learned from.
    axis : float
        Of the true length with the better of these axes.
    width : float
        Of the true width with the mean width of the nearest codes learned from: whether the map holds it.
    """

    codes: Array
    axis: float
    width: float


def roll_length(angle: Array) -> Array:
    """Return the length of the spiral r = angle from its centre to `angle`, in radians."""
    return 0.5 * (angle * np.sqrt(1 + angle**2) + np.arcsinh(angle))


def sheets(n: int = N_TRAIN + N_TEST) -> dict[str, Sheet]:
    """Return the swiss roll and the s-curve, without noise; a circle's angle is its length."""
    roll, angle = make_swiss_roll(n, random_state=0)
    curve, arc = make_s_curve(n, random_state=0)
    return {
        "swiss roll": Sheet(roll, roll_length(angle), roll[:, 1]),
        "s-curve": Sheet(curve, arc, curve[:, 1]),
    }


def recover(codes: Array, sheet: Sheet) -> Recovered:
    """Compare the codes of points, the first of them learned from, with their true places."""
    axes = PCA(2, random_state=0).fit(codes[:N_TRAIN])
    near = KNeighborsRegressor(N_NEIGHBORS).fit(codes[:N_TRAIN], sheet.width[:N_TRAIN])
    held_out, length = codes[N_TRAIN:], sheet.length[N_TRAIN:]
    return Recovered(
        codes=axes.transform(held_out),
        axis=max(_likeness(axis, length) for axis in axes.transform(held_out).T),
        width=_likeness(near.predict(held_out), sheet.width[N_TRAIN:]),
    )


def _likeness(a: Array, b: Array) -> float:
    return abs(float(spearmanr(a, b).statistic))


def _codes(method: Any, points: Array) -> Array:
    return np.asarray(method.fit(points[:N_TRAIN]).transform(points), dtype=np.float64)


def claim() -> Claim:
    """Measure the claim."""
    surfaces = sheets()
    found = {
        shape: {name: recover(_codes(method(), sheet.points), sheet) for name, method in METHODS.items()}
        for shape, sheet in surfaces.items()
    }
    return Claim(
        name="swiss_roll",
        sentence="The swiss roll and the s-curve are 3-D data on a 2-D manifold. A map that keeps "
        "neighbourhoods, Isomap's or an autoencoder's, holds both coordinates of the unrolled sheet, and the "
        "length on an axis. A projection on a plane loses some of the width, and has the length on no axis.",
        measured_on=f"{N_TEST:,} held-out points of each, {N_TRAIN:,} others learned from; absolute rank "
        "correlations (Spearman) with the true length and width of the sheet",
        numbers=_numbers(found),
        figure=_draw(surfaces, found),
    )


def _numbers(found: Mapping[str, Mapping[str, Recovered]]) -> dict[str, Limit]:
    numbers: dict[str, Limit] = {}
    for shape, by in found.items():
        numbers |= {
            f"{shape}, length on an axis, {OURS}": Limit(0.98, by[OURS].axis, "at least"),
            f"{shape}, length on an axis, {REFERENCE}": Limit(0.98, by[REFERENCE].axis, "at least"),
            f"{shape}, length on an axis, {LINEAR}": Limit(0.95, by[LINEAR].axis, "at most"),
            f"{shape}, width from the nearest codes, {OURS}": Limit(0.95, by[OURS].width, "at least"),
            f"{shape}, width from the nearest codes, {REFERENCE}": Limit(
                0.95, by[REFERENCE].width, "at least"
            ),
            f"{shape}, width from the nearest codes, {LINEAR}": Limit(0.9, by[LINEAR].width, "at most"),
        }
    return numbers


def _draw(surfaces: Mapping[str, Sheet], found: Mapping[str, Mapping[str, Recovered]]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 6.8))
        places = figure.add_gridspec(len(surfaces), 1 + len(METHODS), width_ratios=(1.15, 1, 1, 1))
        for row, (shape, sheet) in enumerate(surfaces.items()):
            colors = sheet.length[N_TRAIN:]
            data = figure.add_subplot(places[row, 0], projection="3d")
            _draw_sheet(data, shape, sheet.points[N_TRAIN:], colors)
            for column, (name, recovered) in enumerate(found[shape].items(), start=1):
                axes = figure.add_subplot(places[row, column])
                axes.scatter(*recovered.codes.T, c=colors, s=4, cmap="viridis")
                axes.set(xticks=[], yticks=[])
                axes.set_title(f"{name}\nlength on an axis {recovered.axis:.2f}, width {recovered.width:.2f}")
    return figure


def _draw_sheet(axes: Axes, shape: str, points: Array, colors: Array) -> None:
    space: Any = axes  # a 3-D one
    space.scatter(*points.T, c=colors, s=4, cmap="viridis")
    space.set(xticklabels=[], yticklabels=[], zticklabels=[])
    space.view_init(elev=35, azim=-70)
    space.set_box_aspect(None, zoom=1.15)
    space.set_title(f"{shape}\ncolour: true length")
