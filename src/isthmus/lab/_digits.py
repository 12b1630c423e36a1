"""Scikit-learn's digits, in two parts, for the claims that hold rows back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from isthmus.plots.style import FAINT

__all__ = ["SIDE", "WHITE", "Digits", "image_strip", "show_image", "split_digits"]

Array = NDArray[np.float64]

# Images are SIDE x SIDE, with grey values from 0 to WHITE.
SIDE, WHITE = 8, 16


@dataclass(frozen=True)
class Digits:
    """Rows to learn from and rows held back, of shape (n, 64), with their labels."""

    train: Array
    test: Array
    train_labels: NDArray[np.int64]
    test_labels: NDArray[np.int64]


def split_digits() -> Digits:
    """Return 1,200 rows to learn from and 597 held back.

    The seed is one by which no pixel varies in the held-out rows alone: those a model would warn about.
    """
    X, y = load_digits(return_X_y=True)
    return Digits(*train_test_split(X, y, train_size=1200, random_state=0))


def image_strip(images: Array, gap: int = 1) -> Array:
    """Return images of shape (n, h, w) side by side, of shape (h, n * (w + gap) - gap), gaps NaN."""
    framed = np.pad(images, ((0, 0), (0, 0), (0, gap)), constant_values=np.nan)
    return np.concatenate(list(framed), axis=1)[:, :-gap]


def show_image(
    axes: Axes, image: Array, *, cmap: str = "gray_r", low: float = 0, high: float = WHITE
) -> None:
    """Draw an image without ticks, in a faint frame."""
    axes.imshow(image, cmap=cmap, vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_color(FAINT)
