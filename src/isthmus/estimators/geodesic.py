"""The shortest ways along what a decoder makes of codes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isthmus.errors import InputError
from isthmus.estimators.applying import Applying
from isthmus.estimators.conditions import known_rows
from isthmus.estimators.ends import end_code, one_row, own_condition, told_between, whole
from isthmus.estimators.latents import project
from isthmus.manifold.geodesics import Geodesic, Linearise, geodesic
from isthmus.manifold.paths import along_graph
from isthmus.model import Model
from isthmus.parts.posteriors.base import DiscreteCode

__all__ = ["Geodesics"]

Array = NDArray[np.float64]
# Steps of the way through data that the search begins at.
N_GRAPH = 100


class Geodesics(Applying):
    """The methods about the shortest ways between rows; a mixin of `BaseAutoencoder`."""

    def geodesic(self, a: Any, b: Any, n: int = 10, *, through: Any = None) -> Any:
        """Return the data on the shortest way along decoded data from one row to another.

        The way's length is that of the curve of expected rows in data space: it is a geodesic of the metric
        that the decoder pulls back to the codes (Shao et al. 2018). Of an array it is in the data's units, of
        a frame in training standard deviations; categories have no distances and do not count. Far from data
        the decoder says nothing true, and a way may lead there if it is short: `through` begins the search at
        a way along data.

        Parameters
        ----------
        a, b : one row each
            As in `fit`: a frame or array of one row, or the row itself.
        n : int, default=10
            How many rows, the two ends among them; at least 2. Their steps are equally long.
        through : rows as in `fit`, optional
            The search begins at the straight line between the codes, and with these at the way along their
            codes too (as ``interpolate(..., path="graph")``); the shorter result counts.

        Returns
        -------
        ndarray or frame of n rows
        """
        return self._geodesic(a, b, n, through, None)

    def geodesic_codes(self, a: Any, b: Any, n: int = 10, *, through: Any = None) -> Geodesic:
        """Return the codes on the way that `geodesic` goes, and its length.

        Parameters
        ----------
        a, b, n, through
            As of `geodesic`.

        Returns
        -------
        Geodesic
            `codes` of shape (n, n_components), `length`, the manifold distance of the two rows, and
            `straight_length`, that of the straight line between their codes, which is never less.
        """
        return self._geodesic_codes(a, b, n, through, None)

    def _geodesic(self, a: Any, b: Any, n: int, through: Any, condition: Any) -> Any:
        codes = self._geodesic_codes(a, b, n, through, condition).codes
        rows = [one_row(self, row) for row in (a, b)]
        return self._decode(project(self.model_, codes), told_between(self, rows, condition))

    def _geodesic_codes(self, a: Any, b: Any, n: int, through: Any, condition: Any) -> Geodesic:
        n, rows = whole("n", n, 2), [one_row(self, row) for row in (a, b)]
        numbers = _numbers(self)
        told = told_between(self, rows, condition)
        start, end = (end_code(self, row, condition) for row in rows)
        ways = []
        if through is not None:
            known = self._transform(through, own_condition(self, through, condition))
            ways.append(along_graph(start, end, N_GRAPH, known))
        return geodesic(start, end, _linearised(self.model_, numbers, _condition(self, told)), n, ways=ways)


def _numbers(model: Applying) -> Tensor:
    """Return which columns have distances; refuse codes and data that have no ways between them."""
    if isinstance(model.model_.code, DiscreteCode):
        raise InputError(
            f"codes of {type(model).__name__} are discrete: no way leads from one to another; "
            "use a model with continuous codes, such as Autoencoder or VariationalAutoencoder"
        )
    numbers = model.model_.features.numbers.cpu()
    if not len(numbers):
        raise InputError(
            "all columns are categories, and a way between categories has no length; learn from numbers too"
        )
    return numbers


def _condition(model: Applying, condition: Any) -> Tensor | None:
    """Return what the decoder is told on all of the way, of shape (1, E)."""
    rows, stage = known_rows(model, None, condition, 1), model.model_.condition
    return None if rows is None or stage is None else rows.tensor(stage).double()


def _linearised(model: Model, numbers: Tensor, told: Tensor | None) -> Linearise:
    """Return the decoder as a function of codes with its transposed Jacobian, in float64 on the CPU.

    In float32 the lengths of short steps would be noise, and the search would end early.
    """
    decoder = copy.deepcopy(model).cpu().double().eval().requires_grad_(False)
    units = torch.from_numpy(model.features.facts().unit)[numbers]

    def linearise(codes: Array) -> tuple[Array, Callable[[Array], Array]]:
        z = torch.tensor(codes, dtype=torch.float64, requires_grad=True)
        condition = None if told is None else told.expand(len(z), -1)
        outputs = decoder.decode(decoder.code.project(z), condition)
        points = decoder.density.mean(outputs)[:, numbers] * units

        def pull_back(vectors: Array) -> Array:
            return torch.autograd.grad(points, z, torch.from_numpy(vectors))[0].numpy()

        return points.detach().numpy(), pull_back

    return linearise
