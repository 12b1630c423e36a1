"""Residual convolutional networks: encoder and decoder of images of any size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.nets.mlp import ACTIVATIONS

__all__ = ["ConvDecoder", "ConvEncoder", "ImageLayout", "auto_channels"]

# Images are halved until their smaller side is at most this: what is left is a linear map's work.
SMALL_SIDE = 8
MAX_STAGES = 5
STAGE_WIDTH = 32
# Channels that are normalised together: at least this many, in at most so many groups.
GROUP_WIDTH = 4
MAX_GROUPS = 8


@dataclass(frozen=True)
class ImageLayout:
    """Where the entries of a row lie in its image.

    Attributes
    ----------
    shape : tuple of int
        Height, width and channels.
    index : tuple of int of length C
        For each modelled column, its position in the flattened image (height, width, channels); pixels that
        never change are not among them.
    flagged : tuple of int of length F
        Which of the modelled columns have a missing flag among the encoder's inputs, in the flags' order.
    """

    shape: tuple[int, int, int]
    index: tuple[int, ...]
    flagged: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not _distinct_below(math.prod(self.shape), self.index):
            raise ValueError(f"index must name distinct pixels of an image of shape {self.shape}")
        if not _distinct_below(len(self.index), self.flagged):
            raise ValueError(f"flagged must name distinct ones of {len(self.index)} modelled columns")

    @property
    def n_inputs(self) -> int:
        """How many inputs describe the image: its modelled pixels, then their flags."""
        return len(self.index) + len(self.flagged)

    def grids(self, n_stages: int) -> list[tuple[int, int]]:
        """Return height and width of the image and after each stage, which halves them and rounds up."""
        height, width, _ = self.shape
        return [(math.ceil(height / 2**k), math.ceil(width / 2**k)) for k in range(n_stages + 1)]


def _distinct_below(n: int, indices: Sequence[int]) -> bool:
    return len(set(indices)) == len(indices) and all(0 <= i < n for i in indices)


def auto_channels(height: int, width: int) -> tuple[int, ...]:
    """Return the channels of each stage: 32, 64, 96, ... until the smaller side is at most 8 pixels.

    One to five stages. 8 x 8 pixels get (32,), 28 x 28 get (32, 64).
    """
    halvings = math.ceil(math.log2(max(min(height, width) / SMALL_SIDE, 1)))
    n_stages = min(max(halvings, 1), MAX_STAGES)
    return tuple(STAGE_WIDTH * k for k in range(1, n_stages + 1))


# The networks ---------------------------------------------------------------------------------------------


class ConvEncoder(nn.Module):
    """Stages that each halve the image with a strided convolution, then refine it with a residual block.

    Convolving at half the size first is what a CPU can afford: a block on the image itself costs four times
    as much for the same channels. Nothing is normalised across rows, so that a row's result is its own. The
    last grid is not normalised either, since an image's overall brightness must reach the code.

    Parameters
    ----------
    layout : ImageLayout
    n_condition : int
        How many of the inputs, the last ones, are no part of the image; they join the flattened last grid.
    n_outputs : int
    channels : sequence of int
        Channels of each stage; at least one.
    activation : str
        One of `isthmus.nets.mlp.ACTIVATIONS`.
    """

    def __init__(
        self, layout: ImageLayout, n_condition: int, n_outputs: int, channels: Sequence[int], activation: str
    ) -> None:
        super().__init__()
        _check_channels(channels)
        self.n_image_inputs = layout.n_inputs
        self.image = _Scatter(layout)
        stages: list[nn.Module] = []
        n_in = self.image.n_planes
        for n_out in channels:
            stages += [_conv(n_in, n_out, stride=2), _ResidualBlock(n_out, activation)]
            n_in = n_out
        self.stages = nn.Sequential(*stages, ACTIVATIONS[activation]())
        height, width = layout.grids(len(channels))[-1]
        self.head = _linear(height * width * n_in + n_condition, n_outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map pixels, flags and condition (B, C + F + n_condition) to (B, n_outputs)."""
        image, condition = inputs[:, : self.n_image_inputs], inputs[:, self.n_image_inputs :]
        grid = self.stages(self.image(image))  # (B, channels, h, w)
        return self.head(torch.cat([grid.flatten(1), condition], dim=1))


