"""The shortest way along decoded data, from one code to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import minimize

from isthmus.errors import InputError
from isthmus.manifold.paths import resampled, straight

__all__ = ["Geodesic", "Linearise", "geodesic"]

Array = NDArray[np.float64]
# Gives the points of shape (m, d) that codes of shape (m, D) are decoded to, and a function that multiplies
# vectors of shape (m, d), one for each point, by the transposed Jacobian there, to shape (m, D).
Linearise = Callable[[Array], tuple[Array, Callable[[Array], Array]]]

# The search moves so many codes; lengths are measured with each of their steps cut in so many.
N_KNOTS, N_CUTS = 33, 8
MAX_ITERATIONS = 300
# A way must be shorter than another by this share to be preferred to it.
SHORTER = 1e-9


@dataclass(frozen=True, eq=False)
class Geodesic:
    """The shortest way that was found between two codes.

    Attributes
    ----------
    codes : ndarray of shape (n, D)
        On the way, both ends included; the points they are decoded to are equally far apart along it.
    length : float
        Of the way through data space, in the units of the decoded points.
    straight_length : float
        The same of the straight line between the codes: never less.
    """

    codes: Array
    length: float
    straight_length: float


def geodesic(
    a: ArrayLike, b: ArrayLike, linearise: Linearise, n: int = 10, *, ways: Sequence[ArrayLike] = ()
) -> Geodesic:
    """Find a way from `a` to `b` whose decoded points make the shortest curve in data space.

    It is a geodesic of the decoder's pull-back metric. The energy, the sum of squared steps between the
    decoded points of 33 codes, is minimised over the codes between the ends (L-BFGS), from the straight line
    and from each of `ways`; the shortest of all ways is returned, the unmoved ones among them. So it is never
    longer than the straight line; that no way is shorter is not certain where the metric has hills.

    Parameters
    ----------
    a, b : array-like of shape (D,)
        Finite codes.
    linearise : callable
        From codes of shape (m, D) to what they are decoded to, of shape (m, d), and a function that takes
        vectors (m, d) to their products with the transposed Jacobian at each code, (m, D).
    n : int, default=10
        Codes to return: 2 or more. The search does not depend on it.
    ways : sequence of array-like of shape (k, D)
        Polylines from `a` to `b` to begin at too, as of `along_graph`.

    Returns
    -------
    Geodesic
        From `b` to `a` it is the same way, reversed, to the bit.

    References
    ----------
    H. Shao, A. Kumar and P. T. Fletcher, "The Riemannian geometry of deep generative models", CVPR workshops
    2018; G. Arvanitidis, L. K. Hansen and S. Hauberg, "Latent space oddity: on the curvature of deep
    generative models", ICLR 2018.

    Examples
    --------
    A decoder that puts codes on a cylinder of radius 1: unrolled, it is a plane.

    >>> def cylinder(codes):
    ...     angle, height = codes.T
    ...     points = np.stack([np.cos(angle), np.sin(angle), height], axis=1)
    ...     def pull_back(v):
    ...         return np.stack([v[:, 1] * np.cos(angle) - v[:, 0] * np.sin(angle), v[:, 2]], axis=1)
    ...     return points, pull_back
    >>> round(geodesic([0.0, 0.0], [3.0, 4.0], cylinder).length, 3)
    5.0
    """
    ends = np.stack([straight(a, b, 2)[i] for i in (0, 1)]).astype(np.float64)
    straight(a, b, n)  # refuses an n that is none
    backwards = tuple(ends[1]) < tuple(ends[0])
    turn = slice(None, None, -1 if backwards else 1)
    start, end = ends[turn]
    begun: list[Array] = [ends[turn], *(_checked(way, ends)[turn] for way in ways)]
    fine = [_measured(resampled(way, (N_KNOTS - 1) * N_CUTS + 1), linearise) for way in begun]
    if not np.isfinite(fine[0].length):
        raise InputError("the codes on the straight line are decoded to NaN or infinity; choose nearer ends")
    found = [*fine, *(_measured(_cut(_settled(way, linearise)), linearise) for way in fine if way.length > 0)]
    lengths = np.array([way.length for way in found])
    best = found[int(np.flatnonzero(lengths <= np.nanmin(lengths) * (1 + SHORTER))[0])]
    codes = resampled(best.codes, n, best.points)
    codes[0], codes[-1] = start, end
    return Geodesic(codes[turn].copy(), best.length, fine[0].length)


@dataclass(frozen=True, eq=False)
class _Way:
    """A polyline of codes, what it is decoded to, and how long that is."""

    codes: Array
    points: Array
    length: float


def _checked(way: ArrayLike, ends: Array) -> Array:
    given = np.asarray(way, dtype=np.float64)
    if given.ndim != 2 or given.shape[1:] != ends.shape[1:] or not np.array_equal(given[[0, -1]], ends):
        raise InputError(
            f"a way to begin at has shape {given.shape}; give codes of shape (k, {ends.shape[1]}), "
            "the first of which is a and the last b"
        )
    if not np.isfinite(given).all():
        raise InputError("a way to begin at holds NaN or infinity; give one of finite codes")
    return given


def _measured(codes: Array, linearise: Linearise) -> _Way:
    points = linearise(codes)[0]
    return _Way(codes, points, float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()))


def _cut(knots: Array) -> Array:
    """Cut each step into equal parts."""
    at = np.linspace(0, len(knots) - 1, (len(knots) - 1) * N_CUTS + 1)
    return np.stack([np.interp(at, np.arange(len(knots)), column) for column in knots.T], axis=1)


def _settled(way: _Way, linearise: Linearise) -> Array:
    """Move the codes between the ends until the energy is least, of shape (N_KNOTS, D)."""
    knots = resampled(way.codes, N_KNOTS, way.points)
    spread = _smoothing(N_KNOTS - 2)
    scale = N_KNOTS / way.length**2  # of the energy: about 1 at the start, whatever the units

    def energy(moves: Array) -> tuple[float, Array]:
        points, pull_back = linearise(moved(moves))
        steps = np.diff(points, axis=0)
        pull = np.zeros_like(points)
        pull[1:-1] = -2 * scale * np.diff(steps, axis=0)
        return scale * float(np.square(steps).sum()), (spread @ pull_back(pull)[1:-1]).ravel()

    def moved(moves: Array) -> Array:
        path = knots.copy()
        path[1:-1] += spread @ moves.reshape(N_KNOTS - 2, -1)
        return path

    options: Any = {"maxiter": MAX_ITERATIONS, "ftol": 1e-10, "gtol": 1e-9}
    found = minimize(energy, np.zeros(knots[1:-1].size), jac=True, method="L-BFGS-B", options=options)
    return moved(found.x)


def _smoothing(n: int) -> Array:
    """Return the inverse square root of the matrix of second differences, of shape (n, n).

    In these variables the energy of a chain of points is as well conditioned as that of a single one.
    """
    decomposed: Any = eigh_tridiagonal(np.full(n, 2.0), np.full(n - 1, -1.0))
    values, vectors = decomposed
    return (vectors / np.sqrt(values)) @ vectors.T
