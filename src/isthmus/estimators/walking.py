"""Walks through the space of codes: on the way from row to row, along one component, over a grid of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from isthmus.errors import InputError, did_you_mean
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.ends import end_code, one_row, own_condition, told_between, whole
from isthmus.estimators.latents import prior_quantiles, project
from isthmus.manifold import paths

__all__ = ["Walking", "whole"]

PATHS = ("straight", "spherical", "graph", "geodesic")


@dataclass(eq=False, repr=False, kw_only=True)
class Walking(BaseAutoencoder):
    """Methods that decode codes chosen in advance; not to be used by itself."""

    def interpolate(
        self, a: Any, b: Any, n: int = 10, *, path: str = "spherical", through: Any = None
    ) -> Any:
        """Return the data on the way from one row to another.

        Parameters
        ----------
        a, b : one row each
            As in `fit`: a frame or array of one row, or the row itself.
        n : int, default=10
            How many steps, the two ends among them; at least 2.
        path : {"spherical", "straight", "graph", "geodesic"}, default="spherical"
            "straight": codes on the line. "spherical": codes on the arc, whose lengths change evenly, as
            typical codes of a normal prior do (White 2016). "graph": along the codes of rows of data, by the
            shortest way from neighbour to neighbour. "geodesic": as the method `geodesic`.
        through : rows as in `fit`, optional
            For "graph": the rows to go along. For "geodesic": where to begin the search too.

        Returns
        -------
        ndarray or frame of n rows
        """
        return self._interpolate(a, b, n, path, through, None)

    def _interpolate(self, a: Any, b: Any, n: int, path: str, through: Any, condition: Any) -> Any:
        if path not in PATHS:
            raise InputError(f'path="{path}": choose from {", ".join(PATHS)}.{did_you_mean(path, PATHS)}')
        if path == "graph" and through is None:
            raise InputError('path="graph" goes along rows of data; give them as through=...')
        if path == "geodesic":
            return self._geodesic(a, b, n, through, condition)
        n, rows = whole("n", n, 2), [one_row(self, row) for row in (a, b)]
        start, end = (end_code(self, row, condition) for row in rows)
        if path == "graph":
            known = self._transform(through, own_condition(self, through, condition))
            codes = paths.along_graph(start, end, n, known)
        else:
            codes = getattr(paths, path)(start, end, n)
        return self._decode(project(self.model_, codes), told_between(self, rows, condition))

    def traverse(self, row: Any, dim: int, n: int = 10) -> Any:
        """Return the data that comes out when one component of a row's code takes the prior's quantiles.

        Parameters
        ----------
        row : one row, as for `interpolate`
        dim : int
            The component, from 0.
        n : int, default=10
            How many quantiles, the middles of n equally likely parts.

        Returns
        -------
        ndarray or frame of n rows
        """
        return self._traverse(row, dim, n, None)

    def _traverse(self, row: Any, dim: int, n: int, condition: Any) -> Any:
        n, row = whole("n", n), one_row(self, row)
        dim = self._dim(dim)
        codes = np.repeat(self._transform(row, own_condition(self, row, condition)), n, axis=0)
        codes[:, dim] = prior_quantiles(self.model_, n)[:, dim]
        return self._decode(project(self.model_, codes), told_between(self, [row], condition))

    def manifold_grid(self, n: int = 20, *, dims: Sequence[int] = (0, 1)) -> Any:
        """Return the data of an n x n grid of codes at the prior's quantiles.

        Parameters
        ----------
        n : int, default=20
        dims : two int, default=(0, 1)
            The components that vary, down and across; the others are at the prior's median.

        Returns
        -------
        ndarray or frame of n * n rows
            Line by line.
        """
        return self._manifold_grid(n, dims, None)

    def _manifold_grid(self, n: int, dims: Sequence[int], condition: Any) -> Any:
        check_is_fitted(self)
        if len(dims) != 2 or dims[0] == dims[1]:
            raise InputError(f"dims={dims!r}: give two different components, as in (0, 1)")
        down, across = (self._dim(dim) for dim in dims)
        quantiles = prior_quantiles(self.model_, whole("n", n))
        codes = np.repeat(np.median(quantiles, axis=0, keepdims=True), n * n, axis=0)
        codes[:, down] = np.repeat(quantiles[::-1, down], n)
        codes[:, across] = np.tile(quantiles[:, across], n)
        return self._decode(project(self.model_, codes), condition)

    def _dim(self, dim: int) -> int:
        if not isinstance(dim, int | np.integer) or not 0 <= dim < self.n_components_:
            raise InputError(
                f"dim={dim!r}: give the number of a component, from 0 to {self.n_components_ - 1}"
            )
        return int(dim)
