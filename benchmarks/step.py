"""How long is a step of the training loop, beside the bare matrix products that it needs?

    python benchmarks/step.py [-o step.json]

784-512-256-32 and mirrored, batches of 256 rows; the two are run in turn in one process, and the medians
of 50 compared.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from tables import write
from torch import Tensor

from isthmus import Autoencoder
from isthmus.estimators import fitting

SIZES = (784, 512, 256, 32, 256, 512, 784)
BATCH, REPEATS = 256, 50


def bare_products() -> Callable[[], None]:
    """Forward products, and backward those for each weight and each hidden layer's input."""
    weights = [torch.randn(n_out, n_in) for n_in, n_out in itertools.pairwise(SIZES)]
    rows = torch.randn(BATCH, SIZES[0])

    def run() -> None:
        inputs: list[Tensor] = []
        flow = rows
        for weight in weights:
            inputs.append(flow)
            flow = flow @ weight.T
        for position in reversed(range(len(weights))):
            flow.T @ inputs[position]
            if position:
                flow = flow @ weights[position]

    return run


def loop_step() -> Callable[[], None]:
    """One step of the loop that `fit` runs, drawing its batches from rows in memory."""
    rows = np.random.default_rng(0).normal(size=(8 * BATCH, SIZES[0]))
    estimator = Autoencoder(
        SIZES[3], hidden_sizes=SIZES[1:3], batch_size=BATCH, max_epochs=10_000, random_state=0
    )
    source, schema = fitting.read_input(estimator, rows)
    estimator.seed_ = 0
    device = torch.device("cpu")
    prepared = fitting.load(estimator, source, schema, None, None, device)
    trainer = fitting.make_trainer(estimator, schema, prepared, device)
    batches = itertools.chain.from_iterable(
        trainer.batches.epoch(BATCH, 0, epoch) for epoch in itertools.count()
    )

    def run() -> None:
        trainer.step(next(batches))
        trainer.progress.step += 1

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    runs = {"bare matrix products": bare_products(), "training step": loop_step()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(10 + REPEATS):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if repeat >= 10:
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    bare = medians["bare matrix products"]
    rows = [
        {"what": name, "median of 50, ms": round(1e3 * median, 2), "ratio": round(median / bare, 3)}
        for name, median in medians.items()
    ]
    write("One training step at 784-512-256-32 mirrored, batch 256", rows, arguments.output)


if __name__ == "__main__":
    main()
