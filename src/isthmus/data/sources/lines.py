"""The lines of a delimited text file: column names, number of rows, and which line is wrong.

polars fills short lines with nulls and names no line in its errors, so that every file is walked
through once, a piece at a time, before polars reads it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.data.sources.base import open_binary
from isthmus.errors import InputError

__all__ = ["column_names", "count_rows"]

_PIECE = 1 << 20
_LONGEST = 1 << 24
_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


def column_names(path: Path, separator: str) -> list[str]:
    """Return the fields of the first line, all of them different."""
    # What is not UTF-8 is left to count_rows, which names the line.
    with open_binary(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", "replace", newline="") as text:
        names: list[str] = next(csv.reader(text, delimiter=separator), list[str]())
    if not names:
        raise InputError(f"{path}: line 1 is blank; the first line must name the columns")
    repeated = (
        next((name for name in names if names.count(name) > 1), None)
        if len(set(names)) < len(names)
        else None
    )
    if repeated is not None:
        raise InputError(f"{path}: line 1 names two columns {repeated!r}; rename one")
    other = next((mark for mark in ";\t," if mark in names[0]), None) if len(names) == 1 else None
    if other:
        raise InputError(
            f"{path}: line 1 has no {separator!r} but {other!r}; "
            "write .csv files with commas and .tsv files with tabs"
        )
    return names


def count_rows(path: Path, separator: str, width: int) -> int:
    """Return the number of rows below the first line, having checked that each has `width` fields.

    Blank lines are missing values where there is one column, and ignored at the end of the file elsewhere.
    """
    check = _Check(str(path), ord(separator), width)
    with open_binary(path) as stream:
        for piece in _pieces(stream, path):
            check.feed(piece)
    return check.rows - 1


def _pieces(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """Cut a file into pieces that end where a row ends."""
    rest = stream.read(len(_BOM)).removeprefix(_BOM)
    while block := stream.read(_PIECE):
        rest += block
        end = _last_end(rest)
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > _LONGEST:
            yield rest + b"\n"  # an open quote is found in it, with its line
            raise InputError(
                f"{path} has a row of more than {_LONGEST >> 20} MB; "
                "close the quotes in it, or check that it is text"
            )
    if rest:
        yield rest + b"\n"


def _last_end(piece: bytes) -> int:
    if b'"' not in piece:
        return piece.rfind(b"\n") + 1
    ends = _outside(np.frombuffer(piece, np.uint8), _NEWLINE)
    return int(ends[-1]) + 1 if ends.size else 0


def _outside(data: np.ndarray[Any, Any], mark: int) -> np.ndarray[Any, Any]:
    """Positions of a byte outside quotes."""
    return np.flatnonzero((data == mark) & ~np.bitwise_xor.accumulate(data == _QUOTE))


class _Check:
    """Counts the rows of a file given piece by piece and raises at the first line that is wrong."""

    def __init__(self, name: str, separator: int, width: int) -> None:
        self.name, self.separator, self.width = name, separator, width
        self.rows = 0
        self.lines = 0  # before this piece
        self.blank: int | None = None  # the blank line we would like to be the end of the file

    def feed(self, piece: bytes) -> None:
        self._check_text(piece)
        data = np.frombuffer(piece, np.uint8)
        self._check_quotes(data)
        ends = _outside(data, _NEWLINE)
        starts = np.concatenate([[0], ends[:-1] + 1])
        fields = np.diff(np.searchsorted(_outside(data, self.separator), ends), prepend=0) + 1
        length = ends - starts
        blank = (length == 0) | ((length == 1) & (data[starts] == _RETURN))
        if self.width == 1:
            blank[:] = False
        self._check_fields(data, starts, fields, blank)
        self._check_blank(data, starts, blank)
        self.rows += int((~blank).sum())
        self.lines += int((data == _NEWLINE).sum())

    def _error(self, data: np.ndarray[Any, Any], position: int, what: str) -> InputError:
        line = self.lines + 1 + int((data[:position] == _NEWLINE).sum())
        return InputError(f"{self.name}, line {line}: {what}")

    def _check_text(self, piece: bytes) -> None:
        try:
            if not piece.isascii():
                piece.decode()
        except UnicodeDecodeError as error:
            data = np.frombuffer(piece, np.uint8)
            raise self._error(data, error.start, "not UTF-8 text; save the file as UTF-8") from error

    def _check_quotes(self, data: np.ndarray[Any, Any]) -> None:
        """A quoted field begins and ends at a separator; within it a quote is doubled."""
        quotes = np.flatnonzero(data == _QUOTE)
        opening, closing = quotes[::2], quotes[1::2]
        before = np.where(opening > 0, data[opening - 1], _NEWLINE)
        edges = [self.separator, _NEWLINE, _RETURN, _QUOTE]
        stray = np.concatenate(
            [opening[~np.isin(before, edges)], closing[~np.isin(data[closing + 1], edges)]]
        )
        if stray.size:
            what = 'a quote within a field; write the field in quotes and each quote in it twice: "5"" pipe"'
            raise self._error(data, stray.min(), what)
        if quotes.size % 2:
            raise self._error(data, quotes[-1], "a quote is opened and never closed; close or remove it")

    def _check_fields(
        self,
        data: np.ndarray[Any, Any],
        starts: np.ndarray[Any, Any],
        fields: np.ndarray[Any, Any],
        blank: np.ndarray[Any, Any],
    ) -> None:
        wrong = np.flatnonzero((fields != self.width) & ~blank)
        if wrong.size:
            what = f"expected {self.width} fields as in line 1, found {fields[wrong[0]]}; make the line whole"
            raise self._error(data, starts[wrong[0]], what)

    def _check_blank(
        self, data: np.ndarray[Any, Any], starts: np.ndarray[Any, Any], blank: np.ndarray[Any, Any]
    ) -> None:
        filled = np.flatnonzero(~blank)
        if self.blank is None and blank.any():
            first = int(blank.argmax())
            filled = filled[filled > first]
            self.blank = self.lines + 1 + int((data[: starts[first]] == _NEWLINE).sum())
        if self.blank is not None and filled.size:
            raise InputError(f"{self.name}, line {self.blank}: blank between rows; remove the line")
