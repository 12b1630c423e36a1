"""What else is asked of the code: the specifications of the loss's terms, which import no torch."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isthmus.errors import InputError
from isthmus.parts.registry import Part, check_choice, check_number, register

if TYPE_CHECKING:
    from isthmus.parts.posteriors.base import Code
    from isthmus.parts.priors.base import LatentPrior
    from isthmus.parts.terms.base import TermModule

__all__ = [
    "FAMILY",
    "KL",
    "Adversarial",
    "Contractive",
    "MaximumMeanDiscrepancy",
    "NeighborEmbedding",
    "Sparsity",
    "Term",
    "TotalCorrelation",
]

FAMILY = "term"


class Term(Part):
    """Something that is added to the negative log-likelihood, in nats per row."""

    @abstractmethod
    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        """Return the torch module.

        Parameters
        ----------
        code : Code
            The posterior's module.
        prior : LatentPrior or None
            The prior's module, if the model has one; a term that needs one raises InputError without.
        n_labels : int
            How many labels an opponent is told of each row's code, 0 for none.
        """


@register(FAMILY)
@dataclass(frozen=True)
class KL(Term):
    """The divergence of the posterior from the prior: together with the likelihood, the (beta-)ELBO.

    Parameters
    ----------
    beta : float, default=1.0
        Its weight (Higgins et al. 2017); only 1 gives a bound on log p(x).
    warmup : float, default=0.1
        Share of the schedule over which the weight grows from 0 (Bowman et al. 2016).
    free_bits : float, default=0.0
        Nats per component that cost nothing: a component whose mean over the batch is below has no gradient
        (Kingma et al. 2016).
    """

    beta: float = 1.0
    warmup: float = 0.1
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        check_number(self, "beta")
        check_number(self, "warmup", high=1.0)
        check_number(self, "free_bits")

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.kl import KLTerm

        return KLTerm(self, code, _needed(self, prior))


@register(FAMILY)
@dataclass(frozen=True)
class MaximumMeanDiscrepancy(Term):
    """Squared maximum mean discrepancy of a batch's codes from draws of the prior (Tolstikhin et al. 2018).

    Parameters
    ----------
    weight : float, default=100.0
    kernel : {"inverse_multiquadric", "gaussian"}, default="inverse_multiquadric"
        Summed over seven scales around the prior's own.
    """

    weight: float = 100.0
    kernel: str = "inverse_multiquadric"

    def __post_init__(self) -> None:
        check_number(self, "weight")
        check_choice(self, "kernel", ("inverse_multiquadric", "gaussian"))

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.discrepancy import DiscrepancyTerm

        return DiscrepancyTerm(self, code, _needed(self, prior))


@register(FAMILY)
@dataclass(frozen=True)
class Adversarial(Term):
    """A discriminator learns to tell codes from draws of the prior, the encoder to deceive it.

    Makhzani et al. 2015.

    Parameters
    ----------
    weight : float, default=1.0
        1 counts as 10 nats and a quarter of a nat for each column, as likelihoods grow with the columns.
    hidden_sizes : tuple of int, default=(128, 128)
        Of the discriminator.
    learning_rate : float, default=3.0
        Of the discriminator, as a multiple of the networks' own.
    """

    weight: float = 1.0
    hidden_sizes: tuple[int, ...] = (128, 128)
    learning_rate: float = 3.0

    def __post_init__(self) -> None:
        check_number(self, "weight")
        check_number(self, "learning_rate", above=True)
        sizes = self.hidden_sizes if isinstance(self.hidden_sizes, (tuple, list)) else ()
        if not sizes or any(type(size) is not int or size < 1 for size in sizes):
            raise InputError(f"{self!r}: hidden_sizes must be whole numbers of at least 1, as in (128, 128).")
        object.__setattr__(self, "hidden_sizes", tuple(sizes))

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.adversarial import AdversarialTerm

        return AdversarialTerm(self, code, _needed(self, prior), n_labels)


@register(FAMILY)
@dataclass(frozen=True)
class TotalCorrelation(Term):
    """The dependence of the aggregated code's components on each other (Chen et al. 2018).

    KL(q(z) || product of q(z_j)), estimated from a batch; with a weight of beta - 1 beside `KL`, beta-TCVAE.

    Parameters
    ----------
    weight : float, default=5.0
    """

    weight: float = 5.0

    def __post_init__(self) -> None:
        check_number(self, "weight")

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.total_correlation import TotalCorrelationTerm

        return TotalCorrelationTerm(self, code)


@register(FAMILY)
@dataclass(frozen=True)
class Contractive(Term):
    """The squared Frobenius norm of the code's Jacobian: small changes of a row shall change its code little.

    Exact for an encoder of one layer, Hutchinson's unbiased estimate beyond (Rifai et al. 2011).

    Parameters
    ----------
    weight : float, default=0.1
        In nats per unit of the norm; derivatives are by data units in arrays, by training standard
        deviations in frames.
    n_probes : int, default=1
        Random directions of Hutchinson's estimate.
    """

    weight: float = 0.1
    n_probes: int = 1

    def __post_init__(self) -> None:
        check_number(self, "weight")
        check_number(self, "n_probes", low=1, high=2**10, whole=True)

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.contractive import ContractiveTerm

        return ContractiveTerm(self, code)


@register(FAMILY)
@dataclass(frozen=True)
class Sparsity(Term):
    """Few components of the code are active at a time.

    Parameters
    ----------
    penalty : {"l1", "kl", "top_k"}, default="l1"
        "l1": the sum of sizes. "kl": the divergence of each component's mean over the batch from `rate`, for
        codes between 0 and 1 (Ng 2011). "top_k": no penalty; all but the `k` largest entries become 0.
    weight : float, default=1.0
    rate : float, default=0.05
    k : int, default=10
    """

    penalty: str = "l1"
    weight: float = 1.0
    rate: float = 0.05
    k: int = 10

    def __post_init__(self) -> None:
        check_choice(self, "penalty", ("l1", "kl", "top_k"))
        check_number(self, "weight")
        check_number(self, "rate", above=True, high=0.999)
        check_number(self, "k", low=1, whole=True)

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.sparsity import SparsityTerm

        return SparsityTerm(self, code)


@register(FAMILY)
@dataclass(frozen=True)
class NeighborEmbedding(Term):
    """Neighbours in the data are to be neighbours among the codes, and other rows are not.

    The cross-entropy of telling a row's neighbour from the other rows of a batch by distances of codes,
    under the heavy-tailed kernel of t-SNE (contrastive neighbour embedding: Damrich et al. 2023). Neighbours
    are drawn by the weights of UMAP's graph (McInnes et al. 2018): the nearer, the more often.

    Parameters
    ----------
    weight : float, default=1.0
        1 counts as 5 nats and one for each column, as likelihoods grow with the columns.
    n_neighbors : int, default=15
        Of each row: fewer show finer structure, more the coarser one.
    metric : {"euclidean", "manhattan", "chebyshev", "cosine", "correlation"}, default="euclidean"
        Of the data: by their own units in arrays, by training standard deviations in frames.
    min_dist : float, default=0.1
        Codes nearer than this are not drawn nearer still: larger values spread clusters out. The kernel's
        width is 1.
    """

    weight: float = 1.0
    n_neighbors: int = 15
    metric: str = "euclidean"
    min_dist: float = 0.1

    def __post_init__(self) -> None:
        check_number(self, "weight")
        check_number(self, "n_neighbors", low=1, whole=True)
        check_choice(self, "metric", ("euclidean", "manhattan", "chebyshev", "cosine", "correlation"))
        check_number(self, "min_dist")

    def build(self, code: Code, prior: LatentPrior | None, n_labels: int) -> TermModule:
        from isthmus.parts.terms.neighbor_embedding import NeighborEmbeddingTerm

        return NeighborEmbeddingTerm(self, code)


def _needed(term: Term, prior: LatentPrior | None) -> LatentPrior:
    if prior is None:
        raise InputError(f"{term!r} compares codes with a prior, and this model has none; give it one.")
    return prior
