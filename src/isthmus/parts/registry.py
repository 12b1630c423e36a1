"""One way to say a part: a frozen dataclass, a dict as in JSON, or a string such as ``"masking:p=0.3"``."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from isthmus.errors import InputError, did_you_mean

__all__ = [
    "Part",
    "check_choice",
    "check_number",
    "kind_of",
    "members",
    "parse",
    "parse_as",
    "register",
    "to_json",
    "to_string",
]


class Part:
    """A specification: a frozen dataclass, found by family and kind, that builds its module at fit time."""

    if TYPE_CHECKING:  # what makes it a dataclass to `dataclasses.fields` and `replace`
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __str__(self) -> str:
        return to_string(self)


P = TypeVar("P", bound=Part)
_MEMBERS: dict[str, dict[str, type[Part]]] = {}
_FAMILY_OF: dict[type[Part], str] = {}


def register(family: str) -> Callable[[type[P]], type[P]]:
    """Enter a frozen dataclass into `family`, under its class name in snake_case."""

    def enter(cls: type[P]) -> type[P]:
        _MEMBERS.setdefault(family, {})[_snake_case(cls.__name__)] = cls
        _FAMILY_OF[cls] = family
        return cls

    return enter


def members(family: str) -> dict[str, type[Part]]:
    """Return the kinds of a family and their classes, in alphabetical order."""
    if family not in _MEMBERS:
        raise InputError(
            f"no family of parts is called {family!r}.{did_you_mean(family, _MEMBERS)} "
            f"Choose from: {', '.join(sorted(_MEMBERS))}."
        )
    return dict(sorted(_MEMBERS[family].items()))


def kind_of(part: Part) -> str:
    """Return the name under which a part's class is registered."""
    return _snake_case(type(part).__name__)


def parse(value: object, family: str) -> Any:
    """Return the part of `family` that a part, a string or a dict says.

    Parameters
    ----------
    value : Part, str or Mapping
        For instance ``Masking(p=0.3)``, ``"masking:p=0.3"`` or ``{"kind": "masking", "p": 0.3}``.
    family : str
        For instance ``"corruption"``.

    Returns
    -------
    Part

    Raises
    ------
    InputError
        If it names no member of the family, or a field that the member lacks, or a value out of range.
    """
    if isinstance(value, Part):
        return _of_family(value, family)
    if isinstance(value, str):
        kind, given = _split(value, family)
    elif isinstance(value, Mapping):
        given = {str(key): _tuples(entry) for key, entry in value.items()}
        kind = given.pop("kind", None)
    else:
        kind, given = None, dict[str, Any]()
    if not isinstance(kind, str):
        raise InputError(f"{value!r} is not {_a(family)}; {_ways(family)}")
    return _make(kind, given, family)


def parse_as(value: object, family: str, kinds: tuple[type[Part], ...], name: str) -> Any:
    """Return the part that `value` says, if it is of one of some kinds; `name` is the parameter's."""
    part = parse(value, family)
    if not isinstance(part, kinds):
        choices = " or ".join(f'"{_snake_case(kind.__name__)}"' for kind in kinds)
        raise InputError(f"{name}={value!r}: expected {choices}")
    return part


def to_json(part: Part) -> dict[str, Any]:
    """Return a part as a dict that JSON can hold and `parse` reads back."""
    return {"kind": kind_of(part)} | {f.name: _plain(getattr(part, f.name)) for f in fields(part)}


def to_string(part: Part) -> str:
    """Return a part as a string that `parse` reads back, with every field."""
    given = [f"{f.name}={_literal(getattr(part, f.name))}" for f in fields(part)]
    return ":".join([kind_of(part), *([",".join(given)] if given else [])])


def check_number(
    part: Part,
    field: str,
    *,
    low: float = 0.0,
    high: float = math.inf,
    above: bool = False,
    whole: bool = False,
) -> None:
    """Refuse a field that is no number in [low, high], or is `low` if `above`; make it a Python number."""
    value = getattr(part, field)
    kinds = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    number = isinstance(value, kinds) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high or (above and value == low):
        raise InputError(f"{part!r}: {field} must be {_range(low, high, above, whole)}, not {value!r}.")
    object.__setattr__(part, field, int(value) if whole else float(value))


