"""What users fit: scikit-learn estimators, each a short list of parts."""

from isthmus.estimators.autoencoder import Autoencoder as Autoencoder
from isthmus.estimators.denoising import DenoisingAutoencoder as DenoisingAutoencoder
from isthmus.estimators.persistence import load as load

__all__ = ["Autoencoder", "DenoisingAutoencoder", "load"]
