"""The numbers of a training run, and the rules that choose those left at "auto"."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

__all__ = ["TARGET_STEPS", "Settings", "auto_batch_size", "endless", "resolve_settings"]

# Steps that a default fit aims at. A small data set needs hundreds of epochs to make as many steps (that the
# linear autoencoder then equals PCA is the check); a large one is seen often enough after ten.
TARGET_STEPS = 8_000
MIN_EPOCHS, MAX_EPOCHS = 10, 500
# Deep networks are trained at the usual rate of Adam; a linear one has a benign loss and takes a larger one.
DEEP_RATE, LINEAR_RATE = 2e-3, 1e-2
WARMUP_SHARE, DECAY_SHARE, PATIENCE_SHARE = 0.05, 0.4, 0.1


@dataclass(frozen=True)
class Settings:
    """What a training run is told, every "auto" resolved.

    Attributes
    ----------
    max_epochs, batch_size, patience : int
    learning_rate : float
        The peak rate, held between warm-up and decay.
    warmup_steps : int
    decay_epochs : int
        Length of the final linear decay to zero.
    weight_decay : float
    seed : int
    scheduled_steps : int
        The length that shares of the schedule refer to, such as a term's warm-up.
    """

    max_epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    warmup_steps: int
    decay_epochs: int
    weight_decay: float
    seed: int
    scheduled_steps: int = 1


def auto_batch_size(n_rows: int) -> int:
    """Return a power of two near a twelfth of the rows, from 16 to 256, and more from half a million rows on.

    Ten or so steps an epoch keep the gradient noise that helps small data sets; 256 rows keep two cores busy;
    beyond that only very large data sets gain from longer batches.
    """
    largest = 256 if n_rows < 500_000 else 1024
    return min(max(2 ** round(math.log2(max(n_rows, 1) / 12)), 16), largest)


def resolve_settings(
    *,
    n_batches: int,
    batch_size: int,
    linear: bool,
    max_epochs: int | str,
    learning_rate: float | str,
    patience: int | str,
    weight_decay: float,
    seed: int,
    target_steps: int = TARGET_STEPS,
) -> Settings:
    """Resolve every "auto" for a run of `n_batches` steps an epoch."""
    if isinstance(max_epochs, str):
        max_epochs = min(max(math.ceil(target_steps / n_batches), MIN_EPOCHS), MAX_EPOCHS)
    if isinstance(learning_rate, str):
        learning_rate = LINEAR_RATE if linear else DEEP_RATE
    if isinstance(patience, str):
        patience = max(5, round(PATIENCE_SHARE * max_epochs))
    return Settings(
        max_epochs=max_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        patience=patience,
        warmup_steps=math.ceil(WARMUP_SHARE * max_epochs * n_batches),
        decay_epochs=max(1, round(DECAY_SHARE * max_epochs)),
        weight_decay=weight_decay,
        seed=seed,
        scheduled_steps=max_epochs * n_batches,
    )


# Long enough for Adam's second moments to settle before the full rate.
CHUNK_WARMUP_STEPS = 100


def endless(settings: Settings) -> Settings:
    """Return the settings of `partial_fit`: warm-up, then hold, as nobody knows which chunk is the last."""
    return replace(
        settings,
        max_epochs=2**62,
        decay_epochs=1,
        warmup_steps=CHUNK_WARMUP_STEPS,
        scheduled_steps=round(CHUNK_WARMUP_STEPS / WARMUP_SHARE),
    )
