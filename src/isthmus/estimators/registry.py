"""The estimators by name, for the command line and for model folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isthmus.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["ESTIMATORS", "estimator_class", "register"]

T = TypeVar("T", bound="type[BaseAutoencoder]")

# Complete as soon as the package `isthmus.estimators` is imported, which any import of this module does.
ESTIMATORS: dict[str, type[BaseAutoencoder]] = {}


def register(estimator: T) -> T:
    """Enter an estimator under its class name."""
    ESTIMATORS[estimator.__name__] = estimator
    return estimator


def estimator_class(name: str) -> type[BaseAutoencoder]:
    """Return the estimator called `name`; upper and lower case, "-" and "_" are all one."""
    plain = {known.lower(): known for known in ESTIMATORS}
    key = name.replace("-", "").replace("_", "").lower()
    if key not in plain:
        raise InputError(
            f'no estimator is called "{name}".{did_you_mean(name, ESTIMATORS)} '
            f"Choose from: {', '.join(ESTIMATORS)}"
        )
    return ESTIMATORS[plain[key]]
