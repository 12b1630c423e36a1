"""Files that hold tables: delimited text, Parquet, Arrow. All are polars queries that stream."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import polars as pl

from isthmus.data.sources.base import Source
from isthmus.data.sources.frames import QuerySource
from isthmus.data.sources.lines import column_names, count_rows
from isthmus.errors import InputError

__all__ = ["read_arrow", "read_parquet", "read_text"]

# Words for a missing value in any case, where no other entry of the column is text.
_MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null", "none")
_SAMPLE = 100


def read_parquet(path: Path) -> Source:
    """Open a Parquet file."""
    return QuerySource(pl.scan_parquet(path, glob=False, hive_partitioning=False), str(path), "Parquet")


def read_arrow(path: Path) -> Source:
    """Open an Arrow (Feather V2) file; one in the stream format, which has no index, is read whole."""
    with path.open("rb") as file:
        indexed = file.read(6) == b"ARROW1"
    query = pl.scan_ipc(path, glob=False) if indexed else pl.read_ipc_stream(path).lazy()
    return QuerySource(query, str(path), "Arrow")


def read_text(path: Path, separator: str = ",", text: Collection[str] = ()) -> Source:
    """Open a delimited text file, compressed or not; a column has the first type that all its entries fit.

    Columns named by `text` are text whatever they hold.
    """
    names = column_names(path, separator)
    rows = count_rows(path, separator, len(names))
    query = pl.scan_csv(
        path,
        separator=separator,
        has_header=False,
        skip_rows=1,
        schema=dict.fromkeys(names, pl.String),
        n_rows=rows,
        glob=False,
        raise_if_empty=False,
    )
    if rows:
        query = query.select(_typed(query, names, set(text), rows, str(path)))
    return QuerySource(query, str(path), "text", rows)


def _date(word: pl.Expr) -> pl.Expr:
    # Without the length "1-2-3", perhaps a part number, is a day in the year 1.
    return pl.when(word.str.len_bytes() >= 10).then(word).str.to_date("%Y-%m-%d", strict=False)


def _moment(form: str) -> Callable[[pl.Expr], pl.Expr]:
    return lambda word: word.str.to_datetime(form, strict=False, time_unit="us")


def _truth(word: pl.Expr) -> pl.Expr:
    lower = word.str.to_lowercase()
    return pl.when(lower.is_in(["true", "false"])).then(lower == "true")


# In order of preference. Days come first only in ISO 8601: what 01/02/2020 means depends on who wrote it.
_PARSERS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "nothing": lambda word: pl.when(False).then(word),
    "truth": _truth,
    "integer": lambda word: word.cast(pl.Int64, strict=False),
    "number": lambda word: word.cast(pl.Float64, strict=False),
    "date": _date,
    "minutes": _moment("%Y-%m-%d %H:%M"),
    "minutes T": _moment("%Y-%m-%dT%H:%M"),
    "moment": _moment("%Y-%m-%d %H:%M:%S%.f"),
    "moment T": _moment("%Y-%m-%dT%H:%M:%S%.f"),
    "zoned": _moment("%Y-%m-%d %H:%M:%S%.f%#z"),
    "zoned T": _moment("%Y-%m-%dT%H:%M:%S%.f%#z"),
}


def _word(name: str) -> pl.Expr:
    """Return the entries without surrounding blanks, null where they say "missing"."""
    word = pl.col(name).str.strip_chars()
    return pl.when(~word.str.to_lowercase().is_in(_MISSING)).then(word).alias(name)


def _typed(
    text: pl.LazyFrame, names: list[str], untyped: Collection[str], rows: int, path: str
) -> list[pl.Expr]:
    """Return one expression a column: parsed by the first parser that reads every entry, or text."""
    fitting, found = _confirmed(text, _likely(text, [name for name in names if name not in untyped]))
    if found != rows:  # two readers that disagree where rows end must not both be believed
        raise InputError(f"{path}: {rows} rows by its lines, {found} as read; check its quotes")
    return [_PARSERS[fitting[name]](_word(name)) if name in fitting else _nonempty(name) for name in names]


def _nonempty(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)


def _fits(parser: str, name: str) -> pl.Expr:
    return _PARSERS[parser](pl.col(name)).is_not_null() | pl.col(name).is_null()


def _likely(text: pl.LazyFrame, names: list[str]) -> dict[str, list[str]]:
    """Return the parsers that read every one of a column's first entries; all columns are tried as one."""
    if not names:
        return {}
    # Numbered meanwhile: in polars a column of the file called "column" would clash with the one made here.
    numbered = text.head(_SAMPLE).select(_word(name).alias(str(at)) for at, name in enumerate(names))
    long = numbered.unpivot(variable_name="column", value_name="word")
    tried = long.select("column", *(_fits(parser, "word").alias(parser) for parser in _PARSERS))
    table = tried.group_by("column").agg(pl.all().all()).collect()
    return {
        names[int(at)]: [parser for parser, fits in zip(_PARSERS, row, strict=True) if fits]
        for at, *row in table.rows()
    }


def _confirmed(text: pl.LazyFrame, likely: dict[str, list[str]]) -> tuple[dict[str, str], int]:
    """Return each column's first parser that reads all its entries, and the number of rows, in one pass."""
    tried = [(name, parser) for name, parsers in likely.items() for parser in parsers]
    checks = [_fits(parser, name).all().alias(str(at)) for at, (name, parser) in enumerate(tried)]
    words = text.with_columns(_word(name) for name in likely)
    rows, *fits = words.select(pl.len().alias("rows"), *checks).collect(engine="streaming").row(0)
    return {
        name: parser for (name, parser), fit in reversed(list(zip(tried, fits, strict=True))) if fit
    }, rows
