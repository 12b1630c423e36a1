"""A part of the page."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from isthmus.report.figures import Table

__all__ = ["Section"]


@dataclass(frozen=True)
class Section:
    """A title, what is to be seen, and a picture, a table or lines of text that show it."""

    title: str
    text: str
    picture: Markup | None = None
    table: Table | None = None
    listing: str | None = None
