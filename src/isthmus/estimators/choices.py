"""What a fit chooses before it begins: seed, device, network sizes, and the settings left at "auto"."""

from __future__ import annotations

import copy
import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.estimators import building
from isthmus.estimators.building import Architecture
from isthmus.estimators.preparing import Prepared
from isthmus.manifold.dimension import two_nn
from isthmus.training.settings import Settings, auto_batch_size, resolve_settings

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["choose_architecture", "choose_device", "choose_settings", "draw_seed"]

DIMENSION_ROWS = 5000


def draw_seed(random_state: Any) -> int:
    """Return the one integer from which all of a fit's random numbers derive."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def choose_device(device: str) -> torch.device:
    """Resolve "auto" to the GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        probe = torch.zeros(1, device=device)
        probe.item()  # the meta device makes tensors, but holds no numbers
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f'device="{device}" cannot be used here: {first}; use "cpu" or "auto"') from error
    return probe.device


def choose_architecture(estimator: BaseAutoencoder, schema: Schema, prepared: Prepared) -> Architecture:
    """Resolve the number of latents and the hidden layers."""
    hidden, latent = estimator.hidden_sizes, estimator.n_components
    if isinstance(hidden, str):
        hidden = building.auto_hidden_sizes(prepared.features.n_inputs)
    return Architecture(
        n_components=auto_components(prepared, estimator.seed_) if isinstance(latent, str) else int(latent),
        hidden_sizes=tuple(_checked_size(size, hidden) for size in hidden),
        activation=estimator.activation,
        likelihood=building.resolve_likelihood(estimator._likelihood(), schema),
        corruption=estimator._corruption(),
    )


def _checked_size(size: Any, hidden: Any) -> int:
    if not isinstance(size, numbers.Integral) or isinstance(size, bool) or size < 1:
        raise InputError(f"hidden_sizes={hidden!r}: {size!r} is no layer; give whole numbers of at least 1")
    return int(size)


def auto_components(prepared: Prepared, seed: int) -> int:
    """Return the TwoNN intrinsic dimension of at most 5,000 training rows, rounded, at least 1."""
    batch = next(iter(prepared.batches.epoch(DIMENSION_ROWS, seed, 0)))
    features = copy.deepcopy(prepared.features).cpu()
    inputs = features(batch.rows.to(torch.device("cpu"))).numpy()
    # rounding up never makes a code narrower than the data
    dimension = two_nn(inputs, max_rows=DIMENSION_ROWS, random_state=seed)
    return max(1, math.ceil(dimension - 0.5)) if math.isfinite(dimension) else 1


def choose_settings(estimator: BaseAutoencoder, architecture: Architecture, prepared: Prepared) -> Settings:
    """Resolve batch size, epochs, rate and patience."""
    batches = prepared.batches
    size = estimator.batch_size
    batch_size = auto_batch_size(batches.n_rows) if isinstance(size, str) else int(size)
    return resolve_settings(
        n_batches=batches.n_batches(batch_size),
        batch_size=batch_size,
        linear=architecture.linear,
        max_epochs=estimator.max_epochs,
        learning_rate=estimator.learning_rate,
        patience=estimator.patience,
        weight_decay=float(estimator.weight_decay),
        seed=estimator.seed_,
    )
