"""Images above what the model makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from isthmus.data.encoding import decode
from isthmus.data.schema import Schema, is_image
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators.preparing import value_blocks
from isthmus.parts.registry import to_string
from isthmus.plots.images import TEXT_SHARE, rgba, schema_range
from isthmus.plots.rows import open_rows
from isthmus.plots.style import STYLE, literal, own_axes

__all__ = ["ReconstructionDisplay"]

FloatArray = NDArray[np.float64]


class ReconstructionDisplay:
    """Originals above their reconstructions, grey or in colour.

    Parameters
    ----------
    rows : mapping of str to array of shape (n, height, width) or (n, height, width, channels)
        Rows of images, from the top, by what is said of them. NaN is drawn in orange: not observed.
    value_range : tuple of two floats
        What is black and what is white.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    image_ : AxesImage
        After `plot`.
    """

    ax_: Axes
    figure_: Figure
    image_: AxesImage

    def __init__(self, *, rows: Mapping[str, ArrayLike], value_range: tuple[float, float]) -> None:
        self.rows = {name: np.asarray(images, dtype=np.float64) for name, images in rows.items()}
        self.value_range = value_range
        shapes = {images.shape for images in self.rows.values()}
        shape = shapes.pop() if len(shapes) == 1 else ()
        if not shape or not is_image(shape[1:]):
            raise InputError(
                "images cannot be drawn: give arrays of one shape, (n, height, width[, 1, 3 or 4])"
            )

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        condition: Any = None,
        n_images: int = 8,
        image_shape: tuple[int, ...] | None = None,
        pca_rows: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Draw the first images of `X`.

        A model that learned from corrupted rows is shown corrupted ones here too, in a row of their own.

        Parameters
        ----------
        model : fitted estimator
        X : rows as in `fit`
        condition : frame, Source, or array-like of shape (n,) or (n, k), optional
            What a conditional model is told of each row, where columns of `X` do not say it, or one row for
            all; an InputError for models that were fitted without one.
        n_images : int, default=8
        image_shape : tuple, optional
            The shape of one image, where the model was fitted on flat rows.
        pca_rows : array-like, optional
            Rows that PCA with as many components learns from, for a last row of images.
        ax : matplotlib Axes, optional
        """
        check_is_fitted(model)
        shape = _image_shape(model.schema_, image_shape)
        given = open_rows(model, X, condition)
        first = np.arange(min(n_images, len(given)))
        originals = np.asarray(given.take(first))
        rows: dict[str, Any] = {"original": originals}
        seen, of = originals, ""
        corruption = model.architecture_.corruption
        if corruption is not None:
            seen, of = _corrupted(model, originals), ", from the corrupted"
            rows[f"corrupted, {to_string(corruption)}"] = seen
        rows[f"reconstructed{of}"] = model.reconstruct(seen, **given.told(first))
        if pca_rows is not None:
            rows |= _by_pca(seen, np.asarray(pca_rows), model.n_components_, of)
        images = {name: np.reshape(values, (len(originals), *shape)) for name, values in rows.items()}
        return cls(rows=images, value_range=schema_range(model.schema_)).plot(ax)

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw on `ax`, or on new axes."""
        mosaic, tops, above = self._mosaic()
        with matplotlib.rc_context(STYLE):
            self.ax_ = ax = own_axes(ax, height=min(4.4 * mosaic.shape[0] / mosaic.shape[1], 8.0))
            self.figure_ = ax.figure  # type: ignore[assignment]
            self.image_ = ax.imshow(mosaic, interpolation="none", aspect="equal")
            texts = [
                ax.text(-0.5, top - 0.5 - 0.25 * above, name, ha="left", va="bottom")
                for name, top in zip(self.rows, tops, strict=True)
            ]
            literal(texts)
            ax.set_axis_off()
        return self

    def _mosaic(self) -> tuple[FloatArray, list[int], int]:
        """Return the picture, RGBA with clear gaps, the top of each row of images and the room above it."""
        n, height, width = next(iter(self.rows.values())).shape[:3]
        gap = max(1, round(0.08 * width))
        total = n * (width + gap) - gap
        above = max(1, math.ceil(TEXT_SHARE * total))
        tops = [above + i * (height + above) for i in range(len(self.rows))]
        mosaic = np.zeros((tops[-1] + height, total, 4))
        for top, images in zip(tops, self.rows.values(), strict=True):
            for j, image in enumerate(images):
                left = j * (width + gap)
                mosaic[top : top + height, left : left + width] = rgba(image, self.value_range)
        return mosaic, tops, above


def _image_shape(schema: Schema, given: tuple[int, ...] | None) -> tuple[int, ...]:
    shape = schema.shape if given is None else given
    if not is_image(shape) or math.prod(shape) != len(schema.columns) or schema.container != "array":
        raise InputError(
            f"rows of shape {schema.shape} are not images of shape {shape}; "
            "for flat rows of an array give image_shape=(height, width) or (height, width, channels)"
        )
    return shape


@torch.no_grad()
def _corrupted(model: Any, originals: NDArray[Any]) -> Any:
    """Draw what the encoder sees while it learns, NaN where an entry was marked missing."""
    module = model.model_
    device = next(module.parameters()).device
    source = as_source(np.reshape(originals, (len(originals), *model.schema_.shape)))
    pieces = [
        module.corrupt(batch.rows.to(device), torch.Generator(device).manual_seed(model.seed_))
        for batch in value_blocks(source, model.schema_, module.features)
    ]
    data = torch.cat([module.features.to_data(piece.values) for piece in pieces]).cpu().numpy()
    return np.reshape(decode(model.schema_, data), originals.shape)


def _by_pca(seen: NDArray[Any], learned: NDArray[Any], k: int, of: str) -> dict[str, FloatArray]:
    """Return PCA's reconstruction, if there is one: it knows nothing of missing entries."""
    flat, rows = (np.reshape(part, (len(part), -1)).astype(np.float64) for part in (seen, learned))
    k = min(k, *rows.shape)
    if np.isnan(flat).any() or np.isnan(rows).any():
        return {}
    pca = PCA(k, random_state=0).fit(rows)
    return {f"PCA, {k} component{'s' * (k > 1)}{of}": pca.inverse_transform(pca.transform(flat))}
