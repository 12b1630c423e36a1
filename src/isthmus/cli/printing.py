"""Text for people to read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["aligned", "command", "figures"]


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
    score = f"log p(x given z(x)): {metrics['score']:.6g} nats per row (no density: not for ranking models)"
    return f"{aligned([head, *figure_rows(metrics)])}\n{score}"
