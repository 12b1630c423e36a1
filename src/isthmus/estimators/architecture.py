"""The choices that fix a model's module, and how they are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isthmus.errors import InputError
from isthmus.nets.activations import HIDDEN_ACTIVATIONS
from isthmus.parts.bounds import ELBO, Bound
from isthmus.parts.corruptions import Corruption
from isthmus.parts.likelihoods import Likelihood
from isthmus.parts.posteriors import Places, Point, Posterior
from isthmus.parts.priors import Prior
from isthmus.parts.registry import parse, to_json
from isthmus.parts.terms import KL, NeighborEmbedding, Term

__all__ = ["NETWORKS", "Architecture", "describe", "layer_words", "part_words", "read_architecture"]

NETWORKS = ("mlp", "gated_mlp", "conv")


@dataclass(frozen=True)
class Architecture:
    """The choices that fix a model's module, every "auto" resolved.

    Attributes
    ----------
    n_components : int
    hidden_sizes : tuple of int
        Widths of the hidden layers; of a convolutional network, channels of its stages.
    activation : str
    likelihood : Likelihood
    corruption : Corruption or None
    posterior : Posterior
    prior : Prior or None
    bound : Bound
    terms : tuple of Term
    network : {"mlp", "gated_mlp", "conv"}
    n_labels : int
        How many labels an opponent tells apart.
    n_waves : int
        Sines of the code that the decoder reads instead of the code itself; 0 for the code.
    """

    n_components: int
    hidden_sizes: tuple[int, ...]
    activation: str
    likelihood: Likelihood
    corruption: Corruption | None = None
    posterior: Posterior = field(default_factory=Point)
    prior: Prior | None = None
    bound: Bound = field(default_factory=ELBO)
    terms: tuple[Term, ...] = ()
    network: str = "mlp"
    n_labels: int = 0
    n_waves: int = 0

    @property
    def linear(self) -> bool:
        """Whether encoder and decoder are linear."""
        return not self.hidden_sizes

    @property
    def torn(self) -> bool:
        """Whether the code is a map made of places, which training rows are given positions in."""
        return isinstance(self.posterior, Places)

    @property
    def settles(self) -> bool:
        """Whether these positions settle among neighbours first; a prior says itself where codes lie."""
        neighbors = any(isinstance(term, NeighborEmbedding) for term in self.terms)
        return self.torn and self.prior is None and neighbors

    @property
    def divergence(self) -> KL | None:
        """The KL term, which belongs to the bound."""
        return next((term for term in self.terms if isinstance(term, KL)), None)


def part_words(architecture: Architecture) -> list[tuple[str, str]]:
    """Return the parts beside the likelihood as pairs of words, for people."""
    found = [("corruption", str(architecture.corruption or "none"))]
    if architecture.posterior != Point():
        found.append(("posterior", str(architecture.posterior)))
    if architecture.prior is not None:
        found.append(("prior", str(architecture.prior)))
    if architecture.divergence is not None:
        found.append(("bound", str(architecture.bound)))
    if architecture.terms:
        found.append(("terms", ", ".join(map(str, architecture.terms))))
    return found


def layer_words(architecture: Architecture) -> str:
    """Return the hidden layers in words."""
    sizes = " - ".join(map(str, architecture.hidden_sizes))
    waves = f"; the decoder reads {architecture.n_waves} waves" if architecture.n_waves else ""
    if architecture.network == "conv":
        return f"convolutions of {sizes} channels{waves}"
    gated = " (gated)" if architecture.network == "gated_mlp" else ""
    return f"{sizes}{gated}{waves}" if sizes else "none: linear"


def describe(architecture: Architecture) -> dict[str, Any]:
    """Return the architecture as JSON."""
    corruption, prior = architecture.corruption, architecture.prior
    return {
        "n_components": architecture.n_components,
        "hidden_sizes": list(architecture.hidden_sizes),
        "activation": architecture.activation,
        "likelihood": to_json(architecture.likelihood),
        "corruption": None if corruption is None else to_json(corruption),
        "posterior": to_json(architecture.posterior),
        "prior": None if prior is None else to_json(prior),
        "bound": to_json(architecture.bound),
        "terms": [to_json(term) for term in architecture.terms],
        "network": architecture.network,
        "n_labels": architecture.n_labels,
        "n_waves": architecture.n_waves,
    }


def read_architecture(described: Mapping[str, Any]) -> Architecture:
    """Undo `describe`; raises KeyError, TypeError or InputError where it cannot.

    Folders of format 1 know points only: what they do not name is that of `Architecture` by default.
    """
    sizes = [described["n_components"], *described["hidden_sizes"]]
    if any(type(size) is not int or size < 1 for size in sizes):
        raise InputError(f"the sizes {sizes} are not those of a network")
    network = described.get("network", "mlp")
    counts = {name: described.get(name, 0) for name in ("n_labels", "n_waves")}
    if described["activation"] not in HIDDEN_ACTIVATIONS or network not in NETWORKS:
        raise InputError(f"{network!r} with {described['activation']!r} is no network")
    for name, count in counts.items():
        if type(count) is not int or count < 0:
            raise InputError(f"{name}={count!r} is no number of {name.removeprefix('n_')}")
    return Architecture(
        n_components=sizes[0],
        hidden_sizes=tuple(sizes[1:]),
        activation=described["activation"],
        likelihood=parse(described["likelihood"], "likelihood"),
        corruption=_optional(described["corruption"], "corruption"),
        posterior=_optional(described.get("posterior"), "posterior") or Point(),
        prior=_optional(described.get("prior"), "prior"),
        bound=_optional(described.get("bound"), "bound") or ELBO(),
        terms=tuple(parse(term, "term") for term in described.get("terms", ())),
        network=network,
        **counts,
    )


def _optional(described: Any, family: str) -> Any:
    return None if described is None else parse(described, family)
