"""Samples above the rows of data that are nearest to them: is a sample new, or a copy?"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from isthmus.data.schema import is_image
from isthmus.errors import InputError
from isthmus.manifold.neighbors import nearest_rows
from isthmus.plots.grid import ImageGridDisplay
from isthmus.plots.images import seen_range

__all__ = ["NearestDisplay"]


class NearestDisplay(ImageGridDisplay):
    """Samples above the nearest row of given data, with the Euclidean distance below.

    Parameters
    ----------
    samples, neighbors : array-like of shape (n, height, width) or (n, height, width, channels)
        Each sample and the row nearest to it.
    index, distance : array-like of shape (n,)
        That row's position in the data, and how far away it is.
    value_range : tuple of two floats
        What is black and what is white.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    image_ : AxesImage
        After `plot`.
    """

    def __init__(
        self,
        *,
        samples: ArrayLike,
        neighbors: ArrayLike,
        index: ArrayLike,
        distance: ArrayLike,
        value_range: tuple[float, float],
    ) -> None:
        self.index, self.distance = np.asarray(index), np.asarray(distance, dtype=np.float64)
        n = len(self.index)
        super().__init__(
            images=np.concatenate([np.asarray(samples), np.asarray(neighbors)]),
            n_columns=n,
            value_range=value_range,
            row_titles=["sample", "nearest row"],
            captions=[""] * n + [f"{value:.3g}" for value in self.distance],
            note="Euclidean distance, in units of the data",
        )

    @classmethod
    def from_samples(
        cls,
        samples: ArrayLike,
        X: ArrayLike,
        *,
        n_images: int = 8,
        image_shape: tuple[int, ...] | None = None,
        low: float | None = None,
        high: float | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the first samples and look for the row nearest to each.

        Parameters
        ----------
        samples : array-like of shape (n, height, width[, channels])
        X : array-like of as wide rows
            The data to compare with; those learned from show whether a sample is a copy of one.
        n_images : int, default=8
        image_shape : tuple, optional
            The shape of one image, where samples are flat rows.
        low, high : float, optional
            What is black and white; by default the least and largest value of `X`, for bytes 0 and 255.
        ax : matplotlib Axes, optional
        """
        drawn, rows = np.asarray(samples)[:n_images], np.asarray(X)
        shape = drawn.shape[1:] if image_shape is None else image_shape
        index, distance = nearest_rows(drawn, rows)
        return cls(
            samples=_shaped(drawn, shape),
            neighbors=_shaped(rows[index], shape),
            index=index,
            distance=distance,
            value_range=seen_range(rows, low, high),
        ).plot(ax)


def _shaped(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if not is_image(shape) or math.prod(shape) != math.prod(rows.shape[1:]):
        raise InputError(f"rows of shape {rows.shape[1:]} are not images of shape {shape}; give image_shape")
    return rows.reshape(len(rows), *shape)
