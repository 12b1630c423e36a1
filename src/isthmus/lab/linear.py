"""A linear autoencoder with squared error is principal component analysis, whatever the scale of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA

from isthmus.estimators import Autoencoder
from isthmus.lab.claim import Claim, Number

__all__ = ["Comparison", "claim", "compare"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """A linear autoencoder beside PCA with as many components, on all rows that both were fitted on.

    Attributes
    ----------
    ratio : float
        Summed squared error over PCA's; 1 is the least there can be (Eckart & Young 1936).
    angle : float
        The largest principal angle between the two subspaces, in radians.
    reconstruction, pca_reconstruction : ndarray of shape (n, d)
    """

    ratio: float
    angle: float
    reconstruction: Array
    pca_reconstruction: Array


def compare(X: Array, k: int, *, random_state: int = 0) -> Comparison:
    """Fit both on every row of `X`; the autoencoder in its default training."""
    linear = Autoencoder(k, hidden_sizes=(), validation_fraction=0.0, random_state=random_state).fit(X)
    pca = PCA(k).fit(X)
    ours, theirs = linear.reconstruct(X), pca.inverse_transform(pca.transform(X))
    ratio = float(np.sum((X - ours) ** 2) / np.sum((X - theirs) ** 2))
    spanned = np.linalg.svd(ours - ours.mean(axis=0), full_matrices=False)[2][:k]
    angle = float(np.max(subspace_angles(spanned.T, pca.components_.T)))
    return Comparison(ratio, angle, ours, theirs)


def claim() -> Claim:
    """Measure the claim on digits, on digits times 1000, and on wine with its columns of unlike scale."""
    digits, wine = load_digits().data, load_wine().data
    on_digits, on_thousands, on_wine = compare(digits, 10), compare(1000 * digits, 10), compare(wine, 2)
    return Claim(
        name="linear",
        sentence="An autoencoder with linear layers and squared error learns the subspace of PCA.",
        measured_on="all 1,797 rows of scikit-learn's digits (k=10) and all 178 of its wine data (k=2), "
        "which are the training rows",
        numbers={
            "digits: squared error / PCA's": Number(1.0, on_digits.ratio, 0.001),
            "digits: largest angle to PCA's subspace": Number(0.0, on_digits.angle, 0.05, "rad"),
            "1000 x digits: squared error / PCA's": Number(1.0, on_thousands.ratio, 0.001),
            "1000 x digits: largest angle to PCA's subspace": Number(0.0, on_thousands.angle, 0.05, "rad"),
            "wine: squared error / PCA's": Number(1.0, on_wine.ratio, 0.05),
        },
        figure=_draw(digits, on_digits),
    )


def _draw(digits: Array, comparison: Comparison) -> Figure:
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    rows = {
        "original": digits,
        "linear autoencoder": comparison.reconstruction,
        "PCA": comparison.pca_reconstruction,
    }
    panels = figure.subplots(len(rows), 12)
    for line, (title, images) in zip(panels, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=False):
            axes.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center")
    figure.suptitle(f"10 components: squared error {comparison.ratio:.5f} of PCA's", fontsize="medium")
    return figure
