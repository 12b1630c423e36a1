"""Parameters that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["Array", "Codes", "Data", "Force", "Id", "Model", "Output", "Resize", "RowOptions", "ScoreOptions"]

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
Force = Annotated[bool, Parameter(help="Replace the output if it exists.", show_default=False)]
Id = Annotated[
    str | None,
    Parameter(
        help="Keep this in front: a column, another array of an .npz, a file with one value a row, or "
        '"folder" (the subfolder of each image).'
    ),
]
Array = Annotated[str | None, Parameter(help="Which array of an .npz file to read.")]
Resize = Annotated[
    tuple[int, int] | None,
    Parameter(help="Bring all images of a folder to this height and width.", negative_iterable=()),
]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How rows are read, and what is kept beside them."""

    id: Id = None
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
