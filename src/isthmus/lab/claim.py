"""A sentence of the lecture, with the numbers that bear it out or do not."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from matplotlib.figure import Figure

from isthmus.store import json_bytes, write_file

__all__ = ["Claim", "Limit", "Number"]


@dataclass(frozen=True)
class Number:
    """What the lecture says, what came out here, and how far apart the two may be."""

    expected: float
    measured: float
    tolerance: float
    unit: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the two agree; NaN never does."""
        return abs(self.measured - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Limit:
    """What must not be exceeded, or must be reached, and what came out here."""

    limit: float
    measured: float
    side: Literal["at most", "at least"]
    unit: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the measured value keeps to its side; NaN never does."""
        return self.measured <= self.limit if self.side == "at most" else self.measured >= self.limit


@dataclass(frozen=True)
class Claim:
    """A claim, measured.

    Parameters
    ----------
    name : str
        Names its files.
    sentence : str
        What is claimed, in words.
    measured_on : str
        The data, and which rows of it, that the numbers were measured on.
    numbers : dict of str to Number or Limit
        All must agree for the claim to be confirmed.
    figure : matplotlib.figure.Figure
        The picture of it.
    """

    name: str
    sentence: str
    measured_on: str
    numbers: Mapping[str, Number | Limit]
    figure: Figure = field(repr=False, compare=False)

    @property
    def confirmed(self) -> bool:
        """Whether every number agrees, and there is at least one."""
        return bool(self.numbers) and all(number.agrees for number in self.numbers.values())

    def to_json(self) -> dict[str, Any]:
        """Return all but the picture as a JSON object."""
        return {
            "name": self.name,
            "sentence": self.sentence,
            "measured_on": self.measured_on,
            "numbers": {name: _plain(number) for name, number in self.numbers.items()},
            "confirmed": self.confirmed,
        }

    def write(self, directory: str | Path, *, overwrite: bool = False) -> tuple[Path, Path]:
        """Write ``<name>.png`` and ``<name>.json`` to an existing folder and return their paths."""
        paths = Path(directory) / f"{self.name}.png", Path(directory) / f"{self.name}.json"
        picture = io.BytesIO()
        # No version of matplotlib in the file: equal claims give equal bytes.
        self.figure.savefig(picture, format="png", dpi=150, metadata={"Software": None})
        for path, data in zip(paths, (picture.getvalue(), json_bytes(self.to_json())), strict=True):
            write_file(path, data, overwrite=overwrite)
        return paths


def _plain(number: Number | Limit) -> dict[str, Any]:
    """Return a number as a JSON object, in which what is not finite is null."""
    values = asdict(number) | {"agrees": number.agrees}
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
