"""What every source promises, known answers of each format in memory and on disk, and round trips."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from isthmus.data.sources import Source, as_source, read
from isthmus.errors import InputError

NUMBERS = np.arange(24, dtype=np.float32).reshape(8, 3) / 4
PIXELS = np.arange(8 * 4 * 5, dtype=np.uint8).reshape(8, 4, 5)
TABLE = pl.DataFrame(
    {"n": range(8), "x": [0.5, None, 2.5, -1.0, 4.0, 5.0, 6.0, 7.5], "s": [*list("abcab"), None, "b", "c"]}
)


def idx(array: np.ndarray) -> bytes:
    codes = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[array.dtype.str[1:]], array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write_images(folder: Path, images: np.ndarray, suffix: str = ".png") -> Path:
    for at, image in enumerate(images):
        target = folder / ("cat" if at % 2 else "dog") / f"{at:03d}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(target)
    return folder


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def to_npy(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def to_npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def to_frame(path: Path, frame: pl.DataFrame, **options: Any) -> Path:
    if path.suffix == ".gz":
        return write(path, gzip.compress(frame.write_csv(**options).encode()))
    writers: dict[str, Callable[..., Any]] = {
        ".csv": frame.write_csv,
        ".tsv": frame.write_csv,
        ".parquet": frame.write_parquet,
        ".arrow": frame.write_ipc,
        ".feather": frame.write_ipc,
    }
    writers[path.suffix](path, **options)
    return path


def whole(source: Source, rows: int = 3) -> Any:
    """All rows, joined from blocks whose sizes are checked."""
    blocks = list(source.blocks(rows))
    assert [len(block) for block in blocks[:-1]] == [rows] * (len(blocks) - 1)
    assert sum(len(block) for block in blocks) == len(source)
    if source.kind == "array":
        assert all(isinstance(block, np.ndarray) and block.dtype == source.dtype for block in blocks)
        return np.concatenate(blocks)
    assert all(isinstance(block, nw.DataFrame) for block in blocks)
    return nw.concat(blocks).to_native()


ARRAYS: dict[str, tuple[Callable[[Path], Any], np.ndarray]] = {
    "ndarray": (lambda _: NUMBERS, NUMBERS),
    "images": (lambda _: PIXELS, PIXELS),
    "colour images": (lambda _: PIXELS[..., None], PIXELS[..., None]),
    "bool": (lambda _: NUMBERS > 2, NUMBERS > 2),
    "big-endian": (lambda _: NUMBERS.astype(">f4"), NUMBERS),
    "fortran": (lambda _: np.asfortranarray(NUMBERS), NUMBERS),
    "list": (lambda _: NUMBERS.tolist(), NUMBERS.astype(np.float64)),
    "objects": (lambda _: NUMBERS.astype(object), NUMBERS.astype(np.float64)),
    "numeric strings as objects": (
        lambda _: NUMBERS.astype(str).astype(object),
        NUMBERS.astype(np.float64),
    ),
    "masked": (
        lambda _: np.ma.masked_array(np.arange(6).reshape(3, 2), np.eye(3, 2)),
        np.array([[np.nan, 1], [2, np.nan], [4, 5]]),
    ),
    "csr": (lambda _: scipy.sparse.csr_matrix(NUMBERS), NUMBERS),
    "coo array": (lambda _: scipy.sparse.coo_array(NUMBERS), NUMBERS),
    "sparse uint8": (lambda _: scipy.sparse.csc_array(PIXELS[:, 0]), PIXELS[:, 0]),
    "npy": (lambda p: read(to_npy(p / "a.npy", NUMBERS)), NUMBERS),
    "npy fortran": (lambda p: read(to_npy(p / "a.npy", np.asfortranarray(NUMBERS))), NUMBERS),
    "npy big-endian": (lambda p: read(to_npy(p / "a.npy", NUMBERS.astype(">f4"))), NUMBERS),
    "npz of one": (lambda p: read(to_npz(p / "a.npz", odd_name=PIXELS)), PIXELS),
    "npz with X": (lambda p: read(to_npz(p / "a.npz", y=NUMBERS, X=PIXELS)), PIXELS),
    "npz with array=": (lambda p: read(to_npz(p / "a.npz", a=NUMBERS, b=PIXELS), array="b"), PIXELS),
    "npz fortran": (lambda p: read(to_npz(p / "a.npz", X=np.asfortranarray(NUMBERS))), NUMBERS),
    "npz big-endian": (lambda p: read(to_npz(p / "a.npz", X=NUMBERS.astype(">f4"))), NUMBERS),
    "idx": (lambda p: read(write(p / "a.idx", idx(PIXELS))), PIXELS),
    "idx gz": (lambda p: read(write(p / "t10k-images-idx3-ubyte.gz", gzip.compress(idx(PIXELS)))), PIXELS),
    "idx name": (lambda p: read(write(p / "train-images.idx3-ubyte", idx(PIXELS))), PIXELS),
    "idx float": (lambda p: read(write(p / "A.IDX", idx(NUMBERS))), NUMBERS),
    "image folder": (lambda p: read(write_images(p, PIXELS)), PIXELS[[1, 3, 5, 7, 0, 2, 4, 6]]),
}
ALL = {**ARRAYS, "frame": (lambda _: TABLE, TABLE), "query": (lambda _: TABLE.lazy(), TABLE)}
for _end in (".csv", ".csv.gz", ".parquet", ".arrow", ".feather"):
    ALL[_end] = (lambda p, end=_end: read(to_frame(p / f"a{end}", TABLE)), TABLE)  # type: ignore[misc]


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_come_back_whatever_the_block_size(tmp_path: Path, case: str) -> None:
    make, expected = ARRAYS[case]
    source = as_source(make(tmp_path))
    assert (source.kind, source.columns, source.library) == ("array", None, "numpy")
    assert (len(source), *source.shape) == expected.shape
    assert source.dtype == expected.dtype
    for rows in (1, 3, 100):
        np.testing.assert_array_equal(whole(source, rows), expected)


@pytest.mark.parametrize("end", [".csv", ".csv.gz", ".tsv", ".parquet", ".arrow", ".feather"])
def test_tables_come_back_whatever_the_block_size(tmp_path: Path, end: str) -> None:
    options = {"separator": "\t"} if end == ".tsv" else {}
    source = read(to_frame(tmp_path / f"a[1]{end}", TABLE, **options))
    assert (source.kind, source.columns, source.library) == ("frame", ("n", "x", "s"), "polars")
    assert (source.name, source.shape, source.dtype) == (str(tmp_path / f"a[1]{end}"), (3,), None)
    for rows in (1, 3, 100):
        assert whole(source, rows).equals(TABLE)


@pytest.mark.parametrize("case", ALL)
def test_a_source_can_be_read_twice_at_once_pickled_and_taken_from(tmp_path: Path, case: str) -> None:
    source = as_source(ALL[case][0](tmp_path))
    assert as_source(source) is source
    first = whole(source)
    for left, right in zip(source.blocks(2), pickle.loads(pickle.dumps(source)).blocks(2), strict=True):
        assert str(left) == str(right)
    wanted = np.array([len(source) - 1, 0, 0, 2])
    taken = source.take(wanted)
    assert str(taken if isinstance(taken, np.ndarray) else taken.to_native()) == str(first[wanted])
    assert len(source.take([])) == 0
    next(source.blocks(1))  # left unfinished: nothing to close, no warning
    assert f"{len(source)} rows" in repr(source)


def test_a_take_crosses_blocks(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": range(20_000)})
    wanted = np.random.default_rng(0).permutation(20_000)[:500]
    for source in (read(to_frame(tmp_path / "a.parquet", frame)), as_source(frame)):
        assert source.take(wanted)["n"].to_list() == wanted.tolist()


@pytest.mark.parametrize(
    ("bad", "message"), [([8], "no row 8"), ([-1], "no row -1"), ([0.5], "whole numbers")]
)
def test_rows_that_are_not_there_are_refused(bad: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_source(NUMBERS).take(bad)


def test_blocks_of_no_rows_are_refused_at_once() -> None:
    with pytest.raises(InputError, match="0 rows"):
        as_source(NUMBERS).blocks(0)


def test_an_npy_file_is_mapped_and_not_loaded(tmp_path: Path) -> None:
    block = next(read(to_npy(tmp_path / "a.npy", NUMBERS)).blocks())
    assert not block.flags.owndata
    assert not block.flags.writeable


# Frames


@pytest.mark.parametrize(
    ("native", "library"), [(TABLE, "polars"), (TABLE.to_pandas(), "pandas"), (TABLE.to_arrow(), "pyarrow")]
)
def test_frames_keep_their_library(native: Any, library: str) -> None:
    source = as_source(native)
    assert (source.library, source.name, source.columns) == (library, "frame", ("n", "x", "s"))
    assert whole(source).equals(native)
    assert as_source(nw.from_native(native)).library == library


def test_pandas_keeps_its_index_and_numbered_columns_get_names() -> None:
    source = as_source(pd.DataFrame(NUMBERS, index=list("abcdefgh")))
    assert source.columns == ("0", "1", "2")
    assert whole(source).index.tolist() == list("abcdefgh")
    assert source.take([3, 1]).to_native().index.tolist() == ["d", "b"]


@pytest.mark.parametrize("case", ["frame", "query", ".parquet", ".csv"])
def test_columns_are_selected_dropped_and_read(tmp_path: Path, case: str) -> None:
    source = as_source(ALL[case][0](tmp_path))
    assert source.select(["s", "n"]).columns == ("s", "n")
    assert whole(source.select("s").drop([])).equals(TABLE.select("s"))
    assert whole(source.drop("x")).equals(TABLE.drop("x"))
    assert (source.drop("x").shape, len(source.drop("x"))) == ((2,), 8)
    assert source.column("n").tolist() == list(range(8))
    with pytest.raises(InputError, match=r"no column 'nn'.*Did you mean \"n\"\?"):
        source.column("nn")
    with pytest.raises(InputError, match=r"0 feature\(s\)"):
        source.drop(["n", "x", "s"])


def test_arrays_have_no_columns() -> None:
    for call in (lambda s: s.select("a"), lambda s: s.drop("a"), lambda s: s.column("a")):
        with pytest.raises(InputError, match="an array has no column"):
            call(as_source(NUMBERS))


def test_other_arrays_of_an_npz_file_are_columns(tmp_path: Path) -> None:
    labels = np.array(list("abababab"))
    source = read(to_npz(tmp_path / "a.npz", X=NUMBERS, y=labels, short=np.zeros(3)))
    assert source.column("y").tolist() == labels.tolist()
    with pytest.raises(InputError, match="give one of: y, short"):
        source.column("X")
    with pytest.raises(InputError, match="expected 8 rows"):
        source.column("short")


def test_arrow_streams_are_read_too(tmp_path: Path) -> None:
    table = TABLE.to_arrow()
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    assert whole(read(tmp_path / "a.arrow")).equals(TABLE)


# Round trips

_values = {
    "i": st.integers(-(2**63), 2**63 - 1),
    "f": st.floats(allow_nan=False, allow_infinity=False, width=64),
    "b": st.booleans(),
    "d": st.dates(date(1000, 1, 1)),
    "t": st.datetimes(datetime(1000, 1, 1)),
    "s": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5).map(
        "s{}".format
    ),
}
_dtypes = {
    "i": pl.Int64,
    "f": pl.Float64,
    "b": pl.Boolean,
    "d": pl.Date,
    "t": pl.Datetime("us"),
    "s": pl.String,
}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    n = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from("ifbdts"), min_size=1, max_size=5))
    columns = {}
    for at, kind in enumerate(kinds):
        first = draw(_values[kind])  # a column with no entry at all has no type in text
        rest = draw(st.lists(st.none() | _values[kind], min_size=n - 1, max_size=n - 1))
        columns[f"{kind}{at}"] = pl.Series([first, *rest], dtype=_dtypes[kind])
    return pl.DataFrame(columns)


@pytest.mark.parametrize("end", [".csv", ".csv.gz", ".parquet", ".arrow"])
@settings(max_examples=50)
@given(frame=frames(), rows=st.integers(1, 13))
def test_frames_round_trip(
    tmp_path_factory: pytest.TempPathFactory, end: str, frame: pl.DataFrame, rows: int
) -> None:
    source = read(to_frame(tmp_path_factory.mktemp("round") / f"a{end}", frame))
    assert whole(source, rows).equals(frame)
    assert source.take([len(frame) - 1]).to_native().equals(frame[-1:])


_shapes = hnp.array_shapes(min_dims=2, max_dims=4, max_side=5)
_numbers = st.sampled_from(["u1", "i1", "<i2", "<i4", "<f4", "<f8"]).flatmap(lambda d: hnp.arrays(d, _shapes))


@pytest.mark.parametrize("end", ["npy", "npz", "idx", "idx.gz"])
@given(array=_numbers, rows=st.integers(1, 6))
def test_arrays_round_trip(
    tmp_path_factory: pytest.TempPathFactory, end: str, array: np.ndarray, rows: int
) -> None:
    path = tmp_path_factory.mktemp("round") / f"a.{end}"
    if end == "npy":
        to_npy(path, array)
    elif end == "npz":
        to_npz(path, X=array)
    else:
        write(path, gzip.compress(idx(array)) if end.endswith("gz") else idx(array))
    source = read(path)
    assert source.dtype == array.dtype
    np.testing.assert_array_equal(whole(source, rows), array)


@given(array=hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2)), rows=st.integers(1, 6))
def test_sparse_round_trip(array: np.ndarray, rows: int) -> None:
    np.testing.assert_array_equal(whole(as_source(scipy.sparse.csr_array(array)), rows), array)
