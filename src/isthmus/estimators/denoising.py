"""The denoising autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus.estimators.base import BaseAutoencoder
from isthmus.parts.corruptions import Corruption
from isthmus.parts.registry import Part

__all__ = ["DenoisingAutoencoder"]


@dataclass(eq=False, repr=False, kw_only=True)
class DenoisingAutoencoder(BaseAutoencoder):
    corruption: Corruption | str | dict[str, Any] = "masking:p=0.3"

    part_families: ClassVar[dict[str, str]] = BaseAutoencoder.part_families | {"corruption": "corruption"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "corruption": [str, dict, Part]
    }

    def _corruption(self) -> Corruption | None:
        part = self._part("corruption")
        return part if isinstance(part, Corruption) else None
