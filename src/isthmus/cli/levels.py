"""Which of the values that a model knows is meant by a word of a command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["find_level"]


def find_level(levels: Iterable[Any], text: str) -> Any:
    """Return the level that is written so, or else one that is no text and means it, or None."""
    known = {str(level): level for level in levels}
    if text in known:
        return known[text]
    for name, level in known.items():  # true is True, 7.0 is 7
        if not isinstance(level, str) and (name.lower() == text.lower() or level == _number(text)):
            return level
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
