"""Bytes, text and JSON from files that anyone may have made or damaged."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Literal, NoReturn

from isthmus.errors import StoreError

__all__ = [
    "MIB",
    "PathLike",
    "first_line",
    "kind_of",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_text",
    "refuse",
]

PathLike = str | os.PathLike[str]

MIB = 1 << 20
TEXT_LIMIT = 256 * MIB

# A link is not followed and a pipe not waited for, where the system can promise that.
FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    FLAGS |= getattr(os, _name, 0)


def refuse(path: PathLike, why: str, cause: BaseException | None = None) -> NoReturn:
    """Raise the one line that says what is wrong with `path`."""
    raise StoreError(f'"{os.fspath(path)}" {why}') from cause


def first_line(error: BaseException) -> str:
    """Return what `error` says, without what some parsers append over many lines."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def kind_of(path: PathLike) -> Literal["missing", "file", "folder", "other"]:
    """Return what stands at `path`, links followed."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError) as error:  # ValueError: a null byte
        refuse(path, f"cannot be used: {first_line(error)}", error)
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "other"


def read_bytes(path: Path, limit: int) -> bytes:
    """Return what a regular file of at most `limit` bytes holds."""
    try:
        if path.is_symlink():
            refuse(path, "is a symbolic link; a model holds the files themselves")
        with open(os.open(path, FLAGS), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                refuse(path, "is not a regular file")
            if found.st_size > limit:
                refuse(path, f"has {found.st_size:,} bytes, more than the {limit:,} that are read")
            return file.read()
    except OSError as error:
        refuse(path, f"cannot be read: {error.strerror or error}", error)


def read_text(path: Path, limit: int = TEXT_LIMIT) -> str:
    """Return the UTF-8 text of a file."""
    try:
        return read_bytes(path, limit).decode()
    except UnicodeDecodeError as error:
        refuse(path, "is not UTF-8 text; save the model again", error)


def read_json(path: PathLike, limit: int = TEXT_LIMIT) -> dict[str, Any]:
    """Return the JSON object that a file holds; NaN and infinity are refused, since JSON has neither."""
    text = read_text(Path(path), limit)
    try:
        return parse_json(text)
    except (ValueError, RecursionError) as error:
        refuse(path, f"is not valid JSON ({first_line(error)}); save the model again", error)


def parse_json(text: str) -> dict[str, Any]:
    """Return a JSON object, or raise ValueError or RecursionError."""
    value = json.loads(text, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError(f"expected an object, got {type(value).__name__}")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
