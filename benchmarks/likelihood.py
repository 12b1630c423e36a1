"""Test log-likelihoods of dynamically binarised images, by importance sampling, beside published figures.

    python benchmarks/likelihood.py RUN [RUN ...] --data DIR [--epochs N] [--work DIR] [-o likelihood.json]

DIR holds the four IDX files of the data set that the run names, gzipped or not (MNIST's, or Fashion-MNIST's,
which Debian ships as dataset-fashion-mnist). A run that was stopped goes on where it was when the same
command is given again (--work keeps its checkpoint and, in the end, its model). Test images are binarised
once, with a fixed seed; every run prints the epochs and minutes it took and the curve towards its figure.
`--precision medium` lets the fit's matrix products, not those of the scoring, run in bfloat16 where PyTorch
and the processor can; weights and sums stay float32.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from idx import pixels
from tables import write

import isthmus
from isthmus import ImportanceWeightedAutoencoder, VariationalAutoencoder

GATED = {"hidden_sizes": (300, 300), "network": "gated_mlp", "n_components": 40}
BURDA = {"hidden_sizes": (200, 200), "activation": "tanh", "n_components": 50}

# Estimator, its parameters, the published test figure in nats, and whose it is.
RUNS: dict[str, tuple[type, dict[str, Any], float, str]] = {
    "fashion-vae": (VariationalAutoencoder, GATED, 228.70, "Norouzi et al. 2020"),
    "fashion-vamp": (
        VariationalAutoencoder,
        GATED | {"prior": "vamp_prior:n_pseudo_inputs=500"},
        227.35,
        "Norouzi et al. 2020",
    ),
    "mnist-vae": (VariationalAutoencoder, BURDA, 86.76, "Burda et al. 2015"),
    "mnist-iwae50": (
        ImportanceWeightedAutoencoder,
        BURDA | {"bound": "importance_weighted:k=50"},
        84.78,
        "Burda et al. 2015",
    ),
    "mnist-gated-vae": (VariationalAutoencoder, GATED, 84.45, "Norouzi et al. 2020"),
    "mnist-gated-vamp": (
        VariationalAutoencoder,
        GATED | {"prior": "vamp_prior:n_pseudo_inputs=500"},
        82.43,
        "Norouzi et al. 2020",
    ),
}


def fit(run: str, train: np.ndarray, arguments: argparse.Namespace) -> Any:
    """Fit a run, go on with it, or load it if it was finished with as many epochs."""
    epochs = arguments.epochs
    name = f"{run}-{epochs}-{arguments.precision}-{arguments.validation_fraction}"
    folder, checkpoint = arguments.work / name, arguments.work / f"{name}.checkpoint"
    if folder.exists():
        return isthmus.load(folder)
    kind, parameters, _, _ = RUNS[run]
    model = kind(
        **parameters,
        likelihood="bernoulli:binarize=dynamic",
        max_epochs=epochs,
        patience=epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.rate,
        weight_decay=arguments.weight_decay,
        validation_fraction=arguments.validation_fraction,
        checkpoint=checkpoint,
        random_state=0,
        verbose=1,
    )
    torch.set_float32_matmul_precision(arguments.precision)
    model.resume(train)
    torch.set_float32_matmul_precision("highest")
    model.save(folder)
    checkpoint.unlink(missing_ok=True)  # a short fit may end before its first one
    return model


def curve(history: list[dict[str, float]]) -> str:
    """Return the held-out bound at a few epochs."""
    rows = [history[len(history) * part // 6 - 1] for part in range(1, 7)]
    return ", ".join(f"{row['epoch']:.0f}: {row['validation_loss']:.2f}" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", choices=list(RUNS))
    parser.add_argument("--data", type=Path, required=True, help="folder of the IDX files")
    parser.add_argument("--work", type=Path, default=Path("likelihood-runs"), help="checkpoints and models")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--validation-fraction", type=float, default=0.1)
    parser.add_argument("--precision", choices=["highest", "high", "medium"], default="highest")
    parser.add_argument("--samples", type=int, default=5000, help="importance samples a test row")
    parser.add_argument("--rows", type=int, default=10_000, help="test rows")
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    arguments.work.mkdir(exist_ok=True)
    train = pixels(arguments.data, "train")
    grey = pixels(arguments.data, "t10k")[: arguments.rows]
    test = (np.random.default_rng(0).random(grey.shape) < grey).astype(np.float32)
    rows = []
    for run in arguments.runs:
        model = fit(run, train, arguments)
        began = time.perf_counter()
        found = model.mean_density(test, n_samples=arguments.samples)
        scoring = (time.perf_counter() - began) / 60
        rows.append(
            {
                "run": run,
                "test nats": round(-found.mean, 2),
                "Monte Carlo error": round(found.std_error, 3),
                "published": RUNS[run][2],
                "whose": RUNS[run][3],
                "held out": arguments.validation_fraction,
                "precision": arguments.precision,
                "epochs": model.n_iter_,
                "minutes to fit": round(model.history_[-1]["seconds"] / 60, 1),
                "minutes to score": round(scoring, 1),
                "held-out bound by epoch": curve(model.history_),
            }
        )
    title = f"Dynamically binarised, {len(test):,} test rows, {arguments.samples:,} importance samples"
    write(f"{title}, {torch.get_num_threads()} threads", rows, arguments.output)


if __name__ == "__main__":
    main()
