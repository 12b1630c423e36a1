"""Rate against distortion: codes of autoencoders, PCA's components and JPEG at equal bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images
from sklearn.decomposition import PCA

from isthmus.estimators import Autoencoder
from isthmus.lab._digits import SIDE, WHITE, show_image, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots.style import GREY, INK, MODEL_COLOR, OTHER_COLOR, STYLE

__all__ = [
    "Coded",
    "Curve",
    "at_rate",
    "claim",
    "code_bits",
    "compare",
    "from_patches",
    "jpeg",
    "patches",
    "photos",
    "psnr",
    "quantise",
    "scan_bytes",
    "sheets_of_digits",
    "transform_curve",
]

Array = NDArray[np.floating[Any]]
Image = NDArray[np.uint8]

# Digits are as large as JPEG's blocks, and patches are cut as large.
PHOTOS, DIGITS = "photographs", "digits"
WIDTHS = {PHOTOS: (4, 12, 32), DIGITS: (4, 8, 16)}
SETTINGS: dict[str, Any] = {
    "hidden_sizes": (128, 128),
    "max_epochs": 100,
    "batch_size": 64,
    "random_state": 0,
}
# Quantisation steps in grey values, where components have the pixels' unit, and in spreads of a latent.
PCA_STEPS = (8, 12, 18, 27, 40, 60, 90, 135, 200)
LATENT_STEPS = (0.1, 0.2, 0.4, 0.7, 1.1)
QUALITIES = (3, 5, 8, 12, 18, 27, 40, 60, 80, 90)
# What is shown of the images, at this many bits per pixel at most.
SHOWN = 0.7
CROPS = {PHOTOS: np.s_[150:310, 80:240], DIGITS: np.s_[:80, :80]}
JPEG, BARE, LINEAR, OURS = "JPEG", "JPEG without its header", "PCA", "autoencoder"
COLORS = {JPEG: GREY, BARE: INK, LINEAR: OTHER_COLOR, OURS: MODEL_COLOR}


@dataclass(frozen=True, eq=False)
class Coded:
    """A photograph that went through a code.

    Attributes
    ----------
    bits : float
        Per pixel.
    psnr : float
        Peak signal-to-noise ratio, in decibels.
    image : ndarray of uint8 of shape (h, w)
    """

    bits: float
    psnr: float
    image: Image


Curve = Sequence[Coded]


def photos() -> tuple[Image, Image]:
    """Return halves of scikit-learn's photographs in grey, one above the other: to learn from, to code."""
    grey = [np.rint(image.mean(axis=2)).astype(np.uint8) for image in load_sample_images().images]
    whole = np.concatenate([image[: len(image) // SIDE * SIDE] for image in grey])
    left, right = np.split(whole, 2, axis=1)
    return left, right


def sheets_of_digits() -> tuple[Image, Image]:
    """Return sheets of 1,200 digits to learn from and 576 others to code, one in every block of 8 x 8."""
    digits = split_digits()
    learned, coded = (rows * (255 / WHITE) for rows in (digits.train, digits.test[:576]))
    return from_patches(learned, (240, 320)), from_patches(coded, (192, 192))


def patches(image: Image) -> Array:
    """Return the 8 x 8 patches of an image line by line, of shape (n, 64)."""
    high, wide = (size // SIDE for size in image.shape)
    cut = image.reshape(high, SIDE, wide, SIDE).swapaxes(1, 2)
    return cut.reshape(high * wide, SIDE * SIDE).astype(np.float64)


def from_patches(rows: Array, shape: tuple[int, ...]) -> Image:
    """Put patches together again, rounded to grey values."""
    high, wide = (size // SIDE for size in shape)
    pixels = np.clip(np.rint(rows), 0, 255).astype(np.uint8)
    return pixels.reshape(high, wide, SIDE, SIDE).swapaxes(1, 2).reshape(shape)


def psnr(image: Image, coded: Image) -> float:
    """Return the peak signal-to-noise ratio in decibels."""
    return float(10 * np.log10(255**2 / np.square(image.astype(float) - coded).mean()))


def quantise(codes: Array, steps: Array | float) -> tuple[NDArray[np.int64], Array]:
    """Return the nearest multiples of a step, as integers and as codes."""
    symbols = np.rint(codes / steps).astype(np.int64)
    return symbols, symbols * steps


def code_bits(symbols: NDArray[np.int64]) -> float:
    """Return the bits of integers of shape (n, k): n times the sum of their columns' entropies.

    An arithmetic coder needs so many, beside the tables of frequencies, which are not counted.
    """
    total = 0.0
    for column in symbols.T:
        counts = np.unique(column, return_counts=True)[1]
        total -= float((counts * np.log2(counts / len(column))).sum())
    return total


def transform_curve(model: Any, image: Image, steps: Sequence[float], unit: Array | float = 1.0) -> Curve:
    """Code an image's patches by a fitted model, its codes rounded to each of several steps."""
    codes = np.asarray(model.transform(patches(image)), dtype=np.float64)
    found = []
    for step in steps:
        symbols, rounded = quantise(codes, step * unit)
        decoded = from_patches(np.asarray(model.inverse_transform(rounded), np.float64), image.shape)
        found.append(Coded(code_bits(symbols) / image.size, psnr(image, decoded), decoded))
    return found


def jpeg(image: Image, *, header: bool) -> Curve:
    """Code an image by JPEG, with Huffman tables of its own, at several qualities."""
    from PIL import Image as Pictures

    found = []
    for quality in QUALITIES:
        file = io.BytesIO()
        Pictures.fromarray(image).save(file, format="jpeg", quality=quality, optimize=True)
        data = file.getvalue()
        decoded = np.asarray(Pictures.open(io.BytesIO(data)))
        n_bytes = len(data) if header else scan_bytes(data)
        found.append(Coded(8 * n_bytes / image.size, psnr(image, decoded), decoded))
    return found


def scan_bytes(data: bytes) -> int:
    """Return how many bytes of a JPEG file are coded pixels: those between its scan's header and its end."""
    start = data.index(b"\xff\xda") + 2
    length = int.from_bytes(data[start : start + 2], "big")
    return len(data) - (start + length) - 2


def at_rate(curves: Sequence[Curve], bits: float) -> float:
    """Return the best ratio in decibels at so many bits per pixel, along any of several curves.

    Between two points it is interpolated; curves that do not reach the rate are left out.
    """
    found = []
    for curve in curves:
        points = sorted((coded.bits, coded.psnr) for coded in curve)
        rates, ratios = np.array(points).T
        if rates[0] <= bits <= rates[-1]:
            found.append(float(np.interp(bits, rates, ratios)))
    return max(found, default=float("nan"))


def compare(images: tuple[Image, Image], widths: Sequence[int]) -> dict[str, list[Curve]]:
    """Return what each way makes of the second image, learned from the first."""
    learned, image = patches(images[0]), images[1]
    found = {
        JPEG: [jpeg(image, header=True)],
        BARE: [jpeg(image, header=False)],
        LINEAR: [transform_curve(PCA(random_state=0).fit(learned), image, PCA_STEPS)],
        OURS: [],
    }
    for k in widths:
        model = Autoencoder(k, **SETTINGS).fit(learned)
        spread = np.asarray(model.transform(learned), np.float64).std(axis=0)
        found[OURS].append(transform_curve(model, image, LATENT_STEPS, spread))
    return found


def claim() -> Claim:
    """Measure the claim."""
    images = {PHOTOS: photos(), DIGITS: sheets_of_digits()}
    found = {name: compare(pair, WIDTHS[name]) for name, pair in images.items()}
    return Claim(
        name="compression",
        sentence="On photographs an autoencoder's codes lose to JPEG and to PCA at equal bytes, by decibels: "
        "patches are nearly linear, and a narrow code cannot be made better by more bits. JPEG is no better "
        "than PCA learned from like patches but at low rates. On digits, which lie on a manifold, the "
        "autoencoder beats PCA at low rates and loses at higher ones, and JPEG is far behind.",
        measured_on="halves of scikit-learn's two photographs (grey, 848 x 320 pixels) and 576 digits in one "
        "sheet, as blocks of 8 x 8; PCA and autoencoders learned from the other halves and 1,200 other "
        "digits. Codes are rounded and counted with the entropy of each latent, an arithmetic coder's bits, "
        "without tables and networks; JPEG is Pillow's with optimised tables",
        numbers=_numbers(found),
        figure=_draw(found),
    )


def _numbers(found: Mapping[str, Mapping[str, list[Curve]]]) -> dict[str, Limit | Number]:
    def gain(name: str, way: str, other: str, bits: float) -> float:
        return at_rate(found[name][way], bits) - at_rate(found[name][other], bits)

    def title(name: str, way: str, other: str, bits: float) -> str:
        return f"{name}, PSNR at {bits} bits per pixel, {way} above {other}"

    even, least = (
        (PHOTOS, LINEAR, BARE, 0.6),
        {
            (PHOTOS, BARE, LINEAR, 0.3): 0.4,
            (PHOTOS, BARE, OURS, 0.6): 4.0,
            (PHOTOS, LINEAR, OURS, 0.6): 4.0,
            (DIGITS, OURS, LINEAR, 0.45): 0.7,
            (DIGITS, LINEAR, OURS, 1.2): 0.7,
            (DIGITS, LINEAR, BARE, 1.2): 5.0,
        },
    )
    numbers: dict[str, Limit | Number] = {title(*even): Number(0.0, gain(*even), 0.5, "dB")}
    for case, limit in least.items():
        numbers[title(*case)] = Limit(limit, gain(*case), "at least", "dB")
    return numbers


def _draw(found: Mapping[str, Mapping[str, list[Curve]]]) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(13, 7.4))
        grid = figure.subplots(2, 4, width_ratios=(1.4, 1, 1, 1))
        for (axes, *pictures), (name, curves) in zip(grid, found.items(), strict=True):
            _draw_curves(axes, name, curves)
            for axis, way in zip(pictures, (BARE, LINEAR, OURS), strict=True):
                _draw_crop(axis, way, [coded for curve in curves[way] for coded in curve], CROPS[name])
    return figure


def _draw_crop(axes: Axes, way: str, coded: Sequence[Coded], crop: Any) -> None:
    """Show the best picture whose rate is the one to be shown, or less."""
    best = max((one for one in coded if one.bits <= SHOWN), key=lambda one: one.psnr)
    show_image(axes, best.image[crop].astype(float), cmap="gray", high=255)
    axes.set_title(f"{way}\n{best.bits:.2f} bits per pixel, {best.psnr:.1f} dB")


def _draw_curves(axes: Axes, name: str, ways: Mapping[str, list[Curve]]) -> None:
    for way, curves in ways.items():
        for i, curve in enumerate(curves):
            points = sorted((coded.bits, coded.psnr) for coded in curve)
            style = "--" if way == JPEG else "-"
            label = None if i else way
            axes.plot(*np.array(points).T, style, marker="o", ms=3, color=COLORS[way], label=label)
    axes.set(xlim=(0, 2.5), ylim=(8, 40), xlabel="bits per pixel", ylabel="PSNR, decibels")
    if name == PHOTOS:
        axes.legend(loc="lower right")
    axes.set_title(f"{name}; autoencoders of {', '.join(map(str, WIDTHS[name]))} latents")
