"""A diagnosis as a table that fits a screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from isthmus.estimators.concern import Concern
    from isthmus.estimators.health import Diagnosis

__all__ = ["table"]

WIDTH = 88
# Of more latents, those that say the most.
MOST_LATENTS = 12


def table(found: Diagnosis) -> str:
    """Return the figures, the latents and the concerns, as text."""
    parts = [_summary(found), _latents(found), *map(_told, found.concerns)]
    return "\n\n".join("\n".join(part) for part in parts)


def _summary(found: Diagnosis) -> list[str]:
    facts = {
        "active latents": f"{int(found.active_units.sum())} of {found.n_components}",
        "KL to the prior": _if(found.total_kl, "{:.4g} nats per row"),
        "told from prior draws": _if(
            found.prior_accuracy, f"{{:.1%}} ± {found.prior_accuracy_error or 0:.1%} of cases (guessing: 50%)"
        ),
        "codes in use": _codes(found),
        "squared error": _if(
            None if found.reconstruction_gain is None else 1 - found.reconstruction_gain,
            "{:.1%} of the training means'",
        ),
    }
    widest = max(map(len, facts))
    lines = [f"  {name:<{widest}}  {value}" for name, value in facts.items() if value]
    return [f"Codes of {found.n_rows:,} {found.rows} rows", *lines]


def _if(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _codes(found: Diagnosis) -> str:
    if found.n_codes is None or found.dead_codes is None:
        return ""
    return f"{found.n_codes - found.dead_codes:,} of {found.n_codes:,}, perplexity {found.perplexity:.1f}"


def _latents(found: Diagnosis) -> list[str]:
    kl = found.kl_per_latent
    order = np.argsort(-(found.mean_variance if kl is None else kl), kind="stable")
    nats = "" if kl is None else "KL (nats)"
    lines = [f"  {'latent':>6}  {nats:>9}  {'mean':>9}  {'sd':>9}  {'var. of means':>13}  active"]
    for i in order[:MOST_LATENTS]:
        cell = "" if kl is None else f"{kl[i]:.3f}"
        numbers = f"{found.latent_mean[i]:>9.3f}  {found.latent_sd[i]:>9.3f}  {found.mean_variance[i]:>13.3f}"
        lines.append(f"  {i:>6}  {cell:>9}  {numbers}  {'yes' if found.active_units[i] else 'no'}")
    left = found.n_components - MOST_LATENTS
    return [*lines, f"  and {left:,} more, which say less"] if left > 0 else lines


def _told(concern: Concern) -> list[str]:
    text = f"{concern.name}. {concern.sentence} {concern.advice}"
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
