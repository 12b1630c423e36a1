"""An estimator from the words of the command line: ``--model``, ``--latent``, ``--set name=value``."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["check_whole", "make_estimator", "pairs", "parse_latent"]

# What other options say, or only Python can.
ELSEWHERE = {
    "condition": "use --condition",
    "checkpoint": "fit keeps it beside the model and removes it at the end",
    "decoder": "it is a function, to be given in Python",
    "encoder": "it is a function, to be given in Python",
    "schema": "use --column, --ignore, --label, --weight and --id",
    "verbose": "use --quiet",
}
SHORT = {"n_components": "--latent", "random_state": "--seed"}


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Split each "name=value", or raise."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"{option} {text}: expected name=value, such as {option} {EXAMPLES[option]}")
        if name in found:
            raise InputError(f"{option} {name} is given twice; give it once")
        found[name] = value
    return found


EXAMPLES = {"--set": "max_epochs=50", "--column": "age=count"}


def check_whole(option: str, value: int | None, least: int) -> None:
    """Refuse a number that is too small, before any work is spent."""
    if value is not None and value < least:
        raise InputError(f"{option} {value}: expected a whole number of at least {least}")


def parse_latent(latent: str) -> int | str:
    """Return the number of latent components, or "auto"."""
    if latent == "auto" or (latent.isascii() and latent.isdigit() and int(latent) > 0):
        return latent if latent == "auto" else int(latent)
    raise InputError(f'--latent {latent}: expected a whole number of at least 1, or "auto"')


def make_estimator(model: str, given: Iterable[str], shortcuts: Mapping[str, Any]) -> BaseAutoencoder:
    """Return an estimator whose parameters have passed all checks that need no data.

    Parameters
    ----------
    model : str
        Its name.
    given : iterable of str
        name=value, as after ``--set``.
    shortcuts : mapping
        Parameters that have options of their own; None where an option was not given.
    """
    from isthmus.estimators.fitting import choose_device
    from isthmus.estimators.registry import estimator_class

    estimator = estimator_class(model)()
    values = {name: _value(name, text) for name, text in pairs(given, "--set").items()}
    for name in values:
        _check_name(name, estimator, shortcuts)
    values |= {name: value for name, value in shortcuts.items() if value is not None}
    estimator.set_params(**{name.replace(".", "__"): value for name, value in values.items()})
    estimator._validate_params()
    estimator._parts()
    for part in ("corruption", "posterior", "prior", "bound", "terms"):
        getattr(estimator, f"_{part}")()  # raises what is wrong with it
    choose_device(estimator.device)
    return estimator


def _check_name(name: str, estimator: BaseAutoencoder, shortcuts: Mapping[str, Any]) -> None:
    known = estimator.get_params(deep=False)
    head, dot, _ = name.partition(".")
    if head not in known:
        options = [option for option in known if option not in ELSEWHERE]
        near = did_you_mean(head, options) or f" There are: {', '.join(sorted(options))}."
        raise InputError(f"--set {name}: {type(estimator).__name__} has no parameter {head!r}.{near}")
    if head in ELSEWHERE:
        raise InputError(f"--set {name}: {ELSEWHERE[head]}")
    if shortcuts.get(head) is not None:
        raise InputError(f"{SHORT[head]} and --set {head} say the same; give one of them")
    if dot and head not in estimator.part_families:
        raise InputError(f"--set {name}: {head} has no fields; write --set {head}=value")


def _value(name: str, text: str) -> Any:
    value = _literal(text)
    return (value,) if name == "terms" and isinstance(value, str) else value


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
