"""Tokens one after the other: the prior of discrete codes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from isthmus.errors import InputError
from isthmus.parts.densities.base import uniform
from isthmus.parts.posteriors.base import DiscreteCode
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.weighting import weighted_mean

__all__ = ["AutoregressivePrior"]


class AutoregressivePrior(LatentPrior):
    """p(tokens) as the product of each token's probability given those before it, by a recurrent network.

    It scores tokens, not codes: a probability is no density of a code.

    Parameters
    ----------
    code : DiscreteCode
        All its tokens have the same vocabulary. It is not a submodule: the model owns it.
    width : int
    """

    scored = False
    discrete = True

    def __init__(self, code: DiscreteCode, width: int) -> None:
        super().__init__(code.n_components)
        if len(set(code.vocabulary)) != 1:
            raise InputError(f"tokens must have one vocabulary, not those of sizes {code.vocabulary}")
        self._code = (code,)  # a tuple hides it from torch, and is copied along with the model
        self.n_tokens, self.n_values = len(code.vocabulary), code.vocabulary[0]
        self.embedding = nn.Embedding(self.n_values + 1, width)  # the last one stands before the first token
        self.place = nn.Parameter(torch.zeros(self.n_tokens, width))
        self.recurrent = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, self.n_values)

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        raise InputError("an autoregressive prior gives probabilities of tokens: call log_prob_indices.")

    def log_prob_indices(self, indices: Tensor) -> Tensor:
        """Return the log-probability of rows of tokens (B, T), in nats, of shape (B,)."""
        start = indices.new_full((len(indices), 1), self.n_values)
        before = torch.cat([start, indices[:, :-1]], dim=1)  # (B, T)
        hidden, _ = self.recurrent(self.embedding(before) + self.place)  # (B, T, width)
        log_prob = torch.log_softmax(self.head(hidden), dim=2)  # (B, T, V)
        return log_prob.gather(2, indices[..., None])[..., 0].sum(dim=1)

    def companion_loss(self, indices: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return the mean negative log-probability of rows of tokens: the loss by which this prior learns.

        Parameters
        ----------
        indices : Tensor of int of shape (B, T)
        weight : Tensor of shape (B,), optional
            The rows' training weights.
        """
        return -weighted_mean(self.log_prob_indices(indices), weight)

    @torch.no_grad()
    def sample_indices(self, n: int, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Draw rows of tokens, of shape (n, T).

        Parameters
        ----------
        n : int
        generator : torch.Generator
        temperature : float
            Divides the logits: below 1, likely tokens become likelier; at 0, each is the likeliest.
        """
        token = torch.full((n, 1), self.n_values, device=self.place.device)
        hidden: Tensor | None = None
        tokens = []
        for place in self.place:
            output, hidden = self.recurrent(self.embedding(token) + place, hidden)  # (n, 1, width)
            logits = self.head(output)  # (n, 1, V)
            token = torch.argmax(logits + temperature * _gumbel(logits, generator), dim=2)  # (n, 1)
            tokens.append(token)
        return torch.cat(tokens, dim=1)

    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        """Draw codes of shape (n, D); here, `temperature` divides the logits."""
        return self._code[0].from_indices(self.sample_indices(n, generator, temperature))


def _gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Draw standard Gumbel noise: added to logits, it makes the greatest a draw from their softmax."""
    return -torch.log(-torch.log(uniform(like, generator)))
