"""Digits with 30% of the pixels set to 0: squared error to the clean image, three models, three seeds.

    python benchmarks/denoising.py [-o denoising.json]

Each model has 32 components and its default training, on the same 1,347 clean rows; the 450 test rows are
damaged. The plain autoencoder and PCA have learned clean digits and are given damaged ones.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from tables import write

from isthmus import Autoencoder, DenoisingAutoencoder

COMPONENTS, SHARE = 32, 0.3


def errors(seed: int) -> dict[str, float]:
    """Return each model's mean summed squared error to the clean test images."""
    train, test = train_test_split(load_digits().data, random_state=seed)
    damaged = np.where(np.random.default_rng(seed).random(test.shape) < SHARE, 0.0, test)
    models = {
        "PCA": PCA(COMPONENTS),
        "Autoencoder": Autoencoder(COMPONENTS, random_state=seed),
        "DenoisingAutoencoder": DenoisingAutoencoder(
            COMPONENTS, corruption=f"masking:p={SHARE}", random_state=seed
        ),
    }
    restored = {
        name: model.inverse_transform(model.fit(train).transform(damaged)) for name, model in models.items()
    }
    restored["as given"] = damaged
    return {name: float(np.square(test - rows).sum(axis=1).mean()) for name, rows in restored.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    runs = [errors(seed) for seed in range(3)]
    rows = [
        {"model": name, "mean": round(float(np.mean([run[name] for run in runs])), 1)}
        | {f"seed {seed}": round(run[name], 1) for seed, run in enumerate(runs)}
        for name in runs[0]
    ]
    write(
        "Digits, 30% of the pixels set to 0: squared error to the clean image per test row",
        rows,
        arguments.output,
    )


if __name__ == "__main__":
    main()
