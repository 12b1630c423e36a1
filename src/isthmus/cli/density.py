"""``density`` and ``diagnose``: how likely rows are, and what goes wrong in a generative model."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.cli.options import Array, Condition, Data, DensityOptions, Model, ReadOptions, Resize, RowOptions
from isthmus.cli.parameters import check_whole
from isthmus.cli.printing import aligned, plus_minus
from isthmus.cli.rows import Opened, check_output, open_rows, write_values
from isthmus.errors import InputError

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder
    from isthmus.estimators.density import Scorer

__all__ = ["density", "diagnose"]


def density(model: Model, data: Data, /, *, options: DensityOptions | None = None) -> None:
    """Write log p(x) of each row in nats with its Monte Carlo error; show the mean, and bits per dimension.

    It is a lower bound, by importance sampling: the more draws per row, the nearer.
    """
    options = options or DensityOptions()
    check_output(options, options.output, data)
    check_whole("--samples", options.samples, 1)
    opened = open_rows(model, data, options)
    _check_density(opened.fitted, model)
    from isthmus.estimators import streaming
    from isthmus.estimators.density import Scorer

    scorer = Scorer(opened.fitted.model_, options.samples, options.seed)
    rows = streaming.scores(opened.fitted, opened.features, opened.condition, scorer)
    if options.output is None:
        deque(rows, maxlen=0)
    else:
        shared = {name: getattr(options, name) for name in ReadOptions.__dataclass_fields__}
        names = ["log_likelihood", "std_error", "n_observed"]
        write_values(rows, names, opened, RowOptions(output=options.output, **shared))
        print(f"{options.output}: {len(opened.source):,} rows")
    print(_summary(opened, scorer, data))


def _check_density(fitted: BaseAutoencoder, model: Path) -> None:
    from isthmus.estimators.density import density_note
    from isthmus.estimators.importance import gives_density

    if not gives_density(fitted.model_):
        raise InputError(
            f"density: {model} holds {type(fitted).__name__}, which gives {density_note(fitted)}; fit with "
            "--model VariationalAutoencoder, or use score"
        )


def _summary(opened: Opened, scorer: Scorer, data: Path) -> str:
    """Return the mean, what it is, what it was measured on, and baselines."""
    from isthmus.estimators.density import bits_per_dim, density_note

    mean, n_entries = scorer.mean(), scorer.n_observed
    bits = bits_per_dim(scorer.total, n_entries)
    error = "nothing was drawn" if scorer.shares is None else "± Monte Carlo standard error"
    value = f"{mean.mean:.6g}" if scorer.shares is None else plus_minus(mean.mean, mean.std_error)
    return "\n".join(
        [
            f"mean {density_note(opened.fitted)}",
            f"{value} nats per row ({error})",
            f"{bits:.6g} bits per dimension, over {n_entries:,} observed entries",
            f"measured on {mean.n_rows:,} rows of {data}, {_draws(scorer)}",
            *_baselines(opened.fitted),
        ]
    )


def _draws(scorer: Scorer) -> str:
    if scorer.shares is None:
        return "as log p(x, z) of each row's tokens z"
    seed = scorer.random_state
    noise = "one fixed noise for all rows" if seed is None else f"noise of each row's own (seed {seed})"
    return f"{scorer.n_samples:,} draws per row, {noise}"


def _baselines(fitted: BaseAutoencoder) -> list[str]:
    """Return what the fit measured: this model beside PCA's density and independent columns."""
    metrics = fitted.metrics_
    if "log_likelihood" not in metrics:
        return []
    told = " (it is told the condition, the others are not)" if fitted.condition_schema_ is not None else ""
    pca = metrics.get("pca_log_likelihood")
    table = [
        ("  this model", plus_minus(metrics["log_likelihood"], metrics["log_likelihood_std_error"])),
        (
            f"  probabilistic PCA, {fitted.n_components_} components",
            "-, needs columns of numbers without gaps" if pca is None else f"{pca:.6g}",
        ),
        ("  independent columns", f"{metrics['independent_log_likelihood']:.6g}"),
    ]
    rows = f"{metrics['log_likelihood_n_rows']:,} {metrics['rows']} rows"
    return ["", f"for comparison, nats per row on {rows} of the fit{told}:", aligned(table)]


def diagnose(
    model: Model,
    data: Data,
    /,
    *,
    condition: Condition = None,
    array: Array = None,
    resize: Resize = None,
) -> None:
    """Show unused latents, how far codes are from the prior, dead codes, and what to do about them."""
    from isthmus.estimators.generative import Generative

    opened = open_rows(model, data, ReadOptions(condition=condition, array=array, resize=resize))
    if not isinstance(opened.fitted, Generative):
        raise InputError(
            f"diagnose needs a model with a prior, {model} holds {type(opened.fitted).__name__}; fit with "
            "--model VariationalAutoencoder, or see report"
        )
    print(opened.fitted.diagnose(opened.features, **opened.told))
