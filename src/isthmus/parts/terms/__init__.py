"""What else is asked of the code: specifications of the loss's terms, and the modules that compute them.

Importing this imports no torch.
"""

from isthmus.parts.terms.specs import KL as KL
from isthmus.parts.terms.specs import Adversarial as Adversarial
from isthmus.parts.terms.specs import Contractive as Contractive
from isthmus.parts.terms.specs import MaximumMeanDiscrepancy as MaximumMeanDiscrepancy
from isthmus.parts.terms.specs import NeighborEmbedding as NeighborEmbedding
from isthmus.parts.terms.specs import Sparsity as Sparsity
from isthmus.parts.terms.specs import Term as Term
from isthmus.parts.terms.specs import TotalCorrelation as TotalCorrelation

__all__ = [
    "KL",
    "Adversarial",
    "Contractive",
    "MaximumMeanDiscrepancy",
    "NeighborEmbedding",
    "Sparsity",
    "Term",
    "TotalCorrelation",
]
