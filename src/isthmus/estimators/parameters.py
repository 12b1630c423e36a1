"""Parts as parameters: their strings and dicts are read, and their fields are reached as ``part__field``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator

from isthmus.errors import InputError, did_you_mean
from isthmus.parts.registry import Part, parse

__all__ = ["PartParameters"]


class PartParameters(BaseEstimator):
    """Gives scikit-learn's ``get_params`` and ``set_params`` the fields of frozen parts.

    ``set_params(corruption__p=0.5)``, a grid over it and ``--set corruption.p=0.5`` all replace the part.
    """

    part_families: ClassVar[dict[str, str]] = {}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep`, those of the parts too, as ``part__field``."""
        params = super().get_params(deep=False)
        if deep:
            for name, family in self.part_families.items():
                part = _try_parse(params[name], family)
                if part is not None:
                    params |= {f"{name}__{field.name}": getattr(part, field.name) for field in fields(part)}  # type: ignore[arg-type]
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``part__field`` replaces one field of a part."""
        nested: dict[str, dict[str, Any]] = defaultdict(dict)
        for key in [key for key in params if key.partition("__")[0] in self.part_families and "__" in key]:
            name, _, field = key.partition("__")
            nested[name][field] = params.pop(key)
        super().set_params(**params)
        for name, changes in nested.items():
            setattr(self, name, self._replaced(name, changes))
        return self

    def _replaced(self, name: str, changes: dict[str, Any]) -> Part:
        part = _try_parse(getattr(self, name), self.part_families[name])
        if part is None:
            raise InputError(
                f"{name}={getattr(self, name)!r} has no field {next(iter(changes))!r}; "
                f"set {name} to a part first"
            )
        known = [field.name for field in fields(part)]  # type: ignore[arg-type]
        for field in changes:
            if field not in known:
                has = f"its fields are {', '.join(known)}" if known else f"{getattr(self, name)} has none"
                raise InputError(f"{name} has no field {field!r}; {has}.{did_you_mean(field, known)}")
        return replace(part, **changes)  # type: ignore[type-var]

    def _part(self, name: str) -> Part | None:
        """Return the parsed part, or None where the parameter is "auto" or None."""
        value = getattr(self, name)
        if value is None or (isinstance(value, str) and value == "auto"):
            return None
        return parse(value, self.part_families[name])


def _try_parse(value: Any, family: str) -> Part | None:
    try:
        return None if value is None or (isinstance(value, str) and value == "auto") else parse(value, family)
    except InputError:
        return None  # an invalid value is reported by fit, where scikit-learn wants it
