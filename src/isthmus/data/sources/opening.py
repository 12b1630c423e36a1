"""The two doors: `read` for a path, `as_source` for what is in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import polars as pl

from isthmus.data.sources.arrays import ArraySource, SparseSource, as_numbers
from isthmus.data.sources.base import Source, reading
from isthmus.data.sources.binary import read_idx, read_npy, read_npz
from isthmus.data.sources.frames import FrameSource, QuerySource, as_frame
from isthmus.data.sources.images import read_images
from isthmus.data.sources.tables import read_arrow, read_parquet, read_text
from isthmus.errors import InputError, did_you_mean

__all__ = ["as_source", "existing", "is_idx", "read"]

_IDX = r"[.-]idx(\d+-\w+)?(\.gz)?"

# What a name ends in -> what to call the format, how to open it.
_FORMATS: dict[str, tuple[str, Callable[[Path], Source]]] = {
    r"\.csv(\.gz)?": ("CSV", read_text),
    r"\.tsv(\.gz)?": ("TSV", read_text),
    r"\.parquet": ("Parquet", read_parquet),
    r"\.(arrow|feather)": ("Arrow", read_arrow),
    r"\.npy": ("NPY", read_npy),
    r"\.npz": ("NPZ", read_npz),
    _IDX: ("IDX", read_idx),
}
_SEPARATORS = {"CSV": ",", "TSV": "\t"}
_KNOWN = (
    ".csv",
    ".csv.gz",
    ".tsv",
    ".tsv.gz",
    ".parquet",
    ".arrow",
    ".feather",
    ".npy",
    ".npz",
    ".idx",
    "-idx3-ubyte.gz",
)


def read(
    path: str | os.PathLike[str],
    *,
    array: str | None = None,
    resize: tuple[int, int] | None = None,
    text: Collection[str] = (),
) -> Source:
    """Open a file or a folder of images as a `Source`; the data stay where they are until asked for.

    Parameters
    ----------
    path : path-like
        A file .csv, .tsv (also .gz), .parquet, .arrow, .feather, .npy, .npz, IDX (.idx, -idx3-ubyte,
        also .gz), or a folder of PNG or JPEG images, whose immediate subfolders are classes.
    array : str, optional
        Which array of an .npz file. By default the only one, or the one called X, x, data or arr_0.
    resize : tuple of int, optional
        Height and width that every image of a folder is brought to.
    text : collection of str, default=()
        Columns of a text file that stay text whatever they hold, such as a model's ``schema_.texts``: words
        like 10 or NA are then no numbers and not missing in a file of some rows either. Other files say
        themselves what their columns are.

    Returns
    -------
    Source
        Rows in blocks, as often as asked.

    Notes
    -----
    A text file is walked through twice here: to find bad lines, and the type of each column over all rows.
    Its empty fields are missing; so are words such as NA where all the rest of a column are numbers, dates or
    truth values. Only ISO 8601 dates are taken for dates.
    """
    location = existing(path)
    if location.is_dir():
        _unused(location, "array", array)
        return read_images(location, resize)
    _unused(location, "resize", resize)
    what, opener = _format(location)
    if opener is read_text:
        opener = partial(read_text, separator=_SEPARATORS[what], text=text)
    if opener is read_npz:
        opener = partial(read_npz, array=array)
    else:
        _unused(location, "array", array)
    with reading(location, what):
        return opener(location)


def existing(path: str | os.PathLike[str]) -> Path:
    """Return the path of what exists and is not an empty file, or raise."""
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(
            f"read() opens a path, got {type(path).__name__}; give arrays and frames to fit() as they are"
        )
    with reading(path, "a file"):
        location = Path(path).expanduser()
        if not location.exists():
            raise InputError(f"{location} does not exist{_neighbour(location)}; check the path")
        if location.is_file() and location.stat().st_size == 0:
            raise InputError(f"{location} is empty; check how it was written")
        return location


def _neighbour(location: Path) -> str:
    siblings = [entry.name for entry in location.parent.iterdir()] if location.parent.is_dir() else []
    return did_you_mean(location.name, siblings).replace(" Did", " (did").replace("?", "?)")


def _unused(location: Path, name: str, value: object) -> None:
    where = {"array": "an .npz file", "resize": "a folder of images"}[name]
    if value is not None:
        raise InputError(f"{location}: {name}= is for {where} only; leave it out")


def _format(location: Path) -> tuple[str, Callable[[Path], Source]]:
    for pattern, known in _FORMATS.items():
        if _ends_in(pattern, location):
            return known
    formats = ", ".join(_KNOWN)
    near = did_you_mean(location.suffix.lower(), _KNOWN)
    raise InputError(
        f"{location} is of no known format; give one of {formats}, or a folder of PNG or JPEG images.{near}"
    )


def is_idx(location: Path) -> bool:
    """Tell whether a file's name is that of an IDX file."""
    return _ends_in(_IDX, location)


def _ends_in(pattern: str, location: Path) -> bool:
    return re.search(pattern + "$", location.name.lower()) is not None


def as_source(X: object) -> Source:
    """Return data in memory as a `Source`.

    Parameters
    ----------
    X : Source, array-like, SciPy sparse matrix or frame
        A 2-D array of numbers, or images as a 3-D or 4-D array; a polars, pandas or pyarrow frame, or a
        polars query.

    Returns
    -------
    Source
        `X` itself where it is a source.
    """
    if isinstance(X, Source):
        return X
    if isinstance(X, (str, bytes, os.PathLike)):
        raise InputError(f"expected data, got {X!r}; open a file with isthmus.read(path)")
    if isinstance(X, pl.LazyFrame):
        return QuerySource(X, "frame", "a query")
    if _is_sparse(X):
        return SparseSource(X)
    frame = as_frame(X)
    return ArraySource(as_numbers(X)) if frame is None else FrameSource(frame)


def _is_sparse(X: object) -> bool:
    if not type(X).__module__.startswith("scipy.sparse"):  # so that SciPy is imported where it is used
        return False
    from scipy.sparse import issparse

    return issparse(X)
