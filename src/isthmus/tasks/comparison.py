"""What a comparison of maps found, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.manifold.quality import Figure, MapQuality
from isthmus.tasks.map_rows import MapRows
from isthmus.tasks.methods import Method

__all__ = ["Comparison", "MethodMap", "NotRun"]

Array = NDArray[np.float64]


class NotRun(NamedTuple):
    """A method without a map, and why."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class MethodMap:
    """The map of a method.

    Attributes
    ----------
    method : Method
    training, held_out : ndarray of shape (n, n_components)
        Codes; `held_out` is None where the method cannot map new rows.
    quality : MapQuality
        Of the held-out rows among the training rows; without the former of the training rows.
    squared_error : Figure or None
        Of held-out rows that went through their codes, summed over columns.
    fit_seconds, transform_seconds, invert_seconds : float
        To learn the map, codes of the training rows included; to map all held-out rows; and to make rows of
        their codes. None where the method cannot.
    peak_bytes : int or None
        By how much memory rose while the map was learned, at its peak; see `isthmus.tasks.measuring`.
    has_density : bool
    """

    method: Method
    training: Array
    held_out: Array | None
    quality: MapQuality
    squared_error: Figure | None
    fit_seconds: float
    transform_seconds: float | None
    invert_seconds: float | None
    peak_bytes: int | None
    has_density: bool = False

    @property
    def measured_on(self) -> str:
        """Which rows the figures are of: "held-out" or "training"."""
        return "training" if self.held_out is None else "held-out"

    @property
    def figures(self) -> dict[str, Figure]:
        """All figures of the map, and the squared error where there is one."""
        error = {} if self.squared_error is None else {"squared_error": self.squared_error}
        return self.quality.figures | error

    def as_dict(self) -> dict[str, Any]:
        """Return all but the codes, as JSON can hold it."""
        error = self.squared_error
        found = self.quality.to_dict()
        if error is not None:
            found |= {"squared_error": error.value, "squared_error_se": error.standard_error}
        return {
            "name": self.method.name,
            "title": self.method.title,
            "settings": self.method.settings,
            "can_transform": self.method.can_transform,
            "can_invert": self.method.can_invert,
            "has_density": self.has_density,
            "measured_on": self.measured_on,
            "figures": {name: _finite(value) for name, value in found.items()},
            "fit_seconds": self.fit_seconds,
            "transform_seconds": self.transform_seconds,
            "invert_seconds": self.invert_seconds,
            "peak_bytes": self.peak_bytes,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Maps of the same rows.

    Attributes
    ----------
    maps : tuple of MethodMap
        In the order asked for.
    not_run : tuple of NotRun
        The others.
    rows : MapRows
        What was learned from and measured on.
    n_components, random_state : int
    pca_squared_error : Figure
        What PCA with as many components leaves of the held-out rows: the measure for all that can invert.
    """

    maps: tuple[MethodMap, ...]
    not_run: tuple[NotRun, ...]
    rows: MapRows
    n_components: int
    random_state: int
    pca_squared_error: Figure

    def as_dict(self) -> dict[str, Any]:
        """Return all but rows and codes, as JSON can hold it."""
        error = self.pca_squared_error
        return {
            "n_training_rows": len(self.rows.training),
            "n_held_out_rows": len(self.rows.held_out),
            "held_out": self.rows.held_out_name,
            "n_columns": self.rows.training.shape[1],
            "units": self.rows.units,
            "n_components": self.n_components,
            "random_state": self.random_state,
            "pca_squared_error": _finite(error.value),
            "pca_squared_error_se": _finite(error.standard_error),
            "methods": [one.as_dict() for one in self.maps],
            "not_run": [{"name": name, "why": why} for name, why in self.not_run],
        }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
