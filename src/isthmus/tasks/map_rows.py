"""Rows as points, for maps to be learned from and measured on: as given, or as an encoder sees tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.splitting import held_out_rows
from isthmus.errors import InputError
from isthmus.tasks.encoded import inputs, taken

__all__ = ["MapRows", "are_classes", "as_points", "split_rows"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
# Whole numbers of more different values are a measurement rather than a class.
MOST_CLASSES = 50


@dataclass(frozen=True, eq=False)
class MapRows:
    """Rows to learn a map from, and rows held out.

    Attributes
    ----------
    training, held_out : ndarray of shape (n, n_columns)
        Points.
    training_index, held_out_index : ndarray of int
        Where they stood in what was given.
    labels, held_out_labels : ndarray or None
        One value a row.
    shape : tuple of int
        Of a row as it was given, if that is an image; else ``(n_columns,)``.
    units : str
        What the numbers are.
    held_out_name : str or None
        What held-out rows that were given are called; None where they were drawn from the rows.
    """

    training: Array
    held_out: Array
    training_index: Index
    held_out_index: Index
    labels: NDArray[Any] | None
    held_out_labels: NDArray[Any] | None
    shape: tuple[int, ...]
    units: str
    held_out_name: str | None = None


def split_rows(
    X: Any,
    held_out: Any = None,
    *,
    labels: ArrayLike | None = None,
    held_out_labels: ArrayLike | None = None,
    schema: Schema | None = None,
    test_fraction: float = 0.2,
    max_rows: int = 5000,
    seed: int = 0,
) -> MapRows:
    """Split rows, or take those held out as given, and return both as points.

    Of more than `max_rows` rows as many are drawn, of each of the two where both are given.
    """
    source, given = as_source(X), None if held_out is None else as_source(held_out)
    own = _labels(labels, source, "labels")
    chosen = _draw(len(source), max_rows, seed)
    if given is None:
        if held_out_labels is not None:
            raise InputError("held_out_labels are given without held_out; give those rows, or leave them out")
        aside = held_out_rows(len(chosen), _checked_fraction(test_fraction), seed)
        training, others, other, theirs = chosen[~aside], chosen[aside], source, own
    else:
        training, others, other = chosen, _draw(len(given), max_rows, seed), given
        theirs = _labels(held_out_labels, given, "held_out_labels")
        if (own is None) != (theirs is None):
            raise InputError("labels and held_out_labels belong together; give both, or none")
    if not len(others):
        raise InputError(f"{source.name}: of {len(chosen)} rows too few would be held out; give more rows")
    schema = schema or infer_schema(source)
    if (other.kind, schema.container) != ("frame", "frame") and (other.kind, other.shape) != (
        source.kind,
        source.shape,
    ):
        raise InputError(
            f"held_out: {other.name} is {other.kind} of rows of shape {other.shape}, and {source.name} is "
            f"{source.kind} of rows of shape {source.shape}; give rows of the same shape"
        )
    points, held = as_points(schema, taken(source, training), taken(other, others))
    return MapRows(
        points,
        held,
        training,
        others,
        None if own is None else own[training],
        None if theirs is None else theirs[others],
        schema.shape if schema.holds_images else points.shape[1:],
        "units of the data" if schema.container == "array" else "training standard deviations, one-hot codes",
        None if given is None else given.name,
    )


def as_points(schema: Schema, training: Source, others: Source) -> tuple[Array, Array]:
    """Return two sets of rows as points, between which distances mean something.

    Parameters
    ----------
    schema : Schema
    training, others : Source
        Nothing is learned from the others.

    Returns
    -------
    two ndarrays of shape (n, n_columns)
        Of arrays the numbers as they are, a missing one the mean of the training rows. Of frames what an
        encoder reads: numbers in training standard deviations from the training mean, categories one-hot, a
        flag beside columns with missing entries.
    """
    if not schema.modelled:
        raise InputError(f"{training.name}: there is nothing to map, no column is one that models learn")
    if schema.container == "array":
        columns = slice(None) if schema.holds_images else schema.modelled_index
        rows, other = (_numbers(source)[:, columns] for source in (training, others))
        known = ~np.isnan(rows)
        means = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return np.where(known, rows, means), np.where(np.isnan(other), means, other)
    rows, other = inputs(schema, training, others)
    return rows.astype(np.float64), other.astype(np.float64)


def are_classes(labels: NDArray[Any] | None) -> bool:
    """Tell whether labels are classes: text, truth values or few different whole numbers, none missing."""
    if labels is None:
        return False
    if labels.dtype.kind == "O":
        missing = any(value is None or value != value for value in labels)
        return not missing and all(isinstance(value, str | bool) for value in labels)
    if labels.dtype.kind in "USb":
        return True
    if labels.dtype.kind not in "iuf" or not np.isfinite(labels).all():
        return False
    return bool((labels == np.floor(labels)).all()) and len(np.unique(labels)) <= MOST_CLASSES


def _numbers(source: Source) -> Array:
    return np.concatenate([np.asarray(b, dtype=np.float64).reshape(len(b), -1) for b in source.blocks()])


def _labels(labels: ArrayLike | None, source: Source, name: str) -> NDArray[Any] | None:
    if labels is None:
        return None
    array = np.asarray(labels)
    if array.shape != (len(source),):
        raise InputError(f"{name} has shape {array.shape}; give one label for each of {len(source)} rows")
    return array


def _checked_fraction(fraction: float) -> float:
    if not 0 < fraction < 1:
        raise InputError(f"test_fraction is {fraction}; give a number above 0 and below 1")
    return fraction


def _draw(n_rows: int, most: int, seed: int) -> Index:
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:most])
