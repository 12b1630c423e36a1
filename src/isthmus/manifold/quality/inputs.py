"""What is compared with what: rows of data and of codes, and the rows among which neighbours are sought."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from isthmus.errors import InputError
from isthmus.manifold.overflow import without_overflow
from isthmus.manifold.quality.order import content_order

__all__ = ["Compared", "compare", "matrix"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Compared:
    """Rows whose neighbours are sought, and the rows among which they are.

    Attributes
    ----------
    x, z : ndarray of shape (n_rows, n_features) and (n_rows, n_components)
        Data and codes.
    x_reference, z_reference : ndarray of shape (n_reference, ...)
        Sorted by content: of two that are equally near, the first is the nearer.
    own : ndarray of shape (n_rows,), or None
        Where each row itself stands in the reference, for a map of its own rows.
    by_content : ndarray of shape (n_rows,)
        Sorts the rows by content: the first of them are a random sample.
    row_index, reference_index : ndarray
        Where rows and reference rows stood in the arrays given.
    labels, labels_reference : ndarray, or None
        Labels as integers.
    """

    x: Array
    z: Array
    x_reference: Array
    z_reference: Array
    own: Index | None
    by_content: Index
    row_index: Index
    reference_index: Index
    labels: Index | None
    labels_reference: Index | None

    @property
    def n_candidates(self) -> int:
        """How many rows can be a row's neighbour: the reference without the row itself."""
        return len(self.x_reference) - (self.own is not None)


def compare(
    X: ArrayLike,
    Z: ArrayLike,
    X_reference: ArrayLike | None,
    Z_reference: ArrayLike | None,
    labels: ArrayLike | None,
    labels_reference: ArrayLike | None,
    max_rows: int,
    random_state: int | np.random.RandomState | None,
) -> Compared:
    """Check all arrays; of more than `max_rows` rows draw that many."""
    if max_rows < 2:
        raise InputError(f"max_rows is {max_rows}; give a number of at least 2")
    if (X_reference is None) != (Z_reference is None):
        raise InputError("only one of X_reference and Z_reference is given; give both, or none")
    x, z = _pair(X, Z, "X", "Z")
    held_out = X_reference is not None and Z_reference is not None
    xr, zr = _pair(X_reference, Z_reference, "X_reference", "Z_reference") if held_out else (x, z)
    _same_columns(x, xr, "X")
    _same_columns(z, zr, "Z")
    own_labels, reference_labels = _coded(labels, labels_reference, len(x), len(xr), held_out)
    seed = int(check_random_state(random_state).randint(2**31))
    x, xr = without_overflow(x, xr)
    z, zr = without_overflow(z, zr)
    by_content = content_order(x, z, _or_zeros(own_labels, len(x)), seed)
    place = np.argsort(by_content)
    if held_out:
        order, own = content_order(xr, zr, _or_zeros(reference_labels, len(xr)), seed), None
    else:
        order, own = by_content, place
    chosen = np.sort(by_content[:max_rows])
    return Compared(
        x=x[chosen],
        z=z[chosen],
        x_reference=xr[order],
        z_reference=zr[order],
        own=None if own is None else own[chosen],
        by_content=np.argsort(place[chosen]),
        row_index=chosen,
        reference_index=order,
        labels=None if own_labels is None else own_labels[chosen],
        labels_reference=None if reference_labels is None else reference_labels[order],
    )


def matrix(array: Any, name: str) -> Array:
    """Return rows as a matrix of finite float64 numbers; the axes of an image count as columns."""
    array = np.asarray(array)
    if array.ndim < 2 or not len(array) or not math.prod(array.shape[1:]):
        raise InputError(f"{name} has shape {array.shape}; give at least one row of at least one column")
    rows = array.reshape(len(array), -1).astype(np.float64, copy=False)
    if not np.isfinite(rows).all():
        raise InputError(f"{name} has NaN or infinity; fill in missing values or leave those rows out")
    return rows


def _pair(X: Any, Z: Any, x_name: str, z_name: str) -> tuple[Array, Array]:
    x, z = matrix(X, x_name), matrix(Z, z_name)
    if len(x) != len(z):
        raise InputError(
            f"{x_name} has {len(x)} rows, {z_name} {len(z)}; give each row's code, in the same order"
        )
    return x, z


def _same_columns(rows: Array, reference: Array, name: str) -> None:
    if rows.shape[1] != reference.shape[1]:
        raise InputError(
            f"{name} has {rows.shape[1]} columns, {name}_reference {reference.shape[1]}; "
            "give both in the same shape"
        )


def _coded(labels: Any, reference: Any, n: int, n_reference: int, held_out: bool) -> tuple[Any, Any]:
    """Return labels as integers, the same integer for the same label in both arrays."""
    if labels is None:
        if reference is not None:
            raise InputError("labels_reference is given without labels; give the labels of the rows too")
        return None, None
    own = _checked_labels(labels, n, "labels")
    if not held_out:
        if reference is not None:
            raise InputError(
                "labels_reference is given without X_reference; leave it out, or give those rows"
            )
        codes = np.unique(own, return_inverse=True)[1]
        return codes, codes
    if reference is None:
        raise InputError(
            "labels are given without labels_reference; give the labels of the reference rows too"
        )
    other = _checked_labels(reference, n_reference, "labels_reference")
    codes = np.unique(np.concatenate([own, other]), return_inverse=True)[1]
    return codes[:n], codes[n:]


def _checked_labels(labels: Any, n: int, name: str) -> NDArray[Any]:
    array = np.asarray(labels)
    if array.shape != (n,):
        raise InputError(f"{name} has shape {array.shape}; give one label a row, in the shape ({n},)")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError(f"{name} has NaN; leave those rows out")
    return array.astype(str) if array.dtype == object else array


def _or_zeros(labels: Index | None, n: int) -> Index:
    return np.zeros(n, dtype=np.intp) if labels is None else labels
