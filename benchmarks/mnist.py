"""MNIST, pixels in [0, 1]: summed squared error per test image, beside PCA with as many components.

    python benchmarks/mnist.py --data DIR [linear] [deep] [-o mnist.json]

DIR holds the four IDX files, gzipped or not (or set ISTHMUS_DATA to the folder above ``mnist``).
"linear" is 784-30; "deep" is 784-1000-500-250-30 of Hinton & Salakhutdinov 2006, held to five
minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from idx import pixels
from sklearn.decomposition import PCA
from tables import write

from isthmus import Autoencoder

RUNS: dict[str, dict[str, Any]] = {
    "linear": {"hidden_sizes": ()},
    "deep": {"hidden_sizes": (1000, 500, 250), "max_epochs": 30},
}


def error(X: np.ndarray, reconstruction: np.ndarray) -> float:
    return float(np.square(X.astype(np.float64) - reconstruction).sum(axis=1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("ISTHMUS_DATA", ".")) / "mnist"
    parser.add_argument("runs", nargs="*", default=list(RUNS), help=f"of {list(RUNS)}")
    parser.add_argument("--data", type=Path, default=default, help="folder of the IDX files")
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    train = pixels(arguments.data, "train")
    test = pixels(arguments.data, "t10k")
    pca = PCA(30, svd_solver="covariance_eigh").fit(train)
    baseline = error(test, pca.inverse_transform(pca.transform(test)))
    rows = [{"model": "PCA, k=30", "squared error per test image": round(baseline, 3)}]
    for run in arguments.runs:
        began = time.perf_counter()
        model = Autoencoder(30, random_state=0, verbose=1, **RUNS[run]).fit(train)
        minutes = (time.perf_counter() - began) / 60
        reconstruction = model.reconstruct(test)
        rows.append(
            {
                "model": f"Autoencoder, {run}, k=30",
                "squared error per test image": round(error(test, reconstruction), 3),
                "clipped to [0, 1]": round(error(test, reconstruction.clip(0, 1)), 3),
                "epochs": model.n_iter_,
                "minutes to fit": round(minutes, 2),
            }
        )
    write("MNIST, squared error per test image (10,000 rows)", rows, arguments.output)


if __name__ == "__main__":
    main()
