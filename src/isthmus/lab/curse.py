"""At a fixed number of rows, density falls exponentially with the dimension, and distances grow alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from isthmus.lab.claim import Claim, Limit, Number
from isthmus.manifold.curse import distance_concentration
from isthmus.manifold.occupancy import DensityDecay, density_decay, expected_occupied_bins, occupied_bins
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = ["Curse", "claim", "concentration_limit", "measure"]

Array = NDArray[np.float64]

N_ROWS, N_BINS, N_DRAWS = 1000, 10, 10
DIMENSIONS = np.arange(1, 7)
# Rows are counted within a window of this width around each row; the cube has side 1.
WIDTH = 0.4
DISTANCE_DIMENSIONS = np.array([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])
# From here on the law of large dimensions is followed to a few per cent.
LARGE = 10


@dataclass(frozen=True, eq=False)
class Curse:
    """What was measured on points that are uniform in the unit cube.

    Attributes
    ----------
    occupied, expected : ndarray of shape (n_dimensions,)
        Share of the bins that hold a point, and its expected value.
    decay : DensityDecay
        Points near a point.
    variation : ndarray of shape (n_distance_dimensions,)
        Standard deviation of the distances over their mean.
    """

    occupied: Array
    expected: Array
    decay: DensityDecay
    variation: Array


def concentration_limit(n_dimensions: Any) -> Any:
    """Return standard deviation over mean of the distance of two uniform points, for many dimensions.

    A squared difference of coordinates has mean 1/6 and variance 7/180; the sum of d of them is normal for
    large d, and so is its root: sqrt(7/180 d) / (2 sqrt(d/6)) over sqrt(d/6), which is sqrt(7 / (20 d)).
    """
    return np.sqrt(7 / (20 * n_dimensions))


def measure(random_state: int = 0) -> Curse:
    """Draw points and measure."""
    rng = np.random.default_rng(random_state)
    return Curse(
        occupied=np.array([_occupied(rng, d) for d in DIMENSIONS.tolist()]),
        expected=np.array([expected_occupied_bins(N_ROWS, d, N_BINS) for d in DIMENSIONS.tolist()])
        / N_BINS**DIMENSIONS,
        decay=density_decay(
            rng.uniform(size=(2 * N_ROWS, len(DIMENSIONS))), share=WIDTH, max_rows=2 * N_ROWS, random_state=0
        ),
        variation=np.array(
            [
                distance_concentration(rng.uniform(size=(N_ROWS, d))).coefficient_of_variation
                for d in DISTANCE_DIMENSIONS.tolist()
            ]
        ),
    )


def claim() -> Claim:
    """Measure the claim."""
    found = measure()
    return Claim(
        name="curse",
        sentence="At a fixed number of points the density falls exponentially with the dimension: soon all "
        "but a vanishing share of the bins are empty. Distances between points grow alike, as one over the "
        "root of the dimension.",
        measured_on=f"points uniform in the unit cube: {N_ROWS:,} in {N_BINS} bins per axis (means of "
        f"{N_DRAWS} draws), {2 * N_ROWS:,} and their neighbours, distances of all pairs of {N_ROWS:,}",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _occupied(rng: np.random.Generator, n_dimensions: int) -> float:
    """Return the share of bins that hold a point, on average over draws."""
    counts = [occupied_bins(rng.uniform(size=(N_ROWS, n_dimensions)), N_BINS) for _ in range(N_DRAWS)]
    return float(np.mean([count.occupied / count.n_bins for count in counts]))


def _numbers(found: Curse) -> dict[str, Number | Limit]:
    numbers: dict[str, Number | Limit] = {
        f"share of bins that hold a point, d = {d}": Number(expected, occupied, 0.01 * expected)
        for d, occupied, expected in zip(
            DIMENSIONS.tolist(), found.occupied.tolist(), found.expected.tolist(), strict=True
        )
    }
    logs = np.log(found.decay.rows_within)
    large = DISTANCE_DIMENSIONS >= LARGE
    slope = np.polyfit(np.log(DISTANCE_DIMENSIONS[large]), np.log(found.variation[large]), 1)[0]
    most = int(DISTANCE_DIMENSIONS[-1])
    return numbers | {
        f"factor per dimension on the points within ±{WIDTH / 2}": Number(
            WIDTH - WIDTH**2 / 4, found.decay.factor, 0.005
        ),
        "correlation of log density with the dimension": Number(
            -1.0, float(np.corrcoef(DIMENSIONS, logs)[0, 1]), 1e-4
        ),
        "spread / mean of distances, d = 1": Number(math.sqrt(0.5), float(found.variation[0]), 0.02),
        f"spread / mean of distances, d = {most}": Number(
            float(concentration_limit(most)), float(found.variation[-1]), 2e-4
        ),
        f"its exponent in d, from {LARGE} to {most}": Number(-0.5, float(slope), 0.01),
    }


def _draw(found: Curse) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 3.9))
        left, middle, right = figure.subplots(1, 3)
        _draw_bins(left, found)
        _draw_neighbors(middle, found.decay)
        _draw_distances(right, found)
        for axes in (left, middle, right):
            axes.set(xlabel="dimension d")
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
            axes.grid(visible=True)
            axes.legend(loc="lower left")
    return figure


def _draw_bins(axes: Axes, found: Curse) -> None:
    axes.semilogy(DIMENSIONS, N_ROWS / N_BINS**DIMENSIONS, "--", color=GREY, label="points per bin")
    axes.semilogy(DIMENSIONS, found.expected, color=MODEL_COLOR, label="share of bins, closed form")
    axes.semilogy(DIMENSIONS, found.occupied, "o", color=OTHER_COLOR, label="share of bins, measured")
    axes.set_ylim(1e-5, 300)
    axes.set_title(f"{N_ROWS:,} points, {N_BINS} bins per axis: bins in use")


def _draw_neighbors(axes: Axes, decay: DensityDecay) -> None:
    axes.semilogy(decay.n_columns, decay.uniform, color=MODEL_COLOR, label="closed form")
    axes.semilogy(decay.n_columns, decay.rows_within, "o", color=OTHER_COLOR, label="measured")
    axes.set_ylim(1, 1000)
    axes.set_title(f"Of {decay.n_rows:,} points, those within ±{WIDTH / 2} of one")


def _draw_distances(axes: Axes, found: Curse) -> None:
    theory = concentration_limit(DISTANCE_DIMENSIONS)
    axes.loglog(DISTANCE_DIMENSIONS, theory, color=MODEL_COLOR, label="√(7 / (20 d)), for large d")
    axes.loglog(DISTANCE_DIMENSIONS, found.variation, "o", color=OTHER_COLOR, label="measured")
    axes.set_ylim(0.01, 1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title("Standard deviation / mean of distances")
