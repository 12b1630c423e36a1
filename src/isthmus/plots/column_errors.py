"""How well each column comes back, beside what its training mean alone would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.errors import InputError
from isthmus.estimators.baseline import column_errors
from isthmus.plots.rows import open_rows, sample_rows
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR, STYLE, as_text, literal, own_axes

__all__ = ["ColumnErrorDisplay"]

NUMBER_UNITS = {"frame": "training standard deviations", "array": "data units"}
WRONG = "share wrong"
GUESS = "training mean, most frequent value"


class ColumnErrorDisplay:
    """The error of each column beside that of a constant guess, the worst column first.

    Parameters
    ----------
    names : sequence of str
    error : array-like of shape (n_columns,)
        Root-mean-square error of numbers, share of wrong entries of categories.
    baseline : array-like of shape (n_columns,)
        The same errors of always guessing the training mean or the most frequent category.
    is_label : array-like of bool of shape (n_columns,)
        Which columns are categories.
    unit : str
        The unit of the numbers' errors.
    n_rows : int
        How many rows were measured.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    model_, baseline_ : PathCollection
        After `plot`.
    """

    ax_: Axes
    figure_: Figure
    model_: PathCollection
    baseline_: PathCollection

    def __init__(
        self,
        *,
        names: Sequence[str],
        error: ArrayLike,
        baseline: ArrayLike,
        is_label: ArrayLike,
        unit: str = NUMBER_UNITS["frame"],
        n_rows: int,
    ) -> None:
        worst = np.argsort(-_ratio(np.asarray(error), np.asarray(baseline)), kind="stable")
        self.names = tuple(names[i] for i in worst)
        self.error, self.baseline = (
            np.asarray(error, np.float64)[worst],
            np.asarray(baseline, np.float64)[worst],
        )
        self.is_label: NDArray[np.bool_] = np.asarray(is_label, bool)[worst]
        self.unit, self.n_rows = unit, n_rows

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        condition: Any = None,
        max_rows: int = 10_000,
        max_columns: int = 25,
        random_state: int = 0,
        ax: Axes | None = None,
    ) -> Self:
        """Measure and draw the columns of `X`.

        Parameters
        ----------
        model : fitted estimator
        X : rows as in `fit`
            A frame may hold other columns besides.
        condition : frame, Source, or array-like of shape (n,) or (n, k), optional
            What a conditional model is told of each row, where columns of `X` do not say it, or one row for
            all; an InputError for models that were fitted without one.
        max_rows : int, default=10000
            Of more rows a random part is measured.
        max_columns : int, default=25
            How many are drawn, the worst ones.
        random_state : int
        ax : matplotlib Axes, optional
        """
        check_is_fitted(model)
        rows = open_rows(model, X, condition)
        index = np.sort(sample_rows(len(rows), max_rows, random_state))
        errors = column_errors(model.model_, rows.batch(index))
        label = errors["label"].astype(bool)
        display = cls(
            names=[column.name for column in model.schema_.modelled],
            error=np.where(label, errors["wrong"], np.sqrt(errors["squared_error"])),
            baseline=np.where(label, errors["mean_wrong"], np.sqrt(errors["mean_squared_error"])),
            is_label=label,
            unit=NUMBER_UNITS[model.schema_.container],
            n_rows=len(index),
        )
        return display.plot(ax, max_columns=max_columns)

    @property
    def share(self) -> NDArray[np.float64]:
        """The error as a share of the constant guess's: 0 is perfect, 1 no better than guessing."""
        return _ratio(self.error, self.baseline)

    @property
    def units(self) -> list[str]:
        """The unit of each column's error."""
        return [WRONG if label else self.unit for label in self.is_label]

    def plot(self, ax: Axes | None = None, *, max_columns: int = 25) -> Self:
        """Draw the worst columns on `ax`, or on new axes."""
        if max_columns < 1:
            raise InputError(f"max_columns={max_columns}; give a number of 1 or more")
        n = min(len(self.names), max_columns)
        y = np.arange(n)
        error, baseline = self.error[:n], self.baseline[:n]
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=self.height(max_columns))
            self.figure_ = ax.figure  # type: ignore[assignment]
            ax.hlines(y, error, baseline, color=GREY, linewidth=1, alpha=0.6, zorder=1)
            self.model_ = ax.scatter(error, y, s=30, color=MODEL_COLOR, label="model", zorder=3)
            self.baseline_ = ax.scatter(
                baseline, y, s=26, facecolors="none", edgecolors=OTHER_COLOR, label=GUESS
            )
            ax.set_yticks(y, [as_text(name, 22) for name in self.names[:n]])
            literal(ax.get_yticklabels())
            ax.set_xlabel(self._axis_name(), loc="right")
            ax.set_ylim(n - 0.4, -0.6)
            ax.set_xlim(left=0)
            ax.grid(axis="x")
            ax.tick_params(axis="y", length=0)
            self._head(ax, n)
        return self

    def height(self, max_columns: int = 25) -> float:
        """Return the height in inches that the picture needs."""
        return 1.1 + 0.24 * min(len(self.names), max_columns)

    def _head(self, ax: Axes, n: int) -> None:
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1)
        if n < len(self.names):
            ax.set_title(f"the worst {n} of {len(self.names):,} columns", loc="right", pad=20, color=GREY)

    def _axis_name(self) -> str:
        numbers = f"root-mean-square error ({self.unit})"
        if not self.is_label.any():
            return numbers
        return WRONG if self.is_label.all() else f"{numbers},\nof categories the share wrong"


def _ratio(error: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide; an error where the guess has none is infinitely worse, no error never is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / baseline)
