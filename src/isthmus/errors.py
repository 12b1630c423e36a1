"""The exceptions that isthmus raises on purpose, each with one line that says what to do."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType

__all__ = ["InputError", "MissingLibraryError", "StoreError", "TrainingError", "did_you_mean", "require"]


class InputError(ValueError):
    """Something the caller gave cannot be used: data, a parameter or a file."""


class StoreError(InputError):
    """A model folder or checkpoint that cannot be read or written."""


class MissingLibraryError(ImportError):
    """An optional library is needed and not installed."""


class TrainingError(RuntimeError):
    """Training cannot go on, for instance because the loss stays infinite."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return ``' Did you mean "x"?'`` for the option nearest to `word`, or an empty string."""
    near = difflib.get_close_matches(word, list(options), n=1, cutoff=0.5)
    return f' Did you mean "{near[0]}"?' if near else ""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional library, or say in one line how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f'{module} is not installed; install it with: pip install "isthmus[{extra}]"'
        ) from error
