"""The mixture of the posteriors of learned inputs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from isthmus.parts.posteriors.base import Code
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.mixture import mixture_log_prob
from isthmus.parts.priors.normal import normal_noise

__all__ = ["VampPriorModule"]


class VampPriorModule(LatentPrior):
    """The mean of q(z given u) over learned pseudo-inputs u (Tomczak & Welling 2018).

    Its anchors are the encoder's outputs for them, without which it gives neither densities nor draws.

    Parameters
    ----------
    code : Code
        The posterior. It is not a submodule: the model owns it.
    n_inputs : int
        Width of the encoder's inputs, whose spread is about 1 around 0.
    n_pseudo_inputs : int
    """

    def __init__(self, code: Code, n_inputs: int, n_pseudo_inputs: int) -> None:
        super().__init__(code.n_components)
        self._code = (code,)  # a tuple hides it from torch, and is copied along with the model
        self.on_sphere = code.on_sphere
        self.pseudo_inputs = nn.Parameter(torch.randn(n_pseudo_inputs, n_inputs))

    def anchors(self, encode: Callable[[Tensor], Tensor]) -> Tensor:
        return encode(self.pseudo_inputs)  # (M, n_outputs)

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        outputs = _given(anchors)
        log_share = outputs.new_full((len(outputs),), -math.log(len(outputs)))
        return mixture_log_prob(lambda points: self._code[0].pairwise_log_prob(outputs, points), log_share, z)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        outputs = _given(anchors)
        chosen = torch.randint(len(outputs), (n,), generator=generator, device=generator.device)
        noise = temperature * normal_noise(n, self.n_components, generator)
        return self._code[0].sample(outputs[chosen], noise[None])[0]


def _given(anchors: Tensor | None) -> Tensor:
    if anchors is None:
        raise ValueError("a VampPrior needs anchors, which its method `anchors` makes with the encoder.")
    return anchors
