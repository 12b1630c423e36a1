"""Does a map lead back? Errors of the way from data to codes and back, and from codes to data and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.manifold.quality.inputs import matrix

__all__ = ["reconstruction_error_rows", "round_trip_error_rows"]

Array = NDArray[np.float64]


def reconstruction_error_rows(X: ArrayLike, reconstruct: ArrayLike | Callable[[Any], ArrayLike]) -> Array:
    """Return, for each row, the squared error of its reconstruction, summed over columns.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers. The axes of an image count as columns.
    reconstruct : array-like of the shape of X, or callable
        Reconstructions, or what gives them: ``model.reconstruct``.

    Returns
    -------
    ndarray of shape (n_rows,)
        In squared units of the data.

    Examples
    --------
    >>> reconstruction_error_rows([[3.0, 4.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]])
    array([25.,  0.])
    """
    rows = matrix(X, "X")
    again = matrix(reconstruct(X) if callable(reconstruct) else reconstruct, "the reconstruction")
    _same_shape(rows, again, "X", "the reconstruction")
    return np.square(rows - again).sum(axis=1)


def round_trip_error_rows(
    Z: ArrayLike,
    inverse_transform: ArrayLike | Callable[[Any], Any],
    transform: Callable[[Any], ArrayLike] | None = None,
) -> Array:
    """Return, for each code, how far from it lies the code of what it decodes to, in the spread of codes.

    norm(transform(inverse_transform(z)) - z) / s, where s is the root mean square distance of codes from
    their mean. Where this is large, a place of the map shows rows that the map itself puts elsewhere.

    Parameters
    ----------
    Z : array-like of shape (n_rows, n_components)
        At least two different codes.
    inverse_transform : callable, or array-like of the shape of Z
        ``model.inverse_transform``; or codes that have made the round trip.
    transform : callable, default=None
        ``model.transform``; only with a callable `inverse_transform`.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 is the best; 1 is as far as codes are from their mean.

    Examples
    --------
    >>> round_trip_error_rows([[-1.0], [1.0]], lambda z: 2 * np.asarray(z), lambda x: x / 4)
    array([0.5, 0.5])
    """
    if callable(inverse_transform) != callable(transform):
        raise InputError(
            "give both inverse_transform and transform as functions, or codes that made the trip"
        )
    codes = matrix(Z, "Z")
    if transform is not None and callable(inverse_transform):
        inverse_transform = transform(inverse_transform(Z))
    again = matrix(inverse_transform, "the codes of the round trip")
    _same_shape(codes, again, "Z", "the codes of the round trip")
    spread = float(np.sqrt(np.square(codes - codes.mean(axis=0)).sum(axis=1).mean()))
    if not np.ptp(codes, axis=0).any():
        raise InputError("all codes are equal, so that distances have no scale; give different codes")
    return np.linalg.norm(again - codes, axis=1) / spread


def _same_shape(a: Array, b: Array, a_name: str, b_name: str) -> None:
    if a.shape != b.shape:
        raise InputError(f"{a_name} has the shape {a.shape}, {b_name} {b.shape}; they must agree")
