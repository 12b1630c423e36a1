"""Mixtures of normals: a learned one, and a fixed ring of petals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from isthmus.parts.posteriors.gaussian import pairwise_normal_log_prob
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.normal import normal_log_prob, normal_noise

if TYPE_CHECKING:
    from isthmus.parts.priors.specs import GaussianMixture

__all__ = ["LearnedMixturePrior", "RingPrior", "mixture_log_prob"]

# Densities that are held at a time: draws are taken in pieces where a mixture has many components.
LARGEST_PIECE = 2**24


class LearnedMixturePrior(LatentPrior):
    """A mixture of normals with independent components; all of it is learned.

    Parameters
    ----------
    n_components : int
        Of a code.
    n_clusters : int
        Of the mixture.
    """

    def __init__(self, n_components: int, n_clusters: int) -> None:
        super().__init__(n_components)
        # Together they start as wide as the standard normal. Each is as wide as the kernel of a density
        # estimate from as many points would be (Scott's rule), so that they neither leave gaps nor coincide.
        sd = n_clusters ** (-1 / (n_components + 4))
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.means = nn.Parameter(math.sqrt(1 - sd**2) * torch.randn(n_clusters, n_components))
        self.log_sds = nn.Parameter(torch.full((n_clusters, n_components), math.log(sd)))

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        def pairwise(points: Tensor) -> Tensor:
            return pairwise_normal_log_prob(self.means, self.log_sds, points)

        return mixture_log_prob(pairwise, torch.log_softmax(self.logits, dim=0), z)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        share = torch.softmax(self.logits, dim=0)
        cluster = torch.multinomial(share, n, replacement=True, generator=generator)
        noise = temperature * normal_noise(n, self.n_components, generator)
        return torch.addcmul(self.means[cluster], self.log_sds[cluster].exp(), noise)


class RingPrior(LatentPrior):
    """Equally likely petals around a circle in the first two components; the others are standard normal.

    A petal is a normal distribution, elongated along the circle's radius. The first lies in the direction of
    the first axis; they follow each other counterclockwise.

    Parameters
    ----------
    n_components : int
        Of a code, at least 2.
    spec : GaussianMixture
    """

    axes: Tensor

    def __init__(self, n_components: int, spec: GaussianMixture) -> None:
        super().__init__(n_components)
        self.n_kinds = spec.n_clusters
        self.radius, self.radial_sd, self.tangential_sd = spec.radius, spec.radial_sd, spec.tangential_sd
        turn = 2 * math.pi * torch.arange(spec.n_clusters, dtype=torch.float64) / spec.n_clusters
        radial = torch.stack([torch.cos(turn), torch.sin(turn)], dim=1)
        tangential = torch.stack([-torch.sin(turn), torch.cos(turn)], dim=1)
        axes = torch.stack([radial, tangential], dim=1).to(torch.get_default_dtype())  # (n_clusters, 2, 2)
        self.register_buffer("axes", axes, persistent=False)

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        along, across = torch.einsum("...i,kai->a...k", z[..., :2], self.axes)  # (..., n_clusters) each
        squares = ((along - self.radius) / self.radial_sd).square() + (across / self.tangential_sd).square()
        area = 2 * math.pi * self.radial_sd * self.tangential_sd
        log_ring = torch.logsumexp(-0.5 * squares, dim=-1) - math.log(len(self.axes) * area)
        return log_ring + normal_log_prob(z[..., 2:])

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        cluster = torch.randint(len(self.axes), (n,), generator=generator, device=generator.device)
        return self._draw(cluster, generator, temperature)

    @torch.no_grad()
    def sample_labelled(self, labels: Tensor, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """Draw for each label from the petal of that number."""
        return self._draw(labels, generator, temperature)

    def _draw(self, cluster: Tensor, generator: torch.Generator, temperature: float) -> Tensor:
        noise = temperature * normal_noise(len(cluster), self.n_components, generator)
        along, across = self.radius + self.radial_sd * noise[:, 0], self.tangential_sd * noise[:, 1]
        place = torch.stack([along, across], dim=1)  # (n, 2)
        return torch.cat([torch.einsum("na,nai->ni", place, self.axes[cluster]), noise[:, 2:]], dim=1)


def mixture_log_prob(pairwise: Callable[[Tensor], Tensor], log_share: Tensor, z: Tensor) -> Tensor:
    """Return the log-density of a mixture, of shape (...), for z of shape (..., D).

    Parameters
    ----------
    pairwise : callable
        Maps points (N, D) to their log-densities (N, M) under each of M components.
    log_share : Tensor of shape (M,)
        Logs of the components' shares.
    z : Tensor
    """
    points = z.reshape(-1, z.shape[-1])  # (N, D)
    pieces = points.split(max(1, LARGEST_PIECE // len(log_share)))
    log_prob = [torch.logsumexp(pairwise(piece) + log_share, dim=1) for piece in pieces]
    return torch.cat(log_prob).view(z.shape[:-1])
