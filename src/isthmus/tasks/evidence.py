"""The smallest of several models that explains new rows as well as any, by the rule of one standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Candidate", "DimensionEvidence", "compare"]


@dataclass(frozen=True)
class Candidate:
    """What one number of latents achieved.

    Attributes
    ----------
    n_components : int
    nats : float
        Mean of log p(x) of the held-out rows, a lower bound, in nats per row; over all fits.
    standard_error : float
        Of the mean: how much another draw of held-out rows, and of several fits other ones, would change it.
        Most of it is common to all candidates.
    behind : float
        By how many nats per row it is behind the best.
    behind_error : float
        The standard error of that difference, which counts each row against itself.
    n_epochs : int
        Of the longest fit.
    seconds : float
        To fit and to score, all fits together.
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
    n_fits : int
        Fits per candidate.
    """

    table: tuple[Candidate, ...]
    chosen: int
    best: int
    n_rows: int
    n_training_rows: int
    n_samples: int
    measure: str
    n_fits: int = 1

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
    scores : array-like of shape (n_candidates, n_fits, n_rows)
        log p(x) of the same rows under each fit of each candidate, in nats; at least two rows. Of two fits
        or more, their variance is part of the standard errors.
    n_epochs, seconds : sequences of length n_candidates

    Returns
    -------
    table : tuple of Candidate
    chosen, best : int
        Values of `n_components`.
    """
    fits = np.asarray(scores, dtype=np.float64)
    by_row, by_fit = fits.mean(axis=1), fits.mean(axis=2)
    nats = by_row.mean(axis=1)
    best = int(nats.argmax())
    n_fits = fits.shape[1]
    training = by_fit.var(axis=1, ddof=1) / n_fits if n_fits > 1 else np.zeros(len(fits))
    differences = by_row[best] - by_row
    pairs = np.where(np.arange(len(fits)) == best, 0.0, training + training[best])
    error, behind_error = _standard_error(by_row, training), _standard_error(differences, pairs)
    columns = zip(
        n_components,
        nats,
        error,
        differences.mean(axis=1),
        behind_error,
        n_epochs,
        seconds,
        strict=True,
    )
    table = tuple(
        Candidate(int(n), float(a), float(b), float(c), float(d), int(e), float(f))
        for n, a, b, c, d, e, f in columns
    )
    chosen = next(row.n_components for row in table if row.behind <= row.behind_error)
    return table, chosen, table[best].n_components


def _standard_error(by_row: NDArray[np.float64], training: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return that of each row's mean, whose variance from fit to fit is `training`."""
    return np.sqrt(by_row.var(axis=1, ddof=1) / by_row.shape[1] + training)
