"""The importance-weighted bound with a gradient whose signal does not fade as the draws grow in number."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["importance_weighted_bound"]


def importance_weighted_bound(z: Tensor, log_weights: Callable[[Tensor], Tensor], beta: float) -> Tensor:
    """Return the bound of each row, with the doubly reparametrised gradient (Tucker et al. 2019).

    The gradient of the decoder and the prior weighs draw k by its share w_k of the sum, that of the
    encoder by (1 - beta) w_k + beta w_k squared, through z alone: log q's own parameters stay fixed.

    Parameters
    ----------
    z : Tensor of shape (K, B, D)
        Draws from q(z given x), reparametrised.
    log_weights : callable
        Gives log p(x, z) - log q(z given x) of draws, of shape (K, B), with q's parameters detached.
    beta : float
        The weight of log q - log p(z) in it.

    Returns
    -------
    Tensor of shape (B,)
        In nats.
    """
    draws = z.view_as(z)  # a tensor of its own: what other terms ask of z keeps its whole gradient
    log_w = log_weights(draws)
    bound = torch.logsumexp(log_w, dim=0) - math.log(len(log_w))
    if not draws.requires_grad:
        return bound
    shares = torch.softmax(log_w.detach(), dim=0)
    draws.register_hook((1 - beta + beta * shares)[..., None].mul)
    surrogate = (shares * log_w).sum(dim=0)
    return surrogate + (bound - surrogate).detach()
