"""The model card: README.md of a model folder."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from isthmus.estimators.architecture import layer_words, part_words

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder
    from isthmus.estimators.classifier import AutoencoderClassifier

__all__ = ["classifier_card", "figure_rows", "model_card"]

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
    if "log_likelihood" in metrics:
        cells = [metrics.get(prefix + "log_likelihood") for prefix in ("", "pca_", "independent_")]
        mine, pca, independent = map(_number, cells)
        what = metrics["log_likelihood_is"].partition(",")[0]
        title = f"{what}, in nats per row (last column: independent columns), higher is better"
        rows.append((title, mine, pca, independent))
    return rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def model_card(estimator: BaseAutoencoder) -> str:
    """Return the card as Markdown: data, parts, and figures beside their baselines."""
    architecture, schema, metrics = estimator.architecture_, estimator.schema_, estimator.metrics_
    kinds = Counter(column.kind for column in schema.columns)
    inside = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
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
        f"- hidden layers: {layer_words(architecture)}, activation {architecture.activation}",
        f"- likelihood: {_shortened(str(architecture.likelihood))}",
        *(f"- {name}: {_shortened(text)}" for name, text in part_words(architecture)),
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
        *_density_lines(metrics),
        "",
    ]
    return "\n".join(lines)


def _density_lines(metrics: dict[str, Any]) -> list[str]:
    if "log_likelihood" not in metrics:  # beside a density, what is none would only mislead
        return [
            f"log p(x given z(x)): {_number(metrics['score'])} nats per row. "
            "It is not a density: do not rank models by it."
        ]
    error = _number(metrics["log_likelihood_std_error"])
    return [
        f"{metrics['log_likelihood_is']}: {_number(metrics['log_likelihood'])} nats per row "
        f"(Monte Carlo standard error {error}), "
        f"on {metrics['log_likelihood_n_rows']} {metrics['rows']} rows.",
        "",
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."


def classifier_card(classifier: AutoencoderClassifier) -> str:
    """Return the card of a classifier, and below it that of the autoencoder it began as."""
    metrics, classes = classifier.metrics_, [str(name) for name in classifier.classes_]
    lines = [
        "# AutoencoderClassifier",
        "",
        f"{len(classes)} classes: {_shortened(', '.join(classes))}.",
        "A linear layer on the code tells them; the encoder below it began as an autoencoder's.",
        "",
        f"- {classifier.n_training_rows_} training rows (none of them is stored here)",
        f"- seed {classifier.seed_}, {classifier.n_iter_} epochs",
        f"- the encoder began {'with the weights below' if classifier.pretrained else 'at random weights'}",
        "",
        "## Figures",
        f"Measured on {metrics['n_rows']} {metrics['rows']} rows.",
        "",
        "| figure | this model | frequencies of the classes |",
        "|---|---|---|",
        f"| accuracy, higher is better | {metrics['accuracy']:.4g} | {metrics['majority_accuracy']:.4g} |",
        f"| cross-entropy in nats per row, lower is better | {metrics['cross_entropy']:.4g} | "
        f"{metrics['frequencies_cross_entropy']:.4g} |",
        "",
        "The autoencoder:",
        "",
    ]
    return "\n".join(lines) + "\n" + model_card(classifier.estimator_)
