"""A grid of images: samples, a map of what codes decode to, steps from one image to another."""

from __future__ import annotations

import math
from typing import Self

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from isthmus.data.schema import is_image
from isthmus.errors import InputError
from isthmus.plots.images import TEXT_SHARE, Titles, rgba, seen_range, titles_of
from isthmus.plots.style import STYLE, literal, own_axes

__all__ = ["ImageGridDisplay"]

FloatArray = NDArray[np.float64]
# So many letters stand side by side over a picture; longer titles of columns are turned upright.
LETTERS = 48
LETTER, LINE = 0.085, 0.25  # inches


class ImageGridDisplay:
    """Images in rows and columns, grey or in colour.

    Parameters
    ----------
    images : array-like of shape (n, height, width) or (n, height, width, channels)
        Line by line. NaN is drawn in orange: not observed.
    n_columns : int
    value_range : tuple of two floats
        What is black and what is white.
    gap : float, default=0.08
        Between images, as a share of their width; 0 for none.
    row_titles, column_titles : sequence of length n_rows and n_columns, optional
        Left of the rows and above the columns.
    captions : sequence of length n, optional
        Below each image; a row that has only empty ones takes no room for them.
    title, note : str, default=""
        Above and below it all.

    Attributes
    ----------
    n_rows : int
    ax_, figure_ : matplotlib Axes and Figure
    image_ : AxesImage
        After `plot`.
    """

    ax_: Axes
    figure_: Figure
    image_: AxesImage

    def __init__(
        self,
        *,
        images: ArrayLike,
        n_columns: int,
        value_range: tuple[float, float],
        gap: float = 0.08,
        row_titles: Titles | None = None,
        column_titles: Titles | None = None,
        captions: Titles | None = None,
        title: str = "",
        note: str = "",
    ) -> None:
        self.images = np.asarray(images, dtype=np.float64)
        if not self.images.size or not is_image(self.images.shape[1:]):
            raise InputError(
                f"{self.images.shape} are no images; give (n, height, width[, 1, 3 or 4]), n >= 1"
            )
        if n_columns < 1 or gap < 0:
            raise InputError(f"n_columns is {n_columns} and gap {gap}; give at least 1 and at least 0")
        self.n_columns, self.value_range, self.gap = n_columns, value_range, gap
        self.title, self.note = title, note
        self.n_rows = math.ceil(len(self.images) / n_columns)
        self.row_titles = titles_of(row_titles, self.n_rows, "row_titles")
        self.column_titles = titles_of(column_titles, n_columns, "column_titles")
        self.captions = titles_of(captions, len(self.images), "captions")

    @classmethod
    def from_images(
        cls,
        images: ArrayLike,
        *,
        n_columns: int | None = None,
        low: float | None = None,
        high: float | None = None,
        gap: float = 0.08,
        row_titles: Titles | None = None,
        column_titles: Titles | None = None,
        captions: Titles | None = None,
        title: str = "",
        note: str = "",
        ax: Axes | None = None,
    ) -> Self:
        """Draw images.

        Parameters
        ----------
        images : array-like of shape (n, height, width[, channels]), or of rows and columns of images
            Of four axes the last is one of channels if its length is 1, 3 or 4.
        n_columns : int, optional
            By default a grid of rows and columns keeps them, and others are put into a square.
        low, high : float, optional
            What is black and white; by default the least and largest value, for bytes 0 and 255.
        gap, row_titles, column_titles, captions, title, note
            As of the class.
        ax : matplotlib Axes, optional
        """
        values = np.asarray(images)
        if values.ndim > 3 and not is_image(values.shape[1:]):
            n_columns = values.shape[1] if n_columns is None else n_columns
            values = values.reshape(-1, *values.shape[2:])
        square = math.ceil(math.sqrt(values.shape[0] if values.ndim else 0))
        return cls(
            images=values,
            n_columns=square if n_columns is None else n_columns,
            value_range=seen_range(values, low, high),
            gap=gap,
            row_titles=row_titles,
            column_titles=column_titles,
            captions=captions,
            title=title,
            note=note,
        ).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on new axes."""
        lefts, tops, shape = self._places()
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=self._inches(shape))
            self.figure_ = ax.figure  # type: ignore[assignment]
            self.image_ = ax.imshow(self._mosaic(lefts, tops, shape), interpolation="none", aspect="equal")
            self._draw_titles(ax, lefts, tops)
            self._draw_captions(ax, lefts, tops)
        return self

    def _inches(self, shape: tuple[int, int]) -> float:
        """Return how high a figure of 4.4 inches' width must be to leave no empty room."""
        width = 4.4 - LETTER * max(map(len, self.row_titles), default=0)
        beside = LINE * (bool(self.title) + bool(self.column_titles) + bool(self.note))
        if self._upright():
            beside += LETTER * max(map(len, self.column_titles))
        return min(width * shape[0] / shape[1] + beside + 0.2, 8.0)

    def _upright(self) -> bool:
        return max(map(len, self.column_titles), default=0) > LETTERS / self.n_columns

    def _places(self) -> tuple[list[int], list[int], tuple[int, int]]:
        """Return the left edges of columns and the top edges of rows, in pixels, and the picture's shape."""
        height, width = self.images.shape[1:3]
        gap = max(1, round(self.gap * width)) if self.gap else 0
        lefts = [j * (width + gap) for j in range(self.n_columns)]
        line = math.ceil(TEXT_SHARE * (lefts[-1] + width))
        bottom, tops = 0, list[int]()
        for row in range(self.n_rows):
            tops.append(bottom)
            bottom += height + (line if any(self._captions_of(row)) else 0) + gap
        return lefts, tops, (bottom - gap, lefts[-1] + width)

    def _captions_of(self, row: int) -> list[str]:
        return self.captions[row * self.n_columns : (row + 1) * self.n_columns]

    def _mosaic(self, lefts: list[int], tops: list[int], shape: tuple[int, int]) -> FloatArray:
        """Return the picture, RGBA and clear between the images."""
        height, width = self.images.shape[1:3]
        mosaic = np.zeros((*shape, 4))
        for i, image in enumerate(self.images):
            top, left = tops[i // self.n_columns], lefts[i % self.n_columns]
            mosaic[top : top + height, left : left + width] = rgba(image, self.value_range)
        return mosaic

    def _draw_titles(self, ax: Axes, lefts: list[int], tops: list[int]) -> None:
        height, width = self.images.shape[1:3]
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, bottom=False, labelbottom=False, labeltop=True)
        ax.set_xticks(
            [left + (width - 1) / 2 for left in lefts[: len(self.column_titles)]], self.column_titles
        )
        ax.set_yticks([top + (height - 1) / 2 for top in tops[: len(self.row_titles)]], self.row_titles)
        ax.tick_params(axis="x", labelrotation=90 if self._upright() else 0)
        literal([*ax.get_xticklabels(), *ax.get_yticklabels()])
        literal([ax.set_title(self.title), ax.set_xlabel(self.note)])

    def _draw_captions(self, ax: Axes, lefts: list[int], tops: list[int]) -> None:
        height, width = self.images.shape[1:3]
        for i, caption in enumerate(self.captions):
            x, y = lefts[i % self.n_columns] + (width - 1) / 2, tops[i // self.n_columns] + height - 0.5
            offset = {"xytext": (0, -2), "textcoords": "offset points"}
            literal([ax.annotate(caption, (x, y), ha="center", va="top", fontsize=9, **offset)])
