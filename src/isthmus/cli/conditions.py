"""What a fitted conditional model is told, from the words after ``--condition``."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from isthmus.cli.levels import find_level
from isthmus.cli.sides import find_side
from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from isthmus.data.column import Column, Scalar
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["condition_example", "condition_words", "read_condition"]


def read_condition(
    fitted: BaseAutoencoder,
    given: Sequence[str] | None,
    source: Source | None = None,
    *,
    inside: Iterable[str] = (),
) -> pl.DataFrame | None:
    """Return what the model is told, as one row for all or a row for each of `source`; None if rows say it.

    Parameters
    ----------
    fitted : fitted estimator
    given : sequence of str
        Each name=value, or (of `source`) what `find_side` finds.
    source : Source, optional
        The rows.
    inside : iterable of str
        Columns of the rows, which may say it themselves.
    """
    schema = fitted.condition_schema_
    if schema is None:
        if given:
            raise InputError(
                f"--condition {given[0]}: {type(fitted).__name__} was fitted without one; leave it out"
            )
        return None
    columns = {column.name: column for column in schema.modelled}
    if not given:
        if set(columns) <= set(inside):
            return None
        raise InputError(f"this model is told {_listed(columns)} of each row; {_ask(fitted, source)}")
    found = _read(columns, given, source, schema.texts)
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(
            f"--condition: this model is told {_listed(missing)} of each row too; give it as well"
        )
    return _frame(found)


def condition_example(fitted: BaseAutoencoder) -> list[str]:
    """Return words that tell a model something, for a command to try."""
    schema = fitted.condition_schema_
    return [] if schema is None else condition_words(schema.modelled)


def condition_words(columns: Iterable[Column]) -> list[str]:
    """Return words that give each of these columns some value."""
    return [word for column in columns for word in ("--condition", f"{column.name}={_some_value(column)}")]


def _ask(fitted: BaseAutoencoder, source: Source | None) -> str:
    example = " ".join(condition_example(fitted))
    if source is None:
        return f"give it, for instance {example}"
    return (
        f"give it: --condition COLUMN of the rows' file, or a FILE of one column, or for all rows {example}"
    )


def _listed(names: Iterable[str]) -> str:
    shown = [f'"{name}"' for name in names]
    return ", ".join(shown[:6]) + (", ..." if len(shown) > 6 else "")


def _some_value(column: Column) -> str:
    if column.levels:
        return str(column.levels[column.most_frequent])
    if column.kind == "datetime":
        return "2020-01-31"
    return f"{(column.low + column.high) / 2 + column.origin:.4g}"


# Reading --------------------------------------------------------------------------------------------------


def _read(
    columns: dict[str, Column], given: Sequence[str], source: Source | None, texts: Container[str]
) -> dict[str, pl.Series]:
    """Return the values of each condition; a lone one may be in a file, column or array of any name."""
    import polars as pl

    found: dict[str, pl.Series] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if equals and name in columns:
            series = pl.Series(name, [_value(columns[name], value)])
        elif source is None:
            wrong = f'no condition is called "{name}"' if equals else "expected name=value"
            raise InputError(
                f"--condition {text}: {wrong}; this model is told {_listed(columns)}, for instance "
                f"{' '.join(condition_words(columns.values()))}.{did_you_mean(name, columns)}"
            )
        else:
            side = find_side(source, text, "--condition")
            name = next(iter(columns)) if len(columns) == 1 else side.name
            if name not in columns:
                raise InputError(
                    f'--condition {text}: which condition is "{name}"? This model is told '
                    f"{_listed(columns)}; give a column, array or file named like one of them, such as "
                    f"{next(iter(columns))}.csv.{did_you_mean(name, columns)}"
                )
            series = side.read(source, text=name in texts)
        if name in found:
            raise InputError(f"--condition {text}: {name} is given twice; give it once")
        found[name] = series.alias(name)
    return found


def _frame(found: dict[str, pl.Series]) -> pl.DataFrame:
    """Put columns side by side; those of one value are repeated."""
    import polars as pl

    n_rows = max(map(len, found.values()))
    return pl.DataFrame([pl.Series(s.name, [s[0]] * n_rows) if len(s) == 1 else s for s in found.values()])


def _value(column: Column, text: str) -> Any:
    """Return the value of a column that a text stands for."""
    if column.levels:
        return _level(column, text)
    try:
        return datetime.fromisoformat(text) if column.kind == "datetime" else float(text)
    except ValueError:
        expected = "a date such as 2020-01-31" if column.kind == "datetime" else "a number"
        raise InputError(f"--condition {column.name}={text}: expected {expected}") from None


def _level(column: Column, text: str) -> Scalar:
    level = find_level(column.levels, text)
    if level is not None:
        return level
    known = [str(level) for level in column.levels]
    near = did_you_mean(text, known)
    raise InputError(f"--condition {column.name}={text}: the model learned with {_listed(known)}.{near}")
