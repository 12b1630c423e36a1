"""What the figures of a code give cause for.

The thresholds are our judgement; each stands with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isthmus.estimators.concern import Concern

if TYPE_CHECKING:
    from isthmus.estimators.health.diagnosis import Diagnosis

__all__ = ["concerns_of"]

# Nats per row. Codes that are this near to the prior tell at most exp(0.1) = 1.1 kinds of row apart ...
COLLAPSED_KL = 0.1
# ... and with one nat e, some three. That is no fault if there is no more to tell ...
TINY_KL = 1.0
# ... but it is if nine tenths of what the training means leave over are still left over.
POOR_GAIN = 0.1
# Half the guesses are right anyway. At 0.6 the two distributions differ in at least a fifth of their mass
# (the total variation, 2 * 0.6 - 1); two standard errors more are no accident of the rows compared.
UNLIKE_PRIOR, N_ERRORS = 0.6, 2
# A codebook of which less than half is used could be half as large. As many tokens as there are codes, all
# equally likely, miss 1/e or 37% of the codes, which is below; of fewer tokens nothing is said.
DEAD_SHARE = 0.5

LOOSEN = "a smaller beta, a longer warmup, free_bits (0.1 is a start) or smaller hidden_sizes"


def concerns_of(found: Diagnosis) -> tuple[Concern, ...]:
    """Return all that applies, the gravest first."""
    collapse = _collapse(found)
    several = [
        collapse,
        None if collapse else _over_regularised(found),
        None if collapse else _unused_latents(found),
        _unlike_prior(found),
        _dead_codes(found),
    ]
    return tuple(concern for concern in several if concern is not None)


def _collapse(found: Diagnosis) -> Concern | None:
    kl, n_active = found.total_kl, int(found.active_units.sum())
    if n_active and (kl is None or kl >= COLLAPSED_KL):
        return None
    nats = "" if kl is None else f", and the divergence from the prior is {kl:.2g} nats per row"
    return Concern(
        "Posterior collapse",
        f"{n_active} of {found.n_components} latents tell rows apart{nats}: "
        "the code says next to nothing of a row.",
        "A smaller learning_rate, less weight_decay or corruption usually brings it back."
        if kl is None
        else f"{LOOSEN[0].upper()}{LOOSEN[1:]} let it say more.",
    )


def _over_regularised(found: Diagnosis) -> Concern | None:
    kl, gain = found.total_kl, found.reconstruction_gain
    if kl is None or gain is None or kl >= TINY_KL or gain >= POOR_GAIN:
        return None
    return Concern(
        "Held too close to the prior",
        f"The divergence of a code from the prior is {kl:.2g} nats per row, and the squared error is "
        f"{1 - gain:.0%} of the training means'.",
        f"{LOOSEN[0].upper()}{LOOSEN[1:]} let the code say more of a row.",
    )


def _unused_latents(found: Diagnosis) -> Concern | None:
    unused = np.flatnonzero(~found.active_units)
    if not len(unused):
        return None
    names = ", ".join(map(str, unused[:8])) + (", ..." if len(unused) > 8 else "")
    more = "" if found.total_kl is None else f" To use more: {LOOSEN}."
    return Concern(
        "Unused latents",
        f"{len(unused)} of {found.n_components} latents do not tell rows apart "
        f"(number {names}, counted from 0).",
        f"n_components={found.n_components - len(unused)} would do.{more}",
    )


def _unlike_prior(found: Diagnosis) -> Concern | None:
    accuracy, error = found.prior_accuracy, found.prior_accuracy_error
    if accuracy is None or error is None or accuracy <= UNLIKE_PRIOR + N_ERRORS * error:
        return None
    return Concern(
        "Codes unlike the prior",
        f"A classifier tells codes of rows from draws of the prior in {accuracy:.1%} ± {error:.1%} of cases "
        "(guessing: 50%): samples from the prior will look unlike the data.",
        _approach_prior(found),
    )


def _approach_prior(found: Diagnosis) -> str:
    if found.n_codes is not None:
        return 'prior="autoregressive" learns which tokens go together; more max_epochs or width let it.'
    if found.total_kl is None:
        return "More weight on discrepancy or adversarial, or more max_epochs, bring them together."
    learned = '"vamp_prior", "flow", "gaussian_mixture"'
    return f"A larger beta brings them together; so does a prior that learns: {learned}."


def _dead_codes(found: Diagnosis) -> Concern | None:
    if found.n_codes is None or found.n_tokens is None or found.n_rows * found.n_tokens < found.n_codes:
        return None
    if found.dead_codes is None or found.perplexity is None or found.dead_codes <= DEAD_SHARE * found.n_codes:
        return None
    used = found.n_codes - found.dead_codes
    return Concern(
        "Dead codes",
        f"{found.dead_codes:,} of {found.n_codes:,} codes are used by no row; the other {used:,} are as "
        f"varied as {found.perplexity:.1f} in even use.",
        f"n_codes={max(used, 2)} would do (of a finite_scalar posterior: levels={max(used, 2)}).",
    )
