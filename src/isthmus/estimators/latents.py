"""Codes from the prior: draws, and the quantiles at which its space is walked."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from isthmus.data.splitting import derive_seed
from isthmus.errors import InputError
from isthmus.model import Model
from isthmus.parts.priors.normal import StandardNormalPrior

__all__ = ["prior_draws", "prior_quantiles", "project"]

# Draws from which the quantiles of a prior are read that has no formula for them.
QUANTILE_DRAWS = 20_000


@torch.no_grad()
def prior_draws(
    model: Model,
    n: int,
    seed: int,
    temperature: float = 1.0,
    kinds: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Draw n codes from the prior, or from the part of it that each of n kinds names.

    Raises InputError where there is no prior.
    """
    if model.prior is None:
        raise InputError(
            "this model has no prior over codes: it cannot generate; use a VariationalAutoencoder"
        )
    model.eval()
    generator = torch.Generator(next(model.parameters()).device).manual_seed(derive_seed(seed, 8))
    if kinds is None:
        draws = model.prior.sample(n, generator, temperature, model.anchors())
    else:
        parts = torch.as_tensor(kinds, device=generator.device)
        draws = model.prior.sample_labelled(parts, generator, temperature)
    return draws.float().cpu().numpy()


def prior_quantiles(model: Model, n: int) -> NDArray[np.float32]:
    """Return each component's quantiles at the middles of n equally likely parts, of shape (n, D)."""
    middles = (np.arange(n) + 0.5) / n
    if isinstance(model.prior, StandardNormalPrior):
        column = ndtri(middles).astype(np.float32)
        return np.repeat(column[:, None], model.code.n_components, axis=1)
    return np.quantile(prior_draws(model, QUANTILE_DRAWS, 0), middles, axis=0).astype(np.float32)


@torch.no_grad()
def project(model: Model, codes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the possible codes nearest to some points: on the sphere, or made of tokens; else the points."""
    points = torch.as_tensor(np.asarray(codes, np.float32), device=next(model.parameters()).device)
    return model.code.project(points).cpu().numpy()
