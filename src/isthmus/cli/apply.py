"""``encode``, ``decode``, ``reconstruct``, ``denoise`` and ``score``: a model applied to a file's rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

from isthmus.cli.options import Codes, Data, Model, RowOptions, ScoreOptions
from isthmus.cli.rows import Opened, check_output, listed, names_of, open_rows, write_data, write_values
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.sources import Source

__all__ = ["decode", "denoise", "encode", "reconstruct", "score"]


def encode(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write the codes of rows, in columns z0, z1, ... (.npy: as an array)."""
    check_output(options, options.output, data)
    opened = open_rows(model, data, options)
    from isthmus.estimators import streaming

    n_components = opened.fitted.n_components_
    codes = streaming.codes(opened.fitted, opened.features, opened.condition)
    write_values(codes, names_of("z", n_components), opened, options)
    print(f"{options.output}: {len(opened.source):,} rows, codes of {n_components} components")


def decode(model: Model, codes: Codes, /, *, options: RowOptions) -> None:
    """Write the data that codes stand for: a table's own columns, or x0, x1, ... (.npy, .png: as images)."""
    check_output(options, options.output, codes, pictures=True)
    opened = open_rows(model, codes, options)
    write_data(_decoded(opened), opened, options)
    print(f"{options.output}: {len(opened.source):,} rows decoded")


def reconstruct(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write rows as the model sees them: encoded and decoded again, missing entries filled in."""
    check_output(options, options.output, data, pictures=True)
    opened = open_rows(model, data, options)
    _reconstruct(opened, options)
    print(f"{options.output}: {len(opened.source):,} rows reconstructed")


def denoise(model: Model, data: Data, /, *, options: RowOptions) -> None:
    """Write rows cleaned by a model that was fitted with a corruption: what they are without their noise."""
    check_output(options, options.output, data, pictures=True)
    opened = open_rows(model, data, options)
    if opened.fitted.architecture_.corruption is None:
        raise InputError(
            f"denoise needs a model fitted with a corruption, {model} holds a {type(opened.fitted).__name__} "
            "without one; fit with --model DenoisingAutoencoder, or use reconstruct"
        )
    _reconstruct(opened, options)
    print(f"{options.output}: {len(opened.source):,} rows denoised")


def score(model: Model, data: Data, /, *, options: ScoreOptions | None = None) -> None:
    """Write log p of each row in nats, and how many of its entries were observed.

    log p(x) of generative models (`density` says how exactly, and draws more), log p(x given z(x)) of others.
    """
    options = options or ScoreOptions()
    check_output(options, options.output, data)
    opened = open_rows(model, data, options)
    from isthmus.estimators import streaming
    from isthmus.estimators.density import Scorer, density_note
    from isthmus.estimators.importance import DEFAULT_SAMPLES

    scorer = Scorer(opened.fitted.model_, DEFAULT_SAMPLES, None)
    blocks = streaming.scores(opened.fitted, opened.features, opened.condition, scorer)
    scores = (block[:, [0, 2]] for block in blocks)
    if options.output is None:
        deque(scores, maxlen=0)
    else:
        kept = RowOptions(**vars(options))
        write_values(scores, ["log_likelihood", "n_observed"], opened, kept)
        print(f"{options.output}: {len(opened.source):,} rows scored")
    mean = scorer.mean()
    told = f"mean {density_note(opened.fitted)}: {mean.mean:.6g} nats per row"
    print(f"{told}, over {mean.n_rows:,} rows of {data}")


def _reconstruct(opened: Opened, options: RowOptions) -> None:
    from isthmus.cli.output import check_flat
    from isthmus.estimators import streaming

    if opened.source.kind == "frame":
        check_flat(options.output, next(opened.features.blocks(1)).to_polars())  # type: ignore[union-attr]
    rows = streaming.reconstructions(opened.fitted, opened.features, opened.condition)
    write_data(rows, opened, options)


# Codes ----------------------------------------------------------------------------------------------------


def _decoded(opened: Opened) -> Iterator[Any]:
    """Yield the data of each block of codes, each code under its own condition."""
    blocks = _code_blocks(opened.source, opened.fitted.n_components_)
    from isthmus.estimators.conditions import as_keyword

    for codes, condition in zip(blocks, _conditions(opened), strict=False):
        yield opened.fitted.inverse_transform(codes, **as_keyword(condition))


def _conditions(opened: Opened) -> Iterator[Any]:
    """Yield what a conditional model is told of each block of codes; without end where it is the same."""
    from isthmus.estimators.preparing import BLOCK_ROWS

    schema, condition = opened.fitted.condition_schema_, opened.condition
    if schema is None or (condition is not None and len(condition) == 1):
        yield from repeat(condition)
    elif condition is None:  # it stands beside the codes, in columns that the model knows
        beside = opened.source.select([column.name for column in schema.modelled])
        yield from (block.to_native() for block in beside.blocks(BLOCK_ROWS))  # type: ignore[union-attr]
    else:
        yield from condition.iter_slices(BLOCK_ROWS)


def _code_blocks(source: Source, n_components: int) -> Iterator[Any]:
    """Yield codes as arrays, from the columns z0, z1, ... or from an array."""
    import narwhals.stable.v2 as nw

    from isthmus.estimators.preparing import BLOCK_ROWS

    names = names_of("z", n_components)
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
            f"got {listed(source.columns or ())}"
        )
    return source.select(names)
