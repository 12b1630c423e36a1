"""A file that holds one value a row, such as labels that are kept apart from the data."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from isthmus.data.sources.base import Array, open_binary, reading
from isthmus.data.sources.binary import idx_header
from isthmus.data.sources.opening import existing, is_idx, read
from isthmus.errors import InputError

__all__ = ["read_values"]


def read_values(path: str | os.PathLike[str], *, text: bool = False) -> Array:
    """Return the values of a file: a table of one column, a 1-D .npy or IDX array, or .txt (one a line).

    Parameters
    ----------
    path : str or path-like
    text : bool, default=False
        Whether the words of a text file stay texts, whatever they look like.
    """
    location = existing(path)
    name = location.name.lower().removesuffix(".gz")
    with reading(location, "one value a row"):
        if name.endswith(".txt"):
            values = np.array(location.read_text("utf-8-sig").splitlines())
        elif name.endswith(".npy"):
            values = np.load(location, allow_pickle=False)
        elif is_idx(location):
            values = _read_idx(location)
        else:
            values = _only_column(location, text)
    if values.ndim != 1:
        raise InputError(f"{location}: expected one value a row, got an array of shape {values.shape}")
    return values


def _read_idx(path: Path) -> Array:
    with open_binary(path) as stream:
        header = idx_header(stream, str(path))
        raw = stream.read()
    return np.frombuffer(raw, header.dtype).reshape(header.shape).astype(header.dtype.newbyteorder("="))


def _only_column(path: Path, text: bool) -> Array:
    source = read(path)
    names = source.columns or ()
    if len(names) != 1:
        raise InputError(
            f"{path}: expected one value a row, got {len(names) or 'several'} columns; "
            "give a file of one column"
        )
    return (read(path, text=names) if text else source).column(names[0])
