"""The estimators by name, for the command line and for model folders."""

from __future__ import annotations

from isthmus.errors import InputError, did_you_mean
from isthmus.estimators.autoencoder import Autoencoder
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.denoising import DenoisingAutoencoder

__all__ = ["ESTIMATORS", "estimator_class"]

ESTIMATORS: dict[str, type[BaseAutoencoder]] = {
    estimator.__name__: estimator for estimator in (Autoencoder, DenoisingAutoencoder)
}


def estimator_class(name: str) -> type[BaseAutoencoder]:
    """Return the estimator called `name`; upper and lower case, "-" and "_" are all one."""
    plain = {known.lower(): known for known in ESTIMATORS}
    key = name.replace("-", "").replace("_", "").lower()
    if key not in plain:
        raise InputError(
            f'no estimator is called "{name}"; there are {", ".join(ESTIMATORS)}.{did_you_mean(name, ESTIMATORS)}'
        )
    return ESTIMATORS[plain[key]]
