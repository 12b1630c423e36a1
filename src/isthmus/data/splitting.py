"""Which rows are held out, and which seed each random stream gets: functions of positions and one seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_HELD_OUT", "MIN_HELD_OUT", "derive_seed", "held_out_rows"]

# Fewer held-out rows than this say more about luck than about the model; more than the upper bound make the
# figure no steadier (its standard error is then 1% of the spread between rows) and only slow every epoch.
MIN_HELD_OUT = 5
MAX_HELD_OUT = 10_000


def derive_seed(seed: int, *path: int) -> int:
    """Return a 63-bit seed for one stream of random numbers, named by a path of integers below the seed."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _hash(positions: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """Mix positions and seed (the finaliser of SplitMix64: Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = (positions + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(derive_seed(seed, 1))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def held_out_rows(n_rows: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Mark the rows whose hash of (position, seed) is among the smallest ``fraction``.

    Returns
    -------
    ndarray of bool of shape (n_rows,)
        At most 10,000 rows are held out and one is always left; none are when there would be fewer than 5.
    """
    mask = np.zeros(n_rows, dtype=bool)
    wanted = min(round(fraction * n_rows), MAX_HELD_OUT, n_rows - 1)
    if wanted >= MIN_HELD_OUT:
        mask[np.argpartition(_hash(np.arange(n_rows, dtype=np.uint64), seed), wanted - 1)[:wanted]] = True
    return mask
