"""What stands beside the rows: labels, weights, identifiers, conditions, wherever the user keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from isthmus.data.sources import Source

__all__ = ["Side", "find_side", "typed"]


@dataclass(frozen=True, eq=False)
class Side:
    """One value a row: a column of a frame, read where the rows are, or (`values`) an array or `file`."""

    name: str
    values: NDArray[Any] | None = None
    file: Path | None = None

    def blocks(self, source: Source) -> Iterator[pl.Series]:
        """Yield the values beside the rows of each block."""
        import polars as pl

        from isthmus.estimators.preparing import BLOCK_ROWS

        if self.values is None:
            for block in source.select(self.name).blocks(BLOCK_ROWS):
                yield block.to_polars()[self.name]  # type: ignore[union-attr]
        else:
            for start in range(0, len(self.values), BLOCK_ROWS):
                yield pl.Series(self.name, self.values[start : start + BLOCK_ROWS])

    def read(self, source: Source, *, text: bool = False) -> pl.Series:
        """Return all values; numbers that a text file holds are numbers, unless they are meant as `text`."""
        import polars as pl

        if self.values is None:
            return pl.concat(list(self.blocks(source)))
        values = typed(self.values)
        if text and self.file is not None:
            from isthmus.data.sources import read_values

            values = read_values(self.file, text=True)
        return pl.Series(self.name, values.tolist() if values.dtype.kind == "O" else values)


def find_side(source: Source, given: str, option: str, *, file: bool = True) -> Side:
    """Find what `option` (such as "--label") names.

    A column of a frame goes first, then another array of an .npz or the "folder" of images, then a file with
    one value a row, unless that (`file`) belongs to other rows.
    """
    if given in (source.columns or ()):
        return Side(given)
    try:
        if source.kind == "array":
            return Side(given, _checked(source.column(given), source, option))
        elsewhere = f"{source.name} has no such column.{did_you_mean(given, source.columns or ())}"
    except InputError as error:
        elsewhere = str(error)
    if not file:
        raise InputError(
            f"{option} {given} has to be in {source.name} too, as a column or an array beside the rows: "
            f"{elsewhere}"
        )
    path = Path(given)
    if not path.is_file():
        raise InputError(f"{option} {given}: no such file, and {elsewhere}")
    from isthmus.data.sources import read_values

    return Side(path.stem, _checked(read_values(path), source, f"{option} {given}"), path)


def typed(values: NDArray[Any]) -> NDArray[Any]:
    """Return texts that are all whole numbers, or all numbers, as such."""
    import numpy as np

    if values.dtype.kind not in "OU":
        return values
    for number in (np.int64, np.float64):
        try:
            return values.astype(number)
        except (ValueError, TypeError, OverflowError):
            continue
    return values


def _checked(values: NDArray[Any], source: Source, what: str) -> NDArray[Any]:
    if values.shape != (len(source),):
        raise InputError(
            f"{what}: expected one value for each of the {len(source)} rows of {source.name}, got an array "
            f"of shape {values.shape}"
        )
    return values
