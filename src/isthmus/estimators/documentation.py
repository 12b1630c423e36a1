"""What all estimators have in common is documented once, and shown in the docstring of each."""

from __future__ import annotations

import inspect

__all__ = ["completed"]


def completed(doc: str | None, parameters: str | None, attributes: str | None) -> str | None:
    """Return a docstring in which "{parameters}" and "{attributes}" are replaced by those of two others.

    Parameters
    ----------
    doc : str or None
        None (as under ``python -OO``) stays None.
    parameters, attributes : str or None
        Docstrings that end with the numpydoc section of that name.
    """
    if doc is None or parameters is None or attributes is None:
        return doc
    text = inspect.cleandoc(doc)
    text = text.replace("{parameters}", _section(parameters, "Parameters"))
    return text.replace("{attributes}", _section(attributes, "Attributes"))


def _section(doc: str, title: str) -> str:
    return inspect.cleandoc(doc).partition(f"{title}\n{'-' * len(title)}\n")[2]
