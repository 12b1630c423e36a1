from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from isthmus.data.sources import read_values
from isthmus.errors import InputError

VALUES = np.array([5, 0, 4, 1])


def write(folder: Path, name: str) -> Path:
    path = folder / name
    if name.endswith(".npy"):
        np.save(path, VALUES)
    elif "idx1" in name or name.endswith(".idx"):
        raw = struct.pack(">4BI", 0, 0, 0x0D if "float" in name else 0x08, 1, 4)
        raw += VALUES.astype(">f4" if "float" in name else "u1").tobytes()
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    elif name.endswith(".txt"):
        path.write_text("\ufeff5\n0\n4\n1\n")
    elif name.endswith(".csv"):
        pl.DataFrame({"y": VALUES}).write_csv(path)
    else:
        pl.DataFrame({"y": VALUES}).write_parquet(path)
    return path


NAMES = [
    "y.npy",
    "y.csv",
    "y.parquet",
    "y.txt",
    "y-idx1-ubyte",
    "y-idx1-ubyte.gz",
    "float.idx",
    "y_idx.csv",
    "idx.parquet",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_one_value_a_row_is_read(tmp_path: Path, name: str) -> None:
    values = read_values(write(tmp_path, name))
    assert_array_equal(values.astype(np.int64), VALUES)
    assert values.dtype.isnative


@pytest.mark.parametrize("name", ["y.csv", "y.tsv", "y.txt"])
def test_words_that_look_like_numbers_stay_texts_if_asked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("01\n7.50\n3\n" if name == "y.txt" else "y\n01\n7.50\n3\n")
    assert read_values(tmp_path / name, text=True).tolist() == ["01", "7.50", "3"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "matrix.npy", np.zeros((2, 2)))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    pl.DataFrame({"a": [1], "b": [2]}).write_csv(tmp_path / "two.csv")
    (tmp_path / "short-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, 4) + b"\1")
    for name in ("matrix.npy", "objects.npy", "two.csv", "short-idx1-ubyte", "missing.txt"):
        with pytest.raises(InputError, match=name):
            read_values(tmp_path / name)
