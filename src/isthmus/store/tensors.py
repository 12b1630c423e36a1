"""Arrays with a JSON object in one safetensors file: a model's weights, a training checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy

from isthmus.store.reading import MIB, PathLike, first_line, parse_json, read_bytes, refuse
from isthmus.store.writing import write_file

__all__ = ["Tensors", "read_tensors", "tensor_bytes", "write_tensors"]

SIZE_LIMIT = 1 << 40
HEADER_LIMIT = 64 * MIB
MAX_DIMENSIONS = 32
METADATA = "isthmus"
ITEM_SIZES = {
    **dict.fromkeys(("BOOL", "I8", "U8"), 1),
    **dict.fromkeys(("I16", "U16", "F16"), 2),
    **dict.fromkeys(("I32", "U32", "F32"), 4),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 8),
}


class Tensors(NamedTuple):
    """The arrays of a safetensors file, writable, and the JSON object that was stored with them."""

    arrays: dict[str, np.ndarray]
    metadata: dict[str, Any]


def tensor_bytes(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any] | None = None) -> bytes:
    """Return a safetensors file with `metadata` as JSON in its header; equal input gives equal bytes."""
    # safetensors would read a strided array's memory as if it were dense, without a word.
    dense = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    header = {METADATA: json.dumps(metadata or {}, sort_keys=True, allow_nan=False)}
    return safetensors.numpy.save(dense, metadata=header)


def write_tensors(
    path: PathLike,
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, Any] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write arrays and a JSON object to one safetensors file, completely or not at all."""
    write_file(path, tensor_bytes(arrays, metadata), overwrite=overwrite)


def read_tensors(path: PathLike) -> Tensors:
    """Read what `write_tensors` wrote, or refuse it with a `StoreError`."""
    path = Path(path)
    data = read_bytes(path, SIZE_LIMIT)
    try:
        header = _checked_header(data)
        metadata = parse_json(header.get("__metadata__", {}).get(METADATA, "{}"))
        # frombuffer's arrays are read-only where the library gives bytes, and torch warns about that.
        arrays = {
            name: np.require(array, requirements="W") for name, array in safetensors.numpy.load(data).items()
        }
    except Exception as error:  # header and library raise whatever their parsers met
        refuse(path, f"is damaged ({first_line(error)}); save the model again", error)
    return Tensors(arrays, metadata)


def _checked_header(data: bytes) -> dict[str, Any]:
    """Return a header whose every declared size has been checked against the bytes that are there."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(len(data) - 8, HEADER_LIMIT):
        raise ValueError("truncated, or not a safetensors file")
    header = parse_json(data[8 : 8 + length].decode())
    for name, entry in header.items():
        if name != "__metadata__":
            _check_tensor(name, entry, len(data) - 8 - length)
    return header


def _check_tensor(name: str, entry: dict[str, Any], available: int) -> None:
    shape, (begin, end) = entry["shape"], entry["data_offsets"]
    if any(type(n) is not int or n < 0 for n in (*shape, begin, end)) or len(shape) > MAX_DIMENSIONS:
        raise ValueError(f'tensor "{name}" has an impossible shape or place')
    if entry["dtype"] not in ITEM_SIZES:
        raise ValueError(f'tensor "{name}" has the unknown type {entry["dtype"]!r}')
    if end > available or math.prod(shape) * ITEM_SIZES[entry["dtype"]] != end - begin:
        raise ValueError(f'tensor "{name}" declares shape {shape}, which is not what the file holds')
