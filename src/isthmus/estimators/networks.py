"""The encoder and the decoder: perceptrons, convolutional networks, or what a user's factory makes."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from isthmus.data.features import Features
from isthmus.data.schema import Schema
from isthmus.errors import InputError
from isthmus.estimators.architecture import Architecture
from isthmus.nets.conv import ConvDecoder, ConvEncoder, ImageLayout
from isthmus.nets.fourier import FourierFeatures
from isthmus.nets.mlp import mlp

__all__ = ["ModuleFactory", "auto_hidden_sizes", "build_decoder", "build_encoder", "image_shape"]

ModuleFactory = Callable[[int, int], nn.Module]

# Below this, an image has no neighbourhoods worth a convolution.
LEAST_SIDE = 5
# Of the waves that a decoder reads, in radians per unit of the code: the unit of maps is the distance at
# which the pull of neighbours is halved, and some twenty rows lie within it.
FREQUENCY = 0.5


def auto_hidden_sizes(n_inputs: int) -> tuple[int, int]:
    """Return two layers, the first about four times as wide as the input (32 to 512), the second half."""
    width = min(max(2 ** math.ceil(math.log2(4 * max(n_inputs, 1))), 32), 512)
    return width, width // 2


def image_shape(schema: Schema) -> tuple[int, int, int] | None:
    """Return height, width and channels if rows are images that are worth a convolution, else None."""
    if schema.container != "array" or len(schema.shape) == 1 or min(schema.shape[:2]) < LEAST_SIDE:
        return None
    height, width, *channels = schema.shape
    return height, width, channels[0] if channels else 1


def build_encoder(
    architecture: Architecture,
    schema: Schema,
    features: Features,
    n_outputs: int,
    n_condition: int,
    factory: ModuleFactory | None,
) -> nn.Module:
    """Build what maps inputs and condition, (B, n_inputs + n_condition), to (B, n_outputs)."""
    n_inputs = features.n_inputs + n_condition
    if factory is not None:
        return _make("encoder", factory, n_inputs, n_outputs)
    widths, activation = architecture.hidden_sizes, architecture.activation
    if architecture.network == "conv":
        return ConvEncoder(_layout(schema, features), n_condition, n_outputs, widths, activation)
    return mlp([n_inputs, *widths, n_outputs], activation, gated=architecture.network == "gated_mlp")


def build_decoder(
    architecture: Architecture,
    schema: Schema,
    features: Features,
    n_condition: int,
    initial_outputs: Tensor,
    factory: ModuleFactory | None,
) -> nn.Module:
    """Build what maps codes and condition to a likelihood's outputs, which start at the training means."""
    n_inputs, n_outputs = architecture.n_components + n_condition, len(initial_outputs)
    if factory is not None:
        return _make("decoder", factory, n_inputs, n_outputs)
    if not architecture.n_waves:
        return _decoder(architecture, schema, features, n_inputs, initial_outputs)
    waves = FourierFeatures(n_inputs, architecture.n_waves, FREQUENCY)
    return nn.Sequential(
        waves, _decoder(architecture, schema, features, architecture.n_waves, initial_outputs)
    )


def _decoder(
    architecture: Architecture, schema: Schema, features: Features, n_inputs: int, initial_outputs: Tensor
) -> nn.Module:
    n_outputs = len(initial_outputs)
    widths, activation = architecture.hidden_sizes, architecture.activation
    if architecture.network == "conv":
        if n_outputs != features.n_columns:
            raise InputError(
                'network="conv" gives one output per pixel, and this likelihood asks for '
                f'{n_outputs} for {features.n_columns} pixels; set network="mlp" or another likelihood'
            )
        decoder = ConvDecoder(_layout(schema, features), n_inputs, widths, activation)
        decoder.start_at(initial_outputs)
        return decoder
    gated = architecture.network == "gated_mlp"
    network = mlp([n_inputs, *reversed(widths), n_outputs], activation, gated=gated)
    last = network[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias.copy_(initial_outputs)
    return network


def _layout(schema: Schema, features: Features) -> ImageLayout:
    shape = image_shape(schema)
    if shape is None:
        raise InputError(
            f'network="conv" needs images, of shape (n, height, width[, channels]) and at least {LEAST_SIDE} '
            f'pixels a side; rows have the shape {schema.shape}: set network="mlp"'
        )
    flagged = tuple(int(j) for j in features.flagged)
    return ImageLayout(shape, tuple(int(j) for j in schema.modelled_index), flagged)


def _make(name: str, factory: ModuleFactory, n_in: int, n_out: int) -> nn.Module:
    """Call a user's factory and see that its module maps (B, n_in) to (B, n_out)."""
    network: object = factory(n_in, n_out)
    expected = f"{name}: the factory must return a torch module that maps (rows, {n_in}) to (rows, {n_out})"
    if not isinstance(network, nn.Module):
        raise InputError(f"{expected}, got a {type(network).__name__}")
    try:
        with torch.no_grad():
            shape = tuple(network.eval()(torch.zeros(2, n_in)).shape)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{expected}; called with zeros, it fails: {str(error).splitlines()[0]}") from error
    if shape != (2, n_out):
        raise InputError(f"{expected}; for 2 rows it returns the shape {shape}")
    return network
