"""The denoising autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.docs import document
from isthmus.estimators.registry import register
from isthmus.parts.corruptions import Corruption
from isthmus.parts.registry import Part

__all__ = ["DenoisingAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(BaseAutoencoder):
    """An autoencoder that learns to tell the clean row from a damaged one.

    Parameters
    ----------
    {parameters}
    corruption : Corruption, str or dict, default="masking:p=0.3"
        What is done to a row before it is encoded, in training only: `Masking`, `GaussianNoise`,
        `SaltAndPepper` or `SwapNoise`. Its fields can be set, as in ``set_params(corruption__p=0.5)``.

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = DenoisingAutoencoder(10, max_epochs=3, random_state=0).fit(digits)
    >>> model.set_params(corruption__p=0.5).corruption
    Masking(p=0.5)
    """

    corruption: Corruption | str | dict[str, Any] = "masking:p=0.3"

    paper: ClassVar[str] = 'Vincent et al., "Extracting and composing robust features", ICML 2008'
    part_families: ClassVar[dict[str, str]] = BaseAutoencoder.part_families | {"corruption": "corruption"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "corruption": [str, dict, Part]
    }

    def _corruption(self) -> Corruption | None:
        part = self._part("corruption")
        return part if isinstance(part, Corruption) else None
