"""One page about the claims of the lecture: the sentence, the picture, the numbers, confirmed or not."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

import isthmus
from isthmus import store
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.report.figures import Row, Table
from isthmus.report.templates import template
from isthmus.report.words import Tile

__all__ = ["CLAIMS_PAGE", "Checked", "claim_cells", "duration", "render_claims", "write_claims"]

CLAIMS_PAGE = "index.html"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A claim that was checked, or what kept it from being checked.

    Parameters
    ----------
    name : str
        The claim's module.
    seconds : float
        What checking took.
    claim : Claim, optional
    png : bytes
        The claim's picture.
    failure : str
        In words, where there is no claim.
    """

    name: str
    seconds: float
    claim: Claim | None = None
    png: bytes = b""
    failure: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether the claim was measured, and all its numbers agree."""
        return self.claim is not None and self.claim.confirmed

    @property
    def verdict(self) -> str:
        """Return "confirmed", "NOT confirmed" or "FAILED"."""
        if self.claim is None:
            return "FAILED"
        return "confirmed" if self.confirmed else "NOT confirmed"

    @property
    def time(self) -> str:
        """Return the time it took, in words."""
        return duration(self.seconds)

    @property
    def picture(self) -> Markup:
        """Return the picture as an element that needs no other file."""
        what = "" if self.claim is None else self.claim.sentence
        data = base64.b64encode(self.png).decode()
        return Markup('<img alt="Picture of the claim. {}" src="data:image/png;base64,{}">').format(
            what, data
        )

    @property
    def table(self) -> Table | None:
        """Return the numbers, each beside what is claimed; None without any."""
        if self.claim is None or not self.claim.numbers:
            return None
        rows = [Row(name, "", _row_cells(number)) for name, number in self.claim.numbers.items()]
        return Table(("", "measured", "claimed", ""), rows, f"Measured on {self.claim.measured_on}.")


def _row_cells(number: Number | Limit) -> tuple[str, str, str]:
    claimed, measured, tolerance = claim_cells(number)
    around = f" ± {tolerance}" if tolerance else ""
    return measured, f"{claimed}{around}", "agrees" if number.agrees else "DIFFERS"


def claim_cells(number: Number | Limit) -> tuple[str, str, str]:
    """Return what is claimed, what was measured, and how far apart they may be ("" for a limit)."""
    unit = f" {number.unit}" if number.unit else ""
    measured = f"{_figure(number.measured)}{unit}"
    if isinstance(number, Limit):
        return f"{number.side} {_figure(number.limit)}{unit}", measured, ""
    return f"{_figure(number.expected)}{unit}", measured, f"{_figure(number.tolerance)}{unit}"


def _figure(value: float) -> str:
    """Return four digits, of whole numbers all."""
    value = float(value)
    return f"{value:,.0f}" if abs(value) < 1e9 and value.is_integer() else f"{value:.4g}"


def duration(seconds: float) -> str:
    """Return "0.4 s", "12 s" or "3 min 5 s"."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def write_claims(
    path: str | Path, checked: Sequence[Checked], waiting: Sequence[str] = (), *, overwrite: bool = False
) -> None:
    """Write one HTML file about claims, which needs no other file and no network to be read.

    Parameters
    ----------
    path : str or Path
        The file; it appears when it is complete.
    checked : sequence of Checked
        In their order on the page.
    waiting : sequence of str
        Names of claims that were not checked yet: should the run be interrupted, the page tells.
    overwrite : bool, default=False
        Whether to replace a file.
    """
    store.write_file(path, render_claims(checked, waiting).encode(), overwrite=overwrite)


def render_claims(checked: Sequence[Checked], waiting: Sequence[str] = ()) -> str:
    """Return the page as HTML."""
    return template("claims.html").render(
        title="The claims of the lecture, checked",
        tiles=_tiles(checked),
        waiting=waiting,
        entries=checked,
        version=isthmus.__version__,
    )


def _tiles(checked: Sequence[Checked]) -> list[Tile]:
    confirmed = sum(entry.confirmed for entry in checked)
    failed = sum(entry.claim is None for entry in checked)
    numbers = [n for entry in checked if entry.claim is not None for n in entry.claim.numbers.values()]
    tiles = [
        Tile(f"{confirmed} of {len(checked)}", "claims confirmed"),
        Tile(f"{sum(n.agrees for n in numbers)} of {len(numbers)}", "numbers agree"),
        Tile(duration(sum(entry.seconds for entry in checked)), "on this machine, one claim after the other"),
    ]
    return [*tiles, *[Tile(str(failed), "could not be measured")] * bool(failed)]
