"""Pictures as inline SVG: sharp at any width, in the page's own font, and in its colours, light or dark."""

from __future__ import annotations

import io
import re
import warnings

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from isthmus.plots.style import INK, PAPER, STYLE

__all__ = ["inline_svg"]

# Text stays text, which the browser's fonts draw in any script; equal pictures give equal bytes.
SETTINGS = {**STYLE, "svg.fonttype": "none", "svg.hashsalt": "isthmus", "svg.image_inline": True}
NO_METADATA: dict[str, None] = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def inline_svg(figure: Figure, description: str) -> Markup:
    """Return a figure as an ``<svg>`` element that is as wide as its place allows.

    Parameters
    ----------
    figure : Figure
        In the style of `isthmus.plots`.
    description : str
        What the picture shows, for those who cannot see it.
    """
    file = io.StringIO()
    with matplotlib.rc_context(SETTINGS), warnings.catch_warnings():
        # matplotlib's font lacks glyphs that the browser's has.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format="svg", transparent=True, metadata=NO_METADATA)
    text = file.getvalue()
    svg = text[text.index("<svg") :]
    head, body = svg.split(">", 1)
    view = re.search(r'viewBox="[^"]*"', head)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)  # comments repeat every text
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # nothing refers to them, and pictures share them
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    start = f'<svg role="img" aria-label="{escape(description)}" {view.group() if view else ""}'
    return Markup(f'{start} xmlns:xlink="http://www.w3.org/1999/xlink">{body.strip()}')
