"""What all pictures of images share: how values become colours, and titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.plots.style import OTHER_COLOR, as_text

__all__ = ["TEXT_SHARE", "Titles", "rgba", "schema_range", "seen_range", "titles_of"]

FloatArray = NDArray[np.float64]
Titles = Sequence[object]
# The room that a line of text needs between rows of images, as a share of the picture's width.
TEXT_SHARE = 0.06


def rgba(image: NDArray[Any], value_range: tuple[float, float]) -> FloatArray:
    """Return an image's colours, of shape (height, width, 4) from 0 to 1; NaN is orange: not observed."""
    low, high = value_range
    scaled = np.clip((image - low) / (high - low if high > low else 1.0), 0, 1)
    channels = scaled if scaled.ndim == 3 else scaled[..., None]
    colors = np.ones((*image.shape[:2], 4))
    colors[..., : max(3, channels.shape[-1])] = channels  # one channel is repeated
    colors[np.isnan(colors).any(axis=-1)] = to_rgba(OTHER_COLOR)
    return colors


def schema_range(schema: Schema) -> tuple[float, float]:
    """Return what is black and white: the range of pixels, else that of the training data."""
    seen = [column for column in schema.modelled if column.kind == "pixel"]
    if seen:
        return seen[0].bounds
    values = schema.modelled
    return min(column.low for column in values), max(column.high for column in values)


def seen_range(
    images: NDArray[Any], low: float | None = None, high: float | None = None
) -> tuple[float, float]:
    """Return what is black and white where no schema tells: what is given, else the range of the values.

    Bytes begin at 0 and end at 255, truth values at 0 and 1, whichever of them occur.
    """
    if images.dtype.kind == "b" or images.dtype == np.uint8:
        ends = (0.0, 1.0 if images.dtype.kind == "b" else 255.0)
    else:
        finite = images[np.isfinite(images)]
        ends = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return ends[0] if low is None else low, ends[1] if high is None else high


def titles_of(titles: Titles | None, n: int, name: str) -> list[str]:
    """Return `n` titles as text, or none at all."""
    texts = [as_text(title) for title in (() if titles is None else titles)]
    if titles is not None and len(texts) != n:
        raise InputError(f"there are {len(texts)} {name}; give {n}")
    return texts
