"""Checks of the files that a command writes, made before any work is spent."""

from __future__ import annotations

from pathlib import Path

from isthmus.errors import InputError, did_you_mean

__all__ = ["TABLES", "check_rows_output"]

TABLES = (".csv", ".parquet")
FORMATS = (*TABLES, ".npy")


def check_rows_output(path: Path, overwrite: bool, why_table: str = "") -> None:
    """Refuse an unknown format, an existing file or a missing folder.

    Parameters
    ----------
    path : Path
    overwrite : bool
    why_table : str
        What .npy cannot hold; if empty it can.
    """
    from isthmus.store import check_output

    ending = path.suffix.lower()
    if ending not in FORMATS:
        near = did_you_mean(ending, FORMATS)
        raise InputError(
            f"{path}: unknown format; the output's name must end in .csv, .parquet or .npy.{near}"
        )
    if ending == ".npy" and why_table:
        raise InputError(
            f"{path}: an .npy file cannot hold {why_table}; choose a name ending in .csv or .parquet"
        )
    check_output(path, overwrite=overwrite)
