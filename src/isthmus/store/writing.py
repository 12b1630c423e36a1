"""A file or a folder appears complete under its name, or not at all."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.store.reading import PathLike, kind_of, refuse

__all__ = [
    "EXISTS",
    "beside",
    "check_output",
    "check_parent",
    "json_bytes",
    "open_output",
    "put_folder",
    "remove_with_leftovers",
    "resolve",
    "write_file",
    "write_synced",
]

# Where these are, a folder is a model's.
MODEL_FILES = ("config.json", "schema.json", "weights.safetensors")
EXISTS = "exists; choose another name, or overwrite it (--force)"


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return an object as the JSON we store: indented UTF-8. NaN and infinity raise ValueError."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_file(path: PathLike, data: bytes, *, overwrite: bool = False) -> None:
    """Write one file, completely or not at all; with `overwrite` a regular file there is replaced."""
    with open_output(path, overwrite=overwrite) as file:
        file.write(data)


@contextlib.contextmanager
def open_output(path: PathLike, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name when the block ends without an error.

    Parameters
    ----------
    path : path
        Its folder must exist. Through a link the file that it points to is written.
    overwrite : bool, default=False
        Replace a regular file that is there; anything else is never replaced.
    """
    target = check_output(path, overwrite=overwrite)
    with beside(path, target) as temporary:
        with temporary.open("xb") as file:
            yield file
            write_synced(file, b"")
        os.replace(temporary, target)
        sync_folder(target.parent)


def check_output(path: PathLike, *, overwrite: bool = False) -> Path:
    """Refuse what `open_output` would refuse, before any work is spent; return where `path` leads."""
    target = resolve(path)
    kind = kind_of(target)
    if kind in ("folder", "other"):
        refuse(path, "is not a regular file; choose another name")
    if kind == "file" and not overwrite:
        refuse(path, EXISTS)
    check_parent(path, target)
    return target


def check_parent(path: PathLike, target: Path) -> None:
    """Refuse a target whose folder does not exist, or is a model's, which holds nothing else."""
    if kind_of(target.parent) != "folder":
        refuse(path, f'cannot be written: "{target.parent}" is not a folder; create it first')
    if all(kind_of(target.parent / name) == "file" for name in MODEL_FILES):
        refuse(path, "lies in a model folder, which would no longer be one; choose another folder")


def resolve(path: PathLike) -> Path:
    """Return where `path` leads, links followed."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        refuse(path, f"cannot be used: {error}", error)


@contextlib.contextmanager
def beside(path: PathLike, target: Path) -> Iterator[Path]:
    """Give a hidden sibling of `target` to write to, and remove it if the block leaves it there."""
    check_parent(path, target)
    stem = str(target.parent / f".{target.name}.{secrets.token_hex(4)}")
    temporary = Path(stem + ".tmp")
    try:
        yield temporary
    except OSError as error:
        # Errors of writing carry no file name, those of making and renaming carry one of ours;
        # any other name belongs to something else that the caller did in the block.
        if error.filename is not None and not str(error.filename).startswith((stem, str(target))):
            raise
        refuse(path, f"cannot be written: {error.strerror or error}; nothing was changed", error)
    finally:
        remove(temporary)


def put_folder(temporary: Path, target: Path) -> None:
    """Put a folder in `target`'s place; what stood there is moved aside, and back if that fails."""
    sync_folder(temporary)
    aside = temporary.with_suffix(".old")
    if target.exists():
        os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except BaseException:
        if aside.exists():
            os.rename(aside, target)
        raise
    sync_folder(target.parent)
    remove(aside)


def write_synced(file: BinaryIO, data: bytes) -> None:
    """Write and wait until it is on the disk: only then may it take the old file's place."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames outlast a power cut; some systems and file systems cannot, which is no error."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_with_leftovers(path: PathLike) -> None:
    """Remove a file that is done with, and what writers of it that were killed left beside it."""
    target = resolve(path)
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 8}.tmp"):
        remove(leftover)
    remove(target)


def remove(path: Path) -> None:
    """Remove a file or a folder of ours if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
