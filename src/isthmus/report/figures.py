"""Figures of a model beside those of its baselines: tables of text, and what they say in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.estimators.card import figure_rows

__all__ = ["Row", "Table", "density_sentence", "explained", "figure_table", "number", "percentage"]


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is, more about that in small letters, and its figures."""

    name: str
    note: str
    cells: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of texts; `head` names the columns, that of the rows' names too unless those stand above.

    A wide one has columns of one kind, side by side.
    """

    head: Sequence[str]
    rows: Sequence[Row]
    caption: str
    wide: bool = False


def number(n: int, word: str, many: str | None = None) -> str:
    """Return "1 row", "1,617 rows"."""
    return f"{n:,} {word if n == 1 else many or word + 's'}"


def explained(metrics: dict[str, Any], prefix: str) -> float | None:
    """Return the share of the squared deviations from the training means that a reconstruction takes away."""
    error, mean = metrics.get(f"{prefix}squared_error"), metrics.get("mean_squared_error")
    return None if error is None or not mean else 1 - error / mean


def figure_table(metrics: dict[str, Any], k: int, *, pca_learned: str = "") -> Table:
    """Return the table of figures beside PCA's and those of constant guesses."""
    plain = {name: value for name, value in metrics.items() if name != "log_likelihood"}
    told = [(*text.rsplit(", ", 1), cells) for text, *cells in figure_rows(plain)]
    rows = [Row(name, note, cells) for name, note, cells in told]
    here, pca = explained(metrics, ""), explained(metrics, "pca_")
    if here is not None and pca is not None:
        name = "share of the numbers' spread accounted for"
        rows.insert(1, Row(name, "higher is better", (percentage(here), percentage(pca), "0%")))
    guess = "training means" if "accuracy" not in metrics else "training means, most frequent values"
    head = ("this model", f"PCA, {number(k, 'component')}{pca_learned}", guess)
    caption = f"Measured on {number(metrics['n_rows'], metrics['rows'] + ' row')}."
    if "log_likelihood" in metrics:
        rows.append(density_row(metrics))
        caption += (
            f" {': '.join(metrics['log_likelihood_is'].split(', ', 1))}, "
            f"of {number(metrics['log_likelihood_n_rows'], 'row')} of them, beside probabilistic PCA and "
            f"columns that are independent{_untold(metrics)}; ± is the Monte Carlo standard error."
        )
    return Table(head, rows, caption)


def _untold(metrics: dict[str, Any]) -> str:
    return ", which are told nothing" if "condition" in metrics["log_likelihood_is"] else ""


def density_row(metrics: dict[str, Any]) -> Row:
    """Return log p(x) with its error, beside probabilistic PCA's and that of independent columns."""
    told = metrics["log_likelihood_is"].partition(",")[0]
    cells = (
        f"{_nats(metrics['log_likelihood'])} ± {_nats(metrics['log_likelihood_std_error'], 2)}",
        _nats(metrics.get("pca_log_likelihood")),
        f"{_nats(metrics['independent_log_likelihood'])}, independent",
    )
    return Row(f"{told}, nats per row", "higher is better", cells)


def density_sentence(metrics: dict[str, Any]) -> str:
    """Say how likely rows are, beside what PCA and independent columns make of them."""
    rows = number(metrics["log_likelihood_n_rows"], metrics["rows"] + " row")
    pca = metrics.get("pca_log_likelihood")
    beside = "" if pca is None else f"probabilistic PCA gives {_nats(pca)}, "
    what, nats = metrics["log_likelihood_is"].partition(",")[0], _nats(metrics["log_likelihood"])
    return (
        f"It draws new rows, and says how likely rows are: on {rows} {what} is on average {nats} nats or "
        f"more; {beside}independent columns {_nats(metrics['independent_log_likelihood'])}."
    )


def _nats(value: float | None, digits: int = 4) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}g}"


def percentage(value: float) -> str:
    """Return a percentage, with a digit more where whole per cent would round to all or nothing."""
    return f"{value:.1%}" if value > 0.985 or abs(value) < 0.015 else f"{value:.0%}"
