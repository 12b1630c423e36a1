"""The model folder: six files, one format version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.errors import StoreError
from isthmus.store.reading import MIB, PathLike, kind_of, read_json, read_text, refuse
from isthmus.store.tensors import SIZE_LIMIT, Tensors, read_tensors
from isthmus.store.writing import EXISTS, beside, check_parent, put_folder, resolve, write_synced

__all__ = ["FORMAT_VERSION", "LIMITS", "ModelFiles", "check_folder", "read_folder", "write_folder"]

FORMAT_VERSION = 2
# Format 1 knew codes that are points: what its config.json does not name has its default.
READABLE_VERSIONS = (1, 2)

# A model folder holds these files and no others; none larger than this is read.
LIMITS: dict[str, int] = {
    "config.json": 16 * MIB,
    "schema.json": 256 * MIB,  # 100,000 columns with some levels each
    "weights.safetensors": SIZE_LIMIT,
    "history.csv": 256 * MIB,
    "metrics.json": 16 * MIB,
    "README.md": 16 * MIB,
}


@dataclass(frozen=True)
class ModelFiles:
    """A model folder, checked for form; what the values mean is for the estimators to judge."""

    path: Path
    config: dict[str, Any]
    schema: dict[str, Any]
    metrics: dict[str, Any]
    weights: Tensors
    history: str
    readme: str


def write_folder(path: PathLike, files: Mapping[str, bytes], *, overwrite: bool = False) -> None:
    """Write a model folder, completely or not at all.

    Parameters
    ----------
    path : path
        The folder that it is in must exist; an empty folder of this name may.
    files : mapping of file name to bytes
        Exactly the names in `LIMITS`; config.json holds ``"format_version": FORMAT_VERSION``.
    overwrite : bool, default=False
        Replace a model folder that is there. Any other folder, and a file, is never removed.
    """
    if set(files) != set(LIMITS):
        odd = sorted(set(files) ^ set(LIMITS))
        refuse(path, f"cannot be written: missing or unknown files {odd}, expected {list(LIMITS)}")
    target = check_folder(path, overwrite=overwrite)
    with beside(path, target) as temporary:
        temporary.mkdir()
        for name, data in files.items():
            with (temporary / name).open("xb") as file:
                write_synced(file, data)
        put_folder(temporary, target)


def check_folder(path: PathLike, *, overwrite: bool = False) -> Path:
    """Refuse what `write_folder` would refuse, before any work is spent; return where `path` leads."""
    target = resolve(path)
    _check_replaceable(path, target, overwrite)
    check_parent(path, target)
    return target


def read_folder(path: PathLike) -> ModelFiles:
    """Read a model folder, or refuse it with a `StoreError` that says what is wrong with which file.

    It must hold exactly the files in `LIMITS`, all regular and within their limits, of this format version.
    """
    if kind_of(path) != "folder":
        state = "does not exist" if kind_of(path) == "missing" else "is a file"
        refuse(path, f"{state}; give the folder that a model was saved to")
    folder = Path(path)
    _check_names(folder)
    config = _json(folder, "config.json")
    _check_version(folder, config)
    return ModelFiles(
        path=folder,
        config=config,
        schema=_json(folder, "schema.json"),
        metrics=_json(folder, "metrics.json"),
        weights=read_tensors(folder / "weights.safetensors"),
        history=read_text(folder / "history.csv", LIMITS["history.csv"]),
        readme=read_text(folder / "README.md", LIMITS["README.md"]),
    )


def _json(folder: Path, name: str) -> dict[str, Any]:
    return read_json(folder / name, LIMITS[name])


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()}
    except OSError as error:
        refuse(folder, f"cannot be read: {error.strerror or error}", error)


def _check_names(folder: Path) -> None:
    names = _names(folder)
    if not names & set(LIMITS):
        refuse(folder, "is no model folder; isthmus fit -o NAME and model.save write one")
    for name in LIMITS:
        if name not in names:
            refuse(folder, f'has no "{name}", so it is not a complete model folder; save the model again')
    for name in sorted(names - set(LIMITS)):
        refuse(folder, f'holds "{name}", which does not belong in a model folder; move it elsewhere')


def _check_version(folder: Path, config: dict[str, Any]) -> None:
    version = config.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        refuse(folder, f"has format version {version}, this isthmus reads {FORMAT_VERSION}; upgrade isthmus")
    if type(version) is not int or version not in READABLE_VERSIONS:
        refuse(folder, f"has the unknown format version {version!r}, expected {FORMAT_VERSION}")


def _check_replaceable(path: PathLike, target: Path, overwrite: bool) -> None:
    kind = kind_of(target)
    if kind in ("file", "other"):
        refuse(path, "is a file, and a model needs a folder; choose another name")
    if kind == "missing" or not _names(target):
        return
    if not overwrite:
        refuse(path, EXISTS)
    if not _is_model_folder(target):
        refuse(path, "holds other files than a model's and is never overwritten; choose another name")


def _is_model_folder(folder: Path) -> bool:
    """Tell whether all that is in `folder` was written by us, be it incomplete now."""
    try:
        return _names(folder) <= set(LIMITS) and "format_version" in _json(folder, "config.json")
    except StoreError:
        return False
