"""How our pictures look, in one place: few lines, large letters, colours the colour-blind can tell apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

__all__ = [
    "CATEGORY_COLORS",
    "FAINT",
    "GREY",
    "INK",
    "MODEL_COLOR",
    "OTHER_COLOR",
    "PAPER",
    "STYLE",
    "as_text",
    "literal",
    "new_axes",
    "own_axes",
]

INK, PAPER = "#1c2126", "#fefefe"
GREY, FAINT = "#7d868e", "#9aa3ab"
MODEL_COLOR, OTHER_COLOR = "#0072b2", "#d55e00"  # Okabe and Ito's blue and vermillion
# Petroff (2021), "Accessible color sequences for data visualization": ten that stay apart for all common
# deficiencies of colour vision. The greys are left to "other" and "missing".
CATEGORY_COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#92dadd",
    "#b9ac70",
    "#2e7d4f",
    "#f5a3c7",
)

# 4.4 inches wide, letters of 10 points: on a phone, some 360 pixels wide, they are 11 pixels high.
STYLE: dict[str, Any] = {
    "figure.figsize": (4.4, 3.3),
    "figure.constrained_layout.use": True,
    "figure.facecolor": PAPER,
    "savefig.facecolor": "auto",
    "savefig.dpi": 200,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "axes.titlelocation": "left",
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.handletextpad": 0.4,
    "legend.columnspacing": 1.2,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "grid.color": FAINT,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "axes.formatter.useoffset": False,
    # A column may be called "$x$"; that is its name and not mathematics.
    "text.parse_math": False,
}


def new_axes(width: float = 4.4, height: float = 3.3) -> Axes:
    """Return axes in our style on a figure of their own, which pyplot knows nothing of."""
    with matplotlib.rc_context(STYLE):
        return Figure(figsize=(width, height)).subplots()


def own_axes(ax: Axes | None, width: float = 4.4, height: float = 3.3) -> Axes:
    """Return `ax`, or without one, as scikit-learn's displays do, new axes that pyplot shows."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height))[1]


def as_text(value: object, longest: int = 28) -> str:
    """Return a name as it may stand in a picture: on one line, printable, not too long."""
    text = str(value)
    text = text if text.isprintable() else repr(text)[1:-1]
    n_end = longest // 3  # columns of one family often differ at the end
    return text if len(text) <= longest else f"{text[: longest - 1 - n_end]}…{text[-n_end:]}"


def literal(texts: Iterable[Text]) -> None:
    """Draw texts as they are, dollar signs too, also on axes that somebody else made."""
    for text in texts:
        text.set_parse_math(False)
