"""Whatever the bytes of a file, `InputError` is all that comes out."""

from __future__ import annotations

import contextlib
import gzip
import struct
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from isthmus.data.sources import read
from isthmus.errors import InputError


def good_files(folder: Path) -> dict[str, bytes]:
    """One sound file of each kind."""
    frame = pl.DataFrame({"a": range(50), "b": [f"word {n}" for n in range(50)]})
    noise = np.random.default_rng(0).integers(0, 255, (4, 5, 3), dtype=np.uint8)
    idx = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 2, 2) + bytes(range(8))
    frame.write_parquet(folder / "a.parquet")
    frame.write_ipc(folder / "a.arrow")
    frame.write_ipc_stream(folder / "a.feather")
    np.save(folder / "a.npy", noise)
    np.savez_compressed(folder / "a.npz", X=noise)
    Image.fromarray(noise).save(folder / "a.png")
    Image.fromarray(noise).save(folder / "b.jpg")
    (folder / "a.csv").write_text('a,b\n1,"x\ny"\n2024-01-01,\n' + frame.write_csv(include_header=False))
    (folder / "a.csv.gz").write_bytes(gzip.compress(frame.write_csv().encode()))
    (folder / "a.tsv").write_text("a\tb\n1\t2\n")
    (folder / "a.idx").write_bytes(idx)
    (folder / "a.idx.gz").write_bytes(gzip.compress(idx))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


with tempfile.TemporaryDirectory() as _folder:
    WHOLE = good_files(Path(_folder))


def rows_read(folder: Path, name: str, content: bytes) -> int:
    path = folder / name
    path.write_bytes(content)
    source = read(folder if path.suffix in (".png", ".jpg") else path)
    return sum(len(block) for block in source.blocks(3))


def only_input_errors(folder: Path, name: str, content: bytes) -> None:
    with contextlib.suppress(InputError):
        rows_read(folder, name, content)


@pytest.mark.parametrize("name", WHOLE)
def test_sound_files_are_read(tmp_path: Path, name: str) -> None:
    assert rows_read(tmp_path, name, WHOLE[name]) > 0


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=60)
@given(content=st.binary(max_size=300))
def test_random_bytes_raise_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    only_input_errors(folder, name, content)
    only_input_errors(folder, name, WHOLE[name][:12] + content)


@pytest.mark.parametrize("name", WHOLE)
def test_files_cut_anywhere_raise_nothing_else(tmp_path: Path, name: str) -> None:
    whole = WHOLE[name]
    for end in np.unique(np.linspace(0, len(whole) - 1, 60, dtype=int)):
        only_input_errors(tmp_path, name, whole[:end])


# Not Parquet: polars 2.1 takes the lengths in its pages on trust, and one false length in some thousands
# ends the process ("memory allocation failed"), which no caller can catch.
@pytest.mark.parametrize("name", [name for name in WHOLE if name != "a.parquet"])
@settings(max_examples=100)
@given(data=st.data())
def test_changed_bytes_raise_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    only_input_errors(tmp_path_factory.mktemp("fuzz"), name, bytes(content))
