"""What ``fit`` says before it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isthmus.cli.printing import aligned

if TYPE_CHECKING:
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["Announcement"]

# The methods of an estimator that choose its parts, and what they are called.
PARTS = ("corruption", "posterior", "prior", "bound", "terms")


class Announcement:
    """A callback that says what is about to be trained, once every "auto" is resolved."""

    def setup(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Print the sizes, and the parts that are not the estimator's usual ones."""
        del context
        from isthmus.estimators.architecture import layer_words

        architecture = estimator.architecture_
        why = ""
        if estimator.n_components == "auto":
            why = " (auto: the TwoNN intrinsic dimension of up to 5,000 training rows)"
        print(f"latent components: {architecture.n_components}{why}")
        print(
            f"hidden layers: {layer_words(architecture)}; training rows: {estimator.n_training_rows_:,}; "
            f"seed: {estimator.seed_}"
        )
        parts = _chosen_parts(estimator)
        if parts:
            print(aligned(parts))
        print(flush=True)

    def on_fit_task_begin(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: BaseAutoencoder, context: Any) -> bool:
        """Do nothing, and do not stop."""
        return False

    def teardown(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Do nothing."""


def _chosen_parts(estimator: BaseAutoencoder) -> list[tuple[str, str]]:
    """Return the parts that differ from the defaults of the estimator's class, as pairs of words."""
    from isthmus.estimators.architecture import part_words

    usual = type(estimator)()
    chosen = [name for name in PARTS if getattr(estimator, f"_{name}")() != getattr(usual, f"_{name}")()]
    return [(f"{name}:", words) for name, words in part_words(estimator.architecture_) if name in chosen]
