"""The contractive autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.docs import document
from isthmus.estimators.registry import register
from isthmus.parts.posteriors import Point, Posterior
from isthmus.parts.registry import Part, parse_as
from isthmus.parts.terms import Contractive, Term

__all__ = ["ContractiveAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class ContractiveAutoencoder(BaseAutoencoder):
    """An autoencoder whose code changes little when a row changes little (Rifai et al. 2011).

    The squared Frobenius norm of the code's Jacobian is added to the loss. With ``hidden_sizes=()`` and
    ``posterior="point:activation=sigmoid"`` it is the paper's: a single layer, penalised exactly.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="point:activation=sigmoid"
        The code's activation. One that saturates gives the penalty something to achieve: a linear code could
        shrink while the decoder's weights grow.
    contractive : Contractive, str or dict, default="contractive:weight=0.1"
        The penalty's weight, and the number of probes of its estimate in deep encoders.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = ContractiveAutoencoder(10, max_epochs=3, random_state=0).fit(digits)
    >>> model.transform(digits).shape
    (1797, 10)
    """

    posterior: Posterior | str | dict[str, Any] = "point:activation=sigmoid"
    contractive: Part | str | dict[str, Any] = "contractive:weight=0.1"

    paper: ClassVar[str] = 'Rifai et al., "Contractive auto-encoders", ICML 2011'
    part_families: ClassVar[dict[str, str]] = BaseAutoencoder.part_families | {
        "posterior": "posterior",
        "contractive": "term",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "posterior": [str, dict, Part],
        "contractive": [str, dict, Part],
    }

    def _posterior(self) -> Posterior:
        return parse_as(self.posterior, "posterior", (Point,), "posterior")

    def _terms(self) -> tuple[Term, ...]:
        return (parse_as(self.contractive, "term", (Contractive,), "contractive"),)
