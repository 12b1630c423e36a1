"""How many weights a model folder declares, at least: those that it does not hold would take memory."""

from __future__ import annotations

import math
from itertools import pairwise

from isthmus.data.schema import Schema
from isthmus.data.statistics import level_counts
from isthmus.estimators.architecture import Architecture
from isthmus.parts.posteriors import FiniteScalar, Places, VectorQuantized
from isthmus.parts.priors import Autoregressive, Flow, GaussianMixture, VampPrior
from isthmus.parts.registry import Part
from isthmus.parts.terms import Adversarial

__all__ = ["least_weights"]


def least_weights(
    architecture: Architecture, schema: Schema, condition: Schema | None = None, *, networks: bool = True
) -> int:
    """Return a number that the weights of a model are not below.

    Parameters
    ----------
    architecture : Architecture
    schema : Schema
    condition : Schema, optional
        That of the condition.
    networks : bool, default=True
        Whether encoder or decoder, of which one is counted, is of the declared kind.
    """
    n_inputs = _width(schema) + (0 if condition is None else _width(condition))
    parts = (architecture.posterior, architecture.prior, *architecture.terms)
    in_parts = sum(_of_part(part, architecture, n_inputs) for part in parts if part is not None)
    in_waves = architecture.n_waves * architecture.n_components
    return in_parts + in_waves + (_of_network(architecture, schema) if networks else 0)


def _width(schema: Schema) -> int:
    """Return how many inputs or outputs columns have at least: a number's one, and each level's."""
    return sum(max(1, n_levels) for n_levels in level_counts(schema))


def _chain(*sizes: int) -> int:
    return sum(a * b for a, b in pairwise(sizes))


def _of_network(architecture: Architecture, schema: Schema) -> int:
    sizes, n_components = architecture.hidden_sizes, architecture.n_components
    if architecture.network != "conv":
        return _chain(_width(schema), *sizes, n_components)
    sides = [math.ceil(side / 2 ** len(sizes)) for side in schema.shape[:2]]
    # Each stage has a residual block of two convolutions of 3 x 3 pixels.
    return sum(2 * 9 * n * n for n in sizes) + math.prod(sides) * sizes[-1] * n_components


def _of_part(part: Part, architecture: Architecture, n_inputs: int) -> int:
    n = architecture.n_components
    if isinstance(part, VampPrior):
        return part.n_pseudo_inputs * n_inputs
    if isinstance(part, GaussianMixture):
        return part.n_clusters * (n if part.layout == "learned" else 0)
    if isinstance(part, Flow):
        return part.n_layers * _chain(n // 2, part.width, part.width, n // 2)
    if isinstance(part, Places):
        return part.n_places * n
    if isinstance(part, VectorQuantized):
        return part.n_codes * part.size_in(n)
    if isinstance(part, Autoregressive):
        n_tokens, n_values = _tokens(architecture)
        return part.width * (2 * n_values + n_tokens + 6 * part.width)
    if isinstance(part, Adversarial):
        return _chain(n + architecture.n_labels, *part.hidden_sizes, 1)
    return 0


def _tokens(architecture: Architecture) -> tuple[int, int]:
    """Return the number of tokens and of the values that each one can have."""
    code, n = architecture.posterior, architecture.n_components
    if isinstance(code, VectorQuantized):
        return n // code.size_in(n), code.n_codes
    return n, code.levels if isinstance(code, FiniteScalar) else 0
