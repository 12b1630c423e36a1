"""Parameters that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from isthmus.errors import InputError

__all__ = [
    "Array",
    "Codes",
    "Condition",
    "Data",
    "DensityOptions",
    "Force",
    "Id",
    "MadeOutput",
    "MaybeOutput",
    "Model",
    "Output",
    "ReadOptions",
    "Resize",
    "RowOptions",
    "ScoreOptions",
    "Seed",
    "Told",
]

# NumPy's and scikit-learn's generators take these.
LARGEST_SEED = 2**32 - 1


def check_seed(kind: object, seed: int | None) -> None:
    """Refuse a seed that no generator takes; cyclopts names the option and what was given."""
    del kind
    if seed is not None and not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"Expected a whole number from 0 to {LARGEST_SEED}.")


Data = Annotated[
    Path,
    Parameter(
        help="A file .csv .tsv .parquet .arrow .npy .npz .idx (text and IDX also .gz), or a folder of images."
    ),
]
Codes = Annotated[
    Path, Parameter(help="Codes as encode writes them: .csv or .parquet with columns z0, z1, ..., or .npy.")
]
Model = Annotated[Path, Parameter(help="A model folder, as fit writes it.")]
Output = Annotated[
    Path, Parameter(name=["--output", "-o"], help="The file to write: .csv, .parquet or .npy.")
]
MaybeOutput = Annotated[
    Path | None,
    Parameter(name=["--output", "-o"], help="The file to write; without it only the mean is shown."),
]
MadeOutput = Annotated[
    Path,
    Parameter(
        name=["--output", "-o"],
        help="The file to write: .csv, .parquet, .npy or, of a model of images, a picture: .png.",
    ),
]
Force = Annotated[bool, Parameter(help="Replace the output if it exists.", show_default=False)]
Id = Annotated[
    str | None,
    Parameter(
        help="Keep this in front: a column, another array of an .npz, a file with one value a row, or "
        '"folder" (the subfolder of each image).'
    ),
]
Condition = Annotated[
    list[str] | None,
    Parameter(
        help="What a conditional model is told of each row, where the rows' own columns do not say it: a "
        'column, another array of an .npz, a file with one value a row, "folder", or for all rows '
        "name=value; may be given again, and of several each is known by its name."
    ),
]
Told = Annotated[
    list[str] | None,
    Parameter(help="What a conditional model is told: name=value; may be given again."),
]
Seed = Annotated[int | None, Parameter(help="Makes what is drawn repeatable.", validator=check_seed)]
Array = Annotated[str | None, Parameter(help="Which array of an .npz file to read.")]
Resize = Annotated[
    tuple[int, int] | None,
    Parameter(help="Bring all images of a folder to this height and width.", negative_iterable=()),
]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How rows are read, and what is kept beside them."""

    id: Id = None
    condition: Condition = None
    array: Array = None
    resize: Resize = None
    force: Force = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class RowOptions(ReadOptions):
    """How the commands that answer row by row read and write."""

    output: Output


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ScoreOptions(ReadOptions):
    """How `score` reads and writes: without an output too."""

    output: MaybeOutput = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DensityOptions(ReadOptions):
    """How `density` reads, draws and writes."""

    output: MaybeOutput = None
    samples: Annotated[
        int, Parameter(help="Draws per row: more bring the lower bound nearer to log p(x).")
    ] = 128
    seed: Annotated[
        Seed, Parameter(help="Gives each row noise of its own; without it all rows share one fixed noise.")
    ] = None
