"""``encode``, ``decode``, ``reconstruct``, ``denoise`` and ``score``: a model applied to a file's rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.options import Codes, Data, Model, RowOptions, ScoreOptions
from isthmus.cli.paths import check_rows_output
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.cli.sides import Side
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["decode", "denoise", "encode", "reconstruct", "score"]


def encode(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write the codes of rows, in columns z0, z1, ... (.npy: as an array)."""
    _check(options)
    fitted, source, side = _open(model, data, options)
    from isthmus.estimators import streaming

    codes = streaming.codes(fitted, _features(fitted, source))
    _write(codes, _names("z", fitted.n_components_), source, side, options)
    print(f"{options.output}: {len(source):,} rows, codes of {fitted.n_components_} components")


def decode(model: Model, codes: Codes, /, *, options: RowOptions) -> None:
    """Write the data that codes stand for: a table's own columns, or x0, x1, ... (.npy: in their shape)."""
    _check(options)
    fitted, source, side = _open(model, codes, options)
    rows = map(fitted.inverse_transform, _code_blocks(source, fitted.n_components_))
    _write_data(rows, fitted, source, side, options)
    print(f"{options.output}: {len(source):,} rows decoded")


def reconstruct(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write rows as the model sees them: encoded and decoded again, missing entries filled in."""
    _check(options)
    fitted, source, side = _open(model, data, options)
    _reconstruct(fitted, source, side, options)
    print(f"{options.output}: {len(source):,} rows reconstructed")


def denoise(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write rows cleaned by a DenoisingAutoencoder: what it takes them to be without their noise."""
    _check(options)
    fitted, source, side = _open(model, data, options)
    from isthmus.estimators import DenoisingAutoencoder

    if not isinstance(fitted, DenoisingAutoencoder):
        raise InputError(
            f"denoise needs a DenoisingAutoencoder, {model} holds {type(fitted).__name__}; fit with "
            "--model DenoisingAutoencoder, or use reconstruct"
        )
    _reconstruct(fitted, source, side, options)
    print(f"{options.output}: {len(source):,} rows denoised")


def score(model: Model, data: Data, /, *, options: ScoreOptions | None = None) -> None:
    """Write log p(x given z(x)) of each row in nats, and how many of its entries were observed."""
    options = options or ScoreOptions()
    _check(options)
    fitted, source, side = _open(model, data, options)
    from isthmus.estimators import streaming

    mean = _Mean()
    scores = mean.watch(streaming.scores(fitted, _features(fitted, source)))
    if options.output is None:
        deque(scores, maxlen=0)
    else:
        kept = RowOptions(**vars(options))
        _write(scores, ["log_likelihood", "n_observed"], source, side, kept)
        print(f"{options.output}: {len(source):,} rows scored")
    print(f"mean log p(x given z(x)): {mean.value:.6g} nats per row, over {mean.n_rows:,} rows of {data}")


class _Mean:
    """The mean of a stream's first column."""

    def __init__(self) -> None:
        self.total, self.n_rows = 0.0, 0

    def watch(self, blocks: Iterable[Any]) -> Iterator[Any]:
        for block in blocks:
            self.total += float(block[:, 0].sum())
            self.n_rows += len(block)
            yield block

    @property
    def value(self) -> float:
        return self.total / self.n_rows


# Reading --------------------------------------------------------------------------------------------------


def _check(options: RowOptions | ScoreOptions) -> None:
    if options.output is not None:
        check_rows_output(options.output, options.force, "an id column" if options.id is not None else "")


def _open(
    model: Path, data: Path, options: RowOptions | ScoreOptions
) -> tuple[BaseAutoencoder, Source, Side | None]:
    """Open data, what stands beside them, and the model, whose loading takes longest."""
    from isthmus import load, read
    from isthmus.cli.sides import find_side

    source = read(data, array=options.array, resize=options.resize)
    side = None if options.id is None else find_side(source, options.id, "--id")
    return load(model), source, side


def _features(fitted: BaseAutoencoder, source: Source) -> Source:
    """Return the columns that the model was fitted on, in its order; others are left aside.

    Those of an array are called x0, x1, ..., as `reconstruct` writes them.
    """
    if source.kind == "array":
        return source
    given = set(source.columns or ())
    needed = [
        column for column in fitted.schema_.features if column.kind != "ignored" or column.name in given
    ]
    names = [column.name for column in needed]
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(
            f"{source.name} lacks {len(missing)} of the {len(names)} columns that the model was fitted on: "
            f"{_listed(missing)}"
        )
    return source.select(names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:6]) + (", ..." if len(names) > 6 else "")


def _code_blocks(source: Source, n_components: int) -> Iterator[Any]:
    """Yield codes as arrays, from the columns z0, z1, ... or from an array."""
    import narwhals.stable.v2 as nw

    from isthmus.estimators.preparing import BLOCK_ROWS

    names = _names("z", n_components)
    if source.kind == "frame":
        source = _codes_only(source, names)
    for block in source.blocks(BLOCK_ROWS):
        if isinstance(block, nw.DataFrame):
            text = [name for name, dtype in block.schema.items() if not dtype.is_numeric()]
            if text:
                raise InputError(
                    f'{source.name}: column "{text[0]}" does not hold numbers; write codes with encode'
                )
            yield block.to_numpy()
        else:
            yield block


def _codes_only(source: Source, names: list[str]) -> Source:
    found = set(source.columns or ())
    if not found.issuperset(names) or f"z{len(names)}" in found:
        raise InputError(
            f"{source.name} does not hold codes of this model: expected columns {names[0]} to {names[-1]}, "
            f"got {_listed(source.columns or ())}"
        )
    return source.select(names)


def _names(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


# Writing --------------------------------------------------------------------------------------------------


def _reconstruct(fitted: BaseAutoencoder, source: Source, side: Side | None, options: RowOptions) -> None:
    from isthmus.estimators import streaming

    rows = streaming.reconstructions(fitted, _features(fitted, source))
    _write_data(rows, fitted, source, side, options)


def _write_data(
    rows: Iterable[Any], fitted: BaseAutoencoder, source: Source, side: Side | None, options: RowOptions
) -> None:
    """Write rows of the kind of data that the model was fitted on."""
    from isthmus.cli.output import beside, to_polars, write_frames

    if fitted.schema_.container == "array":
        _write(rows, list(fitted.schema_.names), source, side, options)
        return
    output = options.output
    check_rows_output(output, options.force, "a table, which the data of this model are")
    # What stands beside the rows is not the model's to give; --id keeps the column that is wanted.
    beside_rows = [
        column.name for column in fitted.schema_.columns if column.role in ("label", "weight", "id")
    ]
    frames = (to_polars(frame).drop(beside_rows, strict=False) for frame in rows)
    write_frames(output, beside(frames, side, source), overwrite=options.force)


def _write(
    arrays: Iterable[Any], names: list[str], source: Source, side: Side | None, options: RowOptions
) -> None:
    """Write arrays as they are (.npy), or as columns with these names."""
    from isthmus.cli.output import as_frames, beside, write_arrays, write_frames

    output = options.output
    if output.suffix.lower() == ".npy":
        write_arrays(output, arrays, len(source), overwrite=options.force)
        return
    if side is not None and side.name in names:
        raise InputError(f'--id: the output has its own column "{side.name}"; rename yours')
    write_frames(output, beside(as_frames(arrays, names), side, source), overwrite=options.force)
