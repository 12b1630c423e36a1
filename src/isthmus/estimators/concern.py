"""What a careful reader would object to, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Concern"]


@dataclass(frozen=True)
class Concern:
    """Something to know before trusting a model.

    Attributes
    ----------
    name : str
        A few words.
    sentence : str
        What was seen, with its figures.
    advice : str
        What to do about it.
    """

    name: str
    sentence: str
    advice: str
