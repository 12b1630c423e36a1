"""The model card: README.md of a model folder."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["figure_rows", "model_card"]

# What metrics_ calls a figure, what people call it, and which way is better.
FIGURES = (
    ("squared_error", "squared error per row", "lower is better"),
    ("accuracy", "share of categories reconstructed rightly", "higher is better"),
)


def figure_rows(metrics: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return rows (figure, model, PCA, training means) of the table of figures, as text."""
    rows = []
    for name, title, direction in FIGURES:
        if name in metrics:
            unit = f" ({metrics['units']}²)" if name == "squared_error" else ""
            cells = [metrics.get(prefix + name) for prefix in ("", "pca_", "mean_")]
            mine, pca, mean = map(_number, cells)
            rows.append((f"{title}{unit}, {direction}", mine, pca, mean))
    return rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def model_card(estimator: BaseAutoencoder) -> str:
    """Return the card as Markdown: data, parts, and figures beside their baselines."""
    architecture, schema, metrics = estimator.architecture_, estimator.schema_, estimator.metrics_
    kinds = Counter(column.kind for column in schema.columns)
    inside = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    layers = " - ".join(str(size) for size in architecture.hidden_sizes) or "none (linear)"
    lines = [
        f"# {type(estimator).__name__}",
        "",
        f"An autoencoder with {architecture.n_components} latent components, fitted with isthmus.",
        "",
        "## Data",
        f"- {schema.container}, rows of shape {' x '.join(str(n) for n in schema.shape)}: {inside} columns",
        f"- {estimator.n_training_rows_} training rows (none of them is stored here)",
        "",
        "## Parts",
        f"- hidden layers: {layers}, activation {architecture.activation}",
        f"- likelihood: {_shortened(str(architecture.likelihood))}",
        f"- corruption: {architecture.corruption or 'none'}",
        f"- seed {estimator.seed_}, {estimator.n_iter_} epochs",
        "",
        "## Figures",
    ]
    if not metrics:
        return "\n".join([*lines, "None: learned chunk by chunk with partial_fit.", ""])
    lines += [
        f"Measured on {metrics['n_rows']} {metrics['rows']} rows.",
        "",
        f"| figure | this model | PCA, {architecture.n_components} components | training means |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in figure_rows(metrics)),
        "",
        f"log p(x given z(x)): {_number(metrics['score'])} nats per row. "
        "It is not a density: do not rank models by it.",
        "",
    ]
    return "\n".join(lines)


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."
