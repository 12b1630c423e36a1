"""What surrounds every command: an expected error is one line on stderr, a warning another."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from cyclopts import CycloptsError

from isthmus.errors import MissingLibraryError, TrainingError

__all__ = ["INTERRUPTED", "note", "run"]

FAILED, INTERRUPTED = 2, 130

# What users can cause. InputError is a ValueError, and scikit-learn's checks raise plain ones.
EXPECTED = (CycloptsError, ValueError, TypeError, OSError, MissingLibraryError, TrainingError, MemoryError)


def run(command: Callable[[], Any]) -> int:
    """Call a command and return the exit status; with ISTHMUS_DEBUG=1 errors keep their traceback."""
    _forgive(sys.stdout)
    _forgive(sys.stderr)
    try:
        with notes():
            status = command()
            sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    except EXPECTED as error:
        return _failed(_sentence(error), FAILED)
    except RuntimeError as error:
        if "allocate memory" not in str(error) and "out of memory" not in str(error):
            raise
        return _failed(f"there is not enough memory ({_sentence(error)})", FAILED)


def _forgive(stream: TextIO) -> None:
    """Let no letter that a terminal cannot show end a command."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="replace")


def _failed(sentence: str, status: int) -> int:
    if os.environ.get("ISTHMUS_DEBUG", "0") not in ("", "0"):
        raise  # what is being handled
    _say("error", sentence)
    return status


def _closed_pipe() -> int:
    """Go quietly when the reader of our output, such as ``head``, has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        named = "" if error.filename is None else f"{error.filename}: "
        return f"{named}{error.strerror}"
    if isinstance(error, MemoryError) and not str(error):
        return "there is not enough memory"
    return str(error) or type(error).__name__


def note(sentence: str) -> None:
    """Tell the user something on stderr that is no error."""
    _say("note", sentence)


def _say(what: str, sentence: str) -> None:
    print(f"isthmus: {what}: {' '.join(sentence.split())}", file=sys.stderr)


@contextmanager
def notes() -> Iterator[None]:
    """Show each warning that is meant for users once, as a note."""
    told: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            note(str(message))

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)
        # A table may stand for an array whose columns are called x0, x1, ...: the commands see to that.
        warnings.filterwarnings("ignore", "X has feature names, but")
        warnings.showwarning = show
        yield
