"""What sources refuse, each in one line that names place and remedy."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from PIL import Image

from isthmus.data.sources import as_source, lines, read
from isthmus.errors import InputError

IDX = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 2, 2) + bytes(range(8))
FRAME = pl.DataFrame({"a": range(50), "b": [f"word {n}" for n in range(50)]})


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def image(size: tuple[int, int] = (5, 4), mode: str = "L", form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (*size[::-1], len(mode)), dtype=np.uint8)
    Image.fromarray(noise.squeeze()).save(stream, form)
    return stream.getvalue()


def frame(writer: str) -> bytes:
    stream = io.BytesIO()
    getattr(FRAME, writer)(stream)
    return stream.getvalue()


def consume(path: Path, **options: Any) -> None:
    for block in read(path, **options).blocks(3):
        len(block)


# Name -> content, and what the message must say. "{}" in a message is the path.
FILES: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.csv", b"", "{} is empty; check"),
    "unknown": (
        "a.xlsx",
        b"PK",
        r"{} is of no known format; give one of \.csv, \.csv\.gz, .* or a folder of PNG or JPEG",
    ),
    "misspelt": ("a.cvs", b"a", r'Did you mean "\.csv"\?'),
    "no extension": ("data", b"a", "no known format"),
    "one image": ("a.png", image(), "a folder of PNG or JPEG images"),
    # text
    "long line": ("a.csv", b"a,b\n1,2\n3,4,5\n", "{}, line 3: expected 2 fields as in line 1, found 3"),
    "short line": ("a.csv", b"a,b\n1,2\n3\n", "{}, line 3: expected 2 fields as in line 1, found 1"),
    "short last line": ("a.csv", b"a,b\n1,2\n3", "{}, line 3: expected 2 fields"),
    "ragged after quotes": ("a.csv", b'a,b\n1,"x\ny"\n3\n', "{}, line 4: expected 2 fields"),
    "ragged tsv": ("a.tsv", b"a\tb\n1\t2\n3\n", "{}, line 3: expected 2 fields"),
    "ragged gz": ("a.csv.gz", gzip.compress(b"a,b\n1,2\n3\n"), "{}, line 3: expected 2 fields"),
    "header too short": ("a.csv", b"a\n1,2\n", "{}, line 2: expected 1 fields as in line 1, found 2"),
    "blank line": ("a.csv", b"a,b\n1,2\n\n3,4\n", "{}, line 3: blank between rows; remove"),
    "blank first line": ("a.csv", b"\na,b\n1,2\n", "{}: line 1 is blank; the first line must name"),
    "only blanks": ("a.csv", b"\n\n", "{}: line 1 is blank"),
    "header only": ("a.csv", b"a,b\n", r"{}: found frame with 0 sample\(s\) \(shape=\(0, 2\)\)"),
    "twice the same name": ("a.csv", b"a,b,a\n1,2,3\n", "{}: line 1 names two columns 'a'; rename one"),
    "semicolons": ("a.csv", b"a;b\n1;2\n", "{}: line 1 has no ',' but ';'; write"),
    "commas in tsv": ("a.tsv", b"a,b\n1,2\n", "{}: line 1 has no '.t' but ','; write"),
    "latin 1": ("a.csv", "a,b\n1,2\né,3\n".encode("latin-1"), "{}, line 3: not UTF-8 text; save"),
    "utf 16": ("a.csv", "a,b\n1,2\n".encode("utf-16"), "{}, line 1: not UTF-8 text"),
    "open quote": ("a.csv", b'a,b\n1,2\n"3,4\n5,6\n', "{}, line 3: a quote is opened and never closed"),
    "inches": ("a.csv", b'a,b\n1,2\n5" pipe,4" pipe\n', "{}, line 3: a quote within a field"),
    "words after quotes": ("a.csv", b'a,b\n1,2\n"3" x,4\n', "{}, line 3: a quote within a field"),
    "truncated csv gz": ("a.csv.gz", gzip.compress(b"a,b\n1,2\n")[:-5], "{} cannot be read as CSV"),
    "no gz": ("a.csv.gz", b"a,b\n1,2\n", r"{} cannot be read as CSV \(Not a gzipped file"),
    # tables
    "truncated parquet": ("a.parquet", frame("write_parquet")[:-20], "{} cannot be read as Parquet"),
    "no parquet": ("a.parquet", b"a,b\n1,2\n", "{} cannot be read as Parquet"),
    "no rows in parquet": ("a.parquet", b"", "{} is empty"),
    "truncated arrow": ("a.arrow", frame("write_ipc")[:-20], "{} cannot be read as Arrow"),
    "no feather": ("a.feather", b"a,b\n1,2\n", "{} cannot be read as Arrow"),
    # arrays
    "truncated npy": (
        "a.npy",
        npy(np.ones((3, 2)))[:-1],
        "{} is truncated: its header needs 176 bytes, it has 175",
    ),
    "no npy": ("a.npy", b"a,b\n1,2\n", "{} cannot be read as NPY"),
    "1-D npy": (
        "a.npy",
        npy(np.ones(3)),
        r"{}: expected a 2-D array .* got 1-D of shape \(3,\)\. Reshape your data",
    ),
    "5-D npy": ("a.npy", npy(np.ones((1, 1, 1, 1, 1))), "{}: expected a 2-D array .* got 5-D"),
    "no rows in npy": (
        "a.npy",
        npy(np.ones((0, 2))),
        r"{}: found array with 0 sample\(s\) \(shape=\(0, 2\)\)",
    ),
    "no columns in npy": (
        "a.npy",
        npy(np.ones((2, 0))),
        r"{}: found array with 0 feature\(s\) \(shape=\(2, 0\)\)",
    ),
    "pickled npy": (
        "a.npy",
        npy(np.array([[{}]])),
        "{}: Python objects are not numbers and pickles are never read",
    ),
    "complex npy": ("a.npy", npy(np.ones((2, 2)) * 1j), "{}: Complex data not supported"),
    "text npy": ("a.npy", npy(np.array([["a"]])), "{}: expected numbers, got dtype <U1"),
    "records npy": ("a.npy", npy(np.zeros((2, 2), "i4,f4")), "{}: expected numbers, got dtype"),
    "several in npz": (
        "a.npz",
        npz(one=np.ones((2, 2)), two=np.ones((2, 2))),
        "{} holds several .* array=: one, two",
    ),
    "none in npz": ("a.npz", npz(), "{} holds no arrays; write it with"),
    "1-D npz": ("a.npz", npz(X=np.ones(3)), "{}, array 'X': expected a 2-D array .* Reshape your data"),
    "pickled npz": ("a.npz", npz(X=np.array([[{}]])), "{}, array 'X': Python objects are not numbers"),
    "truncated npz": ("a.npz", npz(X=np.ones((2, 2)))[:-9], "{} cannot be read as NPZ"),
    "no npz": ("a.npz", b"a,b\n1,2\n", "{} cannot be read as NPZ"),
    "truncated idx": ("a.idx", IDX[:-1], "{} is truncated: its header needs 24 bytes, it has 23; copy"),
    "short idx": ("a.idx", IDX[:10], "{} is truncated: it ends in its header"),
    "shorter idx": ("a.idx", IDX[:3], "{} is not an IDX file: it starts with bytes 00 00 08; check"),
    "long idx": ("a.idx", IDX + b"\0", "{} holds more than the 2 rows that its header names"),
    "1-D idx": (
        "l-idx1-ubyte",
        struct.pack(">BBBBI", 0, 0, 8, 1, 2) + b"ab",
        r"{} \(labels\?\): expected a 2-D array",
    ),
    "no idx": ("a.idx", b"a,b\n1,2\n", "{} is not an IDX file: it starts with bytes 61 2c 62 0a"),
    "idx of no type": ("a.idx", b"\0\0\7" + IDX[3:], "{} is not an IDX file"),
    "truncated idx gz": ("a.idx.gz", gzip.compress(IDX)[:-10], "{} cannot be read as IDX"),
    "truncated in idx gz": (
        "a.idx.gz",
        gzip.compress(IDX[:-1]),
        "{} is truncated: .* names 2 rows, it ends in row 2",
    ),
    "huge idx gz": ("a.idx.gz", gzip.compress(IDX[:4] + b"\xff" * 12), "{} is truncated"),
    "no idx gz": ("a.idx.gz", IDX, r"{} cannot be read as IDX \(Not a gzipped file"),
}


def one_line(error: pytest.ExceptionInfo[InputError]) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize("case", FILES)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    name, content, message = FILES[case]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message.replace("{}", str(path))) as error:
        consume(path)
    one_line(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('a,b\n1,2\n1,"2\n' + "3,4\n" * 99, "line 3: a quote is opened"),
        ("a\n" + "5" * 99, "a row of more than"),
    ],
)
def test_endless_rows_are_refused_before_the_file_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    monkeypatch.setattr(lines, "_PIECE", 8)
    monkeypatch.setattr(lines, "_LONGEST", 32)
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.csv")


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a\n1\n")
    with pytest.raises(
        InputError, match=r'trian.csv does not exist \(did you mean "train.csv"\?\); check the path'
    ):
        read(tmp_path / "trian.csv")
    with pytest.raises(InputError, match="does not exist; check the path"):
        read(tmp_path / "no folder" / "a.csv")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.csv", {"array": "X"}, "array= is for an .npz file only"),
        ("a.csv", {"resize": (2, 2)}, "resize= is for a folder of images only"),
        ("folder", {"array": "X"}, "array= is for an .npz file only"),
        ("folder", {"resize": (0, 2)}, "of 1 pixel or more"),
        ("a.npz", {"array": "Y"}, r'there is no array \'Y\'; give one of: XX, YY.* Did you mean "YY"'),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, name: str, options: dict[str, Any], message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.png").write_bytes(image())
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "a.npz").write_bytes(npz(XX=np.ones((2, 2)), YY=np.ones((2, 2))))
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path / name, **options)
    one_line(error)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(InputError, match=r"read\(\) opens a path, got ndarray"):
        read(np.ones((2, 2)))  # type: ignore[arg-type]


IMAGES: dict[str, tuple[dict[str, bytes], str]] = {
    "none": (
        {"notes.txt": b"x", "deep/er/a.png": image()},
        "no PNG or JPEG images in this folder or its immediate",
    ),
    "sizes": (
        {"a.png": image(), "b/c.png": image((6, 4))},
        r"images of different sizes .*a\.png is 4 x 5, .*c\.png is 4 x 6; give one size with resize=",
    ),
    "depths": ({"a.png": image(mode="L"), "b.png": b""}, r"b\.png cannot be read as an image"),
    "no image": ({"a.png": image(), "b.jpg": b"a,b\n"}, r"b\.jpg cannot be read as an image"),
    "truncated": ({"a.png": image(), "b.png": image()[:-30]}, r"b\.png cannot be read as an image"),
    "truncated jpeg": ({"a.jpg": image(form="JPEG")[:-30]}, r"a\.jpg cannot be read as an image"),
    "gif": ({"a.png": image(form="GIF")}, r"a\.png cannot be read as an image"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_bad_folders_of_images_are_refused(tmp_path: Path, case: str) -> None:
    files, message = IMAGES[case]
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        consume(tmp_path)
    one_line(error)


def test_sixteen_bits_and_colours_are_not_mixed(tmp_path: Path) -> None:
    Image.new("I;16", (5, 4), 1).save(tmp_path / "a.png")
    Image.new("RGB", (5, 4)).save(tmp_path / "b.png")
    with pytest.raises(InputError, match=r"a\.png has pixels of mode 'I;16', unlike the rest"):
        read(tmp_path)


MEMORY: dict[str, tuple[Callable[[], Any], str]] = {
    "1-D": (
        lambda: np.ones(3),
        r"expected a 2-D array .* got 1-D of shape \(3,\)\. Reshape your data: X\.reshape",
    ),
    "0-D": (lambda: 3, "got 0-D"),
    "None": (lambda: None, "got 0-D"),
    "5-D": (lambda: np.ones((1, 1, 1, 1, 1)), "got 5-D"),
    "no rows": (
        lambda: np.ones((0, 3)),
        r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required.",
    ),
    "no columns": (
        lambda: np.ones((12, 0)),
        r"0 feature\(s\) \(shape=\(12, 0\)\) while a minimum of 1 is required.",
    ),
    "no pixels": (lambda: np.ones((12, 0, 3)), r"0 feature\(s\)"),
    "complex": (lambda: np.ones((2, 2)) * 1j, "Complex data not supported"),
    "complex sparse": (lambda: scipy.sparse.csr_array(np.eye(2) * 1j), "Complex data not supported"),
    "1-D sparse": (lambda: scipy.sparse.coo_array(np.ones(3)), "got 1-D"),
    "text": (lambda: np.array([["a", "b"]]), "expected numbers, got dtype <U1"),
    "numbers as text": (lambda: [["1", "2"]], "expected numbers, got dtype <U1"),
    "dates": (lambda: np.array([["2024-01-01"]], "M8[D]"), "expected numbers, got dtype datetime64"),
    "text as objects": (
        lambda: np.array([["a", 1]], object),
        "not an array of numbers .*could not convert string",
    ),
    "ragged list": (lambda: [[1, 2], [3]], "not an array of numbers .*give rows of one length"),
    "path": (lambda: "a.csv", r"expected data, got 'a.csv'; open a file with isthmus\.read"),
    "Path": (lambda: Path("a.csv"), r"open a file with isthmus\.read"),
    "polars series": (lambda: pl.Series([1, 2]), "got 1-D"),
    "pandas series": (lambda: pd.Series([1, 2]), "got 1-D"),
    "pandas twice": (
        lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "frame: repeated column names .*'a' 2 times",
    ),
    "pandas 1 and '1'": (lambda: pd.DataFrame([[1, 2]], columns=[1, "1"]), "frame: repeated column names"),
    "pandas levels": (
        lambda: pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
        r"several levels, such as \('a', 'x'\)",
    ),
    "pyarrow twice": (lambda: pa.table([[1], [2]], names=["a", "a"]), "frame: repeated column names"),
    "frame of no rows": (lambda: FRAME[:0], r"frame: found frame with 0 sample\(s\) \(shape=\(0, 2\)\)"),
    "frame of no columns": (lambda: pl.DataFrame(), r"frame: found frame with 0 feature\(s\)"),
    "query that fails": (lambda: FRAME.lazy().select("z"), r"frame cannot be read as a query"),
}


@pytest.mark.parametrize("case", MEMORY)
def test_bad_data_in_memory_is_refused_in_one_line(case: str) -> None:
    make, message = MEMORY[case]
    with pytest.raises(InputError, match=message) as error:
        as_source(make())
    one_line(error)


def test_objects_follow_numpys_own_conversion() -> None:
    X = np.ones((4, 3), object)
    X[0, 0] = {"foo": "bar"}
    with pytest.raises(TypeError, match="argument must be a string or a real number"):
        as_source(X)
