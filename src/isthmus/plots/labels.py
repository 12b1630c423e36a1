"""A label for each row, and the colours it becomes; nothing is learned from it here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba, to_rgba_array
from matplotlib.dates import date2num
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.plots.style import CATEGORY_COLORS, GREY, as_text

__all__ = ["COLOR_SCALE", "MISSING_COLOR", "Labels"]

MAX_CATEGORIES = len(CATEGORY_COLORS)
MISSING_COLOR = GREY
# viridis without its ends, of which one vanishes on a dark page and the other on a white one
COLOR_SCALE = LinearSegmentedColormap.from_list(
    "isthmus", matplotlib.colormaps["viridis"](np.linspace(0.18, 0.95, 256))
)


@dataclass(frozen=True, eq=False)
class Labels:
    """A value per row, as categories or as numbers; `Labels.read` tells which.

    Attributes
    ----------
    name : str
        What the label is called in the picture.
    names : tuple of str
        The categories; empty for numbers.
    codes : ndarray of int of shape (n,)
        The category of each row, -1 where it is missing; all -1 for numbers.
    numbers : ndarray of float of shape (n,)
        The numbers, NaN where missing or infinite; dates as matplotlib counts them; all NaN for categories.
    dates : bool
        Whether the numbers are dates.
    """

    name: str
    names: tuple[str, ...]
    codes: NDArray[np.int_]
    numbers: NDArray[np.float64]
    dates: bool = False

    @classmethod
    def read(cls, values: ArrayLike, name: str = "label") -> Self:
        """Read labels: text, truth values and at most ten different whole numbers are categories.

        Of more than ten categories the nine most frequent are told apart. Other labels are numbers or dates.
        """
        array = np.asarray(values)
        if array.ndim != 1:
            raise InputError(f"label has shape {array.shape}; give one value a row")
        known = np.array([not _is_missing(value) for value in array], dtype=bool)
        numbers = _numbers(array, known)
        dates = array.dtype.kind == "M"
        if numbers is not None and (dates or not _few_whole(numbers[~np.isnan(numbers)])):
            return cls(as_text(name), (), np.full(len(array), -1), numbers, dates)
        if numbers is not None:
            array, known = numbers, ~np.isnan(numbers)
        names, codes = _categories(array, known)
        return cls(as_text(name), names, codes, np.full(len(array), np.nan))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def categorical(self) -> bool:
        """Whether these are categories."""
        return bool(self.names)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where the label is not known."""
        return self.codes < 0 if self.categorical else np.isnan(self.numbers)

    @property
    def norm(self) -> Normalize:
        """The range of the colours of numbers: all but the outermost 1% at either end."""
        known = self.numbers[~np.isnan(self.numbers)]
        return Normalize(*np.quantile(known, [0.01, 0.99])) if known.size else Normalize(0, 1)

    def take(self, index: NDArray[np.intp]) -> Self:
        """Return the labels of some rows, with the same categories."""
        return replace(self, codes=self.codes[index], numbers=self.numbers[index])

    def colors(self) -> NDArray[np.float64]:
        """Return an RGBA colour per row."""
        if self.categorical:
            # Code -1, a missing label, takes the last.
            return to_rgba_array([*CATEGORY_COLORS[: len(self.names)], MISSING_COLOR])[self.codes]
        colors = COLOR_SCALE(self.norm(np.nan_to_num(self.numbers)))
        colors[self.missing] = to_rgba(MISSING_COLOR)
        return colors


def _is_missing(value: Any) -> bool:
    return value is None or str(value) in ("nan", "NaN", "<NA>", "NaT")


def _numbers(array: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return numbers and dates as floats, None for what is neither."""
    numbers = np.full(len(array), np.nan)
    present = array[known]
    if array.dtype.kind == "M":
        numbers[known] = date2num(present)
        return numbers
    if array.dtype.kind == "O" and not all(_is_number(value) for value in present):
        return None
    if array.dtype.kind not in "iufO":
        return None
    numbers[known] = present.astype(np.float64)
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _few_whole(known: NDArray[np.float64]) -> bool:
    levels = np.unique(known)
    return 0 < levels.size <= MAX_CATEGORIES and bool((levels == np.floor(levels)).all())


def _categories(values: NDArray[Any], known: NDArray[np.bool_]) -> tuple[tuple[str, ...], NDArray[np.int_]]:
    keys = values[known] if values.dtype.kind == "f" else np.array([str(v) for v in values[known]], object)
    levels, positions, counts = np.unique(keys, return_inverse=True, return_counts=True)
    names = [f"{level:g}" if isinstance(level, float) else as_text(level, 16) for level in levels]
    if len(levels) > MAX_CATEGORIES:
        frequent = np.sort(np.argsort(-counts, kind="stable")[: MAX_CATEGORIES - 1])
        new_code = np.full(len(levels), len(frequent))
        new_code[frequent] = np.arange(len(frequent))
        positions = new_code[positions]
        names = [*(names[i] for i in frequent), f"other ({len(levels) - len(frequent)})"]
    codes = np.full(len(values), -1)
    codes[known] = positions
    return tuple(names), codes
