"""The variational autoencoder."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from isthmus.errors import InputError
from isthmus.estimators.docs import document
from isthmus.estimators.generative import Generative
from isthmus.estimators.registry import register
from isthmus.parts.bounds import ELBO, Bound
from isthmus.parts.corruptions import Corruption
from isthmus.parts.posteriors import Posterior
from isthmus.parts.priors import Prior
from isthmus.parts.registry import Part, kind_of, parse
from isthmus.parts.terms import KL, Term

__all__ = ["VariationalAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class VariationalAutoencoder(Generative):
    """An autoencoder whose codes are distributions that together follow a prior (Kingma & Welling 2014).

    It maximises the evidence lower bound E log p(x given z) - KL(q(z given x) || p(z)) on log p(x). It
    compresses, draws new rows, and gives each row a density.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="diagonal_gaussian"
        q(z given x): "diagonal_gaussian", or "von_mises_fisher" with ``prior="uniform_sphere"``.
    prior : Prior, str or dict, default="standard_normal"
        p(z): "standard_normal", "gaussian_mixture", "vamp_prior", "flow" or "uniform_sphere".
    bound : Bound, str or dict, default="elbo"
        "elbo", or "importance_weighted:k=5".
    beta : float, default=1.0
        Weight of the KL term (Higgins et al. 2017); only 1 makes the loss a bound on -log p(x).
    warmup : float, default=0.1
        Share of the schedule over which that weight grows from 0.
    free_bits : float, default=0.0
        Nats per latent that cost nothing; keeps latents from going unused (Kingma et al. 2016).
    terms : tuple of Term, str or dict, default=()
        What else is asked of the code, for instance ``("total_correlation:weight=5",)``.
    corruption : Corruption, str, dict or None, default=None
        What is done to a row before it is encoded, in training only. The bound stays that of the clean row,
        whose code is told from the damaged one (Im et al. 2017).

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = VariationalAutoencoder(5, max_epochs=3, random_state=0).fit(digits)
    >>> model.sample(2, random_state=0).shape
    (2, 64)
    """

    posterior: Posterior | str | dict[str, Any] = "diagonal_gaussian"
    prior: Prior | str | dict[str, Any] = "standard_normal"
    bound: Bound | str | dict[str, Any] = "elbo"
    beta: float = 1.0
    warmup: float = 0.1
    free_bits: float = 0.0
    terms: tuple[Term | str | dict[str, Any], ...] = ()
    corruption: Corruption | str | dict[str, Any] | None = None

    paper: ClassVar[str] = 'Kingma & Welling, "Auto-encoding variational Bayes", ICLR 2014'
    part_families: ClassVar[dict[str, str]] = Generative.part_families | {
        "posterior": "posterior",
        "prior": "prior",
        "bound": "bound",
        "corruption": "corruption",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Generative._parameter_constraints | {
        "posterior": [str, dict, Part],
        "prior": [str, dict, Part],
        "bound": [str, dict, Part],
        "beta": [Interval(numbers.Real, 0, None, closed="left")],
        "warmup": [Interval(numbers.Real, 0, 1, closed="both")],
        "free_bits": [Interval(numbers.Real, 0, None, closed="left")],
        "terms": [tuple, list],
        "corruption": [str, dict, Part, None],
    }

    def _posterior(self) -> Posterior:
        return parse(self.posterior, "posterior")

    def _prior(self) -> Prior | None:
        return parse(self.prior, "prior")

    def _bound(self) -> Bound:
        bound = parse(self.bound, "bound")
        if self.free_bits and not isinstance(bound, ELBO):
            raise InputError(
                f"free_bits={self.free_bits}: {bound} has no divergence that could be free; set 0"
            )
        return bound

    def _corruption(self) -> Corruption | None:
        part = self._part("corruption")
        return part if isinstance(part, Corruption) else None

    def _terms(self) -> tuple[Term, ...]:
        divergence = KL(float(self.beta), float(self.warmup), float(self.free_bits))
        terms = (divergence, *(parse(term, "term") for term in self.terms))
        kinds = [kind_of(term) for term in terms]
        for kind in kinds:
            if kinds.count(kind) > 1:
                hint = "beta is the weight of kl" if kind == "kl" else "one weight is enough"
                raise InputError(f"terms={self.terms!r}: {kind} would be counted twice; {hint}")
        return terms
