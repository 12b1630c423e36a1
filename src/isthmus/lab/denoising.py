"""Noise makes one layer's filters smooth, and its codes better, up to a point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import nn

from isthmus.estimators import DenoisingAutoencoder
from isthmus.lab._digits import SIDE, Digits, image_strip, show_image, split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.nets.mlp import mlp
from isthmus.parts import GaussianNoise
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR

__all__ = ["Layer", "claim", "few_label_error", "filters", "fit_layer", "measure", "neighbour_correlation"]

Array = NDArray[np.float64]
Features = NDArray[np.floating]

# Standard deviations of the noise in grey values of 0 to 16; pixels have one of 6 themselves.
NOISES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
DECAYS = (0.3, 1.0, 3.0, 10.0)
SEEDS = (0, 1)
N_FILTERS = 100
N_LABELS, N_DRAWS = 100, 5


@dataclass(frozen=True)
class Layer:
    """One hidden layer, seen from its weights and from its use.

    Attributes
    ----------
    filters : ndarray of shape (N_FILTERS, SIDE, SIDE)
        Of the first seed.
    correlation : float
        How much neighbouring weights of a filter are alike; mean over seeds.
    error : float
        Of a linear classifier on the codes, on held-out rows; mean over seeds and draws of labelled rows.
    """

    filters: Array
    correlation: float
    error: float


def fit_layer(
    X: Array, *, noise: float = 0.0, weight_decay: float = 0.0, seed: int = 0
) -> DenoisingAutoencoder:
    """Fit 100 sigmoids, more than there are pixels, and a linear decoder."""
    model = DenoisingAutoencoder(
        N_FILTERS,
        hidden_sizes=(),
        encoder=lambda n_in, n_out: nn.Sequential(*mlp([n_in, n_out]), nn.Sigmoid()),
        corruption=GaussianNoise(sd=noise),
        weight_decay=weight_decay,
        max_epochs=60,
        validation_fraction=0.0,
        random_state=seed,
    )
    return model.fit(X)


def filters(model: DenoisingAutoencoder) -> Array:
    """Return what each hidden unit weighs each pixel with, the pixel in its own standard deviation."""
    weights = np.zeros((N_FILTERS, SIDE * SIDE))
    encoder: Any = model.model_.encoder
    weights[:, model.schema_.modelled_index] = encoder[0].weight.detach().numpy()
    return weights.reshape(-1, SIDE, SIDE)


def neighbour_correlation(images: Array) -> float:
    """Return the mean correlation, over images, of neighbours across and down about the image's mean."""
    centred = images - images.mean(axis=(1, 2), keepdims=True)
    across = (centred[:, :, 1:] * centred[:, :, :-1]).mean(axis=(1, 2))
    down = (centred[:, 1:] * centred[:, :-1]).mean(axis=(1, 2))
    return float(np.mean((across + down) / 2 / (centred**2).mean(axis=(1, 2))))


def few_label_error(
    train: Features, test: Features, digits: Digits, *, draws: Iterable[int] = range(N_DRAWS)
) -> float:
    """Return the error of logistic regression that is told few labels; mean over draws of the labelled rows.

    `train` and `test` are features of the two parts of the digits. All are scaled by one number, so that no
    code gains from its scale under the same regularisation.
    """
    scale = np.sqrt(np.mean(np.var(train, axis=0)))
    errors = []
    for draw in draws:
        told = np.random.default_rng(draw).choice(len(train), N_LABELS, replace=False)
        model = LogisticRegression(max_iter=5000).fit(train[told] / scale, digits.train_labels[told])
        errors.append(1 - model.score(test / scale, digits.test_labels))
    return float(np.mean(errors))


