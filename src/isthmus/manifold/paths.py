"""Ways from one code to another: straight, along the sphere, or through the codes of data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import InputError
from isthmus.manifold.graph import shortest_way

__all__ = ["along_graph", "resampled", "spherical", "straight"]

Array = NDArray[np.float64]
Path = NDArray[np.floating[Any]]
# Two directions whose angle is this near to 0 differ from the straight line by less than float32 can tell;
# this near to half a turn, rounding decides which way around the sphere is the shorter.
SMALL_ANGLE = 1e-4


def straight(a: ArrayLike, b: ArrayLike, n: int) -> Path:
    """Walk from `a` to `b` on the straight line, in equal steps.

    Parameters
    ----------
    a, b : array-like of shape (D,)
        Finite codes.
    n : int
        Points, both ends included: 2 or more.

    Returns
    -------
    ndarray of shape (n, D)
        Of `a`'s and `b`'s common precision, float32 or float64. The first row is `a`, the last is `b`.

    Examples
    --------
    >>> straight([0.0, 0.0], [2.0, 4.0], 3)
    array([[0., 0.],
           [1., 2.],
           [2., 4.]])
    """
    start, end, kind = _ends(a, b, n)
    return _finished(_line(start, end, n), start, end, kind)


def spherical(a: ArrayLike, b: ArrayLike, n: int) -> Path:
    """Walk from `a` to `b` along a great circle: the direction turns evenly, the length changes evenly.

    Draws from a normal distribution of many dimensions lie near a sphere, and the straight line between two
    of them passes closer to its middle than any draw. Where no great circle is the shortest, the path is the
    straight one: if `a` or `b` is 0, if both point the same way (it is the same path), or if they point
    opposite ways, to within 1e-4 radians, where every great circle through them is as short.

    Parameters
    ----------
    a, b : array-like of shape (D,)
        Finite codes.
    n : int
        Points, both ends included: 2 or more.

    Returns
    -------
    ndarray of shape (n, D)
        As of `straight`.

    References
    ----------
    K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985; T. White, "Sampling generative
    networks", arXiv:1609.04468 (2016).

    Examples
    --------
    >>> spherical([1.0, 0.0], [0.0, 1.0], 3).round(3)
    array([[1.   , 0.   ],
           [0.707, 0.707],
           [0.   , 1.   ]])
    """
    start, end, kind = _ends(a, b, n)
    path = _arc(start, end, n)
    return _finished(_line(start, end, n) if path is None else path, start, end, kind)


def along_graph(a: ArrayLike, b: ArrayLike, n: int, codes: ArrayLike, n_neighbors: int = 10) -> Path:
    """Walk from `a` to `b` where codes are: the shortest path from neighbour to neighbour.

    `a` and `b` join the codes; each is tied to its nearest neighbours, and groups of codes that hang
    together nowhere are tied where they are nearest.

    Parameters
    ----------
    a, b : array-like of shape (D,)
        Finite codes.
    n : int
        Points, both ends included: 2 or more.
    codes : array-like of shape (n_codes, D)
        Finite. A few thousand are enough: the way is found in about a second.
    n_neighbors : int, default=10
        Fewer keep closer to the codes, more cut corners.

    Returns
    -------
    ndarray of shape (n, D)
        As of `straight`. All steps are equally long, measured along the path.

    References
    ----------
    J. B. Tenenbaum, V. de Silva and J. C. Langford, "A global geometric framework for nonlinear
    dimensionality reduction", Science 290 (2000).

    Examples
    --------
    >>> corner = [[0.0, 1.0], [0.0, 2.0], [1.0, 2.0]]
    >>> along_graph([0.0, 0.0], [2.0, 2.0], 5, corner, n_neighbors=1)
    array([[0., 0.],
           [0., 1.],
           [0., 2.],
           [1., 2.],
           [2., 2.]])
    """
    start, end, kind = _ends(a, b, n)
    if n_neighbors < 1:
        raise InputError(f"n_neighbors is {n_neighbors}; give 1 or more")
    known = _codes(codes, len(start))
    # Each different code once: copies would be each other's only neighbours.
    nodes, place = np.unique(np.vstack([start, end, known]), axis=0, return_inverse=True)
    first, last = (int(i) for i in np.ravel(place)[:2])
    way = shortest_way(nodes, first, last, n_neighbors)
    return _finished(resampled(nodes[way], n), start, end, kind)


def _ends(a: ArrayLike, b: ArrayLike, n: int) -> tuple[Array, Array, np.dtype[Any]]:
    """Return both ends in float64, and the type of the answer."""
    if n < 2:
        raise InputError(f"a path of {n} points was asked for; give 2 or more: it has two ends")
    first, last = np.asarray(a), np.asarray(b)
    if first.ndim != 1 or first.shape != last.shape:
        raise InputError(
            f"a path leads from one code to another of its shape (D,), not {first.shape} to {last.shape}"
        )
    single = first.dtype == last.dtype == np.float32
    ends = first.astype(np.float64), last.astype(np.float64)
    if not np.isfinite(ends).all():
        raise InputError("a path cannot begin or end at NaN or infinity; encode rows without missing values")
    return *ends, np.dtype(np.float32 if single else np.float64)


def _codes(codes: ArrayLike, width: int) -> Array:
    known = np.asarray(codes, dtype=np.float64)
    if known.ndim != 2 or known.shape[1] != width:
        raise InputError(f"codes have shape {known.shape}; give one of shape (n_codes, {width})")
    if not np.isfinite(known).all():
        raise InputError("codes hold NaN or infinity; leave those rows out")
    return known


def _finished(path: Array, start: Array, end: Array, kind: np.dtype[Any]) -> Path:
    """Put both ends where they are, whatever was rounded."""
    path[0], path[-1] = start, end
    return path.astype(kind)


def _line(start: Array, end: Array, n: int) -> Array:
    t = np.linspace(0, 1, n)[:, None]
    return (1 - t) * start + t * end


def _arc(start: Array, end: Array, n: int) -> Array | None:
    """Return the path along the great circle, or None where there is none or more than one."""
    sizes = np.linalg.norm(start), np.linalg.norm(end)
    if not min(sizes):
        return None
    u, v = start / sizes[0], end / sizes[1]
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))  # exact near 0 and half a turn too
    if not SMALL_ANGLE < angle < np.pi - SMALL_ANGLE:
        return None
    t = np.linspace(0, 1, n)[:, None]
    directions = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
    return directions * ((1 - t) * sizes[0] + t * sizes[1])


def resampled(corners: Array, n: int, points: Array | None = None) -> Array:
    """Return `n` codes in equal steps along the polyline through `corners`.

    Parameters
    ----------
    corners : ndarray of shape (m, D)
    n : int
    points : ndarray of shape (m, d), optional
        What the corners stand for; steps are then equal along the polyline through these. Where that has no
        length, they are equal along `corners`.

    Returns
    -------
    ndarray of shape (n, D)
    """
    walked = _walked(corners if points is None else points)
    if not walked[-1]:
        walked = _walked(corners)
    at = np.linspace(0, walked[-1], n)
    return np.stack([np.interp(at, walked, column) for column in corners.T], axis=1)


def _walked(corners: Array) -> Array:
    """Return the length of the way to each corner, from the first on."""
    steps = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])
