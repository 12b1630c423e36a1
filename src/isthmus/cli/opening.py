"""Opening a model folder for a command, and rows as the model knows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["load_model", "read_rows"]


def load_model(path: Path) -> BaseAutoencoder:
    """Load an autoencoder, or say in one line what else the folder holds."""
    from isthmus import AutoencoderClassifier, load

    model = load(path)
    if isinstance(model, AutoencoderClassifier):
        raise InputError(f'{path} holds an AutoencoderClassifier; use it in Python: isthmus.load("{path}")')
    return model


def read_rows(
    fitted: BaseAutoencoder, data: Path, *, array: str | None = None, resize: tuple[int, int] | None = None
) -> Source:
    """Open rows for a model: what it learned as text is text, even if these rows look like numbers."""
    from isthmus import read

    condition = fitted.condition_schema_
    told = () if condition is None else condition.texts
    return read(data, array=array, resize=resize, text=(*fitted.schema_.texts, *told))
