"""Rectangles: test error of a deep classifier from random weights, stacked, and stacked denoising.

    python benchmarks/rectangles.py [--activation silu] [--rate 5e-4] [--seeds 3] [-o FILE]

28 x 28 images of the outline of a rectangle, wide or tall (Larochelle et al. 2007), are generated: 10,000 to
learn from, 50,000 to test. Three layers, through `AutoencoderClassifier`; nothing but the start differs.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from tables import write

from isthmus import AutoencoderClassifier, StackedAutoencoder

SIDE, LEAST, LEAST_DIFFERENCE = 28, 4, 3
STARTS: dict[str, dict[str, Any]] = {
    "random weights": {"pretrained": False},
    "stacked autoencoder": {"corruption": None},
    "stacked denoising autoencoder": {"corruption": "masking:p=0.25"},
}


def rectangles(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n flat images and whether the rectangle is wider than high."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(LEAST, SIDE + 1, size=(4 * n, 2))
    sizes = sizes[np.abs(sizes[:, 0] - sizes[:, 1]) >= LEAST_DIFFERENCE][:n]
    corners = np.floor(rng.random((n, 2)) * (SIDE - sizes + 1)).astype(int)
    place = np.arange(SIDE)
    first, last = corners[..., None], (corners + sizes - 1)[..., None]
    within = (place >= first) & (place <= last)  # (n, 2, SIDE)
    edge = (place == first) | (place == last)
    rows, columns = (
        (part[:, 0, :, None] for part in (within, edge)),
        (part[:, 1, None, :] for part in (within, edge)),
    )
    (in_row, on_row), (in_column, on_column) = rows, columns
    outline = (on_row & in_column) | (in_row & on_column)
    return outline.reshape(n, -1).astype(np.float32), (sizes[:, 1] > sizes[:, 0]).astype(int)


def test_error(
    start: str, width: int, activation: str, rate: float, seed: int, epochs: int, layer_epochs: int
) -> tuple[float, float]:
    """Return the test error in percent, and the minutes."""
    X, y = rectangles(10_000, seed)
    options = dict(STARTS[start])
    pretrained = options.pop("pretrained", True)
    stacked = StackedAutoencoder(
        width,
        hidden_sizes=(width, width),
        activation=activation,
        # The code is a layer like the others; sigmoids end in one, other activations are the classifier's.
        posterior="point:activation=sigmoid" if activation == "sigmoid" else "point",
        layer_epochs=layer_epochs,
        max_epochs=1,  # the classifier is the joint phase
        random_state=seed,
        **options,
    )
    began = time.perf_counter()
    model = AutoencoderClassifier(
        stacked, pretrained=pretrained, max_epochs=epochs, learning_rate=rate, random_state=seed
    )
    model.fit(X, y)
    minutes = (time.perf_counter() - began) / 60
    wrong = 0.0
    for part in range(5):
        test, labels = rectangles(10_000, 1_000 + part)
        wrong += float(np.mean(model.predict(test) != labels))
    return 100 * wrong / 5, minutes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--activation", default="silu")
    parser.add_argument("--rate", type=float, default=5e-4, help="of the joint phase, for all starts")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--layer-epochs", type=int, default=30)
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    rows = []
    for start in STARTS:
        found = [
            test_error(
                start,
                arguments.width,
                arguments.activation,
                arguments.rate,
                seed,
                arguments.epochs,
                arguments.layer_epochs,
            )
            for seed in range(arguments.seeds)
        ]
        errors, minutes = zip(*found, strict=True)
        rows.append(
            {
                "start": start,
                "test error %": round(float(np.mean(errors)), 3),
                "each seed": ", ".join(f"{error:.2f}" for error in errors),
                "minutes a seed": round(float(np.mean(minutes)), 2),
            }
        )
        print(rows[-1], flush=True)
    epochs = f"{arguments.layer_epochs} epochs a layer, {arguments.epochs} together"
    layers = f"three {arguments.activation} layers of {arguments.width}, rate {arguments.rate:g}, {epochs}"
    write(f"Rectangles, 50,000 test rows, {layers}", rows, arguments.output)


if __name__ == "__main__":
    main()
