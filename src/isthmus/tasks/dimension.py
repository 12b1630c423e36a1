"""The dimension that held-out evidence asks for: the fewest latents that explain new rows as well as any."""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from isthmus.data.inference import infer_schema
from isthmus.data.schema import Schema
from isthmus.data.sources import Source, as_source
from isthmus.data.splitting import derive_seed, held_out_rows
from isthmus.errors import InputError
from isthmus.estimators.choices import draw_seed
from isthmus.estimators.conditional import ConditionalVariationalAutoencoder
from isthmus.estimators.density import density_note
from isthmus.estimators.variational import VariationalAutoencoder
from isthmus.manifold.dimension import two_nn
from isthmus.parts.priors import SwissRoll
from isthmus.tasks.encoded import encoded_inputs
from isthmus.tasks.evidence import DimensionEvidence, compare

__all__ = ["check_enough", "dimension_by_evidence", "ladder"]

MOST_CANDIDATES = 7
# Fewer held-out rows say more about luck than about the models.
LEAST_HELD_OUT = 20


def dimension_by_evidence(
    X: Any,
    candidates: Iterable[int] | None = None,
    *,
    estimator: VariationalAutoencoder | None = None,
    held_out_fraction: float = 0.2,
    n_samples: int = 500,
    n_fits: int = 1,
    max_rows: int | None = 10_000,
    random_state: int = 0,
    on_candidate: Callable[[int, float], None] | None = None,
) -> DimensionEvidence:
    """Choose the number of latents by the log-likelihood of rows that no candidate has seen.

    For each candidate a copy of `estimator` is fitted to the same rows, and log p(x) of the same held-out
    rows is bounded by importance sampling (Burda et al. 2016). Too few latents explain new rows badly; too
    many explain them no better. The choice is the smallest candidate whose mean is within one standard error
    of the best one's. That is the paired standard error, of the mean of the rows' differences to the best:
    rows differ among themselves much more than two models differ on a row. Each row has noise of its own, so
    that the Monte Carlo error is part of the standard error. From other first weights training ends
    elsewhere, on 1,000 rows by some 0.02 nats per row of linear models and 0.1 of networks, which one fit
    cannot tell: with ``n_fits=3`` or so the mean over fits is compared, and how much it varies is part of the
    standard error. Fits that have not converged let more latents look better than they are.

    Parameters
    ----------
    X : array, frame or Source
        Rows as an estimator's `fit` takes them.
    candidates : iterable of int, optional
        By default up to 7, from 1 to twice the TwoNN estimate of the encoded rows, or what they can span.
    estimator : VariationalAutoencoder, optional
        Its parameters but `n_components`; of autoencoders with deterministic codes the score is no density,
        rises with every latent, and is refused. It may hold out rows of its own to stop early. By default
        one with ``random_state=random_state``.
    held_out_fraction : float, default=0.2
        Share of the rows that candidates are compared on.
    n_samples : int, default=500
        Draws per row. The bound is looser the more latents there are; more draws lift it.
    n_fits : int, default=1
        Fits per candidate, each from other first weights and with other rows held out to stop early.
    max_rows : int or None, default=10_000
        Of more rows, this many are drawn; None takes all.
    random_state : int, default=0
        Draws and splits the rows, and makes the noise of the scores.
    on_candidate : callable, optional
        Told `n_components` and its nats per row after each fit.

    Returns
    -------
    DimensionEvidence
        ``chosen``, ``table`` and a ``sentence``.

    References
    ----------
    Y. Burda, R. Grosse and R. Salakhutdinov, "Importance weighted autoencoders", ICLR 2016; L. Breiman,
    J. Friedman, R. Olshen and C. Stone, "Classification and regression trees" (1984), section 3.4.3, of the
    rule of one standard error.

    Examples
    --------
    >>> from isthmus import VariationalAutoencoder
    >>> rng = np.random.default_rng(0)
    >>> line = rng.normal(size=(300, 1)) * [1, 2, 3] + 0.1 * rng.normal(size=(300, 3))
    >>> linear = VariationalAutoencoder(hidden_sizes=(), max_epochs=60, random_state=0)
    >>> dimension_by_evidence(line, (1, 2), estimator=linear, n_samples=100).chosen
    1
    """
    model = _checked_estimator(estimator, random_state)
    tried = None if candidates is None else _checked_candidates(candidates)
    if n_samples < 2:
        raise InputError(f"n_samples is {n_samples}; give 2 or more draws per row")
    if n_fits < 1:
        raise InputError(f"n_fits is {n_fits}; give 1 or more fits per candidate")
    schema, train, held_out = _split(X, model.schema, held_out_fraction, max_rows, random_state)
    tried = tried or _default_candidates(train, schema, random_state)
    seeds = _seeds(model.random_state, n_fits)
    scores, n_epochs, seconds, measure = list[list[NDArray[np.float64]]](), list[int](), list[float](), ""
    for n_components in tried:
        began, told, longest = time.perf_counter(), list[NDArray[np.float64]](), 0
        model.set_params(n_components=n_components, schema=schema)
        for seed in seeds:
            fitted = clone(model).set_params(random_state=seed).fit(train)
            told.append(fitted.score_samples(held_out, n_samples=n_samples, random_state=random_state))
            longest, measure = max(longest, fitted.n_iter_), density_note(fitted)
        scores.append(told)
        n_epochs.append(longest)
        seconds.append(time.perf_counter() - began)
        if on_candidate is not None:
            on_candidate(n_components, float(np.mean(told)))
    table, chosen, best = compare(tried, scores, n_epochs, seconds)
    return DimensionEvidence(table, chosen, best, len(held_out), len(train), n_samples, measure, len(seeds))


