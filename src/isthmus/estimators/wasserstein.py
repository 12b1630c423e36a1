"""The Wasserstein autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.estimators.docs import document
from isthmus.estimators.matching import Matching
from isthmus.estimators.registry import register
from isthmus.parts.registry import Part, parse_as
from isthmus.parts.terms import MaximumMeanDiscrepancy, Term

__all__ = ["WassersteinAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class WassersteinAutoencoder(Matching):
    """An autoencoder whose codes together follow a prior, by maximum mean discrepancy (Tolstikhin 2018).

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="point"
        "point" or "diagonal_gaussian".
    prior : Prior, str or dict, default="standard_normal"
        Any that can be drawn from.
    discrepancy : MaximumMeanDiscrepancy, str or dict, default="maximum_mean_discrepancy"
        Its kernel and weight.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = WassersteinAutoencoder(5, max_epochs=3, random_state=0).fit(digits)
    >>> model.sample(2, random_state=0).shape
    (2, 64)
    """

    discrepancy: Part | str | dict[str, Any] = "maximum_mean_discrepancy"

    paper: ClassVar[str] = 'Tolstikhin et al., "Wasserstein auto-encoders", ICLR 2018'
    part_families: ClassVar[dict[str, str]] = Matching.part_families | {"discrepancy": "term"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = Matching._parameter_constraints | {
        "discrepancy": [str, dict, Part]
    }

    def _terms(self) -> tuple[Term, ...]:
        return (parse_as(self.discrepancy, "term", (MaximumMeanDiscrepancy,), "discrepancy"),)
