"""isthmus learns the low-dimensional structure of a data set with autoencoders."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.data.schema import Schema as Schema
    from isthmus.data.sources import read as read
    from isthmus.estimators import Autoencoder as Autoencoder
    from isthmus.estimators import DenoisingAutoencoder as DenoisingAutoencoder
    from isthmus.estimators import load as load

__version__ = "0.1.0"

# Where each public name lives; imported on first use (PEP 562), so that `import isthmus` is instant.
_HOMES = {
    "Autoencoder": "isthmus.estimators",
    "DenoisingAutoencoder": "isthmus.estimators",
    "Schema": "isthmus.data.schema",
    "load": "isthmus.estimators",
    "read": "isthmus.data.sources",
}

__all__ = ["Autoencoder", "DenoisingAutoencoder", "Schema", "load", "read"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'isthmus' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
