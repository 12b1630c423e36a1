"""Text for people to read."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["aligned", "command", "figures", "plus_minus"]


def aligned(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines whose cells stand below each other."""
    table = [list(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def command(*words: object) -> str:
    """Return a command as one types it in a shell."""
    return shlex.join(["isthmus", *map(str, words)])


def figures(metrics: dict[str, Any], n_components: int) -> str:
    """Return the figures of ``metrics_`` beside PCA's, with units and the rows they were measured on."""
    from isthmus.estimators.card import figure_rows

    if not metrics:
        return "no figures: the model learned chunk by chunk"
    head = (
        f"on {metrics['n_rows']:,} {metrics['rows']} rows",
        "this model",
        f"PCA, {n_components} comp.",
        "means",
    )
    lines = [aligned([head, *figure_rows(metrics)])]
    if "log_likelihood" in metrics:
        value = plus_minus(metrics["log_likelihood"], metrics["log_likelihood_std_error"])
        rows = f"{metrics['log_likelihood_n_rows']:,} {metrics['rows']} rows"
        lines.append(
            f"{metrics['log_likelihood_is']}: {value} nats per row (± Monte Carlo standard error), on {rows}"
        )
    else:
        score = f"{metrics['score']:.6g} nats per row (no density: not for ranking models)"
        lines.append(f"log p(x given z(x)): {score}")
    return "\n".join(lines)


def plus_minus(value: float | None, error: float | None) -> str:
    """Return a value and its standard error; of a model folder, what is not finite is None."""
    if value is None:
        return "not finite"
    if error is None or math.isnan(error):
        return f"{value:.6g} ± unknown"
    return f"{value:.6g} ± {error:.2g}"
