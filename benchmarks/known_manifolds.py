"""Sets of known shape: the swiss roll's map by default, and estimates of three sets' intrinsic dimension.

python benchmarks/known_manifolds.py [-o known_manifolds.json]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.datasets import make_swiss_roll
from tables import write

from isthmus import ManifoldAutoencoder
from isthmus.lab.swiss_roll import roll_length
from isthmus.manifold import levina_bickel, map_quality, two_nn

ROWS = 5_000


def roll_map() -> dict[str, object]:
    X, angle = make_swiss_roll(3000, random_state=0)
    began = time.perf_counter()
    model = ManifoldAutoencoder(random_state=0).fit(X)
    seconds = time.perf_counter() - began
    codes = model.transform(X)
    likeness = max(abs(float(spearmanr(axis, roll_length(angle)).statistic)) for axis in codes.T)
    trust = map_quality(X, codes, n_neighbors=10, distances=False)["trustworthiness@10"].value
    return {
        "trustworthiness@10, own rows": round(trust, 4),
        "rank correlation of an axis with the length": round(likeness, 4),
        "squared error, held-out": round(model.metrics_["squared_error"], 3),
        "PCA's": round(model.metrics_["pca_squared_error"], 1),
        "epochs": model.n_iter_,
        "seconds": round(seconds, 1),
    }


def known_sets() -> dict[str, tuple[int, np.ndarray]]:
    rng = np.random.default_rng(0)
    on_sphere = rng.normal(size=(ROWS, 11))
    return {
        "swiss roll": (2, make_swiss_roll(ROWS, random_state=0)[0]),
        "5 flat dimensions in 50": (5, rng.normal(size=(ROWS, 5)) @ rng.normal(size=(5, 50))),
        "10-sphere": (10, on_sphere / np.linalg.norm(on_sphere, axis=1, keepdims=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="JSON file to write; .dimension.json beside it")
    arguments = parser.parse_args()
    write(f"Swiss roll, 3,000 rows, {torch.get_num_threads()} threads", [roll_map()], arguments.output)
    rows = [
        {
            "set": name,
            "truth": truth,
            "TwoNN": round(two_nn(X, random_state=0), 2),
            "Levina-Bickel": round(levina_bickel(X, random_state=0), 2),
        }
        for name, (truth, X) in known_sets().items()
    ]
    path = arguments.output and str(Path(arguments.output).with_suffix(".dimension.json"))
    write(f"Intrinsic dimension, {ROWS:,} rows", rows, path)


if __name__ == "__main__":
    main()
