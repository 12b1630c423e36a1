"""What the colours of labels mean, beside or below a map."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from isthmus.plots.labels import COLOR_SCALE, MISSING_COLOR, Labels
from isthmus.plots.style import CATEGORY_COLORS, literal

__all__ = ["by_line", "dots_of", "draw_scale"]


def dots_of(labels: Labels) -> list[Line2D]:
    """Return a dot for each category, and one for missing labels if there are any."""
    dots = [_dot(color, name) for color, name in zip(CATEGORY_COLORS, labels.names, strict=False)]
    return dots + [_dot(MISSING_COLOR, f"{labels.name} missing")] * bool(labels.missing.any())


def _dot(color: str, name: str) -> Line2D:
    return Line2D([], [], color=color, marker="o", markersize=6, linestyle="none", label=name)


def by_line(dots: Sequence[Line2D], n_letters: int = 48) -> tuple[list[Line2D], int]:
    """Return dots in such an order that a legend is read line by line, and its number of columns.

    Parameters
    ----------
    dots : sequence of Line2D
    n_letters : int, default=48
        As many as a line holds.
    """
    widest = max(len(str(dot.get_label())) for dot in dots)
    n_lines = -(-len(dots) // max(1, n_letters // (widest + 4)))
    n_columns = -(-len(dots) // n_lines)
    return [dot for i in range(n_columns) for dot in dots[i::n_columns]], n_columns


def draw_scale(labels: Labels, figure: Figure, axes: Axes | Sequence[Axes]) -> None:
    """Draw the scale of colours of numbers or dates below axes."""
    bar = figure.colorbar(
        ScalarMappable(labels.norm, COLOR_SCALE),
        ax=axes,  # type: ignore[arg-type]
        location="bottom",
        aspect=40,
        pad=0.02,
    )
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.set_xlabel(labels.name)
    literal([bar.ax.xaxis.label])
    bar.ax.locator_params(nbins=5)
    if labels.dates:
        locator = AutoDateLocator(maxticks=6)
        bar.ax.xaxis.set_major_locator(locator)
        bar.ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
