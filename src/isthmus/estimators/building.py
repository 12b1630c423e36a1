"""From a schema and resolved choices to a torch module; used by fitting, loading and unpickling alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from isthmus.data.features import Features
from isthmus.data.schema import Column, Schema
from isthmus.data.statistics import Statistics, level_counts
from isthmus.errors import InputError
from isthmus.model import Model
from isthmus.nets.mlp import ACTIVATIONS, mlp
from isthmus.parts.corruptions import Corruption
from isthmus.parts.likelihoods import (
    Bernoulli,
    Categorical,
    Gaussian,
    Likelihood,
    NegativeBinomial,
    PerColumn,
)
from isthmus.parts.registry import parse, to_json
from isthmus.training.randomness import isolated

__all__ = [
    "Architecture",
    "ModuleFactory",
    "auto_hidden_sizes",
    "build_features",
    "build_model",
    "describe",
    "model_arrays",
    "read_architecture",
    "rebuild_model",
    "resolve_likelihood",
]

ModuleFactory = Callable[[int, int], nn.Module]

# The supports that a likelihood may have over a column of a kind; that of the default stands first.
SUPPORTS = {
    "continuous": ("real",),
    "datetime": ("real",),
    "pixel": ("real", "unit"),
    "count": ("count", "real"),
    "binary": ("unit", "real"),
    "categorical": ("category",),
}
DEFAULTS: dict[str, Likelihood] = {
    "pixel": Gaussian(scale="shared"),
    "continuous": Gaussian(scale="per_feature"),
    "datetime": Gaussian(scale="per_feature"),
    "binary": Bernoulli(),
    "categorical": Categorical(),
    "count": NegativeBinomial(),
}


@dataclass(frozen=True)
class Architecture:
    """The choices that fix a model's module, every "auto" resolved."""

    n_components: int
    hidden_sizes: tuple[int, ...]
    activation: str
    likelihood: Likelihood
    corruption: Corruption | None = None

    @property
    def linear(self) -> bool:
        return not self.hidden_sizes


def describe(architecture: Architecture) -> dict[str, Any]:
    """Return the architecture as JSON."""
    corruption = architecture.corruption
    return {
        "n_components": architecture.n_components,
        "hidden_sizes": list(architecture.hidden_sizes),
        "activation": architecture.activation,
        "likelihood": to_json(architecture.likelihood),
        "corruption": None if corruption is None else to_json(corruption),
    }


def read_architecture(described: Mapping[str, Any]) -> Architecture:
    """Undo `describe`; raises KeyError, TypeError or InputError where it cannot."""
    sizes = [described["n_components"], *described["hidden_sizes"]]
    if any(type(size) is not int or size < 1 for size in sizes) or described["activation"] not in ACTIVATIONS:
        raise InputError(f"the architecture {sizes}, {described['activation']!r} is not one")
    corruption = described["corruption"]
    return Architecture(
        n_components=sizes[0],
        hidden_sizes=tuple(sizes[1:]),
        activation=described["activation"],
        likelihood=parse(described["likelihood"], "likelihood"),
        corruption=None if corruption is None else parse(corruption, "corruption"),
    )


def auto_hidden_sizes(n_inputs: int) -> tuple[int, int]:
    """Return two layers, the first about four times as wide as the input (32 to 512), the second half."""
    width = min(max(2 ** math.ceil(math.log2(4 * max(n_inputs, 1))), 32), 512)
    return width, width // 2


def resolve_likelihood(likelihood: Likelihood | None, schema: Schema) -> Likelihood:
    """Choose the likelihood of "auto" from the schema, and check that a given one suits every column.

    An array is one block of like features: one Gaussian whose scale they share (if binary, Bernoulli). A
    frame's columns each get the likelihood of their kind.
    """
    if likelihood is None:
        if schema.container == "array":
            binary = schema.modelled[0].kind == "binary"
            likelihood = Bernoulli() if binary else Gaussian(scale="shared")
        else:
            likelihood = PerColumn()
    if isinstance(likelihood, PerColumn):
        likelihood = _complete(likelihood, schema)
    for column, part in zip(schema.modelled, likelihood.for_columns(_names(schema)), strict=True):
        _check_support(column, part)
    return likelihood


def _complete(likelihood: PerColumn, schema: Schema) -> PerColumn:
    """Give every modelled column that `likelihood` does not name the likelihood of its kind."""
    if likelihood.otherwise is not None:
        return likelihood
    given = dict(likelihood.columns)
    rest = [column for column in schema.modelled if column.name not in given]
    return PerColumn((*likelihood.columns, *((column.name, DEFAULTS[column.kind]) for column in rest)))


