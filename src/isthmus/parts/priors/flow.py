"""Noise bent by invertible layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from isthmus.nets.mlp import mlp
from isthmus.parts.priors.base import LatentPrior
from isthmus.parts.priors.normal import normal_log_prob, normal_noise

__all__ = ["FlowPrior"]

# A layer stretches or shrinks a component by no more than exp of this: what it does can be undone in float32.
LARGEST_LOG_SCALE = 2.0


class FlowPrior(LatentPrior):
    """Standard normal noise, bent by affine coupling layers (Dinh et al. 2017); it starts as that noise.

    Parameters
    ----------
    n_components : int
        At least 2.
    n_layers : int
    width : int
        Of the networks' two hidden layers.
    """

    def __init__(self, n_components: int, n_layers: int, width: int) -> None:
        super().__init__(n_components)
        layers: list[nn.Module] = []
        while len(layers) < n_layers:
            # Two layers together move every component; the next two split them otherwise.
            halves = torch.randperm(n_components).tensor_split(2)
            layers += [Coupling(halves[0], halves[1], width), Coupling(halves[1], halves[0], width)]
        self.layers = nn.ModuleList(layers[:n_layers])

    def to_noise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noise that codes (N, D) came from, and the log of the volume it takes up, (N,)."""
        total = z.new_zeros(len(z))
        for layer in self._layers():
            z, log_volume = layer(z)
            total = total + log_volume
        return z, total

    def from_noise(self, noise: Tensor) -> Tensor:
        """Return the codes (N, D) that noise becomes."""
        for layer in reversed(self._layers()):
            noise = layer.inverse(noise)
        return noise

    def log_prob(self, z: Tensor, anchors: Tensor | None = None) -> Tensor:
        noise, log_volume = self.to_noise(z.reshape(-1, self.n_components))
        return (normal_log_prob(noise) + log_volume).view(z.shape[:-1])

    @torch.no_grad()
    def sample(
        self,
        n: int,
        generator: torch.Generator,
        temperature: float = 1.0,
        anchors: Tensor | None = None,
    ) -> Tensor:
        return self.from_noise(temperature * normal_noise(n, self.n_components, generator))

    def _layers(self) -> list[Coupling]:
        return [layer for layer in self.layers if isinstance(layer, Coupling)]


class Coupling(nn.Module):
    """Shift and scale some components by amounts that the others say.

    Parameters
    ----------
    seen, moved : Tensor of int
        Which components say it, and which are moved.
    width : int
    """

    seen: Tensor
    moved: Tensor

    def __init__(self, seen: Tensor, moved: Tensor, width: int) -> None:
        super().__init__()
        # Saved with the weights, as what was drawn is drawn only once.
        self.register_buffer("seen", seen.clone())
        self.register_buffer("moved", moved.clone())
        self.network = mlp([len(seen), width, width, 2 * len(moved)])
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the layer's outputs (N, D), and the log of its Jacobian's determinant, (N,)."""
        shift, log_scale = self._say(z)
        moved = (z[:, self.moved] - shift) * torch.exp(log_scale)
        return z.index_copy(1, self.moved, moved), log_scale.sum(dim=1)

    def inverse(self, outputs: Tensor) -> Tensor:
        """Return what `forward` would have to be given."""
        shift, log_scale = self._say(outputs)
        moved = outputs[:, self.moved] * torch.exp(-log_scale) + shift
        return outputs.index_copy(1, self.moved, moved)

    def _say(self, z: Tensor) -> tuple[Tensor, Tensor]:
        shift, raw = self.network(z[:, self.seen]).chunk(2, dim=1)  # (N, n_moved) each
        return shift, LARGEST_LOG_SCALE * torch.tanh(raw / LARGEST_LOG_SCALE)
