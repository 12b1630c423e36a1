"""The options of ``fit``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from isthmus.cli.options import Array, Resize, Seed

__all__ = ["ESTIMATORS", "FitOptions"]

Columns = list[str] | None
# All that are registered, written down since help imports none of them.
ESTIMATORS = (
    "AdversarialAutoencoder",
    "Autoencoder",
    "ConditionalVariationalAutoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "ImportanceWeightedAutoencoder",
    "ManifoldAutoencoder",
    "SparseAutoencoder",
    "StackedAutoencoder",
    "VariationalAutoencoder",
    "VectorQuantizedAutoencoder",
    "WassersteinAutoencoder",
)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What to learn, from which columns, and where to."""

    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The model folder to write.")]
    model: Annotated[str, Parameter(help=f"{', '.join(ESTIMATORS)}: see isthmus models.")] = "Autoencoder"
    latent: Annotated[
        str,
        Parameter(
            help="Number of latent components; auto: the data's intrinsic dimension (TwoNN), 2 of maps."
        ),
    ] = "auto"
    label: Annotated[
        str | None,
        Parameter(
            help="Never learned from, only used to colour and to measure: a column, another array of an "
            '.npz, a file with one value a row, or "folder" (the subfolder of each image).'
        ),
    ] = None
    condition: Annotated[
        Columns,
        Parameter(
            help="What a ConditionalVariationalAutoencoder is told of each row instead of learning it: "
            "a column or one of the others that --label takes; may be given again."
        ),
    ] = None
    weight: Annotated[str | None, Parameter(help="Weight of each row in the loss.")] = None
    id: Annotated[str | None, Parameter(help="Identifier of each row; not learned from.")] = None
    ignore: Annotated[Columns, Parameter(help="Leave out this column; may be given again.")] = None
    column: Annotated[
        Columns,
        Parameter(help="What a column is, such as age=count; may be given again.", name="--column"),
    ] = None
    set: Annotated[
        Columns,
        Parameter(
            help="Set a parameter, such as max_epochs=50, prior=vamp_prior or corruption.p=0.5; "
            "may be given again."
        ),
    ] = None
    seed: Annotated[Seed, Parameter(help="Makes the run repeatable; drawn and kept if not given.")] = None
    array: Array = None
    resize: Resize = None
    resume: Annotated[
        bool, Parameter(help="Go on with an interrupted run of the same command.", show_default=False)
    ] = False
    force: Annotated[bool, Parameter(help="Replace the model if it exists.", show_default=False)] = False
    quiet: Annotated[bool, Parameter(help="Show notes and errors only.", show_default=False)] = False

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run is kept."""
        return Path(f"{self.output}.checkpoint")

    def say(self, text: str = "") -> None:
        """Print, unless quiet."""
        if not self.quiet:
            print(text, flush=True)