def _names(schema: Schema) -> tuple[str, ...]:
    return tuple(column.name for column in schema.modelled)


def _check_support(column: Column, likelihood: Likelihood) -> None:
    support = likelihood.support
    if support in SUPPORTS[column.kind]:
        return
    within = (support == "unit" and column.low >= 0 and column.high <= 1) or (
        support == "count" and column.low >= 0 and column.kind in ("continuous", "pixel")
    )
    if column.kind in ("continuous", "pixel") and within:
        return
    needs = {"unit": "values in [0, 1]", "count": "counts >= 0", "category": "categories", "real": "numbers"}
    span = "" if column.levels else f" (from {column.low:g} to {column.high:g})"
    raise InputError(
        f"{type(likelihood).__name__} needs {needs[support]}, but column {column.name!r} is "
        f"{column.kind}{span}; choose another likelihood or rescale the column"
    )


def build_features(
    schema: Schema, statistics: Statistics, likelihood: Likelihood, corruption: Corruption | None
) -> Features:
    """Build the device stage; in a frame, a corruption may mark any column missing, so all get a flag."""
    supports = [part.support for part in likelihood.for_columns(_names(schema))]
    mark_missing = schema.container == "frame" and corruption is not None
    return Features(schema, statistics, supports, mark_missing=mark_missing)


def build_model(
    architecture: Architecture,
    features: Features,
    encoder: ModuleFactory | None = None,
    decoder: ModuleFactory | None = None,
) -> Model:
    """Build the module, its output biases at the training means; draws weights from torch's generator."""
    density = architecture.likelihood.build(features.facts())
    widths, latent = architecture.hidden_sizes, architecture.n_components
    if encoder is None:
        encoder_net = mlp([features.n_inputs, *widths, latent], architecture.activation)
    else:
        encoder_net = _make("encoder", encoder, features.n_inputs, latent)
    if decoder is None:
        decoder_net = mlp([latent, *reversed(widths), density.n_outputs], architecture.activation)
        _start_at(density.initial_outputs(), decoder_net)
    else:
        decoder_net = _make("decoder", decoder, latent, density.n_outputs)
    return Model(features, encoder_net, decoder_net, density, architecture.corruption)


def _start_at(outputs: Tensor, network: nn.Sequential) -> None:
    last = network[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias.copy_(outputs)


def _make(name: str, factory: ModuleFactory, n_in: int, n_out: int) -> nn.Module:
    """Call a user's factory and see that its module maps (B, n_in) to (B, n_out)."""
    network: object = factory(n_in, n_out)
    expected = f"{name}: the factory must return a torch module that maps (rows, {n_in}) to (rows, {n_out})"
    if not isinstance(network, nn.Module):
        raise InputError(f"{expected}, got a {type(network).__name__}")
    try:
        with torch.no_grad():
            shape = tuple(network.eval()(torch.zeros(2, n_in)).shape)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{expected}; called with zeros, it fails: {str(error).splitlines()[0]}") from error
    if shape != (2, n_out):
        raise InputError(f"{expected}; for 2 rows it returns the shape {shape}")
    return network


def rebuild_model(
    architecture: Architecture,
    schema: Schema,
    arrays: Mapping[str, NDArray[Any]],
    encoder: ModuleFactory | None,
    decoder: ModuleFactory | None,
) -> Model:
    """Build a model again from what `model_arrays` returned; raises an error if they do not fit."""
    statistics = Statistics.from_arrays(_below(arrays, "statistics."))
    _check_statistics(statistics, schema)
    features = build_features(schema, statistics, architecture.likelihood, architecture.corruption)
    with isolated(0, torch.device("cpu")):
        model = build_model(architecture, features, encoder, decoder)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in _below(arrays, "model.").items()}
    model.load_state_dict(tensors)
    model.eval()
    return model


def _check_statistics(statistics: Statistics, schema: Schema) -> None:
    lengths = dict.fromkeys(statistics.to_arrays(), len(schema.modelled))
    lengths["frequencies"] = sum(level_counts(schema))
    for name, array in statistics.to_arrays().items():
        if array.shape != (lengths[name],) or not np.isfinite(array).all():
            raise InputError(f"the statistics' {name} are not {lengths[name]} finite numbers")


def model_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """Return all that fixes a model besides its architecture and schema, as NumPy arrays."""
    tensors = model.state_dict().items()
    weights = {f"model.{name}": tensor.detach().cpu().numpy() for name, tensor in tensors}
    statistics = model.features.statistics.to_arrays()
    return weights | {f"statistics.{name}": array for name, array in statistics.items()}


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
