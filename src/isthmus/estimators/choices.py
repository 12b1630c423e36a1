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
from isthmus.estimators.architecture import Architecture
from isthmus.estimators.likelihood_choice import resolve_likelihood
from isthmus.estimators.networks import auto_hidden_sizes, image_shape
from isthmus.estimators.preparing import Prepared
from isthmus.manifold.dimension import two_nn
from isthmus.nets.conv import auto_channels
from isthmus.parts.likelihoods import Categorical, Likelihood, PerColumn
from isthmus.parts.posteriors import Places, Point, Posterior
from isthmus.training.settings import TARGET_STEPS, Settings, auto_batch_size, resolve_settings

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["choose_architecture", "choose_device", "choose_settings", "draw_seed"]

DIMENSION_ROWS = 5000
# Networks that learn a map which has settled before need fewer steps than those that have to find one.
SETTLED_STEPS = 2_000
# Waves that the decoder of a torn map reads: there a row's neighbourhood is small beside the map.
N_WAVES = 128


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
    """Resolve the number of latents, the kind of network and its sizes."""
    likelihood = resolve_likelihood(estimator._likelihood(), schema)
    network, hidden = _choose_network(estimator, schema, likelihood, prepared)
    posterior, prior = estimator._posterior(), estimator._prior()
    latent = estimator.n_components
    if isinstance(latent, str):
        latent = posterior.at_least(auto_components(prepared, estimator.seed_))
        latent = latent if prior is None else posterior.at_least(prior.at_least(latent))
    if isinstance(posterior, Places):
        posterior = _for_map(posterior, int(latent), prepared, estimator.seed_)
    return Architecture(
        n_components=int(latent),
        hidden_sizes=tuple(_checked_size(size, hidden) for size in hidden),
        activation=estimator.activation,
        likelihood=likelihood,
        corruption=estimator._corruption(),
        posterior=posterior.for_components(int(latent)),
        prior=prior,
        bound=estimator._bound(),
        terms=estimator._terms(),
        network=network,
        n_labels=len(getattr(estimator, "labels_", ())),
        n_waves=_choose_waves(estimator, posterior, hidden),
    )


def _for_map(places: Places, n_components: int, prepared: Prepared, seed: int) -> Posterior:
    """Return the places that the rows allow; a plain code if rows have no more dimensions than the map.

    Such a map can be smooth, and a network that gives positions themselves is finer. With more dimensions
    than that no smooth map keeps neighbourhoods: it has to be torn, which takes places.
    """
    if auto_components(prepared, seed) <= n_components:
        return Point()
    return places.for_rows(prepared.batches.n_rows)


def _choose_waves(estimator: BaseAutoencoder, posterior: Posterior, hidden: Any) -> int:
    """Return how many sines of the code the decoder reads; a linear decoder, and a user's, read the code."""
    torn = isinstance(posterior, Places) and estimator.decoder is None
    return N_WAVES if torn and len(hidden) else 0


def _choose_network(
    estimator: BaseAutoencoder, schema: Schema, likelihood: Likelihood, prepared: Prepared
) -> tuple[str, Any]:
    """Return the kind of network, and its sizes; images get convolutions unless widths are given."""
    network, hidden = estimator.network, estimator.hidden_sizes
    shape = image_shape(schema)
    if network == "auto":
        own = estimator.encoder is not None or estimator.decoder is not None
        pixels = (
            estimator.convolves and shape is not None and not isinstance(likelihood, Categorical | PerColumn)
        )
        network = "conv" if pixels and not own and isinstance(hidden, str) else "mlp"
    if isinstance(hidden, str):
        conv = network == "conv" and shape is not None
        hidden = (
            auto_channels(*shape[:2]) if conv and shape else auto_hidden_sizes(prepared.features.n_inputs)
        )
    if network == "conv" and not len(hidden):
        raise InputError(
            'hidden_sizes=(): network="conv" needs channels for at least one stage, as in (32, 64)'
        )
    return network, hidden


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


def choose_settings(
    estimator: BaseAutoencoder,
    architecture: Architecture,
    prepared: Prepared,
    *,
    max_epochs: int | str = "auto",
) -> Settings:
    """Resolve batch size, epochs (those of the estimator, if not given), rate and patience."""
    batches = prepared.batches
    size = estimator.batch_size
    batch_size = auto_batch_size(batches.n_rows) if isinstance(size, str) else int(size)
    return resolve_settings(
        n_batches=batches.n_batches(batch_size),
        batch_size=batch_size,
        linear=architecture.linear,
        max_epochs=estimator.max_epochs if isinstance(max_epochs, str) else max_epochs,
        learning_rate=estimator.learning_rate,
        patience=estimator.patience,
        weight_decay=float(estimator.weight_decay),
        seed=estimator.seed_,
        target_steps=SETTLED_STEPS if architecture.settles else TARGET_STEPS,
    )
