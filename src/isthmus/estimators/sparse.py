"""The sparse autoencoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.docs import document
from isthmus.estimators.registry import register
from isthmus.parts.posteriors import Point, Posterior
from isthmus.parts.registry import Part, parse_as
from isthmus.parts.terms import Sparsity, Term

__all__ = ["SparseAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class SparseAutoencoder(BaseAutoencoder):
    """An autoencoder of which few latents are active at a time; there may be more of them than columns.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="point"
        The code's activation: "point:activation=sigmoid" for ``penalty=kl``.
    sparsity : Sparsity, str or dict, default="sparsity:penalty=l1,weight=1.0"
        "sparsity:penalty=l1", "sparsity:penalty=kl,rate=0.05" (Ng 2011) or "sparsity:penalty=top_k,k=10"
        (Makhzani & Frey 2014).

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = SparseAutoencoder(30, sparsity="sparsity:penalty=top_k,k=5", max_epochs=3, random_state=0)
    >>> int((model.fit_transform(digits) != 0).sum(axis=1).max())
    5
    """

    posterior: Posterior | str | dict[str, Any] = "point"
    sparsity: Sparsity | str | dict[str, Any] = "sparsity:penalty=l1,weight=1.0"

    paper: ClassVar[str] = 'Makhzani & Frey, "k-sparse autoencoders", ICLR 2014'
    part_families: ClassVar[dict[str, str]] = BaseAutoencoder.part_families | {
        "posterior": "posterior",
        "sparsity": "term",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "posterior": [str, dict, Part],
        "sparsity": [str, dict, Part],
    }

    def _sparsity(self) -> Sparsity:
        return parse_as(self.sparsity, "term", (Sparsity,), "sparsity")

    def _posterior(self) -> Posterior:
        part: Point = parse_as(self.posterior, "posterior", (Point,), "posterior")
        sparsity = self._sparsity()
        return replace(part, top_k=sparsity.k) if sparsity.penalty == "top_k" else part

    def _terms(self) -> tuple[Term, ...]:
        return () if self._sparsity().penalty == "top_k" else (self._sparsity(),)
