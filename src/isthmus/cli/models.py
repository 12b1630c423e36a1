"""``models``: what there is to fit."""

from __future__ import annotations

import re
import textwrap
from typing import Any

__all__ = ["models"]

WIDTH = 100
PARTS = ("corruption", "posterior", "prior", "bound")
CLASSIFIER = "AutoencoderClassifier"


def models() -> None:
    """List all models: what each is, its parts as `fit --set` takes them, and the paper it comes from."""
    from isthmus import estimators
    from isthmus.estimators.registry import ESTIMATORS

    print("\n\n".join(_described(ESTIMATORS[name]) for name in sorted(ESTIMATORS)))
    sentence = first_sentence(getattr(estimators, CLASSIFIER))
    print(f"\n{CLASSIFIER}: for labels, in Python\n{_indented(sentence)}")


def first_sentence(described: Any) -> str:
    """Return the first sentence of what has a docstring."""
    text = " ".join((described.__doc__ or "").split("\n\n")[0].split()).replace("``", "")
    return re.split(r"(?<=\.)\s(?=[A-Z])", text)[0]


def default_parts(estimator: Any) -> list[tuple[str, str]]:
    """Return the parts that an estimator is made of unless others are set, as pairs of words."""
    from isthmus.parts.terms import KL

    plain = estimator()
    terms = plain._terms()
    found = {name: getattr(plain, f"_{name}")() for name in PARTS}
    if not any(isinstance(term, KL) for term in terms):
        found["bound"] = None  # it bounds nothing
    words = [(name, str(part)) for name, part in found.items() if part is not None]
    return words + [("terms", ", ".join(map(str, terms)))] * bool(terms)


def _described(estimator: Any) -> str:
    from isthmus.estimators.generative import Generative

    kind = " (generative)" if issubclass(estimator, Generative) else ""
    lines = [f"{estimator.__name__}{kind}", _indented(first_sentence(estimator))]
    lines += [f"  {name:<10}  {words}" for name, words in default_parts(estimator)]
    return "\n".join([*lines, f"  {'paper':<10}  {estimator.paper}"])


def _indented(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
