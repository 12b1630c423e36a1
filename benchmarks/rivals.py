"""The variational autoencoders of pythae and PyOD, default settings, beside ours on the same rows.

    pip install pythae pyod
    python benchmarks/rivals.py [--fashion DIR] [-o rivals.json]

10 latents each, everything else as each library has it. Digits, and with --fashion (the folder of the IDX
files) 10,000 training and 2,000 test rows of Fashion-MNIST; pixels in [0, 1]. Squared error per test row of
what each library gives back, PCA's beside it; how far two calls on the same rows differ; seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from idx import pixels
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from tables import write

from isthmus import VariationalAutoencoder

LATENTS = 10
Rows = np.ndarray
# Fits on rows and returns what reconstructs others.
Fit = Callable[[Rows], Callable[[Rows], Rows]]


def ours(train: Rows) -> Callable[[Rows], Rows]:
    return VariationalAutoencoder(LATENTS, random_state=0).fit(train).reconstruct


def pca(train: Rows) -> Callable[[Rows], Rows]:
    fitted = PCA(LATENTS, random_state=0).fit(train)
    return lambda rows: fitted.inverse_transform(fitted.transform(rows))


def pythae(train: Rows) -> Callable[[Rows], Rows]:
    from pythae.models import VAE, VAEConfig
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    logging.disable(logging.WARNING)
    model = VAE(VAEConfig(input_dim=(train.shape[1],), latent_dim=LATENTS))
    with tempfile.TemporaryDirectory() as folder:
        TrainingPipeline(training_config=BaseTrainerConfig(output_dir=folder, no_cuda=True), model=model)(
            train_data=train
        )
    model.eval()

    def reconstruct(rows: Rows) -> Rows:
        with torch.no_grad():
            return model.reconstruct(torch.from_numpy(rows)).numpy().reshape(rows.shape)

    return reconstruct


def pyod(train: Rows) -> Callable[[Rows], Rows]:
    from pyod.models.vae import VAE

    model = VAE(latent_dim=LATENTS, verbose=0, device="cpu").fit(train)
    mean, sd = model.X_mean, np.where(model.X_std > 0, model.X_std, 1.0)

    def reconstruct(rows: Rows) -> Rows:
        with torch.no_grad():
            scaled = torch.from_numpy(((rows - mean) / sd).astype(np.float32))
            return model.model.eval()(scaled)[0].numpy() * sd + mean

    return reconstruct


FITS: dict[str, Fit] = {"PCA": pca, "isthmus": ours, "pythae": pythae, "PyOD": pyod}


def measure(name: str, data: str, train: Rows, test: Rows) -> dict[str, Any]:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        reconstruct = FITS[name](train)
    seconds = time.perf_counter() - began
    once, again = reconstruct(test), reconstruct(test)
    return {
        "data": data,
        "library": name,
        "squared error per test row": round(float(np.square(test - once).sum(axis=1).mean()), 3),
        "largest difference of two calls": f"{float(np.abs(once - again).max()):.2g}",
        "seconds to fit": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST's IDX files")
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    digits = np.random.default_rng(0).permutation(load_digits().data / 16).astype(np.float32)
    sets = {"digits": (digits[:1400], digits[1400:])}
    if arguments.fashion is not None:
        train = pixels(arguments.fashion, "train")[:10_000]
        sets["Fashion-MNIST"] = train, pixels(arguments.fashion, "t10k")[:2_000]
    rows = [measure(name, data, *parts) for data, parts in sets.items() for name in FITS]
    write(f"VAEs of {LATENTS} latents, default settings", rows, arguments.output)


if __name__ == "__main__":
    main()