def ladder(dimension: float, most: int) -> list[int]:
    """Return at most 7 numbers of latents, from 1 to twice an estimate of the dimension or `most`.

    All of them where they are few, else in equal ratios.

    Examples
    --------
    >>> ladder(2.1, 10), ladder(12.0, 100), ladder(9.0, 3)
    ([1, 2, 3, 4, 5], [1, 2, 3, 5, 8, 14, 24], [1, 2, 3])
    """
    last = max(1, min(int(np.ceil(2 * dimension)), most))
    if last <= MOST_CANDIDATES:
        return list(range(1, last + 1))
    return sorted({round(float(n)) for n in np.geomspace(1, last, MOST_CANDIDATES)})


def check_enough(source: Source, held_out_fraction: float = 0.2, max_rows: int | None = 10_000) -> None:
    """Refuse rows of which too few would be held out to compare models on: 20 are the least."""
    if not 0 < held_out_fraction < 1:
        raise InputError(f"held_out_fraction is {held_out_fraction}; give a number above 0 and below 1")
    n_rows = len(source) if max_rows is None else min(len(source), max_rows)
    aside = round(held_out_fraction * n_rows)
    if aside < LEAST_HELD_OUT:
        raise InputError(
            f"{source.name}: of {n_rows:,} rows {aside} would be held out, too few to compare models on "
            f"({LEAST_HELD_OUT} are needed); give more rows or a larger held_out_fraction"
        )


def _seeds(random_state: Any, n_fits: int) -> list[int]:
    """Return the seeds of a candidate's fits: the first is the estimator's own."""
    first = draw_seed(random_state)
    return [first, *(derive_seed(first, 12, fit) % 2**31 for fit in range(1, n_fits))]


def _default_candidates(train: Any, schema: Schema, seed: int) -> list[int]:
    inputs = encoded_inputs(as_source(train), schema, random_state=seed)
    return ladder(two_nn(inputs, random_state=seed), inputs.shape[1])


def _checked_estimator(estimator: Any, seed: int) -> VariationalAutoencoder:
    """Return a copy whose scores are densities, with a seed, and without files of its own."""
    model = VariationalAutoencoder() if estimator is None else estimator
    name = type(model).__name__
    if not isinstance(model, VariationalAutoencoder):
        raise InputError(
            f"estimator is {name}, whose score is no density of new rows and rises with every latent; give a "
            "VariationalAutoencoder or an ImportanceWeightedAutoencoder"
        )
    if isinstance(model, ConditionalVariationalAutoencoder):
        raise InputError(f"estimator is {name}, which is told a condition; give a VariationalAutoencoder")
    if isinstance(model._prior(), SwissRoll):
        raise InputError("the prior swiss_roll has no density, so there is no evidence; choose another prior")
    model = clone(model).set_params(checkpoint=None)
    return model if model.random_state is not None else model.set_params(random_state=seed)


def _checked_candidates(candidates: Iterable[int]) -> list[int]:
    given = list(candidates)
    whole = [isinstance(n, numbers.Integral) and not isinstance(n, bool) and n >= 1 for n in given]
    if not given or not all(whole):
        raise InputError(f"candidates are {given}; give whole numbers of at least 1")
    return sorted({int(n) for n in given})


def _split(X: Any, given: Any, fraction: float, max_rows: int | None, seed: int) -> tuple[Schema, Any, Any]:
    """Return what each column is, the rows to learn from, and the rows to compare on."""
    source = as_source(X)
    check_enough(source, fraction, max_rows)
    schema = given if isinstance(given, Schema) else infer_schema(source)
    chosen = np.arange(len(source))
    if max_rows is not None and len(source) > max_rows:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(source))[:max_rows])
    aside = held_out_rows(len(chosen), fraction, seed)
    return schema, _native(source, chosen[~aside]), _native(source, chosen[aside])


def _native(source: Source, positions: NDArray[np.intp]) -> Any:
    rows = source.take(positions)
    return rows if isinstance(rows, np.ndarray) else rows.to_native()
