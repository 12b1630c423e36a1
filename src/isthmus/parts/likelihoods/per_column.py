"""A likelihood of its own for each column of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isthmus.data.column_facts import ColumnFacts
from isthmus.errors import InputError, did_you_mean
from isthmus.parts.likelihoods.base import FAMILY, Likelihood
from isthmus.parts.registry import parse, register

if TYPE_CHECKING:
    from isthmus.parts.densities import Density

__all__ = ["PerColumn"]


@register(FAMILY)
@dataclass(frozen=True)
class PerColumn(Likelihood):
    """A likelihood for each column of a table; columns with equal ones share a module, and a shared scale.

    Parameters
    ----------
    columns : tuple of (str, Likelihood), or mapping
        A likelihood, as a part, string or dict, for each named column.
    otherwise : Likelihood, optional
        For the columns that are not named.

    Examples
    --------
    >>> PerColumn({"age": "gaussian"}, otherwise="categorical").for_columns(("age", "city"))
    (Gaussian(scale='shared'), Categorical())
    """

    columns: tuple[tuple[str, Likelihood], ...] = ()
    otherwise: Likelihood | None = None
    support = "mixed"
    discrete = False

    def __post_init__(self) -> None:
        parsed = tuple((name, _one_column(value)) for name, value in _pairs(self.columns))
        twice = [name for name, n in Counter(name for name, _ in parsed).items() if n > 1]
        if twice:
            raise InputError(f"column {twice[0]!r} is given two likelihoods; give it one.")
        object.__setattr__(self, "columns", parsed)
        if self.otherwise is not None:
            object.__setattr__(self, "otherwise", _one_column(self.otherwise))

    def for_columns(self, names: tuple[str, ...]) -> tuple[Likelihood, ...]:
        """Return each column's own likelihood; names it lacks, or that are not columns, are refused."""
        chosen, known = dict(self.columns), set(names)
        for name in chosen:
            if name not in known:
                raise InputError(
                    f"there is no column {name!r} to give a likelihood to.{did_you_mean(name, names)} "
                    f"Name a modelled column, or leave it out."
                )
        return tuple(self._choose(chosen.get(name), name) for name in names)

    def _choose(self, likelihood: Likelihood | None, name: str) -> Likelihood:
        found = likelihood or self.otherwise
        if found is None:
            raise InputError(f"column {name!r} has no likelihood; name it in PerColumn or give `otherwise`.")
        return found

    def build(self, facts: ColumnFacts) -> Density:
        from isthmus.parts.densities import JointDensity

        chosen = self.for_columns(facts.names)
        groups = {each: np.flatnonzero([other == each for other in chosen]) for each in dict.fromkeys(chosen)}
        parts = [(each.build(facts.select(index)), index) for each, index in groups.items()]
        return parts[0][0] if len(parts) == 1 else JointDensity(parts)


def _pairs(columns: object) -> list[tuple[str, object]]:
    given: object = columns.items() if isinstance(columns, Mapping) else columns
    found: list[tuple[str, object]] = []
    for pair in given if isinstance(given, Iterable) and not isinstance(given, str) else [None]:
        match pair:
            case (str(name), value):
                found.append((name, value))
            case _:
                example = '(("age", "gaussian"),)'
                raise InputError(
                    f"{columns!r} is not (name, likelihood) pairs; write for instance {example}."
                )
    return found


def _one_column(value: object) -> Likelihood:
    likelihood: Likelihood = parse(value, FAMILY)
    if isinstance(likelihood, PerColumn):
        raise InputError("PerColumn cannot hold another PerColumn; give each column a likelihood of its own.")
    return likelihood
