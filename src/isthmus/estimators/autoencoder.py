"""The plain autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.estimators.base import BaseAutoencoder

__all__ = ["Autoencoder"]


@dataclass(eq=False, repr=False, kw_only=True)
class Autoencoder(BaseAutoencoder):
    pass
