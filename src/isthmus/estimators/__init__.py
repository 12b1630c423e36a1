"""What users fit: scikit-learn estimators, each a short list of parts."""

from isthmus.estimators.adversarial import AdversarialAutoencoder as AdversarialAutoencoder
from isthmus.estimators.autoencoder import Autoencoder as Autoencoder
from isthmus.estimators.classifier import AutoencoderClassifier as AutoencoderClassifier
from isthmus.estimators.conditional import (
    ConditionalVariationalAutoencoder as ConditionalVariationalAutoencoder,
)
from isthmus.estimators.contractive import ContractiveAutoencoder as ContractiveAutoencoder
from isthmus.estimators.denoising import DenoisingAutoencoder as DenoisingAutoencoder
from isthmus.estimators.importance_weighted import (
    ImportanceWeightedAutoencoder as ImportanceWeightedAutoencoder,
)
from isthmus.estimators.loading import load as load
from isthmus.estimators.manifold import ManifoldAutoencoder as ManifoldAutoencoder
from isthmus.estimators.sparse import SparseAutoencoder as SparseAutoencoder
from isthmus.estimators.stacked import StackedAutoencoder as StackedAutoencoder
from isthmus.estimators.variational import VariationalAutoencoder as VariationalAutoencoder
from isthmus.estimators.vector_quantized import VectorQuantizedAutoencoder as VectorQuantizedAutoencoder
from isthmus.estimators.wasserstein import WassersteinAutoencoder as WassersteinAutoencoder

__all__ = [
    "AdversarialAutoencoder",
    "Autoencoder",
    "AutoencoderClassifier",
    "ConditionalVariationalAutoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "ImportanceWeightedAutoencoder",
    "ManifoldAutoencoder",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "VariationalAutoencoder",
    "VectorQuantizedAutoencoder",
    "WassersteinAutoencoder",
    "load",
]
