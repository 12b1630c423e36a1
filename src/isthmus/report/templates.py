"""The templates of the pages, which lie beside this module and share one style."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

__all__ = ["template"]


@cache
def template(name: str) -> Template:
    """Return a template by its file's name."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return files("isthmus.report").joinpath(name).read_text(encoding="utf-8")
