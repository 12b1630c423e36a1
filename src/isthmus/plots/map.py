"""The code map: each row a point, at its code."""

from __future__ import annotations

from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from isthmus.plots.labels import Labels
from isthmus.plots.legend import by_line, dots_of, draw_scale
from isthmus.plots.rows import open_rows, sample_rows
from isthmus.plots.style import INK, MODEL_COLOR, PAPER, STYLE, literal, own_axes

__all__ = ["MapDisplay"]

ORDINALS = ("first", "second")
# Names longer than this cannot be written on the points of their category.
LONGEST_INSIDE = 10


class MapDisplay:
    """Rows as points at their codes, or at the two leading principal components of wider codes.

    Parameters
    ----------
    points : array-like of shape (n, 2)
    axis_names : tuple of two str
    labels : Labels, optional
        Colours the points.
    n_rows : int, optional
        How many rows there are, of which `points` is a part.
    equal_axes : bool, default=True
        Whether a step is as long along both axes, so that distances can be compared.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    scatter_ : PathCollection
        After `plot`.
    """

    ax_: Axes
    figure_: Figure
    scatter_: PathCollection

    def __init__(
        self,
        *,
        points: ArrayLike,
        axis_names: tuple[str, str],
        labels: Labels | None = None,
        n_rows: int | None = None,
        equal_axes: bool = True,
    ) -> None:
        self.points = np.asarray(points, dtype=np.float64)
        self.axis_names, self.labels, self.equal_axes = axis_names, labels, equal_axes
        self.n_rows = len(self.points) if n_rows is None else n_rows

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        condition: Any = None,
        label: ArrayLike | Labels | None = None,
        label_name: str = "label",
        max_rows: int = 5000,
        random_state: int = 0,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the codes of rows.

        Parameters
        ----------
        model : fitted estimator
        X : rows as in `fit`
            A frame may hold other columns besides.
        condition : frame, Source, or array-like of shape (n,) or (n, k), optional
            What a conditional model is told of each row, where columns of `X` do not say it, or one row for
            all; an InputError for models that were fitted without one.
        label : array-like of shape (n,), optional
            Colours the points: categories, numbers or dates.
        label_name : str
        max_rows : int, default=5000
            Of more rows a random part is drawn, and the picture says so.
        random_state : int
            Which part, and the order in which points are drawn.
        ax : matplotlib Axes, optional
        """
        check_is_fitted(model)
        rows = open_rows(model, X, condition)
        labels = label if label is None or isinstance(label, Labels) else Labels.read(label, label_name)
        if labels is not None:
            check_consistent_length(np.empty(len(rows)), labels.codes)
        index = sample_rows(len(rows), max_rows, random_state)
        codes = model.transform(rows.take(index), **rows.told(index))
        points, names = flatten(np.asarray(codes))
        display = cls(
            points=points,
            axis_names=names,
            labels=None if labels is None else labels.take(index),
            n_rows=len(rows),
            equal_axes=codes.shape[1] > 1,
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on new axes."""
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=4.2)
            self.figure_ = ax.figure  # type: ignore[assignment]
            self.scatter_ = ax.scatter(
                self.points[:, 0],
                self.points[:, 1],
                s=float(np.clip(9000 / max(len(self.points), 1), 2, 18)),
                c=MODEL_COLOR if self.labels is None else self.labels.colors(),  # type: ignore[arg-type]
                alpha=0.8,
                linewidths=0,
                rasterized=True,
            )
            ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
            if self.equal_axes:
                ax.set_aspect("equal", adjustable="datalim")
            ax.locator_params(nbins=6)
            self._draw_labels(ax)
        return self

    @property
    def sampled(self) -> str:
        """What part of the rows is drawn, in words; empty when all are."""
        if len(self.points) == self.n_rows:
            return ""
        return f"{len(self.points):,} of {self.n_rows:,} rows, chosen at random"

    def _draw_labels(self, ax: Axes) -> None:
        labels = self.labels
        dots = list[Line2D]() if labels is None else dots_of(labels)
        if labels is not None and labels.categorical:
            if len(labels.names) > 1 and max(map(len, labels.names)) <= LONGEST_INSIDE:
                self._draw_names(ax, labels)
        elif labels is not None:
            draw_scale(labels, self.figure_, ax)
        name = labels.name if labels is not None and labels.categorical else ""
        title = f"{name} ({self.sampled})" if name and self.sampled else name or self.sampled
        if dots:
            _draw_legend(ax, dots, title)
        elif title:
            literal([ax.set_title(title)])

    def _draw_names(self, ax: Axes, labels: Labels) -> None:
        """Write each category where its rows lie closest, so that nobody needs to match colours."""
        box = {"boxstyle": "round,pad=0.15", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.7}
        for code, name in enumerate(labels.names):
            rows = self.points[labels.codes == code]
            if len(rows):
                x, y = densest(rows)
                text = ax.text(x, y, name, ha="center", va="center", fontweight="bold", color=INK, bbox=box)
                literal([text])


def densest(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the point (of the first 500) with the most others near; a mean may lie between clusters."""
    points = points[:500]
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    near = np.exp(-squared / (0.1 * points.var(axis=0).sum() + 1e-300))
    return points[near.sum(axis=1).argmax()]


def flatten(codes: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], tuple[str, str]]:
    """Return points of shape (n, 2) for codes of any width, and what their two axes are."""
    codes = codes.astype(np.float64)
    n, k = codes.shape
    if k == 1:
        spread = np.random.default_rng(0).uniform(-0.5, 0.5, n) * max(float(np.ptp(codes)) / 4, 1e-9)
        return np.column_stack([codes[:, 0], spread]), ("code", "spread at random, to tell points apart")
    if k == 2:
        return codes, ("first component of the code", "second component of the code")
    if not np.ptp(codes, axis=0).any():
        return np.zeros((n, 2)), (f"all codes of {k} numbers are one point", "")
    pca = PCA(2, random_state=0).fit(codes)
    shares = np.nan_to_num(pca.explained_variance_ratio_)
    names = [
        f"{which} principal component of the codes ({share:.0%})"
        for which, share in zip(ORDINALS, shares, strict=True)
    ]
    return pca.transform(codes), (names[0], names[1])


def _draw_legend(ax: Axes, dots: list[Line2D], title: str) -> None:
    handles, n_columns = by_line(dots)
    legend = ax.legend(
        handles=handles,
        title=title,
        ncols=n_columns,
        loc="lower left",
        bbox_to_anchor=(-0.02, 1),
        borderaxespad=0.2,
        alignment="left",
    )
    literal([legend.get_title(), *legend.get_texts()])
