"""The importance-weighted autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.estimators.docs import document
from isthmus.estimators.registry import register
from isthmus.estimators.variational import VariationalAutoencoder
from isthmus.parts.bounds import Bound

__all__ = ["ImportanceWeightedAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class ImportanceWeightedAutoencoder(VariationalAutoencoder):
    """A variational autoencoder with a tighter bound, from k draws a row (Burda et al. 2016).

    Parameters
    ----------
    {parameters}
    posterior, prior, beta, warmup, free_bits, terms, corruption : optional
        As in `VariationalAutoencoder`; `free_bits` must stay 0, since the bound has no KL term of its own.
    bound : Bound, str or dict, default="importance_weighted:k=5"
        ``bound__k`` sets the number of draws.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = ImportanceWeightedAutoencoder(5, max_epochs=3, random_state=0).fit(digits)
    >>> model.set_params(bound__k=50).bound
    ImportanceWeighted(k=50)
    """

    bound: Bound | str | dict[str, Any] = "importance_weighted:k=5"

    paper: ClassVar[str] = 'Burda, Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016'
