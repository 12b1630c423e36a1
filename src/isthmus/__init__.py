"""isthmus learns the low-dimensional structure of a data set with autoencoders."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.data.schema import Schema as Schema
    from isthmus.data.sources import read as read
    from isthmus.estimators import AdversarialAutoencoder as AdversarialAutoencoder
    from isthmus.estimators import Autoencoder as Autoencoder
    from isthmus.estimators import AutoencoderClassifier as AutoencoderClassifier
    from isthmus.estimators import ConditionalVariationalAutoencoder as ConditionalVariationalAutoencoder
    from isthmus.estimators import ContractiveAutoencoder as ContractiveAutoencoder
    from isthmus.estimators import DenoisingAutoencoder as DenoisingAutoencoder
    from isthmus.estimators import ImportanceWeightedAutoencoder as ImportanceWeightedAutoencoder
    from isthmus.estimators import ManifoldAutoencoder as ManifoldAutoencoder
    from isthmus.estimators import SparseAutoencoder as SparseAutoencoder
    from isthmus.estimators import StackedAutoencoder as StackedAutoencoder
    from isthmus.estimators import VariationalAutoencoder as VariationalAutoencoder
    from isthmus.estimators import VectorQuantizedAutoencoder as VectorQuantizedAutoencoder
    from isthmus.estimators import WassersteinAutoencoder as WassersteinAutoencoder
    from isthmus.estimators import load as load

__version__ = "0.1.0"

__all__ = [
    "AdversarialAutoencoder",
    "Autoencoder",
    "AutoencoderClassifier",
    "ConditionalVariationalAutoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "ImportanceWeightedAutoencoder",
    "ManifoldAutoencoder",
    "Schema",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "VariationalAutoencoder",
    "VectorQuantizedAutoencoder",
    "WassersteinAutoencoder",
    "load",
    "read",
]

# Public names are imported on first use (PEP 562), so that `import isthmus` is instant. All live with the
# estimators but these.
_HOMES = dict.fromkeys(__all__, "isthmus.estimators") | {
    "Schema": "isthmus.data.schema",
    "read": "isthmus.data.sources",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'isthmus' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
