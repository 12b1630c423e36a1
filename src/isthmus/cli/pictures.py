"""Pictures (.png) of images that a model makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isthmus.plots import ImageGridDisplay, new_axes
from isthmus.plots.images import rgba, schema_range
from isthmus.store import open_output

if TYPE_CHECKING:
    from isthmus.data.schema import Schema

__all__ = ["draw_grid", "draw_nearest"]

# Inches; letters are as large as in all our pictures.
WIDTH, HIGHEST = 6.4, 12.0
MOST_ACROSS = 10


def draw_grid(path: Path, images: NDArray[Any], schema: Schema, *, overwrite: bool, **how: Any) -> None:
    """Draw images, black and white as the schema says.

    Parameters
    ----------
    path : Path
    images : ndarray of shape (n, height, width[, channels])
    schema : Schema
    overwrite : bool
    **how
        As `ImageGridDisplay.from_images` takes it.
    """
    low, high = schema_range(schema)
    _draw(path, images, overwrite, {"low": low, "high": high} | how)


def draw_nearest(
    path: Path,
    samples: NDArray[Any],
    rows: NDArray[Any],
    distance: Sequence[float],
    schema: Schema,
    *,
    overwrite: bool,
) -> None:
    """Draw samples above the rows nearest to them, with the distances below."""
    across = min(len(samples), MOST_ACROSS)
    pieces, captions = list[NDArray[np.float64]](), list[str]()
    for start in range(0, len(samples), across):
        some = slice(start, start + across)
        pieces += [_line(samples[some], across, schema), _line(rows[some], across, schema)]
        told = [f"{value:.3g}" for value in distance[some]]
        captions += [""] * across + told + [""] * (across - len(told))
    how = {
        "n_columns": across,
        "row_titles": ["sample", "nearest row"] * (len(pieces) // 2),
        "captions": captions,
        "note": "Euclidean distance, in units of the data",
    }
    _draw(path, np.concatenate(pieces), overwrite, {"low": 0.0, "high": 1.0} | how)


def _line(images: NDArray[Any], across: int, schema: Schema) -> NDArray[np.float64]:
    """Return images as colours, with clear ones to fill a line."""
    colors = np.zeros((across, *images.shape[1:3], 4))
    for place, image in zip(colors, images, strict=False):
        place[:] = rgba(image.astype(np.float64), schema_range(schema))
    return colors


def _draw(path: Path, images: NDArray[Any], overwrite: bool, how: dict[str, Any]) -> None:
    with open_output(path, overwrite=overwrite) as file:
        display = ImageGridDisplay.from_images(images, ax=new_axes(WIDTH, WIDTH), **how)
        height, width = display.image_.get_size()
        # Room for titles and notes; what of it is empty is cut off.
        display.figure_.set_size_inches(WIDTH, min(WIDTH * height / width + 0.6, HIGHEST))
        display.figure_.savefig(file, format="png", dpi=200, bbox_inches="tight")
