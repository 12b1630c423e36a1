"""Sources of rows that are frames: in memory (any library narwhals reads), or a polars query over a file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, cast

import narwhals.stable.v2 as nw
import polars as pl
from narwhals.exceptions import DuplicateError

from isthmus.data.sources.base import Array, Source, reading
from isthmus.errors import InputError, did_you_mean

__all__ = ["FrameSource", "QuerySource", "as_frame"]


class FrameSourceBase(Source):
    """A source whose blocks are narwhals frames."""

    kind = "frame"

    def __init__(self, name: str, length: int, columns: Sequence[str], library: str) -> None:
        super().__init__(name, length, (len(columns),), library=library, columns=tuple(columns))

    @abstractmethod
    def _only(self, columns: list[str]) -> Source:
        """Return the source of these columns, all of which exist."""

    @abstractmethod
    def _column(self, name: str) -> Array:
        """Return this column, which exists."""

    def select(self, columns: str | Sequence[str]) -> Source:
        return self._only(self._known(columns))

    def drop(self, columns: str | Sequence[str]) -> Source:
        gone = set(self._known(columns))
        return self._only([name for name in self.columns or () if name not in gone])

    def column(self, name: str) -> Array:
        return self._column(self._known(name)[0])

    def _known(self, columns: str | Sequence[str]) -> list[str]:
        names, known = [columns] if isinstance(columns, str) else list(columns), set(self.columns or ())
        for name in names:
            if name not in known:
                near = did_you_mean(f"{name}", self.columns or ())
                raise InputError(f"{self.name}: there is no column {name!r}; give one of its columns.{near}")
        return list(dict.fromkeys(names))


class FrameSource(FrameSourceBase):
    """A frame in memory."""

    def __init__(self, frame: nw.DataFrame[Any], name: str = "frame") -> None:
        super().__init__(name, len(frame), frame.columns, str(frame.implementation))
        self._frame = frame

    def _blocks(self, rows: int) -> Iterator[nw.DataFrame[Any]]:
        for start in range(0, len(self), rows):
            yield self._frame[start : start + rows]

    def _take(self, wanted: Array) -> nw.DataFrame[Any]:
        return self._frame[wanted]

    def _only(self, columns: list[str]) -> Source:
        return FrameSource(self._frame.select(columns), self.name)

    def _column(self, name: str) -> Array:
        return self._frame[name].to_numpy()


class QuerySource(FrameSourceBase):
    """A polars query, run in its streaming engine each time blocks are asked for."""

    def __init__(self, query: pl.LazyFrame, name: str, what: str, length: int | None = None) -> None:
        with reading(name, what):
            columns = query.collect_schema().names()
            if length is None:
                length = int(query.select(pl.len()).collect(engine="streaming").item())
        super().__init__(name, length, columns, "polars")
        self._query, self._what = query, what

    def _blocks(self, rows: int) -> Iterator[nw.DataFrame[Any]]:
        with reading(self.name, self._what):
            for batch in self._query.collect_batches(chunk_size=rows, maintain_order=True, lazy=True):
                yield nw.from_native(cast(Any, batch), eager_only=True)

    def _only(self, columns: list[str]) -> Source:
        return QuerySource(self._query.select(columns), self.name, self._what, len(self))

    def _column(self, name: str) -> Array:
        with reading(self.name, self._what):
            return self._query.select(name).collect(engine="streaming").to_series().to_numpy()


def as_frame(X: object) -> nw.DataFrame[Any] | None:
    """Return a frame of any library as a narwhals frame, None for what is no frame.

    Column names that are not text (pandas numbers its columns) become text.
    """
    try:
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if not isinstance(frame, nw.DataFrame):
            return None
        names = {name: str(name) for name in frame.columns}
        if levels := [name for name in names if isinstance(name, tuple)]:
            raise InputError(
                f"frame: column names of several levels, such as {levels[0]}; give each column one name, "
                'such as X.columns.map("_".join)'
            )
        if len(set(names.values())) < len(names):
            raise DuplicateError(f"columns {list(names)} are the same as text")
        return frame if all(isinstance(name, str) for name in names) else frame.rename(names)
    except DuplicateError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"frame: repeated column names ({reason}); rename them") from error
