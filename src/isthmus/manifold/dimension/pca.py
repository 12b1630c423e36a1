"""How many principal components to keep: what each of the common rules says."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from isthmus.errors import InputError
from isthmus.manifold.dimension.rows import Array, Seed, draw

__all__ = ["RULES", "pca_dimension", "pca_dimensions"]

Rule: TypeAlias = Literal["explained_variance", "kaiser", "broken_stick", "participation_ratio", "minka"]
RULES: tuple[Rule, ...] = ("explained_variance", "kaiser", "broken_stick", "participation_ratio", "minka")
# Variances below this share of the largest are rounding errors.
LEAST = 1e-15


def pca_dimension(
    X: ArrayLike,
    rule: Rule = "explained_variance",
    *,
    share: float = 0.95,
    max_rows: int = 5000,
    random_state: Seed = None,
) -> float:
    """Say how many principal components a rule would keep.

    They tell the dimension of the flat space around the data: of a curved surface it is larger than that of
    the surface. With variances l_1 >= ... >= l_m along the components, m = min(n_columns, n_rows - 1):

    - ``"explained_variance"``: the fewest with ``l_1 + ... + l_k >= share * sum(l)``;
    - ``"kaiser"``: those with ``l_k >= mean(l)``;
    - ``"broken_stick"``: the leading ones with ``l_k / sum(l) >= sum(1 / j for j = k ... m) / m``, the k-th
      longest part that is to be expected of a stick broken at random;
    - ``"participation_ratio"``: ``sum(l) ** 2 / sum(l ** 2)``, which is no whole number;
    - ``"minka"``: the k of the largest Laplace approximation to the evidence of probabilistic PCA with k
      components, at most m - 1. The approximation holds where rows are many times as many as columns, and
      finds far too many components where they are as few.

    Parameters
    ----------
    X : array-like of shape (n_rows, ...)
        Finite numbers. Variances are taken in the units given: standardise columns of unlike units.
    rule : str, default="explained_variance"
    share : float, default=0.95
        Of the variance, above 0 and at most 1.
    max_rows : int, default=5000
        Of more rows, this many are drawn without replacement.
    random_state : int, RandomState or None, default=None
        Draws those rows.

    Returns
    -------
    float
        0 where no column varies, else at least 1, except of the broken stick: 0 where the first component
        holds no more than chance would give it.

    References
    ----------
    H. F. Kaiser, "The application of electronic computers to factor analysis", Educational and Psychological
    Measurement 20 (1960). D. A. Jackson, "Stopping rules in principal components analysis", Ecology 74
    (1993), of the broken stick. P. Gao et al., "A theory of multineuronal dimensionality, dynamics and
    measurement", bioRxiv 214262 (2017), of the participation ratio. T. P. Minka, "Automatic choice of
    dimensionality for PCA", NIPS 13 (2000).

    Examples
    --------
    >>> import numpy as np
    >>> pca_dimension([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], "participation_ratio")
    2.0
    """
    if rule not in RULES:
        raise InputError(f"rule is {rule!r}; give one of {', '.join(RULES)}")
    return _of(_variances(X, max_rows, random_state, share), rule, share, _n_rows(X, max_rows))


def pca_dimensions(
    X: ArrayLike, *, share: float = 0.95, max_rows: int = 5000, random_state: Seed = None
) -> dict[Rule, float]:
    """Return what each rule says, as of `pca_dimension`, from one decomposition."""
    variances = _variances(X, max_rows, random_state, share)
    return {rule: _of(variances, rule, share, _n_rows(X, max_rows)) for rule in RULES}


def _n_rows(X: ArrayLike, max_rows: int) -> int:
    return min(len(np.asarray(X)), max_rows)


def _variances(X: ArrayLike, max_rows: int, random_state: Seed, share: float) -> Array:
    """Return the variances along the components, descending, in units of the largest."""
    if not 0 < share <= 1:
        raise InputError(f"share is {share}; give a number above 0 and at most 1")
    rows = draw(X, max_rows, random_state, "pca_dimension")
    m = max(min(rows.shape[1], len(rows) - 1), 0)
    if not m or not np.ptp(rows, axis=0).any():
        return np.zeros(m)
    values = np.linalg.svd(rows, compute_uv=False)[:m]
    return (values / values[0]) ** 2


def _of(variances: Array, rule: Rule, share: float, n_rows: int) -> float:
    if not variances.any():
        return 0.0
    total = float(variances.sum())
    if rule == "explained_variance":
        # The sum of all, rounded in another order, must not fall short of itself.
        reached = np.cumsum(variances) >= share * total * (1 - LEAST * len(variances))
        return float(np.argmax(reached) + 1)
    if rule == "kaiser":
        return float((variances >= total / len(variances) * (1 - 1e-12)).sum())
    if rule == "broken_stick":
        return _leading(variances / total >= _broken_stick(len(variances)) * (1 - 1e-12))
    if rule == "participation_ratio":
        return total**2 / float(variances @ variances)
    return _minka(variances, n_rows)


def _leading(kept: NDArray[np.bool_]) -> float:
    return float(len(kept) if kept.all() else np.argmin(kept))


def _broken_stick(m: int) -> Array:
    """Return the expected length of the k-th longest part of m, k = 1 ... m."""
    return np.cumsum(1 / np.arange(m, 0, -1))[::-1] / m


def _minka(variances: Array, n_rows: int) -> float:
    """Return the k of the largest evidence (Minka 2000, section 4, as scikit-learn has it)."""
    m = len(variances)
    k = np.arange(1, m)
    # Of more components than vary, no evidence is asked.
    k = k[variances[: m - 1] >= LEAST]
    if not len(k):
        return 1.0
    log = np.log(np.maximum(variances, LEAST))
    rest = (variances.sum() - np.cumsum(variances))[k - 1] / (m - k)
    log_rest = np.log(np.maximum(rest, LEAST))
    half = (m - np.arange(m)) / 2
    subspaces = np.cumsum(gammaln(half) - half * np.log(np.pi))[k - 1] - k * np.log(2)
    free = m * k - k * (k + 1) / 2
    fit = -n_rows / 2 * (np.cumsum(log)[k - 1] + (m - k) * log_rest)
    evidence = subspaces + fit + (free + k) / 2 * np.log(2 * np.pi) - k / 2 * np.log(n_rows)
    return float(k[np.argmax(evidence - _log_curvature(variances, k, log_rest, n_rows) / 2)])


def _log_curvature(variances: Array, k: NDArray[np.intp], log_rest: Array, n_rows: int) -> Array:
    """Return, for each k, the sum over i <= k and j > i of the logarithm of the Hessian's eigenvalues.

    They are ``n (l_i - l_j) (1 / s_j - 1 / s_i)``, where s is l, and its mean beyond k.
    """
    m, last = len(variances), int(k[-1])
    gaps = np.zeros(last)  # of pairs that are both kept, summed over those with the last one below k
    across = np.zeros(last)  # the logarithm of l_i - l_j, of i kept and j not
    for i in range(last):
        steps = _log(variances[i] - variances[i + 1 :])
        within = steps[: last - 1 - i]
        gaps[i + 1 :] += np.cumsum(2 * within - _log(variances[i] * variances[i + 1 : last]))
        across[i:] += steps.sum() - np.concatenate([[0.0], np.cumsum(within)])
    inverse = [
        _log(np.exp(-rest) - 1 / variances[:n]).sum() * (m - n) for n, rest in zip(k, log_rest, strict=True)
    ]
    return gaps + across + np.array(inverse) + np.log(n_rows) * (m * k - k * (k + 1) / 2)


def _log(x: Array) -> Array:
    """Return the logarithm; of ties, whose Hessian is singular, that of a least number."""
    return np.log(np.maximum(x, LEAST))
