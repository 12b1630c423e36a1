"""What a careful reader would object to: pure functions of a model's history, figures and codes.

Each returns a `Concern`, or None where there is nothing to say. The thresholds are our judgement; each
stands with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.estimators.concern import Concern as Concern

__all__ = [
    "Concern",
    "collapsed",
    "concerns",
    "few_rows",
    "no_bottleneck",
    "nothing_learned",
    "over_fitting",
    "still_falling",
    "unused_latents",
    "worse_than_pca",
]

History = Sequence[Mapping[str, float]]
Metrics = Mapping[str, Any]

# Nats that a held-out entry may cost more than a training entry: for a Gaussian of learned scale, 0.1 is a
# squared error a fifth higher.
GAP = 0.1
COMPARED = ("negative_log_likelihood", "negative_bound")
# What the loss still gained in the last quarter before the learning rate fell, as a share of all it gained.
FALLING = 0.05
# A held-out error this much above PCA's is no accident of sampling.
PCA_MARGIN, PCA_ACCURACY_MARGIN = 1.05, 0.01
# A latent whose standard deviation is this small beside the largest is as good as constant.
UNUSED = 0.01
# The same for a whole code beside its own size. Codes begin at about 1: ones this small were pressed.
COLLAPSED, TINY = 1e-3, 1e-4
# An error this small beside that of the training means is rounding.
EXACT = 1e-6
LEARNED_LITTLE = 0.99
FEW_ROWS = 50


def concerns(
    history: History, metrics: Metrics, *, n_columns: int, codes: ArrayLike | None = None
) -> list[Concern]:
    """Return all that applies, the gravest first."""
    found = [
        None if codes is None else collapsed(codes),
        nothing_learned(metrics),
        no_bottleneck(metrics),
        worse_than_pca(metrics),
        over_fitting(history, n_columns),
        still_falling(history),
        None if codes is None else unused_latents(codes),
        few_rows(metrics),
    ]
    return [concern for concern in found if concern is not None]


def over_fitting(history: History, n_columns: int) -> Concern | None:
    """Held-out rows cost clearly more than training rows, at the epoch whose weights were kept."""
    # Of the other terms, some are measured in another way on held-out rows.
    name = next((name for name in COMPARED if history and name in history[-1]), "loss")
    held_out = f"validation_{name}"
    rows = [row for row in history if np.isfinite([row.get(held_out, np.nan), row.get(name, np.nan)]).all()]
    if not rows or n_columns < 1:
        return None
    kept = min(rows, key=lambda row: row["validation_loss"])
    gap = kept[held_out] - kept[name]
    if gap <= GAP * n_columns:
        return None
    return Concern(
        "Over-fitting",
        f"At the epoch that was kept a held-out row costs {kept[held_out]:.4g} nats, a training row "
        f"{kept[name]:.4g}: {gap / n_columns:.2g} nats more for each of {n_columns:,} modelled columns.",
        "More rows, smaller hidden_sizes, weight_decay or a DenoisingAutoencoder bring the two together.",
    )


def still_falling(history: History) -> Concern | None:
    """The loss was still falling when training had to end.

    Judged before the learning rate decays: while it does, the loss always falls.
    """
    loss = np.array([row.get("validation_loss", row["loss"]) for row in history], dtype=np.float64)
    rate = np.array([row.get("learning_rate", 1.0) for row in history], dtype=np.float64)
    if len(loss) < 2 or not np.isfinite(loss).all():
        return None
    held = 1 + int(np.flatnonzero(rate >= 0.999 * rate.max())[-1])
    recent = max(1, held // 4)
    before, last = loss[: max(held - recent, 1)], loss[held - recent : held]
    gained = loss[0] - loss.min()
    drop = before.min() - last.min() if held > 1 else gained
    if gained <= 0 or drop <= FALLING * gained:
        return None
    which = "held-out" if "validation_loss" in history[-1] else "training"
    return Concern(
        "Stopped while still falling",
        f"The {which} loss still fell by {drop:.3g} nats per row in the {_last(recent)} of {held} "
        "before the learning rate was lowered.",
        "A larger max_epochs would probably give a better model.",
    )


def _last(n: int) -> str:
    return "last epoch" if n == 1 else f"last {n} epochs"


def worse_than_pca(metrics: Metrics) -> Concern | None:
    """PCA with as many components gives rows back better, where it is not exact anyway."""
    if no_bottleneck(metrics) is not None:
        return None
    error, pca_error = _pair(metrics, "squared_error")
    accuracy, pca_accuracy = _pair(metrics, "accuracy")
    worse = {
        "numbers": error > PCA_MARGIN * pca_error,
        "categories": accuracy < pca_accuracy - PCA_ACCURACY_MARGIN,
    }
    if not any(worse.values()):
        return None
    told = {
        "numbers": f"a squared error per row of {pca_error:.4g}, {error:.4g} here",
        "categories": f"{pca_accuracy:.1%} of the categories right, {accuracy:.1%} here",
    }
    said = " and ".join(sentence for what, sentence in told.items() if worse[what])
    return Concern(
        f"PCA does better on the {' and '.join(what for what in worse if worse[what])}",
        f"On the same {metrics['rows']} rows PCA with as many components has {said}.",
        "Train longer, or try hidden_sizes=(), which is PCA's own model.",
    )


def no_bottleneck(metrics: Metrics) -> Concern | None:
    """PCA with as many components is exact: the code is as wide as the data."""
    pca, mean = metrics.get("pca_squared_error"), metrics.get("mean_squared_error")
    if pca is None or not mean or not pca < EXACT * mean:
        return None
    return Concern(
        "No bottleneck",
        "PCA with as many components gives the numbers back exactly: the code is as wide as the data.",
        "A smaller n_components makes the model find what the columns have in common.",
    )


def nothing_learned(metrics: Metrics) -> Concern | None:
    """The reconstruction is no better than the training means."""
    error, mean = metrics.get("squared_error"), metrics.get("mean_squared_error")
    if error is None or not mean or error < LEARNED_LITTLE * mean:
        return None
    return Concern(
        "Nothing learned",
        f"The squared error per row, {error:.4g}, is no smaller than that of always guessing the training "
        f"means, {mean:.4g} (on {metrics['rows']} rows).",
        "If the columns have anything in common: a smaller learning_rate, weight_decay=0 or more epochs.",
    )


def collapsed(codes: ArrayLike) -> Concern | None:
    """All rows have the same code."""
    z = _matrix(codes)
    if len(z) < 2:
        return None
    spread, size = float(z.std(axis=0).max()), float(np.sqrt((z**2).mean()))
    if spread > max(COLLAPSED * size, TINY):
        return None
    return Concern(
        "Collapsed code",
        f"All rows have nearly the same code (the largest standard deviation of a latent is {spread:.2g}), "
        "so that it says nothing of them.",
        "Less weight_decay or corruption, or a smaller learning_rate, usually brings it back.",
    )


def unused_latents(codes: ArrayLike) -> Concern | None:
    """Some latents hardly vary beside the others."""
    z = _matrix(codes)
    if len(z) < 2 or collapsed(z) is not None:
        return None
    spread = z.std(axis=0)
    unused = np.flatnonzero(spread < UNUSED * spread.max())
    if not len(unused):
        return None
    names = ", ".join(str(i) for i in unused[:8]) + (", ..." if len(unused) > 8 else "")
    return Concern(
        "Unused latents",
        f"{len(unused)} of {len(spread)} latents hardly vary (number {names}, counted from 0): their "
        f"standard deviation is below {UNUSED:.0%} of the largest.",
        f"n_components={len(spread) - len(unused)} would do.",
    )


def few_rows(metrics: Metrics) -> Concern | None:
    """The figures rest on few rows, or on those learned from."""
    if not metrics:
        return None
    if metrics["rows"] == "training":
        return Concern(
            "No held-out rows",
            "The figures are measured on the rows learned from: they cannot show over-fitting.",
            "Set validation_fraction, or score rows that the model has not seen.",
        )
    if metrics["n_rows"] >= FEW_ROWS:
        return None
    return Concern(
        "Few held-out rows",
        f"The figures rest on {metrics['n_rows']} held-out rows: another draw of them would give others.",
        "Compare several values of random_state before believing small differences.",
    )


def _pair(metrics: Metrics, name: str) -> tuple[float, float]:
    """Return a figure and PCA's, NaN (which compares as false) where there is none."""
    values = (metrics.get(name), metrics.get(f"pca_{name}"))
    here, pca = (np.nan if value is None else float(value) for value in values)
    return here, pca


def _matrix(codes: ArrayLike) -> NDArray[np.float64]:
    z = np.asarray(codes, dtype=np.float64)
    return z[np.isfinite(z).all(axis=1)]
