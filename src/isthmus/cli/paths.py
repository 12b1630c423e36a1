"""Checks of the files that a command writes, made before any work is spent."""

from __future__ import annotations

import os
from pathlib import Path

from isthmus.errors import InputError, did_you_mean

__all__ = ["TABLES", "check_apart", "check_picture_and_json", "check_rows_output", "is_picture"]

TABLES = (".csv", ".parquet")
FORMATS = (*TABLES, ".npy")
PICTURE = ".png"


def is_picture(path: Path) -> bool:
    """Whether a file's name is that of a picture."""
    return path.suffix.lower() == PICTURE


def check_apart(
    output: Path | None,
    *read: Path | str | None,
    what: str = "the output",
    advice: str = "choose another name",
) -> None:
    """Refuse an output in the place of what is read: ``--force`` is meant for earlier outputs.

    Parameters
    ----------
    output : Path or None
    *read : Path, str or None
        Data, and what options name, which need not be files.
    what : str
        What the output is.
    advice : str
        What to do about it.
    """
    for given in read:
        if output is not None and given is not None and _holds(os.path.expanduser(given), output):
            raise InputError(f"{output}: {what} would replace the data; {advice}")


def _holds(read: str, output: Path) -> bool:
    """Whether a file that exists is what is read, or an image in a folder that is."""
    if not os.path.exists(read) or not os.path.exists(output):
        return False
    if os.path.isdir(read):
        return is_picture(output) and Path(os.path.realpath(read)) in Path(os.path.realpath(output)).parents
    return os.path.samefile(read, output)


def check_picture_and_json(
    output: Path | None, json: Path | None, *read: Path | str | None, overwrite: bool
) -> None:
    """Refuse what ``-o`` and ``--json`` cannot both be written to, or what would replace what is read."""
    from isthmus.store import check_output

    for path in (output, json):
        check_apart(path, *read)
        if path is not None:
            check_output(path, overwrite=overwrite)
    if output is not None and json is not None and os.path.realpath(output) == os.path.realpath(json):
        raise InputError(f"{json}: -o and --json name the same file; give one of them another name")


def check_rows_output(path: Path, overwrite: bool, why_table: str = "", *, pictures: bool = False) -> None:
    """Refuse an unknown format, an existing file or a missing folder.

    Parameters
    ----------
    path : Path
    overwrite : bool
    why_table : str
        What .npy cannot hold; if empty it can.
    pictures : bool
        Whether a .png will do too.
    """
    from isthmus.store import check_output

    ending, formats = path.suffix.lower(), (*FORMATS, PICTURE) if pictures else FORMATS
    if ending not in formats:
        listed = f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise InputError(
            f"{path}: unknown format; the output's name must end in {listed}.{did_you_mean(ending, formats)}"
        )
    if ending == ".npy" and why_table:
        raise InputError(
            f"{path}: an .npy file cannot hold {why_table}; choose a name ending in .csv or .parquet"
        )
    check_output(path, overwrite=overwrite)
