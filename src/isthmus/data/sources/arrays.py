"""Sources of rows that are arrays: in memory, memory-mapped, sparse, or a stream of raw numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np

from isthmus.data.sources.base import Array, Source, reading
from isthmus.errors import InputError

__all__ = [
    "ArraySource",
    "ArraySourceBase",
    "RawSource",
    "SparseSource",
    "as_numbers",
    "check_dtype",
    "check_shape",
]

_PIECE = 1 << 20  # bytes read at a time: a false header cannot make us reserve more


class ArraySourceBase(Source):
    """A source whose blocks are NumPy arrays."""

    kind = "array"

    def __init__(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        check_shape(name, shape)
        check_dtype(name, dtype)
        super().__init__(name, shape[0], shape[1:], library="numpy", dtype=dtype.newbyteorder("="))


class ArraySource(ArraySourceBase):
    """An array in memory or memory-mapped; blocks are views of it."""

    def __init__(self, array: Array, name: str = "array") -> None:
        super().__init__(name, array.shape, array.dtype)
        self._array = array

    def _blocks(self, rows: int) -> Iterator[Array]:
        for start in range(0, len(self), rows):
            yield np.asarray(self._array[start : start + rows], dtype=self.dtype)

    def _take(self, wanted: Array) -> Array:
        return np.asarray(self._array[wanted], dtype=self.dtype)


class SparseSource(ArraySourceBase):
    """A SciPy sparse matrix or 2-D sparse array, made dense a block at a time."""

    def __init__(self, matrix: Any, name: str = "array") -> None:
        super().__init__(name, matrix.shape, matrix.dtype)
        self._rows = matrix.tocsr()

    def _blocks(self, rows: int) -> Iterator[Array]:
        for start in range(0, len(self), rows):
            yield self._rows[start : start + rows].toarray()

    def _take(self, wanted: Array) -> Array:
        return self._rows[wanted].toarray()


class RawSource(ArraySourceBase):
    """Numbers one after the other in a stream, which `opener` opens at the first one.

    The stream may be compressed: blocks are read in order and nothing else is kept.
    """

    def __init__(
        self,
        opener: Callable[[], BinaryIO],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        name: str,
        what: str,
    ) -> None:
        super().__init__(name, shape, dtype)
        self._opener, self._file_dtype, self._what = opener, dtype, what
        self._row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=object))

    def _blocks(self, rows: int) -> Iterator[Array]:
        with reading(self.name, self._what), self._opener() as stream:
            for start in range(0, len(self), rows):
                count = min(rows, len(self) - start)
                raw = self._read(stream, count, start)
                yield (
                    np.frombuffer(raw, self._file_dtype)
                    .reshape(count, *self.shape)
                    .astype(self.dtype, copy=False)
                )
            # Reading past the last number also makes gzip and zip check their checksums.
            if stream.read(1):
                raise InputError(
                    f"{self.name} holds more than the {len(self)} rows that its header names; write it anew"
                )

    def _read(self, stream: BinaryIO, count: int, start: int) -> bytearray:
        raw, size = bytearray(), count * self._row_bytes
        while len(raw) < size:
            piece = stream.read(min(_PIECE, size - len(raw)))
            if not piece:
                raise InputError(
                    f"{self.name} is truncated: its header names {len(self)} rows, it ends in "
                    f"row {start + len(raw) // self._row_bytes + 1}; copy or download it again"
                )
            raw += piece
        return raw


def check_shape(name: str, shape: tuple[int, ...]) -> None:
    """Refuse anything but rows of numbers and images."""
    if len(shape) in (2, 3, 4):
        return
    advice = "Reshape your data: X.reshape(-1, 1) for one column, X.reshape(1, -1) for one row"
    raise InputError(
        f"{name}: expected a 2-D array (rows, columns) or images (rows, height, width[, channels]), "
        f"got {len(shape)}-D of shape {shape}. " + (advice if len(shape) < 2 else "Reshape your data to 2-D")
    )


def check_dtype(name: str, dtype: np.dtype[Any]) -> None:
    """Refuse anything but booleans, whole and real numbers."""
    if dtype.kind == "c":
        raise InputError(
            f"{name}: Complex data not supported (dtype {dtype}); give real numbers, such as X.real"
        )
    if dtype.hasobject:
        raise InputError(
            f"{name}: Python objects are not numbers and pickles are never read; give X.astype(float)"
        )
    if dtype.kind not in "biuf":
        raise InputError(
            f"{name}: expected numbers, got dtype {dtype}; text, dates and records belong in a frame"
        )


def as_numbers(X: object) -> Array:
    """Return anything NumPy can make an array of as an array of numbers.

    Objects follow NumPy's own conversion to float64 ("1.5" is 1.5; a dict raises TypeError, as
    scikit-learn's checks expect); the masked entries of a masked array become NaN.
    """
    try:
        if isinstance(X, np.ma.MaskedArray):
            return np.ma.filled(X.astype(np.float64), np.nan)
        array = np.asarray(X)
        return np.asarray(array, dtype=np.float64) if array.dtype == object else array
    except ValueError as error:
        raise InputError(
            f"array: not an array of numbers ({error}); give rows of one length, or a frame"
        ) from error
