"""How far a code moves when noise is added to its row: in the limit, the contractive penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.batches import Batch
from isthmus.estimators import ContractiveAutoencoder
from isthmus.lab._digits import split_digits
from isthmus.lab.claim import Claim, Limit, Number
from isthmus.plots.style import GREY, MODEL_COLOR, OTHER_COLOR

__all__ = ["Contraction", "analytic_penalty", "claim", "formula_penalty", "measure", "stochastic_penalty"]

Array = NDArray[np.float64]

# Standard deviations of the noise, in grey values (0 to 16), each half the one before.
SCALES = tuple(8.0 / 2**k for k in range(8))
N_DRAWS = 500
N_COMPONENTS = 60


@dataclass(frozen=True)
class Contraction:
    """What an autoencoder does to the neighbourhood of held-out rows.

    Attributes
    ----------
    norms : ndarray of shape (n,)
        Squared Frobenius norm of the code's Jacobian at each row, per squared grey value.
    code_variance : float
        The variance of the code over rows, summed over components.
    squared_error : float
        Mean squared error of the reconstruction per pixel, in squared grey values.
    """

    norms: Array
    code_variance: float
    squared_error: float

    @property
    def relative(self) -> float:
        """The mean norm over the code's variance, which does not change when the code is scaled."""
        return float(self.norms.mean()) / self.code_variance


def fit_one_layer(X: Array, weight: float) -> ContractiveAutoencoder:
    """Fit one layer of sigmoids; with weight 0 it is a plain autoencoder of the same architecture."""
    model = ContractiveAutoencoder(
        N_COMPONENTS,
        hidden_sizes=(),
        posterior="point:activation=sigmoid",
        contractive=f"contractive:weight={weight}",
        max_epochs=100,
        validation_fraction=0.0,
        random_state=0,
    )
    return model.fit(X)


@torch.no_grad()
def analytic_penalty(model: ContractiveAutoencoder, X: Array) -> Array:
    """Return the model's own penalty of each row, unweighted; of a model of arrays it is in data units."""
    module: Any = model.model_
    values = torch.from_numpy(X)[:, torch.as_tensor(model.schema_.modelled_index)]
    rows = Batch(module.features.to_values(values), None, torch.arange(len(X)))
    step, _ = module.run(rows, torch.Generator().manual_seed(0))
    return module.terms[0](step).double().numpy()


@torch.no_grad()
def formula_penalty(model: ContractiveAutoencoder, X: Array) -> Array:
    """Return sum_j (h_j (1 - h_j))^2 sum_i W_ji^2 of each row, W in code per data unit."""
    module: Any = model.model_
    weight = module.encoder[0].weight.double() / module.features.scale
    h = model.encode_tensor(torch.from_numpy(X)).double()
    return ((h * (1 - h)).square() @ weight.square().sum(dim=1)).numpy()


@torch.no_grad()
def stochastic_penalty(
    model: ContractiveAutoencoder, X: Array, scales: tuple[float, ...], n_draws: int = N_DRAWS
) -> Array:
    """Return the mean of ||h(x + e) - h(x)||^2 / s^2 over rows x and noise e, for each standard deviation s.

    All scales share their draws, and each draw is used with both signs, so that odd powers of s cancel.
    """
    generator = torch.Generator().manual_seed(0)
    rows = torch.from_numpy(X)
    codes = model.encode_tensor(rows).double()
    sums = np.zeros(len(scales))
    for _ in range(n_draws):
        noise = torch.randn(rows.shape, generator=generator, dtype=rows.dtype)
        for i, s in enumerate(scales):
            sums[i] += _moved(model, rows, codes, s * noise) + _moved(model, rows, codes, -s * noise)
    return sums / (2 * n_draws * np.square(scales))


def _moved(model: ContractiveAutoencoder, rows: Tensor, codes: Tensor, noise: Tensor) -> float:
    return float((model.encode_tensor(rows + noise) - codes).square().sum(dim=1).mean())


