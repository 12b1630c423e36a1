"""MNIST: can a classifier tell an adversarial autoencoder's codes from draws of its prior?

    python benchmarks/adversarial.py --data DIR [RUN ...] [--pictures DIR] [-o adversarial.json]

DIR holds the four IDX files, gzipped or not (or set ISTHMUS_DATA to the folder above ``mnist``). Codes have
two components. Each run learns from the first rows of the training set, by the defaults but the weight of
the adversarial term where the table says so; the codes of
2,000 test rows are told from as many draws of the prior, as are those of 2,000 rows it has learned from. A
picture of the test rows' codes, coloured by digit, is written for each run.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from idx import labels, pixels
from matplotlib.figure import Figure
from tables import write

from isthmus import AdversarialAutoencoder
from isthmus.manifold.two_sample import TwoSample, classifier_two_sample
from isthmus.plots.style import CATEGORY_COLORS, GREY, STYLE

RING, ROLL = "gaussian_mixture:layout=ring", "swiss_roll"
# The prior, whether the discriminator is told the digits, and its weight: a spiral is the hardest shape.
RUNS = {
    "normal": ("standard_normal", False, 1),
    "ring": (RING, False, 1),
    "swiss-roll": (ROLL, False, 3),
    "swiss-roll-1": (ROLL, False, 1),
    "ring-labels": (RING, True, 1),
    "swiss-roll-labels": (ROLL, True, 3),
}
COMPARED, SHOWN = 2000, 5000


def draw(codes: np.ndarray, digits: np.ndarray, prior: np.ndarray, title: str, path: Path) -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.2, 4.6))
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    dots: dict[str, Any] = {"s": 3, "linewidths": 0, "alpha": 0.7}
    left.scatter(*codes.T, c=np.array(CATEGORY_COLORS)[digits], **dots)
    right.scatter(*prior.T, c=GREY, **dots)
    left.set_title(title)
    right.set_title("draws of the prior")
    for axes in (left, right):
        axes.set_aspect("equal")
        axes.set_xlabel("first component of the code")
    left.set_ylabel("second component of the code")
    handles = [left.plot([], [], "o", color=c, label=str(i))[0] for i, c in enumerate(CATEGORY_COLORS)]
    figure.legend(handles=handles, loc="outside right center", title="digit")
    figure.savefig(path, dpi=120)


def told(found: TwoSample) -> str:
    return f"{found.accuracy:.3f} ± {found.standard_error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(os.environ.get("ISTHMUS_DATA", ".")) / "mnist"
    parser.add_argument("runs", nargs="*", default=list(RUNS), help=f"of {list(RUNS)}")
    parser.add_argument("--data", type=Path, default=default, help="folder of the IDX files")
    parser.add_argument("--rows", type=int, default=20_000, help="training rows")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--pictures", type=Path, default=Path("adversarial-pictures"), help="folder for them")
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    # Pixels at the rim that are black in all training rows, and not in one of the test rows.
    warnings.filterwarnings("ignore", "constant column")
    arguments.pictures.mkdir(exist_ok=True)
    train = pixels(arguments.data, "train")[: arguments.rows]
    digits = labels(arguments.data, "train")[: arguments.rows]
    test = pixels(arguments.data, "t10k")
    test_digits = labels(arguments.data, "t10k")
    rows = []
    for run in arguments.runs:
        prior, labelled, weight = RUNS[run]
        began = time.perf_counter()
        model = AdversarialAutoencoder(
            2,
            prior=prior,
            adversarial=f"adversarial:weight={weight}",
            max_epochs=arguments.epochs,
            random_state=0,
        )
        model.fit(train, labels=digits if labelled else None)
        minutes = (time.perf_counter() - began) / 60
        codes, draws = model.transform(test), model.sample_codes(SHOWN, random_state=1)
        held_out = classifier_two_sample(codes, draws, max_rows=COMPARED)
        learned = classifier_two_sample(model.transform(train), draws, max_rows=COMPARED)
        error = float(np.square(test - model.reconstruct(test)).sum(axis=1).mean())
        title = f"{run}: told apart {held_out.accuracy:.0%} of the time"
        draw(codes[:SHOWN], test_digits[:SHOWN], draws, title, arguments.pictures / f"{run}.png")
        rows.append(
            {
                "prior": run,
                "weight": weight,
                "accuracy, test rows": told(held_out),
                "accuracy, training rows": told(learned),
                "squared error per test image": round(error, 2),
                "epochs": model.n_iter_,
                "minutes to fit": round(minutes, 2),
            }
        )
    title = f"MNIST, {len(train):,} training rows: codes of an adversarial autoencoder told from its prior"
    write(f"{title} (0.5: indistinguishable), {torch.get_num_threads()} threads", rows, arguments.output)


if __name__ == "__main__":
    main()
