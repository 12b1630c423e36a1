"""The evidence for each number of latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from isthmus.errors import InputError
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR, STYLE, own_axes

if TYPE_CHECKING:
    from isthmus.tasks.evidence import DimensionEvidence

__all__ = ["EvidenceDisplay"]

# Candidates that are this many times as far from the best as the others leave the frame, so that the choice
# can be seen.
FAR = 20


class EvidenceDisplay:
    """Held-out log p(x) in nats per row against the number of latents, and which one was chosen.

    Parameters
    ----------
    n_components : array-like of int of shape (n_candidates,)
        Ascending.
    nats : array-like of shape (n_candidates,)
    standard_error : array-like of shape (n_candidates,)
        Of the difference to the best: 0 there.
    chosen : int
        One of `n_components`.
    note : str, default=""
        What it was measured on.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    errorbar_ : ErrorbarContainer
    chosen_ : Line2D
        After `plot`.
    """

    ax_: Axes
    figure_: Figure
    errorbar_: ErrorbarContainer
    chosen_: Line2D

    def __init__(
        self,
        *,
        n_components: ArrayLike,
        nats: ArrayLike,
        standard_error: ArrayLike,
        chosen: int,
        note: str = "",
    ) -> None:
        self.n_components = np.asarray(n_components, dtype=int)
        self.nats = np.asarray(nats, dtype=float)
        self.standard_error = np.asarray(standard_error, dtype=float)
        shape = self.n_components.shape
        if len(shape) != 1 or not shape[0] or not shape == self.nats.shape == self.standard_error.shape:
            raise InputError(
                f"n_components, nats and standard_error have shapes {shape}, {self.nats.shape} and "
                f"{self.standard_error.shape}; give one number of each for every candidate"
            )
        if chosen not in self.n_components:
            raise InputError(f"chosen is {chosen}; give one of {self.n_components.tolist()}")
        self.chosen, self.note = chosen, note

    @classmethod
    def from_evidence(cls, evidence: DimensionEvidence, *, ax: Axes | None = None) -> Self:
        """Draw what `isthmus.tasks.dimension_by_evidence` found.

        Parameters
        ----------
        evidence : DimensionEvidence
        ax : matplotlib Axes, optional
        """
        display = cls(
            n_components=[row.n_components for row in evidence.table],
            nats=[row.nats for row in evidence.table],
            standard_error=[row.behind_error for row in evidence.table],
            chosen=evidence.chosen,
            note=f"{evidence.n_rows:,} held-out rows",
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on new axes."""
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=2.8)
            self.figure_ = ax.figure  # type: ignore[assignment]
            ax.axhline(self.nats.max(), color=GREY, linewidth=1, linestyle=(0, (2, 2)), zorder=1)
            self.errorbar_ = ax.errorbar(
                self.n_components,
                self.nats,
                self.standard_error,
                color=MODEL_COLOR,
                marker="o",
                markersize=4,
                capsize=3,
                label="± standard error of the difference to the best",
            )
            at = self.n_components == self.chosen
            (self.chosen_,) = ax.plot(
                self.n_components[at],
                self.nats[at],
                color=OTHER_COLOR,
                marker="o",
                markersize=11,
                fillstyle="none",
                linestyle="none",
                markeredgewidth=1.8,
                label=f"chosen: {self.chosen}",
            )
            below = f", {self.note}" if self.note else ""
            ax.set(xlabel=f"n_components{below}", ylabel="log p(x) (nats per row)")
            ax.set_xticks(self.n_components)
            self._scale(ax)
            ax.grid(axis="y")
            ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.1)
        return self

    def _scale(self, ax: Axes) -> None:
        """Leave candidates far behind below the frame, where those near the best could not be told apart."""
        gaps = np.sort(self.nats.max() - self.nats)
        reach = max(float(gaps[len(gaps) // 2]), 4 * float(self.standard_error.max()), 1e-9)
        if gaps[-1] > FAR * reach:
            ax.set_ylim(self.nats.max() - 3 * reach, self.nats.max() + reach)
            ax.text(
                0.02,
                0.03,
                f"from {self.nats.min():,.4g}, below this frame",
                color=GREY,
                transform=ax.transAxes,
            )
