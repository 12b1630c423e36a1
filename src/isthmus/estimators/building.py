"""From a schema and resolved choices to a torch module; used by fitting, loading and unpickling alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.features import Features
from isthmus.data.schema import Schema
from isthmus.data.statistics import Statistics, level_counts
from isthmus.errors import InputError
from isthmus.estimators.architecture import Architecture
from isthmus.estimators.likelihood_choice import DEFAULTS, column_names
from isthmus.estimators.networks import ModuleFactory, build_decoder, build_encoder
from isthmus.model import Model
from isthmus.parts.corruptions import Corruption
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.terms import KL
from isthmus.training.randomness import isolated

__all__ = [
    "build_condition",
    "build_features",
    "build_model",
    "model_arrays",
    "rebuild_model",
]


def build_features(
    schema: Schema, statistics: Statistics, likelihood: Likelihood, corruption: Corruption | None
) -> Features:
    """Build the device stage; in a frame, a corruption may mark any column missing, so all get a flag."""
    supports = [part.support for part in likelihood.for_columns(column_names(schema))]
    mark_missing = schema.container == "frame" and corruption is not None
    return Features(schema, statistics, supports, mark_missing=mark_missing)


def build_condition(schema: Schema, statistics: Statistics) -> Features:
    """Build the device stage of a condition: numbers centred and scaled, categories one-hot."""
    return Features(schema, statistics, [DEFAULTS[column.kind].support for column in schema.modelled])


def build_model(
    architecture: Architecture,
    schema: Schema,
    features: Features,
    encoder: ModuleFactory | None = None,
    decoder: ModuleFactory | None = None,
    condition: Features | None = None,
) -> Model:
    """Build the module, its output biases at the training means; draws weights from torch's generator."""
    density = architecture.likelihood.build(features.facts())
    code = architecture.posterior.build(architecture.n_components)
    n_condition = 0 if condition is None else condition.n_inputs
    encoder_net = build_encoder(architecture, schema, features, code.n_outputs, n_condition, encoder)
    decoder_net = build_decoder(
        architecture, schema, features, n_condition, density.initial_outputs(), decoder
    )
    prior = None
    if architecture.prior is not None:
        prior = architecture.prior.build(code, features.n_inputs + n_condition)
    divergence = architecture.divergence
    built = {term: term.build(code, prior, architecture.n_labels) for term in architecture.terms}
    return Model(
        features,
        encoder_net,
        decoder_net,
        density,
        code,
        architecture.corruption,
        prior=prior,
        bound=architecture.bound,
        divergence=None if divergence is None else built[divergence],
        terms=[module for term, module in built.items() if not isinstance(term, KL)],
        condition=condition,
    )


# Apart and together again ---------------------------------------------------------------------------------

MODEL, STATISTICS, CONDITION = "model.", "statistics.", "condition_statistics."


def rebuild_model(
    architecture: Architecture,
    schema: Schema,
    arrays: Mapping[str, NDArray[Any]],
    encoder: ModuleFactory | None,
    decoder: ModuleFactory | None,
    condition_schema: Schema | None = None,
) -> Model:
    """Build a model again from what `model_arrays` returned; raises an error if they do not fit."""
    statistics = _statistics(arrays, STATISTICS, schema)
    features = build_features(schema, statistics, architecture.likelihood, architecture.corruption)
    condition = None
    if condition_schema is not None:
        condition = build_condition(condition_schema, _statistics(arrays, CONDITION, condition_schema))
    with isolated(0, torch.device("cpu")):
        model = build_model(architecture, schema, features, encoder, decoder, condition)
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in _below(arrays, MODEL).items()}
    model.load_state_dict(tensors)
    model.eval()
    return model


def _statistics(arrays: Mapping[str, NDArray[Any]], prefix: str, schema: Schema) -> Statistics:
    statistics = Statistics.from_arrays(_below(arrays, prefix))
    lengths = dict.fromkeys(statistics.to_arrays(), len(schema.modelled))
    lengths["frequencies"] = sum(level_counts(schema))
    for name, array in statistics.to_arrays().items():
        if array.shape != (lengths[name],) or not np.isfinite(array).all():
            raise InputError(f"the {prefix[:-1]}' {name} are not {lengths[name]} finite numbers")
    return statistics


def model_arrays(model: Model) -> dict[str, NDArray[Any]]:
    """Return all that fixes a model besides its architecture and schema, as NumPy arrays."""
    # A model that is saved while it learns has positions of its training rows beside it, which stay behind.
    tensors = {n: tensor for n, tensor in model.state_dict().items() if not n.startswith("positions.")}
    arrays = {f"{MODEL}{name}": tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    stages = {STATISTICS: model.features, CONDITION: model.condition}
    for prefix, stage in stages.items():
        if stage is not None:
            arrays |= {f"{prefix}{name}": array for name, array in stage.statistics.to_arrays().items()}
    return arrays


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
