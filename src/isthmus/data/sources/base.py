"""What every source is: named, of known length and row shape, read in blocks as often as asked."""

from __future__ import annotations

import gzip
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from isthmus.errors import InputError

__all__ = ["Array", "Block", "Source", "open_binary", "reading"]

Array: TypeAlias = np.ndarray[Any, Any]
Block: TypeAlias = "Array | nw.DataFrame[Any]"

_Panic: type[BaseException] = pl.exceptions.PanicException  # not an Exception, whatever its stub says


class Source(ABC):
    """Rows of data, lazy and re-iterable.

    Attributes
    ----------
    name : str
        The path of a file, or "array" or "frame".
    kind : {"array", "frame"}
        What a block is: a NumPy array or a narwhals frame.
    columns : tuple of str or None
        The column names of a frame.
    shape : tuple of int
        The shape of one row: ``(784,)``, ``(28, 28)``, ``(32, 32, 3)``; of a frame ``(n_columns,)``.
    dtype : numpy.dtype or None
        The type of an array's entries, in the machine's byte order.
    library : str
        What the user gave: "numpy", "polars", "pandas" or "pyarrow". Files are "polars" or "numpy".
    """

    kind: Literal["array", "frame"]

    def __init__(
        self,
        name: str,
        length: int,
        shape: tuple[int, ...],
        *,
        library: str,
        columns: tuple[str, ...] | None = None,
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        for count, what, advice in ((min(shape), "feature", "column"), (length, "sample", "row")):
            if count == 0:  # in the words that scikit-learn's checks look for
                raise InputError(
                    f"{name}: found {self.kind} with 0 {what}(s) (shape={(length, *shape)}) "
                    f"while a minimum of 1 is required; give at least one {advice}"
                )
        self.name, self.shape, self.library = name, shape, library
        self.columns, self.dtype = columns, dtype
        self._length = length

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._length

    def __repr__(self) -> str:
        """Say what this is in one line."""
        return f"<Source {self.name}: {self.kind} of {len(self)} rows of shape {self.shape}>"

    def blocks(self, rows: int = 8192) -> Iterator[Block]:
        """Read all rows in order, `rows` at a time; every call starts anew.

        Parameters
        ----------
        rows : int, default=8192
            Rows per block; only the last block may have fewer.

        Returns
        -------
        iterator of numpy.ndarray or narwhals DataFrame
            The blocks. An array in memory is given as views: do not write to them.
        """
        if rows < 1:
            raise InputError(f"{self.name}: blocks of {rows} rows asked for; give a number of 1 or more")
        return self._blocks(rows)

    @abstractmethod
    def _blocks(self, rows: int) -> Iterator[Block]:
        """Yield blocks of exactly `rows` rows, the last one excepted."""

    def take(self, indices: Sequence[int] | Array) -> Block:
        """Return a few rows, in the order asked for; an index may be given more than once.

        Parameters
        ----------
        indices : array-like of int
            Row positions from 0.

        Returns
        -------
        numpy.ndarray or narwhals DataFrame
            The rows. Of a file, blocks are read until the last one needed.
        """
        wanted = np.asarray(indices)
        if wanted.size == 0:
            return next(self.blocks(1))[:0]
        if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
            raise InputError(f"{self.name}: rows are taken by a list of whole numbers, got {wanted.dtype} "
                             f"of shape {wanted.shape}; give positions such as [0, 5, 2]")  # fmt: skip
        if wanted.min() < 0 or wanted.max() >= len(self):
            outside = wanted[(wanted < 0) | (wanted >= len(self))][0]
            raise InputError(
                f"{self.name}: there is no row {outside}; give positions from 0 to {len(self) - 1}"
            )
        return self._take(wanted.astype(np.int64))

    def _take(self, wanted: Array) -> Block:
        ordered, back = np.unique(wanted, return_inverse=True)
        return _join(list(self._picked(ordered)))[back]

    def _picked(self, ordered: Array) -> Iterator[Block]:
        """Yield the wanted rows of each block; `ordered` is ascending and without repeats."""
        start = 0
        for block in self.blocks():
            here = np.searchsorted(ordered, [start, start + len(block)])
            if here[0] < here[1]:
                yield block[ordered[here[0] : here[1]] - start]
            start += len(block)
            if here[1] == len(ordered):
                return

    def select(self, columns: str | Sequence[str]) -> Source:
        """Return a source of these columns of a frame, in this order."""
        raise self._no_columns()

    def drop(self, columns: str | Sequence[str]) -> Source:
        """Return a source without these columns of a frame."""
        raise self._no_columns()

    def column(self, name: str) -> Array:
        """Return one column whole.

        Parameters
        ----------
        name : str
            A column of a frame; another array of an .npz file, with as many rows; of a folder of images
            "folder", the name of the subfolder each image lies in.

        Returns
        -------
        numpy.ndarray
            One entry a row.
        """
        raise self._no_columns(f" {name!r}")

    def _no_columns(self, name: str = "") -> InputError:
        return InputError(
            f"{self.name}: an array has no column{name}; give a frame or a table to name columns"
        )


def _join(parts: list[Any]) -> Any:
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else nw.concat(parts)


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip when its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix.lower() == ".gz" else path.open("rb")


@contextmanager
def reading(path: str | os.PathLike[str], what: str) -> Generator[None]:
    """Turn whatever a reader raises on a bad file into one `InputError` line.

    Parsers of broken bytes raise anything (struct.error, SyntaxError, MemoryError), so the net is wide;
    it is put around readers only.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, _Panic) as error:
        reason = " ".join(str(error).splitlines()[:1]).rstrip(". ") or type(error).__name__
        raise InputError(
            f"{path} cannot be read as {what} ({reason}); check the file or write it anew"
        ) from error
