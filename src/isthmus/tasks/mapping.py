"""One method fitted to rows, and its map measured."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import InputError
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.importance import gives_density
from isthmus.manifold.quality import MapQuality, map_quality, mean_figure, reconstruction_error_rows
from isthmus.tasks.comparison import MethodMap
from isthmus.tasks.map_rows import MapRows, are_classes
from isthmus.tasks.measuring import Measured, measured, seeded
from isthmus.tasks.methods import Method

__all__ = ["FAILURES", "draw_map"]

# What goes wrong in a method on some data; the others go on.
FAILURES = (ValueError, RuntimeError, ArithmeticError, MemoryError)


def draw_map(method: Method, rows: MapRows, n_components: int, sizes: list[int], seed: int) -> MethodMap:
    """Fit a method to the training rows, and measure its map on the held-out rows if it can map them."""
    learned, new = (
        part.reshape(len(part), *rows.shape) if method.takes_images else part
        for part in (rows.training, rows.held_out)
    )
    labels = (_classes(rows, n_components),) if method.takes_labels else ()
    with seeded(seed), warnings.catch_warnings():
        # A column that is constant in the training rows alone; its error is counted with the others.
        warnings.filterwarnings("ignore", "constant column")
        warnings.filterwarnings("ignore", "Variables are collinear")  # pixels are, and LDA copes
        # Libraries are imported here, outside of what is measured.
        estimator = method.make(n_components, len(rows.training), seed)
        fit = measured(lambda: _fitted(estimator, learned, *labels))
        model, training = fit.value
        mapped = measured(lambda: _codes(model.transform(new))) if method.can_transform else None
        back = None if mapped is None else _inverted(method, model, mapped.value)
    held_out = None if mapped is None else mapped.value
    return MethodMap(
        method,
        training,
        held_out,
        _quality(rows, training, held_out, sizes, seed),
        None if back is None else mean_figure(reconstruction_error_rows(rows.held_out, back.value)),
        fit.seconds,
        None if mapped is None else mapped.seconds,
        None if back is None else back.seconds,
        fit.peak_bytes,
        method.has_density or (isinstance(model, BaseAutoencoder) and gives_density(model.model_)),
    )


def _inverted(method: Method, model: Any, codes: Any) -> Measured[Any] | None:
    """Return what the method makes of codes, or None where it cannot."""
    if not method.can_invert:
        return None
    try:
        return measured(lambda: np.asarray(model.inverse_transform(codes)))
    except FAILURES as error:
        told = f"{method.title}: codes of held-out rows could not be turned into rows: {error}"
        warnings.warn(told, UserWarning, stacklevel=2)
        return None


def _classes(rows: MapRows, n_components: int) -> NDArray[np.intp]:
    """Return each training row's class as a number."""
    if rows.labels is None or not are_classes(rows.labels):
        raise InputError(
            "it learns from classes; give labels that are: text, truth values or few whole numbers"
        )
    names, classes = np.unique(rows.labels.astype(str), return_inverse=True)
    if len(names) <= n_components:
        raise InputError(
            f"{len(names)} classes have {len(names) - 1} axes; {n_components} components take "
            f"{n_components + 1} classes"
        )
    return classes


def _fitted(estimator: Any, rows: NDArray[Any], *labels: NDArray[Any]) -> tuple[Any, NDArray[np.float64]]:
    model = estimator.fit(rows, *labels)
    return model, _codes(model.embedding_ if hasattr(model, "embedding_") else model.transform(rows))


def _codes(codes: Any) -> NDArray[np.float64]:
    found = np.array(codes, dtype=np.float64)
    if not np.isfinite(found).all():
        raise InputError("the codes are not all finite numbers")
    return found


def _quality(
    rows: MapRows,
    training: NDArray[np.float64],
    held_out: NDArray[np.float64] | None,
    n_neighbors: Sequence[int],
    seed: int,
) -> MapQuality:
    """Measure a map: on the held-out rows among the training rows, or without their codes on the latter."""
    classes = are_classes(rows.labels) and (held_out is None or are_classes(rows.held_out_labels))
    own = rows.labels if classes else None
    if held_out is None:
        return map_quality(rows.training, training, labels=own, n_neighbors=n_neighbors, random_state=seed)
    return map_quality(
        rows.held_out,
        held_out,
        X_reference=rows.training,
        Z_reference=training,
        labels=rows.held_out_labels if classes else None,
        labels_reference=own,
        n_neighbors=n_neighbors,
        random_state=seed,
    )
