"""log p(x) by importance sampling: a stream of draws from q(z given x), each weighed by p(x, z) / q."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from isthmus.data.batches import Batch
from isthmus.data.splitting import derive_seed
from isthmus.estimators.baseline import row_log_likelihood
from isthmus.model import Model
from isthmus.parts.posteriors.base import DiscreteCode
from isthmus.parts.priors.autoregressive import AutoregressivePrior

__all__ = ["DEFAULT_SAMPLES", "GROUPED_ABOVE", "Estimate", "gives_density", "log_likelihood", "n_groups"]

DEFAULT_SAMPLES = 128
# Draws that are decoded at once. Fixed, as the draws themselves are per piece of it.
CHUNK = 16
# Up to here each draw's weight is kept until the end, beyond only the sum over each chunk.
GROUPED_ABOVE = 1024
# What the noise that all rows share derives from: the same for every model and every call.
SHARED_SEED = 20_140_514


def gives_density(model: Model) -> bool:
    """Tell whether `log_likelihood` bounds log p(x); if not, it is log p(x given z(x)).

    Code and prior have densities with respect to the same measure then: both on the sphere, or neither.
    """
    code, prior = model.code, model.prior
    if isinstance(code, DiscreteCode):
        return isinstance(prior, AutoregressivePrior)
    return code.stochastic and prior is not None and prior.scored and code.on_sphere == prior.on_sphere


def n_groups(n_samples: int) -> int:
    """Return in how many groups of draws the weights are kept."""
    return n_samples if n_samples <= GROUPED_ABOVE else -(-n_samples // CHUNK)


class Estimate:
    """What `log_likelihood` found for the rows of a piece.

    Attributes
    ----------
    value : Tensor of shape (B,)
        The estimate of log p(x), in nats; its expectation is a lower bound.
    shares : Tensor of shape (B, G), or None
        What each group of draws contributed to each row's sum of weights.
    sizes : Tensor of shape (G,)
        The share of the draws that each group holds, which is what it would contribute on average.
    """

    def __init__(self, value: Tensor, shares: Tensor | None = None, sizes: Tensor | None = None) -> None:
        self.value, self.shares, self.sizes = value, shares, sizes

    def std_error(self) -> Tensor:
        """Return the Monte Carlo standard error of each row's value, of shape (B,); NaN for a single draw."""
        if self.shares is None or self.sizes is None:
            return torch.zeros_like(self.value)
        return std_error(self.shares, self.sizes)


def std_error(shares: Tensor, sizes: Tensor) -> Tensor:
    """Return the standard error of the logarithm of a sum, from the groups' shares (..., G) of it."""
    count = len(sizes)
    if count < 2:
        return torch.full_like(shares[..., 0], math.nan)
    return ((shares - sizes).square().sum(dim=-1) * (count / (count - 1))).sqrt()


@torch.no_grad()
def log_likelihood(
    model: Model, batch: Batch, n_samples: int, random_state: int | None, anchors: Tensor | None
) -> Estimate:
    """Estimate log p(x) of the rows of one piece, whose positions are consecutive.

    A row with nothing observed has probability 1, whatever is drawn.

    Parameters
    ----------
    model : Model
    batch : Batch
    n_samples : int
        Draws per row.
    random_state : int or None
        None: the same noise for every row. An int: noise of each row's own, a function of its position.
    anchors : Tensor or None
        ``model.anchors()``, computed once.
    """
    found = _estimate(model, batch, n_samples, random_state, anchors)
    if batch.rows.observed is None:
        return found
    empty = ~batch.rows.observed.any(dim=1)
    value, shares, sizes = found.value.masked_fill(empty, 0.0), found.shares, found.sizes
    if shares is not None and sizes is not None:
        shares = torch.where(empty[:, None], sizes, shares)
    return Estimate(value, shares, sizes)


def _estimate(
    model: Model, batch: Batch, n_samples: int, random_state: int | None, anchors: Tensor | None
) -> Estimate:
    if isinstance(model.code, DiscreteCode) and isinstance(model.prior, AutoregressivePrior):
        outputs = model.encoder_outputs(batch.rows, batch.condition)
        tokens = model.prior.log_prob_indices(model.code.indices(outputs)).double()
        return Estimate(row_log_likelihood(model, batch) + tokens)
    if not gives_density(model):
        return Estimate(row_log_likelihood(model, batch))
    outputs = model.encoder_outputs(batch.rows, batch.condition)
    groups: list[Tensor] = []
    sizes: list[float] = []
    for noise in _noise(model, batch, n_samples, random_state):
        z = model.code.sample(outputs, noise.to(outputs.device))
        log_w = model.log_weights(outputs, z, batch.rows, batch.condition, anchors).double()  # (k, B)
        groups.append(log_w if n_samples <= GROUPED_ABOVE else torch.logsumexp(log_w, dim=0, keepdim=True))
        sizes += [1 / n_samples] * len(log_w) if n_samples <= GROUPED_ABOVE else [len(log_w) / n_samples]
    log_sums = torch.cat(groups)  # (G, B)
    value = torch.logsumexp(log_sums, dim=0) - math.log(n_samples)
    return Estimate(value, torch.softmax(log_sums, dim=0).T, log_sums.new_tensor(sizes))


def _noise(model: Model, batch: Batch, n_samples: int, random_state: int | None) -> Iterator[Tensor]:
    """Yield standard normal noise of shape (k, 1 or B, D), drawn on the CPU: the same on every device."""
    position = int(batch.index[0])
    for number, start in enumerate(range(0, n_samples, CHUNK)):
        path = (SHARED_SEED, number) if random_state is None else (random_state, position, number)
        generator = torch.Generator().manual_seed(derive_seed(*path))
        n_rows = 1 if random_state is None else len(batch)
        noise = torch.randn(CHUNK, n_rows, model.code.n_components, generator=generator)
        yield noise[: n_samples - start]
