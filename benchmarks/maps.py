"""Two-dimensional maps of images: how true are they on rows that they were not fitted on?

    python benchmarks/maps.py --data DIR [METHOD ...] [--seeds 3] [-o maps.json]

DIR holds the IDX files of MNIST or Fashion-MNIST, gzipped or not. Each seed draws 10,000 training rows and
5,000 held-out rows; the held-out rows' neighbours are looked for among the training rows, on the data and
on the map. Squared errors are summed over the pixels, from 0 to 1. Methods: pca, isthmus, umap, opentsne,
parametric-umap (needs umap-learn with TensorFlow). Seconds are of one process, after a first small run that
lets libraries compile.
"""

from __future__ import annotations

import argparse
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from idx import labels, pixels
from sklearn.decomposition import PCA
from tables import write

from isthmus import ManifoldAutoencoder
from isthmus.manifold import map_quality
from isthmus.tasks.measuring import measured

K_MAX = 500


def pca(seed: int, parameters: dict[str, Any]) -> Any:
    return PCA(2, random_state=seed)


def ours(seed: int, parameters: dict[str, Any]) -> Any:
    return ManifoldAutoencoder(random_state=seed, **parameters)


def umap(seed: int, parameters: dict[str, Any]) -> Any:
    from umap import UMAP

    return UMAP(random_state=seed)


def parametric_umap(seed: int, parameters: dict[str, Any]) -> Any:
    from umap.parametric_umap import ParametricUMAP

    return ParametricUMAP(random_state=seed)


class OpenTSNE:
    """openTSNE behind scikit-learn's names."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, X: np.ndarray) -> OpenTSNE:
        from openTSNE import TSNE

        self.embedding = TSNE(random_state=self.seed).fit(X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.embedding.transform(X))


METHODS: dict[str, tuple[Callable[[int, dict[str, Any]], Any], str]] = {
    "pca": (pca, ""),
    "isthmus": (ours, ""),
    "umap": (umap, "umap"),
    "opentsne": (lambda seed, parameters: OpenTSNE(seed), "openTSNE"),
    "parametric-umap": (parametric_umap, "tensorflow"),
}


def measure(
    method: str, seed: int, data: tuple[np.ndarray, ...], parameters: dict[str, Any]
) -> dict[str, Any]:
    train, train_labels, test, test_labels = data
    model = METHODS[method][0](seed, parameters)
    fit = measured(lambda: model.fit(train))  # and torch keeps its number of threads, which UMAP changes
    mapped = measured(lambda: np.asarray(model.transform(test)))
    codes = mapped.value
    quality = map_quality(
        test,
        codes,
        X_reference=train,
        Z_reference=np.asarray(model.transform(train))
        if method != "opentsne"
        else np.asarray(model.embedding),
        labels=test_labels,
        labels_reference=train_labels,
        n_neighbors=(10,),
        k_max=K_MAX,
        distances=False,
    )
    error = None
    if method in ("pca", "isthmus"):
        error = float(np.square(test - model.inverse_transform(codes)).sum(axis=1).mean())
    figures = quality.figures
    return {
        "method": method,
        "seed": seed,
        "trustworthiness@10": round(figures["trustworthiness@10"].value, 4),
        f"R_NX area to {K_MAX}": round(figures["r_nx_area"].value, 4),
        "10-NN accuracy": round(figures["knn_accuracy@10"].value, 4),
        "squared error": None if error is None else round(error, 2),
        "fit s": round(fit.seconds, 1),
        "transform s": round(mapped.seconds, 2),
    }


def setting(word: str) -> tuple[str, Any]:
    import ast

    name, _, value = word.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", default=list(METHODS), help=f"of {', '.join(METHODS)}")
    parser.add_argument("--data", type=Path, required=True, help="folder of the IDX files")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=5_000)
    parser.add_argument(
        "--set", type=setting, action="append", default=[], help="a parameter of isthmus' model"
    )
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    images, classes = pixels(arguments.data, "train"), labels(arguments.data, "train")
    rows = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        order = np.random.default_rng(seed).permutation(len(images))
        chosen = order[: arguments.train], order[arguments.train : arguments.train + arguments.test]
        data = tuple(array[index] for index in chosen for array in (images, classes))
        for method in arguments.methods:
            needed = METHODS[method][1]
            if needed and importlib.util.find_spec(needed) is None:
                print(f"{method}: {needed} is not installed", flush=True)
                continue
            if seed == arguments.first_seed:
                measured(
                    lambda name=method: METHODS[name][0](0, {"max_epochs": 1}).fit(images[:500])
                )  # compile
            rows.append(measure(method, seed, data, dict(arguments.set)))
            print(rows[-1], flush=True)
    rows.sort(key=lambda row: (arguments.methods.index(row["method"]), row["seed"]))
    title = (
        f"Maps of {arguments.data.name}, {arguments.train:,} training and {arguments.test:,} held-out rows"
    )
    write(f"{title}, {torch.get_num_threads()} threads", rows, arguments.output)


if __name__ == "__main__":
    main()
