"""What a typical code is: specifications of p(z), and (built at fit time) the modules that draw and score it.

Importing this imports no torch.
"""

from isthmus.parts.priors.specs import Autoregressive as Autoregressive
from isthmus.parts.priors.specs import Flow as Flow
from isthmus.parts.priors.specs import GaussianMixture as GaussianMixture
from isthmus.parts.priors.specs import Prior as Prior
from isthmus.parts.priors.specs import StandardNormal as StandardNormal
from isthmus.parts.priors.specs import SwissRoll as SwissRoll
from isthmus.parts.priors.specs import UniformSphere as UniformSphere
from isthmus.parts.priors.specs import VampPrior as VampPrior

__all__ = [
    "Autoregressive",
    "Flow",
    "GaussianMixture",
    "Prior",
    "StandardNormal",
    "SwissRoll",
    "UniformSphere",
    "VampPrior",
]