def check_choice(part: Part, field: str, options: Iterable[object]) -> None:
    """Refuse a field whose value is not among `options`."""
    value, options = getattr(part, field), list(options)
    if value not in options:
        words = [option for option in options if isinstance(option, str)]
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        raise InputError(f"{part!r}: {field} must be one of {_listed(options)}, not {value!r}.{hint}")


def _range(low: float, high: float, above: bool, whole: bool) -> str:
    noun = "a whole number" if whole else "a number"
    if math.isinf(high):
        return f"{noun} above {low:g}" if above else f"{noun} from {low:g} up"
    return f"{noun} above {low:g}, up to {high:g}" if above else f"{noun} from {low:g} to {high:g}"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _a(family: str) -> str:
    return f"{'an' if family[0] in 'aeiou' else 'a'} {family}"


def _listed(options: Iterable[object]) -> str:
    return ", ".join(f'"{option}"' if isinstance(option, str) else str(option) for option in options)


def _ways(family: str) -> str:
    known = members(family)
    example = min(known, key=len)
    return f'write for instance "{example}" or {{"kind": "{example}"}}; choose from: {", ".join(known)}.'


def _of_family(part: Part, family: str) -> Part:
    actual = _FAMILY_OF.get(type(part))
    if actual != family:
        raise InputError(
            f"{part!r} is {_a(actual) if actual else 'not registered'}, not {_a(family)}; {_ways(family)}"
        )
    return part


def _split(text: str, family: str) -> tuple[str, dict[str, Any]]:
    """Split ``"kind:field=value,field=value"``; commas inside brackets and quotes belong to the value."""
    kind, _, rest = text.strip().partition(":")
    given: dict[str, Any] = {}
    for piece in _pieces(rest):
        field, equals, value = piece.partition("=")
        if not equals:
            raise InputError(
                f'{text!r}: {piece!r} is not field=value; write {_a(family)} as in "kind:field=value".'
            )
        if field.strip() in given:
            raise InputError(f"{text!r}: {field.strip()!r} is given twice; give it once.")
        given[field.strip()] = _value(value.strip())
    return kind.strip(), given


def _pieces(text: str) -> list[str]:
    pieces, depth, quote = [""], 0, ""
    previous = ""
    for letter in text:
        if quote:
            quote = "" if letter == quote and previous != "\\" else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not quote and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
        previous = "" if previous == "\\" else letter
    return [piece for piece in pieces if piece.strip()]


def _value(text: str) -> Any:
    try:
        return _tuples(ast.literal_eval(text))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, (list, tuple)) else value


def _literal(value: Any) -> str:
    if isinstance(value, str) and _value(value) == value and re.fullmatch(r"[\w.+-]+", value):
        return value
    return repr(_spelled(value))


def _spelled(value: Any) -> Any:
    """Replace the parts inside a value by their strings."""
    if isinstance(value, tuple):
        return tuple(_spelled(entry) for entry in value)
    return to_string(value) if isinstance(value, Part) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return to_json(value) if isinstance(value, Part) else value


def _make(kind: str, given: Mapping[str, Any], family: str) -> Part:
    known = members(family)
    if kind not in known:
        hint = did_you_mean(kind.lower(), known)
        raise InputError(f"no {family} is called {kind!r}.{hint} Choose from: {', '.join(known)}.")
    cls = known[kind]
    names = [f.name for f in fields(cls)]
    for field in given:
        if field not in names:
            has = f"its fields are: {', '.join(names)}" if names else "it has none"
            raise InputError(f"{kind} has no field {field!r}.{did_you_mean(field, names)} ({has})")
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    absent = [name for name in needed if name not in given]
    if absent:
        raise InputError(f'{kind} needs {" and ".join(absent)}; write for instance "{kind}:{absent[0]}=...".')
    return cls(**given)
