"""A discriminator learns to tell codes from draws of the prior, and the encoder to deceive it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.errors import InputError
from isthmus.nets.mlp import mlp
from isthmus.parts.posteriors.base import Code
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.terms.base import Step, TermModule
from isthmus.parts.terms.discrepancy import prior_scale, squared_discrepancy
from isthmus.parts.weighting import weighted_mean

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import Adversarial

__all__ = ["AdversarialTerm"]

# Where codes match the prior, a discriminator that still has slopes drives them off again. Penalising slopes
# at the prior's draws (Mescheder et al. 2018) flattens it there; ten times as much leaves it too flat to see
# a spiral's arms and the gaps between petals.
STEEPNESS_COST = 0.01
# A perceptron learns slow functions of few coordinates first, fine ones hardly at all (Tancik et al. 2020).
# Waves of these frequencies, in radians per standard deviation of the prior, are what it lacks.
FREQUENCIES = (1.0, 2.0, 4.0)
# Its steps are to answer the codes as they are now: means over many steps answer codes that have moved on,
# and the two then chase each other in circles.
BETAS = (0.5, 0.9)
# What a row may lose of its likelihood for a code that resembles the prior grows with the columns it is
# summed over; a term of fixed weight is heard in small tables alone.
LEAST_PRICE, PRICE_PER_COLUMN = 10.0, 0.25

# Sorting codes anew costs likelihood first; a schedule ended by that would end in the middle of it.
UNSETTLED = 0.3


class Waves(nn.Module):
    """Puts sines and cosines of the first inputs beside all inputs.

    Parameters
    ----------
    n_waving : int
        How many inputs, from the first on, get waves.
    """

    def __init__(self, n_waving: int) -> None:
        super().__init__()
        self.n_waving = n_waving

    @property
    def n_added(self) -> int:
        """How many columns are added."""
        return 2 * len(FREQUENCIES) * self.n_waving

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, n_in) to (B, n_in + n_added)."""
        angles = [frequency * inputs[:, : self.n_waving] for frequency in FREQUENCIES]
        return torch.cat([inputs, *map(torch.sin, angles), *map(torch.cos, angles)], dim=1)


class AdversarialTerm(TermModule):
    """-log of the probability that the discriminator gives a code of being a draw of the prior.

    Held-out rows are judged by the squared maximum mean discrepancy from the prior instead: a discriminator's
    opinion of one epoch cannot be compared with that of another.

    The discriminator reads codes in units of the prior's standard deviation and, with labels, one-hot the
    label of each row, with one more class for rows whose label is unknown. Those with a label are to resemble
    the label's part of the prior (Makhzani et al. 2015, figure 4).

    Parameters
    ----------
    spec : Adversarial
    code : Code
    prior : LatentPrior
    n_labels : int
    """

    scale: Tensor
    opponent_betas = BETAS
    unsettled = UNSETTLED

    def __init__(self, spec: Adversarial, code: Code, prior: LatentPrior, n_labels: int) -> None:
        super().__init__("adversarial", spec.weight)
        _check(spec, prior, n_labels)
        self.n_labels = n_labels
        self.opponent_rate = spec.learning_rate
        waves = Waves(code.n_components)
        n_inputs = code.n_components + (n_labels + 1 if n_labels else 0) + waves.n_added
        self.discriminator = nn.Sequential(waves, *mlp([n_inputs, *spec.hidden_sizes, 1]))
        self.register_buffer("scale", prior_scale(spec, prior), persistent=False)

    @property
    def opponent(self) -> nn.Module:
        # A submodule of this name would be hidden by the class attribute of TermModule.
        return self.discriminator

    def forward(self, step: Step) -> Tensor:
        if self.training:
            return price(step) * functional.softplus(-self._logits(step.codes, step))  # (B,)
        draws = self._draws(step)
        return price(step) * squared_discrepancy(
            step.codes, draws, "inverse_multiquadric", self.scale, step.weight
        )

    def opponent_loss(self, step: Step) -> Tensor:
        """Return the cross-entropy of telling draws of the prior from codes, and the cost of being steep."""
        real = self._draws(step).requires_grad_()
        verdict = self._logits(real, step)  # (B,)
        errors = functional.softplus(-verdict) + functional.softplus(self._logits(step.codes.detach(), step))
        (slopes,) = torch.autograd.grad(verdict.sum(), real, create_graph=True)  # (B, D)
        steepness = (slopes * self.scale).square().sum(dim=1)
        return weighted_mean(errors + 0.5 * STEEPNESS_COST * steepness, step.weight)

    def _logits(self, codes: Tensor, step: Step) -> Tensor:
        inputs = codes / self.scale
        if self.n_labels:
            labels = self._labels(step)
            classes = torch.where(labels < 0, self.n_labels, labels)
            told = functional.one_hot(classes, self.n_labels + 1).to(inputs.dtype)
            inputs = torch.cat([inputs, told], dim=1)
        return self.discriminator(inputs)[:, 0]

    def _labels(self, step: Step) -> Tensor:
        if step.labels is not None:
            return step.labels.long()
        return torch.full((len(step.codes),), -1, device=step.codes.device)

    def _draws(self, step: Step) -> Tensor:
        """Draw for each row from its label's part of the prior, or from all of it."""
        assert step.prior is not None
        draws = step.prior.sample(len(step.codes), step.generator, anchors=step.anchors)
        if self.n_labels:
            labels = self._labels(step)
            labelled = step.prior.sample_labelled(labels.clamp(min=0), step.generator)
            draws = torch.where(labels[:, None] < 0, draws, labelled)
        return draws


def price(step: Step) -> float:
    """Return what the term counts at weight 1, in nats."""
    return LEAST_PRICE + PRICE_PER_COLUMN * step.rows.values.shape[1]


def _check(spec: Adversarial, prior: LatentPrior, n_labels: int) -> None:
    if not n_labels:
        return
    name = type(prior).__name__
    if prior.n_kinds is None:
        raise InputError(
            f"{spec!r}: the draws of {name} carry no label, so codes cannot be sorted by label; "
            'use GaussianMixture(layout="ring") or SwissRoll, or give no labels.'
        )
    if n_labels > prior.n_kinds:
        raise InputError(
            f"{spec!r}: there are {n_labels} labels, and {name} has {prior.n_kinds} parts; "
            f"give it at least {n_labels}."
        )
