"""The loss over the epochs."""

from __future__ import annotations

from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from isthmus.errors import InputError
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR, STYLE, own_axes

__all__ = ["LossDisplay"]

# A positive loss that falls by this factor is drawn on a logarithmic axis.
LOG_RATIO = 10
# First epochs so much higher than all the later ones are left above the frame, and told in words.
EARLY_SHARE, EARLY_RATIO, LONG_RUN = 0.05, 4, 20


class LossDisplay:
    """Training and held-out loss in nats per row, over epochs, with the epoch whose weights were kept.

    Parameters
    ----------
    epoch, loss : array-like of shape (n_epochs,)
    validation_loss : array-like of shape (n_epochs,), optional
        The loss of the held-out rows.

    Attributes
    ----------
    best_epoch : int or None
        The epoch of the lowest held-out loss; None without held-out rows.
    ax_, figure_ : matplotlib Axes and Figure
    line_, validation_line_ : Line2D
        After `plot`; ``validation_line_`` is None without held-out rows.
    """

    ax_: Axes
    figure_: Figure
    line_: Line2D
    validation_line_: Line2D | None

    def __init__(
        self, *, epoch: ArrayLike, loss: ArrayLike, validation_loss: ArrayLike | None = None
    ) -> None:
        self.epoch = np.asarray(epoch, dtype=int)
        self.loss = np.asarray(loss, dtype=float)
        self.validation_loss = None if validation_loss is None else np.asarray(validation_loss, dtype=float)

    @classmethod
    def from_estimator(
        cls, model: Any, X: object = None, *, condition: object = None, ax: Axes | None = None
    ) -> Self:
        """Draw the history of a fitted model.

        Parameters
        ----------
        model : fitted estimator
        X, condition : ignored
            The history is the model's own; they stand here so that all displays are called alike.
        ax : matplotlib Axes, optional
        """
        del X, condition
        check_is_fitted(model)
        history = model.history_
        if not history:
            raise InputError(
                f"{type(model).__name__} has an empty history_, so there is no loss to draw; fit it"
            )
        validation = [row.get("validation_loss", np.nan) for row in history]
        display = cls(
            epoch=[row["epoch"] for row in history],
            loss=[row["loss"] for row in history],
            validation_loss=validation if np.isfinite(validation).any() else None,
        )
        return display.plot(ax)

    @property
    def best_epoch(self) -> int | None:
        if self.validation_loss is None or not np.isfinite(self.validation_loss).any():
            return None
        return int(self.epoch[np.nanargmin(self.validation_loss)])

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on new axes."""
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=2.8)
            self.figure_ = ax.figure  # type: ignore[assignment]
            marker = "o" if len(self.epoch) == 1 else None
            (self.line_,) = ax.plot(self.epoch, self.loss, color=OTHER_COLOR, marker=marker, label="training")
            self.validation_line_ = self._draw_held_out(ax, marker)
            ax.set(xlabel="epoch", ylabel="loss (nats per row)")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
            self._scale(ax)
            ax.grid(axis="y")
            ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, borderaxespad=0.1)
        return self

    def _draw_held_out(self, ax: Axes, marker: str | None) -> Line2D | None:
        best = self.best_epoch
        if self.validation_loss is None or best is None:
            return None
        (line,) = ax.plot(
            self.epoch, self.validation_loss, color=MODEL_COLOR, marker=marker, label="held-out"
        )
        ax.axvline(best, color=GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
        ax.plot(
            [best],
            [np.nanmin(self.validation_loss)],
            color=MODEL_COLOR,
            marker="o",
            markersize=5,
            linestyle="none",
            label=f"kept: epoch {best}",
        )
        return line

    def _scale(self, ax: Axes) -> None:
        """Choose the loss axis: logarithmic where that helps and can be, else without the steep beginning."""
        values = self._values()
        finite = values[np.isfinite(values)]
        if finite.size and finite.min() > 0 and finite.max() > LOG_RATIO * finite.min():
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.4g}"))
            ax.yaxis.set_minor_formatter(NullFormatter())
            return
        n_early = max(1, round(EARLY_SHARE * len(self.epoch)))
        late = values[:, n_early:]
        late = late[np.isfinite(late)]
        if len(self.epoch) < LONG_RUN or not late.size:
            return
        if finite.max() <= late.max() + EARLY_RATIO * (late.max() - late.min()):
            return
        margin = 0.05 * max(float(late.max() - late.min()), 1e-12)
        ax.set_ylim(late.min() - margin, late.max() + 4 * margin)
        ax.set_title(f"from {finite.max():,.4g} in the first epochs, above this frame", pad=18, color=GREY)

    def _values(self) -> NDArray[np.float64]:
        both = [self.loss] if self.validation_loss is None else [self.loss, self.validation_loss]
        return np.stack(both)
