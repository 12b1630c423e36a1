"""Files of raw numbers: .npy (memory-mapped), .npz, and IDX (the format of MNIST)."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

import numpy as np

from isthmus.data.sources.arrays import ArraySource, RawSource, check_dtype, check_shape
from isthmus.data.sources.base import Array, Source, open_binary, reading
from isthmus.errors import InputError, did_you_mean

__all__ = ["NpzSource", "idx_header", "read_idx", "read_npy", "read_npz"]

_MAIN_NAMES = ("X", "x", "data", "arr_0")
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_GZIP_GAINS = 1100  # deflate cannot shrink more than 1032 times


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    size: int  # bytes of the header itself

    @property
    def data_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.shape, dtype=object))


def read_npy(path: Path) -> Source:
    """Open an .npy file, memory-mapped."""
    with path.open("rb") as stream:
        _check_size(str(path), path.stat().st_size, _npy_header(stream, str(path)))
    return ArraySource(np.load(path, mmap_mode="r", allow_pickle=False), str(path))


def _npy_header(stream: IO[bytes], name: str) -> _Header:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    check_dtype(name, dtype)
    return _Header(shape, fortran, dtype, stream.tell())


def _check_size(name: str, found: int, header: _Header) -> None:
    expected = header.size + header.data_bytes
    if found < expected:
        raise InputError(
            f"{name} is truncated: its header needs {expected} bytes, it has {found}; "
            "copy or download it again"
        )


class NpzSource(RawSource):
    """One array of an .npz file, streamed out of the archive; the others are its columns."""

    def __init__(self, path: Path, key: str, keys: list[str], header: _Header) -> None:
        self._path, self._key, self._keys, self._fortran = path, key, keys, header.fortran
        opener = partial(_open_member, path, key, header.size)
        super().__init__(opener, header.shape, header.dtype, str(path), "NPZ")

    def _blocks(self, rows: int) -> Iterator[Array]:
        if self._fortran:  # stored column by column: rows cannot be streamed
            return ArraySource(self._whole(self._key), self.name)._blocks(rows)
        return super()._blocks(rows)

    def _whole(self, key: str) -> Array:
        with reading(self.name, "NPZ"), _open_member(self._path, key) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)

    def column(self, name: str) -> Array:
        others = [key for key in self._keys if key != self._key]
        if name not in others:
            names = ", ".join(others) or "none"
            near = did_you_mean(name, others)
            raise InputError(f"{self.name}: there is no other array {name!r}; give one of: {names}.{near}")
        values = self._whole(name)
        if values.shape[:1] != (len(self),):
            raise InputError(
                f"{self.name}: array {name!r} has shape {values.shape}, expected {len(self)} rows as in "
                f"{self._key!r}; choose another array"
            )
        return values


def read_npz(path: Path, array: str | None = None) -> Source:
    """Open one array of an .npz file: `array`, or the only one, or the one called X, x, data or arr_0."""
    with zipfile.ZipFile(path) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        key = _main_array(str(path), keys, array)
        name = f"{path}, array {key!r}"
        with archive.open(f"{key}.npy") as stream:
            header = _npy_header(stream, name)
        check_shape(name, header.shape)
        _check_size(name, archive.getinfo(f"{key}.npy").file_size, header)
    return NpzSource(path, key, keys, header)


def _main_array(path: str, keys: list[str], wanted: str | None) -> str:
    names = ", ".join(keys)
    if wanted is not None:
        if wanted not in keys:
            near = did_you_mean(wanted, keys)
            raise InputError(f"{path}: there is no array {wanted!r}; give one of: {names or 'none'}.{near}")
        return wanted
    if not keys:
        raise InputError(f"{path} holds no arrays; write it with numpy.savez(path, X=X)")
    if len(keys) == 1:
        return keys[0]
    main = [name for name in _MAIN_NAMES if name in keys]
    if not main:
        raise InputError(f"{path} holds several arrays; choose one with array=: {names}")
    return main[0]


def _open_member(path: Path, key: str, offset: int = 0) -> BinaryIO:
    with zipfile.ZipFile(path) as archive:  # the member stays open until it is closed itself
        stream = archive.open(f"{key}.npy")
    stream.read(offset)
    return cast(BinaryIO, stream)


def read_idx(path: Path) -> Source:
    """Open an IDX file, compressed or not.

    Two zero bytes, a byte for the type, the number of sizes, big-endian sizes, then the numbers.
    """
    name = str(path)
    with open_binary(path) as stream:
        header = idx_header(stream, name)
    check_shape(f"{name} (labels?)" if len(header.shape) == 1 else name, header.shape)
    found, packed = path.stat().st_size, path.suffix.lower() == ".gz"
    _check_size(name, found * _MOST_GZIP_GAINS if packed else found, header)
    return RawSource(partial(_open_at, path, header.size), header.shape, header.dtype, name, "IDX")


def idx_header(stream: BinaryIO, name: str) -> _Header:
    """Read the type and the sizes that an IDX file begins with."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES or not magic[3]:
        raise InputError(
            f"{name} is not an IDX file: it starts with bytes {magic.hex(' ')}; check its format"
        )
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(f"{name} is truncated: it ends in its header; copy or download it again")
    shape = struct.unpack(f">{magic[3]}I", sizes)
    return _Header(shape, False, np.dtype(_IDX_TYPES[magic[2]]), 4 + len(sizes))


def _open_at(path: Path, offset: int) -> BinaryIO:
    stream = open_binary(path)
    stream.read(offset)
    return stream
