"""The command line: parse, call the library, print. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; by default those it was started with.

    Returns
    -------
    int
        0, or 2 after an error (told in one line on stderr), or 130 after an interrupt.
    """
    from isthmus.cli.app import app
    from isthmus.cli.running import run

    words = list(sys.argv[1:] if arguments is None else arguments)
    return run(lambda: app(words))
