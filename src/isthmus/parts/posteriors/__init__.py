"""What a code is: specifications of q(z given x), and (built at fit time) the modules that draw and score it.

Importing this imports no torch.
"""

from isthmus.parts.posteriors.specs import DiagonalGaussian as DiagonalGaussian
from isthmus.parts.posteriors.specs import FiniteScalar as FiniteScalar
from isthmus.parts.posteriors.specs import Places as Places
from isthmus.parts.posteriors.specs import Point as Point
from isthmus.parts.posteriors.specs import Posterior as Posterior
from isthmus.parts.posteriors.specs import VectorQuantized as VectorQuantized
from isthmus.parts.posteriors.specs import VonMisesFisher as VonMisesFisher

__all__ = [
    "DiagonalGaussian",
    "FiniteScalar",
    "Places",
    "Point",
    "Posterior",
    "VectorQuantized",
    "VonMisesFisher",
]
