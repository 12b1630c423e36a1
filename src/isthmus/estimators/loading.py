"""`isthmus.load`: whatever a model folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isthmus import store
from isthmus.errors import StoreError
from isthmus.estimators import classifier_files
from isthmus.estimators.classifier import AutoencoderClassifier
from isthmus.estimators.networks import ModuleFactory
from isthmus.estimators.persistence import CLASSIFIER, read

__all__ = ["load"]


def load(
    path: str | Path, *, encoder: ModuleFactory | None = None, decoder: ModuleFactory | None = None
) -> Any:
    """Load a saved model.

    Parameters
    ----------
    path : str or Path
        A folder that `save` wrote.
    encoder, decoder : callable, optional
        The factories of a model that was fitted with its own: a folder names them but never imports them.

    Returns
    -------
    estimator
        Fitted, on the CPU or, with ``device="auto"``, on the GPU where there is one.

    Raises
    ------
    StoreError
        If anything in the folder is missing, edited, out of bounds or does not fit together.
    """
    files = store.read_folder(path)
    given = {"encoder": encoder, "decoder": decoder}
    try:
        if files.config["estimator"] == CLASSIFIER:
            return classifier_files.read(AutoencoderClassifier, files, given)
        return read(files, given)
    except StoreError:
        raise
    except Exception as error:  # whatever an edited file makes any constructor raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise StoreError(
            f"{path}: the files of this model do not fit together ({reason}); save the model again"
        ) from error
