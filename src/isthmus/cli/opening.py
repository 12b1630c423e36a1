"""Opening a model folder for a command: an autoencoder's, as a classifier's is for Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["load_model"]


def load_model(path: Path) -> BaseAutoencoder:
    """Load an autoencoder, or say in one line what else the folder holds."""
    from isthmus import AutoencoderClassifier, load

    model = load(path)
    if isinstance(model, AutoencoderClassifier):
        raise InputError(f'{path} holds an AutoencoderClassifier; use it in Python: isthmus.load("{path}")')
    return model