class ConvDecoder(nn.Module):
    """The encoder's stages in reverse: a residual block, then nearest upsampling and a convolution.

    Two convolutions with few channels follow the last upsampling, the only ones at full size: with one alone,
    the pixels would be linear in the half-sized grid. An untrained decoder gives the same image for every
    code, by default zeros: see `start_at`.

    Parameters
    ----------
    layout : ImageLayout
    n_inputs : int
        Width of code and condition, side by side.
    channels : sequence of int
        Channels of each stage, in the encoder's order; at least one.
    activation : str
        One of `isthmus.nets.mlp.ACTIVATIONS`.
    """

    index: Tensor

    def __init__(self, layout: ImageLayout, n_inputs: int, channels: Sequence[int], activation: str) -> None:
        super().__init__()
        _check_channels(channels)
        grids = layout.grids(len(channels))
        widths = [max(channels[0] // 2, 1), *channels]
        self.smallest = (*grids[-1], widths[-1])
        self.head = _linear(n_inputs, math.prod(self.smallest))
        stages: list[nn.Module] = []
        for k in reversed(range(len(channels))):
            block = _ResidualBlock(widths[k + 1], activation)
            stages += [block, nn.Upsample(grids[k], mode="nearest"), _conv(widths[k + 1], widths[k])]
        self.stages = nn.Sequential(*stages, ACTIVATIONS[activation]())
        self.last = nn.Conv2d(widths[0], layout.shape[2], kernel_size=3, padding=1, bias=False)
        nn.init.zeros_(self.last.weight)
        # A bias per pixel, not per channel: images begin at the mean image, not at a flat one.
        self.bias = nn.Parameter(torch.zeros(len(layout.index)))
        self.register_buffer("index", _long(layout.index), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map code and condition (B, n_inputs) to one output per modelled pixel, (B, C)."""
        grid = self.head(inputs).unflatten(1, self.smallest).permute(0, 3, 1, 2)  # (B, channels, h, w)
        image = self.last(self.stages(grid))  # (B, planes, height, width)
        pixels = image.permute(0, 2, 3, 1).flatten(1)  # (B, height * width * planes)
        return pixels.index_select(1, self.index) + self.bias

    @torch.no_grad()
    def start_at(self, outputs: Tensor) -> None:
        """Make an untrained decoder give `outputs`, of shape (C,), for every code."""
        self.bias.copy_(outputs)


# Their pieces ---------------------------------------------------------------------------------------------


class _Scatter(nn.Module):
    """Puts pixels where they belong, and their missing flags in planes of their own; zero elsewhere."""

    slots: Tensor

    def __init__(self, layout: ImageLayout) -> None:
        super().__init__()
        height, width, channels = layout.shape
        self.n_planes = 2 * channels if layout.flagged else channels
        self.shape = (height, width, self.n_planes)
        # Which input each cell takes; one past the last is a zero. Thus one gather fills the grid.
        slots = torch.full((height * width, self.n_planes), layout.n_inputs)
        cells, planes = _long(layout.index) // channels, _long(layout.index) % channels
        flagged = _long(layout.flagged)
        slots[cells, planes] = torch.arange(len(layout.index))
        slots[cells[flagged], channels + planes[flagged]] = len(layout.index) + torch.arange(len(flagged))
        self.register_buffer("slots", slots.flatten(), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, C + F) to (B, planes, height, width)."""
        cells = functional.pad(inputs, (0, 1)).index_select(1, self.slots)  # (B, height * width * planes)
        # In memory the channels stay last, which is the order in which CPUs convolve fastest.
        return cells.unflatten(1, self.shape).permute(0, 3, 1, 2)


class _ResidualBlock(nn.Module):
    """Adds to a grid what two convolutions make of it, each after normalisation and activation."""

    def __init__(self, channels: int, activation: str) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [_norm(channels), ACTIVATIONS[activation](), _conv(channels, channels)]
        self.branch = nn.Sequential(*layers)

    def forward(self, grid: Tensor) -> Tensor:
        """Map (B, channels, h, w) to the same shape."""
        return grid + self.branch(grid)


def _long(indices: Sequence[int]) -> Tensor:
    return torch.tensor(indices, dtype=torch.long)


def _norm(channels: int) -> nn.Module:
    """Normalise groups of channels, several in each: a single one on a 1 x 1 grid would always become 0."""
    if channels == 1:
        return nn.Identity()
    groups = [n for n in range(1, MAX_GROUPS + 1) if channels % n == 0 and channels // n >= GROUP_WIDTH]
    return nn.GroupNorm(max(groups, default=1), channels)


def _conv(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    """Return a 3 x 3 convolution; with a stride of 2, n pixels become n / 2, rounded up."""
    conv = nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1)
    _initialise(conv)
    return conv


def _linear(n_in: int, n_out: int) -> nn.Linear:
    linear = nn.Linear(n_in, n_out)
    _initialise(linear)
    return linear


def _initialise(layer: nn.Conv2d | nn.Linear) -> None:
    # A variance of 1 / inputs keeps the residual stream at its scale also where a layer widens it greatly,
    # as from a code of a few numbers to a grid, where Glorot's would let it fade.
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def _check_channels(channels: Sequence[int]) -> None:
    if not channels:
        raise ValueError("a convolutional network needs the channels of at least one stage")
