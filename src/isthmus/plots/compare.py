"""Maps of the same rows by several methods, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from isthmus.errors import InputError
from isthmus.plots.labels import Labels
from isthmus.plots.legend import by_line, dots_of, draw_scale
from isthmus.plots.map import flatten
from isthmus.plots.rows import sample_rows
from isthmus.plots.style import GREY, MODEL_COLOR, STYLE, literal

if TYPE_CHECKING:
    from isthmus.tasks.comparison import Comparison

__all__ = ["MapsDisplay", "Panel"]

Array = NDArray[np.float64]
PANEL, LEGEND_LINE = 2.2, 0.22  # inches
FAINT_ALPHA, STRONG_ALPHA = 0.25, 0.9


class Panel(NamedTuple):
    """One map: its title, and the points of rows it was learned from and of new ones (None: it cannot)."""

    title: str
    training: Array
    held_out: Array | None


class MapsDisplay:
    """Maps side by side: training rows faint, held-out rows over them, coloured alike in all.

    Parameters
    ----------
    panels : sequence of Panel
        Of points of shape (n, 2); the rows of all stand in the same order.
    labels : Labels, optional
        Of the training rows, then of the held-out rows.
    n_columns : int, default=3
        Maps in a line.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
    figure_ : matplotlib Figure
    training_, held_out_ : list of PathCollection
        `held_out_` has one less for each map without held-out rows. After `plot`.
    """

    axes_: list[Axes]
    figure_: Figure
    training_: list[PathCollection]
    held_out_: list[PathCollection]

    def __init__(self, *, panels: Sequence[Panel], labels: Labels | None = None, n_columns: int = 3) -> None:
        if not panels or n_columns < 1:
            raise InputError(f"{len(panels)} maps in {n_columns} columns; give one or more of each")
        self.panels, self.labels = list(panels), labels
        self.n_columns = min(n_columns, len(panels))

    @classmethod
    def from_comparison(
        cls,
        comparison: Comparison,
        *,
        label: Labels | None = None,
        label_name: str = "label",
        n_columns: int = 3,
        figure: Figure | None = None,
    ) -> Self:
        """Draw what `isthmus.tasks.compare_maps` found.

        Parameters
        ----------
        comparison : Comparison
        label : Labels, optional
            Of all rows that were compared, as they were given (where held-out rows were not given apart). By
            default the comparison's labels.
        label_name : str
            What those are called.
        n_columns : int, default=3
            Maps in a line.
        figure : matplotlib Figure, optional
            An empty one; by default a new one, which pyplot knows nothing of.
        """
        panels = []
        for one in comparison.maps:
            if one.held_out is None:
                panels.append(Panel(one.method.title, flatten(one.training)[0], None))
                continue
            # Wider codes share their principal components.
            points = flatten(np.concatenate([one.training, one.held_out]))[0]
            panels.append(Panel(one.method.title, *np.split(points, [len(one.training)])))
        rows = comparison.rows
        if label is not None:
            label = label.take(np.concatenate([rows.training_index, rows.held_out_index]))
        elif rows.labels is not None and rows.held_out_labels is not None:
            label = Labels.read(np.concatenate([rows.labels, rows.held_out_labels]), label_name)
        return cls(panels=panels, labels=label, n_columns=n_columns).plot(figure)

    def plot(self, figure: Figure | None = None) -> Self:
        """Draw on an empty figure, or on a new one."""
        n_lines = -(-len(self.panels) // self.n_columns)
        self.training_, self.held_out_ = list[PathCollection](), list[PathCollection]()
        with matplotlib.rc_context(STYLE):
            self.figure_ = figure = figure or Figure()
            figure.set_size_inches(PANEL * self.n_columns, PANEL * n_lines + self._legend_height())
            grid = figure.subplots(n_lines, self.n_columns, squeeze=False).ravel().tolist()
            self.axes_ = grid[: len(self.panels)]
            for ax in grid[len(self.panels) :]:
                ax.remove()
            for ax, panel in zip(self.axes_, self.panels, strict=True):
                self._draw(ax, panel)
            self._draw_labels(figure)
            literal([figure.supxlabel(self._rows_words(), fontsize=9.5, x=0.01, ha="left")])
        return self

    def _draw(self, ax: Axes, panel: Panel) -> None:
        n = len(panel.training)
        colors = None if self.labels is None else self.labels.colors()
        if panel.held_out is None:
            own = MODEL_COLOR if colors is None else colors[:n]
            self.training_.append(_scatter(ax, panel.training, own, STRONG_ALPHA, 1.0))
        else:
            own = GREY if colors is None else colors[:n]
            new = MODEL_COLOR if colors is None else colors[n:]
            self.training_.append(_scatter(ax, panel.training, own, FAINT_ALPHA, 1.0))
            self.held_out_.append(_scatter(ax, panel.held_out, new, STRONG_ALPHA, 1.5))
        title = panel.title if panel.held_out is not None else f"{panel.title}\ntraining rows only"
        literal([ax.set_title(title)])
        ax.set(xticks=[], yticks=[])
        ax.set_aspect("equal", adjustable="datalim")
        ax.spines[:].set_visible(False)

    def _rows_words(self) -> str:
        held_out = next((p.held_out for p in self.panels if p.held_out is not None), None)
        n = len(self.panels[0].training)
        if held_out is None:
            return f"{n:,} training rows"
        return f"faint: {n:,} training rows; strong: {len(held_out):,} held-out rows"

    def _letters(self) -> int:
        return 24 * self.n_columns

    def _legend_height(self) -> float:
        dots = list[Line2D]() if self.labels is None else dots_of(self.labels)
        if not dots:
            return 0.3 + 0.6 * (self.labels is not None)
        n_lines = -(-len(dots) // by_line(dots, self._letters())[1])
        return 0.3 + LEGEND_LINE * (n_lines + 1)

    def _draw_labels(self, figure: Figure) -> None:
        labels = self.labels
        if labels is None:
            return
        if not labels.categorical:
            draw_scale(labels, figure, self.axes_)
        dots = dots_of(labels)
        if dots:
            handles, n_columns = by_line(dots, self._letters())
            legend = figure.legend(
                handles=handles,
                title=labels.name if labels.categorical else "",
                ncols=n_columns,
                loc="outside upper left",
                borderaxespad=0.2,
                alignment="left",
            )
            literal([legend.get_title(), *legend.get_texts()])


def _scatter(ax: Axes, points: Array, colors: str | Array, alpha: float, size: float) -> PathCollection:
    order = sample_rows(len(points), len(points))
    return ax.scatter(
        points[order, 0],
        points[order, 1],
        s=size * float(np.clip(4000 / len(points), 1.5, 10)),
        c=colors if isinstance(colors, str) else colors[order],  # type: ignore[arg-type]
        alpha=alpha,
        linewidths=0,
        rasterized=True,
    )