def measure(digits: Digits, *, noise: float = 0.0, weight_decay: float = 0.0) -> Layer:
    """Fit with each seed and look."""
    models = [fit_layer(digits.train, noise=noise, weight_decay=weight_decay, seed=seed) for seed in SEEDS]
    found = [filters(model) for model in models]
    errors = [
        few_label_error(model.transform(digits.train), model.transform(digits.test), digits)
        for model in models
    ]
    correlations = [neighbour_correlation(weights) for weights in found]
    return Layer(found[0], float(np.mean(correlations)), float(np.mean(errors)))


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    by_noise = {noise: measure(digits, noise=noise) for noise in NOISES}
    by_decay = {decay: measure(digits, weight_decay=decay) for decay in DECAYS}
    by_pixels = few_label_error(digits.train, digits.test, digits)
    return Claim(
        name="denoising",
        sentence="Noise makes an overcomplete layer's filters smooth pieces of strokes, and its codes better "
        "to classify, up to a point: the error over the noise is a U. Weight decay helps the "
        "classifier less.",
        measured_on=f"597 held-out rows of scikit-learn's digits (1,200 learned from, {N_LABELS} of them "
        f"labelled); {len(SEEDS)} fits x {N_DRAWS} draws of labelled rows; noise in grey values of 0 to 16",
        numbers=_numbers(by_noise, by_decay),
        figure=_draw(by_noise, by_decay, by_pixels),
    )


def _best(layers: Iterable[Layer]) -> float:
    return min(layer.error for layer in layers)


def _numbers(by_noise: dict[float, Layer], by_decay: dict[float, Layer]) -> dict[str, Number | Limit]:
    none, *inner, most = by_noise.values()
    smoothness = [layer.correlation for noise, layer in by_noise.items() if noise <= 8]
    return {
        "neighbours' correlation, no noise; limit: noise 4": Limit(
            by_noise[4.0].correlation, none.correlation, "at most"
        ),
        "its least rise from one noise to the next, up to 8": Limit(
            0.0, float(np.diff(smoothness).min()), "at least"
        ),
        "error, best noise; limit: no noise": Limit(none.error, _best(inner), "at most"),
        "error, best noise; limit: most noise": Limit(most.error, _best(inner), "at most"),
        "error, best noise; limit: best weight decay": Limit(
            _best(by_decay.values()), _best(inner), "at most"
        ),
    }


def _draw(by_noise: dict[float, Layer], by_decay: dict[float, Layer], by_pixels: float) -> Figure:
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=(1.35, 1))
    rows = {
        f"noise {noise:g}" if noise else "no noise": by_noise[noise] for noise in (0.0, 2.0, 4.0, 8.0, 32.0)
    }
    rows |= {f"decay {decay:g}": by_decay[decay] for decay in (1.0, 3.0)}
    _draw_filters(halves[0], rows)
    _draw_errors(halves[1].subplots(), by_noise, by_decay, by_pixels)
    return figure


def _draw_filters(figure: SubFigure, rows: dict[str, Layer]) -> None:
    figure.suptitle(f"The first 14 of {N_FILTERS} filters, each over its largest weight", fontsize="medium")
    for axes, (name, layer) in zip(figure.subplots(len(rows), 1), rows.items(), strict=True):
        shown = layer.filters[:14]
        strip = image_strip(shown / np.abs(shown).max(axis=(1, 2), keepdims=True))
        show_image(axes, strip, cmap="gray", low=-1, high=1)
        axes.spines[:].set_visible(False)
        axes.set_ylabel(f"{name}\ncorr. {layer.correlation:.2f}", rotation=0, ha="right", va="center")


def _draw_errors(
    axes: Axes, by_noise: dict[float, Layer], by_decay: dict[float, Layer], by_pixels: float
) -> None:
    errors = [layer.error for layer in by_noise.values()]
    positions = [noise if noise else 0.5 for noise in by_noise]  # no noise has a place on a logarithmic axis
    axes.plot(positions, errors, "o-", color=MODEL_COLOR, label="noise")
    decay, best = min(by_decay.items(), key=lambda item: item[1].error)
    axes.axhline(
        best.error, color=OTHER_COLOR, linestyle="--", label=f"best weight decay ({decay:g}), no noise"
    )
    axes.axhline(by_pixels, color=GREY, linestyle=":", label="pixels instead of codes")
    axes.set(
        title=f"Linear classifier on the codes, {N_LABELS} labels", xscale="log", ylim=(0, 1.45 * max(errors))
    )
    axes.set(xlabel="standard deviation of the noise (grey values)", ylabel="error on held-out rows")
    axes.set_xticks(positions, [f"{noise:g}" for noise in by_noise], minor=False)
    axes.minorticks_off()
    axes.legend(frameon=False)
