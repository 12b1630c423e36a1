from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from isthmus.nets.conv import ConvDecoder, ConvEncoder, ImageLayout, auto_channels

SIZES = [(28, 28), (8, 8), (13, 9), (5, 7), (1, 11), (9, 1), (1, 1)]


def whole(height: int, width: int, channels: int = 1) -> ImageLayout:
    """Return the layout of an image without constant pixels or flags."""
    return ImageLayout((height, width, channels), tuple(range(height * width * channels)))


def sparse() -> ImageLayout:
    """Return a 3 x 4 image of two channels, of whose 24 values six are modelled, out of order."""
    return ImageLayout((3, 4, 2), index=(23, 0, 5, 8, 2, 9), flagged=(4, 0))


def grid_of(encoder: ConvEncoder, inputs: Tensor) -> Tensor:
    """Return what the first convolution of an encoder is given."""
    seen: list[Tensor] = []
    handle = encoder.stages[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    encoder(inputs)
    handle.remove()
    return seen[0]


# Where pixels go ------------------------------------------------------------------------------------------


def test_the_encoder_sees_an_image_as_it_is() -> None:
    images = torch.randn(2, 3, 5, 4)  # (B, channels, height, width)
    rows = images.permute(0, 2, 3, 1).flatten(1)
    assert torch.equal(grid_of(ConvEncoder(whole(5, 4, 3), 0, 2, (4,), "silu"), rows), images)


def test_modelled_pixels_and_flags_are_put_in_their_cells_and_zero_elsewhere() -> None:
    encoder = ConvEncoder(sparse(), 2, 3, (4,), "silu")
    pixels, flags, condition = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [7.0, 8.0], [9.0, 10.0]
    expected = torch.zeros(4, 3, 4)  # (pixels of both channels, then their flags; height; width)
    for position, value in zip((23, 0, 5, 8, 2, 9), pixels, strict=True):
        expected[position % 2, position // 8, position // 2 % 4] = value
    expected[2, 0, 1] = 7.0  # column 4 is position 2: second cell, first channel
    expected[3, 2, 3] = 8.0  # column 0 is position 23: last cell, second channel
    grid = grid_of(encoder, torch.tensor([pixels + flags + condition]))
    assert torch.equal(grid, expected[None])


def test_the_decoder_reads_each_pixel_where_the_layout_says() -> None:
    layout = sparse()
    decoder = ConvDecoder(layout, 1, (4,), "silu")
    # A last convolution that shows, per channel, one of its inputs as it is: the image is then known.
    with torch.no_grad():
        decoder.last.weight[0, 0, 1, 1] = decoder.last.weight[1, 1, 1, 1] = 1.0
    z = torch.randn(3, 1)
    grid = decoder.head(z).unflatten(1, decoder.smallest).permute(0, 3, 1, 2)
    rows = decoder.stages(grid)[:, :2].permute(0, 2, 3, 1).reshape(3, 24)
    assert rows.std() > 0
    torch.testing.assert_close(decoder(z), rows[:, list(layout.index)])


def test_a_change_of_one_pixel_reaches_a_far_convolution_only_where_it_stands() -> None:
    encoder = ConvEncoder(whole(12, 12), 0, 2, (4,), "silu")
    rows = torch.zeros(2, 144)
    rows[1, 12 * 11 + 11] = 1.0  # the last corner
    first = encoder.stages[0](encoder.image(rows))  # (2, 4, 6, 6)
    changed = (first[0] != first[1]).any(dim=0)
    assert changed[5, 5]
    assert not changed[:5].any()
    assert not changed[:, :5].any()


# What comes out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("widths", [(8,), (8, 12), (1, 1, 1), (5, 2, 7, 3, 1)])
def test_images_of_any_size_pass_both_ways(
    height: int, width: int, channels: int, widths: tuple[int, ...]
) -> None:
    layout = whole(height, width, channels)
    encoder, decoder = ConvEncoder(layout, 2, 3, widths, "relu"), ConvDecoder(layout, 5, widths, "relu")
    n = height * width * channels
    for n_rows in (0, 1, 3):
        codes = encoder(torch.randn(n_rows, n + 2))
        assert codes.shape == (n_rows, 3)
        rows = decoder(torch.randn(n_rows, 5))
        assert rows.shape == (n_rows, n)
        assert codes.isfinite().all()
        assert rows.isfinite().all()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_decoder_takes_the_encoders_grids_in_reverse(height: int, width: int) -> None:
    layout = whole(height, width)
    encoder, decoder = ConvEncoder(layout, 0, 2, (4, 6), "silu"), ConvDecoder(layout, 2, (4, 6), "silu")
    grid = encoder.image(torch.zeros(1, height * width))
    sizes = [tuple(grid.shape[2:])]
    for module in encoder.stages:
        grid = module(grid)
        if isinstance(module, nn.Conv2d):
            sizes.append(tuple(grid.shape[2:]))
    halves = [(math.ceil(height / k), math.ceil(width / k)) for k in (1, 2, 4)]
    assert sizes == halves
    assert decoder.smallest == (*sizes[-1], 6)
    ups = [module.size for module in decoder.stages if isinstance(module, nn.Upsample)]
    assert ups == sizes[-2::-1]


def test_an_untrained_decoder_gives_exactly_the_outputs_it_starts_at() -> None:
    decoder = ConvDecoder(sparse(), 3, (8, 8), "silu")
    outputs = torch.randn(6)
    decoder.start_at(outputs)
    assert torch.equal(decoder(10 * torch.randn(4, 3)), outputs.expand(4, 6))
    assert decoder.bias.requires_grad


def test_a_global_change_of_brightness_reaches_the_code() -> None:
    encoder = ConvEncoder(whole(8, 8), 0, 2, (8,), "silu")
    rows = torch.linspace(-2, 2, 5)[:, None].expand(5, 64)
    codes = encoder(rows)
    assert (codes[1:] - codes[:-1]).abs().amin(dim=0).min() > 1e-4


def test_the_condition_moves_codes_as_the_heads_last_weights_say() -> None:
    encoder = ConvEncoder(whole(6, 5), 2, 3, (8,), "silu")
    row, condition = torch.randn(4, 30), torch.randn(4, 2)
    moved = encoder(torch.cat([row, condition], 1)) - encoder(torch.cat([row, torch.zeros(4, 2)], 1))
    torch.testing.assert_close(moved, condition @ encoder.head.weight[:, -2:].T, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_a_row_does_not_depend_on_its_company(training: bool) -> None:
    layout = whole(9, 6)
    encoder, decoder = ConvEncoder(layout, 1, 3, (8, 12), "silu"), ConvDecoder(layout, 3, (8, 12), "silu")
    nn.init.normal_(decoder.last.weight)
    encoder.train(training)
    decoder.train(training)
    rows = torch.randn(7, 55)
    rows[3:] *= 100  # company that would move any statistic of a batch
    together, alone = encoder(rows), torch.cat([encoder(row[None]) for row in rows])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        decoder(together), torch.cat([decoder(z[None]) for z in together]), rtol=1e-4, atol=1e-4
    )


# Weights and learning -------------------------------------------------------------------------------------


def networks(seed: int = 0) -> tuple[ConvEncoder, ConvDecoder]:
    torch.manual_seed(seed)
    layout = ImageLayout((9, 6, 1), tuple(range(0, 54, 2)), flagged=(0, 3))
    return ConvEncoder(layout, 2, 3, (8, 12), "silu"), ConvDecoder(layout, 5, (8, 12), "silu")


def test_the_generator_fixes_all_weights() -> None:
    for one, same, other in zip(networks(0), networks(0), networks(1), strict=True):
        weights = one.state_dict()
        assert all(torch.equal(weights[name], tensor) for name, tensor in same.state_dict().items())
        assert not torch.equal(one.head.weight, other.head.weight)


def test_what_the_layout_says_is_not_among_the_weights() -> None:
    encoder, decoder = networks()
    names = {"head", "stages", "last", "bias"}
    assert {name.split(".")[0] for module in (encoder, decoder) for name in module.state_dict()} == names


def test_signals_keep_their_scale_through_both_networks() -> None:
    torch.manual_seed(0)
    layout = whole(28, 28)
    encoder, decoder = ConvEncoder(layout, 0, 64, (32, 64), "silu"), ConvDecoder(layout, 4, (32, 64), "silu")
    assert 0.3 < encoder(torch.randn(64, 784)).std() < 3
    grid = decoder.head(torch.randn(64, 4)).unflatten(1, decoder.smallest).permute(0, 3, 1, 2)
    assert 0.3 < decoder.stages(grid).std() < 3


def test_a_gradient_reaches_every_parameter() -> None:
    encoder, decoder = networks()
    # At the start only the last layer learns; the rest does as soon as it is not zero.
    nn.init.normal_(decoder.last.weight)
    inputs = torch.randn(6, 27 + 2 + 2)
    decoder(torch.cat([encoder(inputs), inputs[:, -2:]], 1)).square().sum().backward()
    for module in (encoder, decoder):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_the_first_step_wakes_the_last_convolution() -> None:
    _, decoder = networks()
    (decoder(torch.randn(6, 5)) - 1).square().sum().backward()
    assert decoder.last.weight.grad is not None
    assert decoder.last.weight.grad.abs().min() > 0
    assert not decoder.head.weight.grad.any()


def test_inputs_have_second_derivatives() -> None:
    encoder, _ = networks()
    inputs = torch.randn(3, 31, requires_grad=True)
    (slope,) = torch.autograd.grad(encoder(inputs).sum(), inputs, create_graph=True)
    slope.square().sum().backward()
    assert slope.shape == (3, 31)
    assert inputs.grad is not None
    assert inputs.grad[:, :29].abs().max() > 0


def test_a_small_net_learns_eight_images_of_two_shapes() -> None:
    torch.manual_seed(0)
    images = torch.zeros(8, 9, 7)
    for i in range(4):
        images[i, 2 * i : 2 * i + 2] = 1.0  # a bar that lies
        images[4 + i, :, i + 1 : i + 3] = 1.0  # a bar that stands
    rows = images.flatten(1)
    layout = whole(9, 7)
    encoder, decoder = ConvEncoder(layout, 0, 4, (8, 16), "silu"), ConvDecoder(layout, 4, (8, 16), "silu")
    decoder.start_at(rows.mean(0))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
    start = functional.mse_loss(decoder(encoder(rows)), rows).item()
    assert start == pytest.approx(rows.var(0, correction=0).mean().item(), rel=1e-5)
    for _ in range(100):
        optimizer.zero_grad()
        functional.mse_loss(decoder(encoder(rows)), rows).backward()
        optimizer.step()
    assert functional.mse_loss(decoder(encoder(rows)), rows).item() < 0.02 * start


# Sizes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "width", "channels"),
    [
        (1, 784, (32,)),
        (8, 8, (32,)),
        (16, 16, (32,)),
        (17, 17, (32, 64)),
        (28, 28, (32, 64)),
        (64, 48, (32, 64, 96)),
        (64, 64, (32, 64, 96)),
        (2000, 3000, (32, 64, 96, 128, 160)),
    ],
)
def test_auto_channels_halve_until_the_smaller_side_is_small(
    height: int, width: int, channels: tuple[int, ...]
) -> None:
    assert auto_channels(height, width) == auto_channels(width, height) == channels


@pytest.mark.parametrize(
    ("index", "flagged"), [((0, 0), ()), ((0, 6), ()), ((-1,), ()), ((0, 1), (2,)), ((0, 1), (1, 1))]
)
def test_a_layout_that_contradicts_itself_is_refused(
    index: tuple[int, ...], flagged: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="must name distinct"):
        ImageLayout((2, 3, 1), index, flagged)


def test_no_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one stage"):
        ConvEncoder(whole(8, 8), 0, 2, (), "silu")
    with pytest.raises(ValueError, match="at least one stage"):
        ConvDecoder(whole(8, 8), 2, (), "silu")