def measure(model: ContractiveAutoencoder, X: Array) -> Contraction:
    """Measure contraction at rows."""
    return Contraction(
        norms=analytic_penalty(model, X),
        code_variance=float(np.sum(np.var(model.transform(X), axis=0, dtype=np.float64))),
        squared_error=float(np.mean((model.reconstruct(X) - X) ** 2)),
    )


def order_of(values: Array) -> float:
    """Return the p of v(s) = v(0) + c s^p, from its values at three scales, each half the one before."""
    large, middle, small = values
    return math.log2((large - middle) / (middle - small))


def claim() -> Claim:
    """Measure the claim."""
    digits = split_digits()
    model, plain = fit_one_layer(digits.train, 0.1), fit_one_layer(digits.train, 0.0)
    contracted, free = measure(model, digits.test), measure(plain, digits.test)
    by_formula = formula_penalty(model, digits.test)
    ratios = stochastic_penalty(model, digits.test, SCALES) / contracted.norms.mean()
    return Claim(
        name="contractive",
        sentence="The squared distance that noise of standard deviation s moves a code, over s^2, tends to "
        "the contractive penalty as s goes to 0; training with the penalty contracts.",
        measured_on=f"597 held-out rows of scikit-learn's digits (1,200 learned from), {2 * N_DRAWS:,} noisy "
        f"copies of each; one layer of {N_COMPONENTS} sigmoids, weight 0.1; s in grey values of 0 to 16",
        numbers=_numbers(ratios, by_formula, contracted, free),
        figure=_draw(ratios, contracted, free),
    )


def _numbers(
    ratios: Array, by_formula: Array, contracted: Contraction, free: Contraction
) -> dict[str, Number | Limit]:
    small, large = SCALES[-1], SCALES[-3]
    return {
        f"stochastic / analytic penalty, s = {small:g}": Number(1.0, float(ratios[-1]), 0.01),
        f"power of s in its deviation, s from {small:g} to {large:g}": Number(
            2.0, order_of(ratios[-3:]), 0.1
        ),
        "penalty / formula, the row that differs most": Number(
            1.0, _most_different(contracted.norms, by_formula), 1e-4
        ),
        "mean squared Jacobian norm; limit: no penalty": Limit(
            float(free.norms.mean()), float(contracted.norms.mean()), "at most", "per squared grey value"
        ),
        "the same over the code's variance": Limit(
            free.relative, contracted.relative, "at most", "per squared grey value"
        ),
    }


def _most_different(a: Array, b: Array) -> float:
    ratios = a / b
    return float(ratios[np.argmax(np.abs(ratios - 1))])


def _draw(ratios: Array, contracted: Contraction, free: Contraction) -> Figure:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_limit(left, ratios)
    bins = np.linspace(0, free.norms.max(), 60)
    for name, found, color in (("penalty", contracted, MODEL_COLOR), ("no penalty", free, OTHER_COLOR)):
        label = f"{name}: mean {found.norms.mean():.2f},\nsquared error {found.squared_error:.2f} per pixel"
        right.hist(found.norms, bins=bins, color=color, alpha=0.7, label=label)
    right.set(title="Jacobian of held-out rows", ylabel="rows", xlim=(0, None))
    right.set_xlabel("squared Frobenius norm (per squared grey value)")
    right.margins(y=0.6)  # room for the legend
    right.legend(frameon=False, loc="upper left")
    return figure


def _draw_limit(axes: Axes, ratios: Array) -> None:
    s = np.geomspace(SCALES[-1], 2, 100)
    slope = (ratios[-1] - ratios[-3]) / (SCALES[-3] ** 2 - SCALES[-1] ** 2)
    axes.axhline(1, color=GREY, linewidth=0.8)
    axes.plot(s, 1 - slope * s**2, "--", color=GREY, label="1 - c s², c from s up to 0.25")
    axes.plot(SCALES, ratios, "o-", color=MODEL_COLOR, label="measured")
    axes.set(title="Stochastic / analytic penalty", xscale="log", ylabel="ratio", ylim=(0, 1.08))
    axes.set_xlabel("standard deviation s of the noise (grey values)")
    axes.legend(frameon=False, loc="lower left")
