"""``sample`` and ``manifold``: new rows from a generative model's prior."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from isthmus.cli.levels import find_level
from isthmus.cli.made import check_kind, load_generative, write_made
from isthmus.cli.options import Array, Force, MadeOutput, Model, Resize, Seed, Told
from isthmus.cli.parameters import check_whole
from isthmus.cli.paths import check_apart, check_rows_output, is_picture
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.sources import Source
    from isthmus.estimators.generative import Generative

__all__ = ["manifold", "sample"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """How many rows, how typical, and what is put beside them."""

    output: MadeOutput
    number: Annotated[int, Parameter(name=["--number", "-n"], help="How many rows.")] = 10
    condition: Told = None
    label: Annotated[
        str | None,
        Parameter(help="Draw from this label's part of the prior (AdversarialAutoencoder with labels)."),
    ] = None
    temperature: Annotated[
        float, Parameter(help="Below 1 rows are more typical and less diverse, above 1 the opposite.")
    ] = 1.0
    expected: Annotated[
        bool,
        Parameter(
            help="The row to expect from each code, without the likelihood's noise.", show_default=False
        ),
    ] = False
    seed: Seed = None
    beside: Annotated[
        Path | None,
        Parameter(help="Data: the nearest of their rows is put beside each new one, with its distance."),
    ] = None
    array: Array = None
    resize: Resize = None
    force: Force = False


def sample(model: Model, /, *, options: SampleOptions) -> None:
    """Draw new rows from a generative model: a code from the prior, then a row from the likelihood."""
    nearest_columns = "" if options.beside is None else "the columns nearest_row and nearest_distance"
    check_apart(options.output, options.beside)
    check_rows_output(options.output, options.force, nearest_columns, pictures=True)
    check_whole("--number", options.number, 1)
    fitted = load_generative(model, "sample")
    data = _read_beside(fitted, options)
    check_kind(fitted.schema_, options.output, options.force)
    rows, seed = _drawn(fitted, options)
    if data is None:
        _write_samples(rows, fitted, options)
    else:
        _write_beside(rows, fitted, data, options)
    print(f"{options.output}: {options.number:,} new rows (--seed {seed} gives the same)")


def _read_beside(fitted: Generative, options: SampleOptions) -> Source | None:
    from isthmus.cli.opening import read_rows

    if options.beside is not None:
        return read_rows(fitted, options.beside, array=options.array, resize=options.resize)
    for name in ("array", "resize"):
        if getattr(options, name) is not None:
            raise InputError(f"--{name} says how to read the data of --beside; give them too")
    return None


def _drawn(fitted: Generative, options: SampleOptions) -> tuple[Any, int]:
    """Return new rows and the seed that they came from."""
    from isthmus.cli.conditions import read_condition
    from isthmus.estimators.conditions import as_keyword

    condition = read_condition(fitted, options.condition)
    seed = secrets.randbelow(2**31 - 1) if options.seed is None else options.seed
    rows = fitted.sample(
        options.number,
        **_label(fitted, options.label),
        temperature=options.temperature,
        expected=options.expected,
        random_state=seed,
        **as_keyword(condition),
    )
    return rows, seed


def _label(fitted: Generative, label: str | None) -> dict[str, Any]:
    """Return the keyword of `sample` for a label, of the type that the model knows labels by."""
    if label is None:
        return {}
    known = getattr(fitted, "labels_", None)
    if known is None:
        raise InputError(
            f"--label {label}: this model was fitted without labels; AdversarialAutoencoder takes them, "
            "for instance with --set labels=COLUMN"
        )
    found = find_level(known.tolist(), label)
    return {"labels": label if found is None else found}


def _write_samples(rows: Any, fitted: Generative, options: SampleOptions) -> None:
    if is_picture(options.output):
        from isthmus.cli.pictures import draw_grid

        draw_grid(options.output, rows, fitted.schema_, overwrite=options.force)
    else:
        write_made(options.output, rows, fitted.schema_, overwrite=options.force)


def _write_beside(rows: Any, fitted: Generative, data: Source, options: SampleOptions) -> None:
    """Write samples with the row of data nearest to each, and say how near they are."""
    from isthmus.cli.rows import features_of
    from isthmus.tasks import nearest

    known, schema = features_of(fitted, data), fitted.schema_
    index, distance = nearest(fitted, rows, known)
    if is_picture(options.output):
        from isthmus.cli.pictures import draw_nearest

        images = _images(known.take(index), schema.shape)
        draw_nearest(options.output, rows, images, distance.tolist(), schema, overwrite=options.force)
    else:
        columns = {"nearest_row": index, "nearest_distance": distance}
        write_made(options.output, rows, schema, overwrite=options.force, after=columns)
    units = "training standard deviations" if schema.container == "frame" else "units of the data"
    print(
        f"nearest rows of {options.beside}, counted from 0: {distance.min():.4g} to {distance.max():.4g} "
        f"{units} away, {int((distance == 0).sum()):,} of {len(distance):,} exact copies"
    )


def _images(block: Any, shape: tuple[int, ...]) -> Any:
    import numpy as np

    rows = block if isinstance(block, np.ndarray) else block.to_numpy()
    return rows.reshape(len(rows), *shape)


def manifold(
    model: Model,
    /,
    *,
    output: MadeOutput,
    number: Annotated[int, Parameter(name=["--number", "-n"], help="Rows and columns of the grid.")] = 20,
    dims: Annotated[
        tuple[int, int],
        Parameter(help="The latents that vary, upwards and to the right.", negative_iterable=()),
    ] = (0, 1),
    condition: Told = None,
    force: Force = False,
) -> None:
    """Decode a grid of codes at the prior's quantiles; other latents are at their medians."""
    check_rows_output(output, force, pictures=True)
    check_whole("--number", number, 1)
    fitted = load_generative(model, "manifold")
    check_kind(fitted.schema_, output, force)
    from isthmus.cli.conditions import read_condition
    from isthmus.estimators.conditions import as_keyword

    rows = fitted.manifold_grid(number, dims=dims, **as_keyword(read_condition(fitted, condition)))
    words = f"latent {dims[0]} upwards, latent {dims[1]} to the right, at the prior's quantiles"
    if is_picture(output):
        from isthmus.cli.pictures import draw_grid

        draw_grid(output, rows, fitted.schema_, overwrite=force, n_columns=number, gap=0.0, note=words)
    else:
        write_made(output, rows, fitted.schema_, overwrite=force)
    print(f"{output}: {number} x {number} rows, line by line from the top; {words}")
