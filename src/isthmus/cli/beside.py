"""What ``fit`` finds beside the rows: labels, conditions, weights and identifiers, as columns or apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from isthmus.cli.sides import Side, find_side
from isthmus.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from isthmus.cli.fit_options import FitOptions
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["Beside", "find_beside"]


@dataclass(eq=False)
class Beside:
    """What stands beside the rows.

    Attributes
    ----------
    roles : dict of str to str
        Of columns, by their names.
    given : dict of str to object
        What lies apart from the rows, as `fit` takes it.
    """

    roles: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def enter(self, side: Side, role: str, option: str) -> None:
        """Give a column its role."""
        if self.roles.get(side.name, role) != role:
            raise InputError(f"{option} {side.name}: this column is given as {self.roles[side.name]} too")
        self.roles[side.name] = role


def find_beside(estimator: BaseAutoencoder, source: Source, options: FitOptions) -> Beside:
    """Find what the options name, and let the estimator know of the columns among it."""
    found = Beside()
    _find_labels(estimator, source, found)
    _find_conditions(estimator, source, options.condition or (), found)
    for role, given in _named(options):
        side = find_side(source, given, f"--{role}")
        if side.values is None:
            found.enter(side, role, f"--{role}")
        elif role == "weight":
            found.given["sample_weight"] = side.values
    return found


def _named(options: FitOptions) -> Iterator[tuple[str, str]]:
    for role in ("label", "weight", "id"):
        given = getattr(options, role)
        if given is not None:
            yield role, given


def _find_labels(estimator: BaseAutoencoder, source: Source, found: Beside) -> None:
    """Find what a discriminator is told: ``--set labels=...``."""
    for given in estimator._label_names():
        side = find_side(source, given, "--set labels")
        if side.values is None:
            found.enter(side, "label", "--set labels")
        else:
            found.given["labels"] = side.read(source).to_numpy()
            estimator.set_params(labels=None)  # which names a column


def _find_conditions(estimator: BaseAutoencoder, source: Source, given: Any, found: Beside) -> None:
    """Find what the networks are told: columns by their names, or all of it as a frame of its own."""
    if given and "condition" not in estimator.get_params(deep=False):
        raise InputError(f"--condition: {type(estimator).__name__} learns no condition; leave it out")
    sides = [find_side(source, name, "--condition") for name in given]
    columns = [side for side in sides if side.values is None]
    for side in columns:
        found.enter(side, "condition", "--condition")
    if len(columns) == len(sides):
        estimator.set_params(**({"condition": tuple(side.name for side in columns)} if columns else {}))
    elif columns:
        raise InputError(
            f"--condition {columns[0].name} is a column of the rows and another condition is not; "
            "put all of them into columns, or none"
        )
    else:
        found.given["condition"] = _joined([side.read(source) for side in sides])


def _joined(conditions: list[pl.Series]) -> pl.DataFrame:
    import polars as pl

    names = [series.name for series in conditions]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"--condition: two conditions are called {twice}; give one, or rename a file")
    return pl.DataFrame(conditions)
