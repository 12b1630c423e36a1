"""Delimited text: what is a row, and what type a column has."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
import pytest

from isthmus.data.sources import lines, read
from isthmus.errors import InputError


def text(path: Path, content: str) -> pl.DataFrame:
    (path / "a.csv").write_bytes(content.encode())
    return nw.concat(list(read(path / "a.csv").blocks(20_000))).to_native()


@pytest.mark.parametrize(
    ("entries", "dtype", "values"),
    [
        ("1,-2,007,+3", pl.Int64, [1, -2, 7, 3]),
        ("1,2.5,1e3, 4 ", pl.Float64, [1.0, 2.5, 1000.0, 4.0]),
        ("1,,NA,?,nan", pl.Int64, [1, None, None, None, None]),
        ("1,na,Null,Nan,nAn,NONE", pl.Int64, [1, None, None, None, None, None]),
        ("2024-02-29,na", pl.Date, [date(2024, 2, 29), None]),
        ("nAn,x", pl.String, ["nAn", "x"]),
        ("9223372036854775808,1", pl.Float64, [2.0**63, 1.0]),
        ("true,False,TRUE,", pl.Boolean, [True, False, True, None]),
        ("true,1", pl.String, ["true", "1"]),
        ("1,x", pl.String, ["1", "x"]),
        ("NA,x", pl.String, ["NA", "x"]),
        (" x,NA, ", pl.String, [" x", "NA", " "]),
        ("NA,NaN,", pl.String, [None, None, None]),
        ("2024-02-29,1969-12-31", pl.Date, [date(2024, 2, 29), date(1969, 12, 31)]),
        ("2024-02-29,2023-02-29", pl.String, ["2024-02-29", "2023-02-29"]),
        ("01/02/2024,02/01/2024", pl.String, ["01/02/2024", "02/01/2024"]),
        ("1-2-3,4-5-6", pl.String, ["1-2-3", "4-5-6"]),
        ("2024-02-29 10:30,NA", pl.Datetime("us"), [datetime(2024, 2, 29, 10, 30), None]),
        ("2024-02-29T10:30:01.25", pl.Datetime("us"), [datetime(2024, 2, 29, 10, 30, 1, 250000)]),
        ("2024-02-29,2024-02-29 10:30:00", pl.String, ["2024-02-29", "2024-02-29 10:30:00"]),
    ],
)
def test_a_text_column_has_the_first_type_that_all_its_entries_fit(
    tmp_path: Path, entries: str, dtype: pl.DataType, values: list[Any]
) -> None:
    column = text(tmp_path, "a,b\n" + "".join(f"{entry},\n" for entry in entries.split(",")))["a"]
    assert (column.dtype, column.to_list()) == (dtype, values)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("names", [("a", "t"), ("a", "b", "t")])
def test_columns_that_are_asked_for_as_text_stay_so(
    tmp_path: Path, ending: str, names: tuple[str, ...]
) -> None:
    path, separator = tmp_path / f"a.{ending}", "," if ending == "csv" else "\t"
    rows = [["a", "b", "t"], ["10", "1", "NA"], ["", "2", "true"]]
    path.write_text("\n".join(separator.join(row) for row in rows))
    frame = next(read(path, text=(*names, "elsewhere")).blocks()).to_native()
    numbers = ["1", "2"] if "b" in names else [1, 2]
    assert frame.to_dict(as_series=False) == {"a": ["10", None], "b": numbers, "t": ["NA", "true"]}


def test_times_with_a_zone_become_utc(tmp_path: Path) -> None:
    column = text(tmp_path, "t\n2024-01-01T10:00:00Z\n2024-01-01T10:00:00+02:00\n")["t"]
    assert column.dtype == pl.Datetime("us", "UTC")
    assert column.dt.hour().to_list() == [10, 8]


def test_the_type_is_found_over_the_whole_file(tmp_path: Path) -> None:
    rows = ["1,2024-01-01"] * 5000
    assert text(tmp_path, "a,b\n" + "\n".join([*rows, "2.5,2024-01-02"])).dtypes == [pl.Float64, pl.Date]
    assert text(tmp_path, "a,b\n" + "\n".join([*rows, "x,soon"])).dtypes == [pl.String, pl.String]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('a,b\n1,"x, ""y""\nz"\n2,w\n', [(1, 'x, "y"\nz'), (2, "w")]),
        ("a,b\r\n1,x\r\n2,y", [(1, "x"), (2, "y")]),
        ("\ufeffa,b\n1,é\n", [(1, "é")]),
        ('\ufeff"a",b\n1,x\n', [(1, "x")]),
        ('a,b\n1,""\n2,x\n', [(1, None), (2, "x")]),
        ("a,b\n1,x\n\n\n", [(1, "x")]),
        ("a,b\n1,x\r\n\r\n", [(1, "x")]),
        ("a,b\n,\n1,x\n", [(None, None), (1, "x")]),
        ("a\n1\n\n3\n\n", [(1,), (None,), (3,), (None,)]),
        ('"a\n,b",c\n1,2\n', [(1, 2)]),
        (",b\n0,1\n", [(0, 1)]),
    ],
)
def test_text_is_read_as_it_is_meant(tmp_path: Path, content: str, rows: list[tuple[Any, ...]]) -> None:
    assert text(tmp_path, content).rows() == rows


def test_text_longer_than_a_piece_keeps_its_rows_and_line_numbers(tmp_path: Path) -> None:
    row = '123456789,"quoted, text\nof two lines"\n'
    content = "a,b\n" + row * 60_000  # more than two pieces of 1 MB
    assert len(text(tmp_path, content)) == 60_000
    with pytest.raises(InputError, match="line 120002: expected 2 fields as in line 1, found 3"):
        text(tmp_path, content + "1,2,3\n")
    with pytest.raises(InputError, match="line 120002: blank between rows"):
        text(tmp_path, content + "\n" + row)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 40])
def test_pieces_of_any_size_give_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(lines, "_PIECE", size)
    content = '\ufeff"a",b\r\n1,"x, ""y""\r\nz"\r\n2,é\n3,\n"",""\n\n\n'
    rows = [(1, 'x, "y"\r\nz'), (2, "é"), (3, None), (None, None)]
    assert text(tmp_path, content).rows() == rows
    with pytest.raises(InputError, match="line 7: expected 2 fields"):
        text(tmp_path, content.rstrip() + "\n4\n")


def test_a_wide_text_file_is_read(tmp_path: Path) -> None:
    frame = pl.DataFrame(np.arange(6000).reshape(2, 3000))
    assert text(tmp_path, frame.write_csv()).equals(frame)


def test_columns_may_be_called_as_what_is_made_on_the_way(tmp_path: Path) -> None:
    names = ["name", "word", "column", "value", "rows", "0", "1", "literal", "truth"]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n" + ",".join(map(str, range(len(names)))) + "\n")
    frame = next(read(tmp_path / "t.csv").blocks()).to_native()
    assert frame.to_dict(as_series=False) == {name: [i] for i, name in enumerate(names)}
