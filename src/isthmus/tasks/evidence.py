"""The smallest of several models that explains new rows as well as any, by the rule of one standard error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["Candidate", "DimensionEvidence", "compare"]


@dataclass(frozen=True)
class Candidate:
    """What one number of latents achieved.

    Attributes
    ----------
    n_components : int
    nats : float
        Mean of log p(x) of the held-out rows, a lower bound, in nats per row.
    standard_error : float
        Of the mean: how much another draw of held-out rows would change it. Most of it is common to all
        candidates.
    behind : float
        By how many nats per row it is behind the best.
    behind_error : float
        The standard error of that difference, which counts each row against itself.
    n_epochs : int
    seconds : float
        To fit and to score.
    """

    n_components: int
    nats: float
    standard_error: float
    behind: float
    behind_error: float
    n_epochs: int
    seconds: float


@dataclass(frozen=True)
class DimensionEvidence:
    """The evidence for each number of latents, and the choice.

    Attributes
    ----------
    table : tuple of Candidate
        By ascending `n_components`.
    chosen, best : int
        The smallest `n_components` that is within one standard error of the best, and the best.
    n_rows, n_training_rows, n_samples : int
        Held-out rows that all candidates were scored on, rows that they were fitted to, and draws per row.
    measure : str
        What the nats are of.
    """

    table: tuple[Candidate, ...]
    chosen: int
    best: int
    n_rows: int
    n_training_rows: int
    n_samples: int
    measure: str

    @property
    def sentence(self) -> str:
        """The choice and its reason."""
        row = next(row for row in self.table if row.n_components == self.chosen)
        latents = "1 latent component" if self.chosen == 1 else f"{self.chosen} latent components"
        on = f"on {self.n_rows:,} held-out rows"
        if self.chosen == self.best:
            why = f"the evidence is largest there, {row.nats:.6g} nats per row {on}, and fewer do worse"
        else:
            why = (
                f"the fewest within one standard error of the best, {self.best}: {row.behind:.2g} ± "
                f"{row.behind_error:.2g} nats per row behind it {on}"
            )
        edge = ""
        if self.chosen == self.table[-1].n_components and len(self.table) > 1:
            edge = "; it is the largest that was tried, so more may be better"
        return f"{latents}: {why}{edge}."

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, the sentence too, as JSON can hold it."""
        return asdict(self) | {"table": [asdict(row) for row in self.table], "sentence": self.sentence}


def compare(
    n_components: Sequence[int], scores: ArrayLike, n_epochs: Sequence[int], seconds: Sequence[float]
) -> tuple[tuple[Candidate, ...], int, int]:
    """Tabulate candidates, and choose the smallest that is within one standard error of the best.

    Parameters
    ----------
    n_components : sequence of int
        Ascending.
    scores : array-like of shape (n_candidates, n_rows)
        log p(x) of the same rows under each candidate, in nats; at least two rows.
    n_epochs, seconds : sequences of length n_candidates

    Returns
    -------
    table : tuple of Candidate
    chosen, best : int
        Values of `n_components`.
    """
    scores = np.asarray(scores, dtype=np.float64)
    root = math.sqrt(scores.shape[1])
    nats = scores.mean(axis=1)
    best = int(nats.argmax())
    differences = scores[best] - scores
    behind, error = differences.mean(axis=1), differences.std(axis=1, ddof=1) / root
    columns = zip(
        n_components, nats, scores.std(axis=1, ddof=1) / root, behind, error, n_epochs, seconds, strict=True
    )
    table = tuple(
        Candidate(int(n), float(a), float(b), float(c), float(d), int(e), float(f))
        for n, a, b, c, d, e, f in columns
    )
    chosen = next(row.n_components for row in table if row.behind <= row.behind_error)
    return table, chosen, table[best].n_components
