"""``fit``: from a file to a saved model."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from isthmus.cli.options import Array, Data, Resize
from isthmus.cli.parameters import make_estimator, pairs, parse_latent
from isthmus.cli.printing import command, figures
from isthmus.cli.running import INTERRUPTED, note
from isthmus.cli.sides import find_side
from isthmus.errors import InputError, StoreError

if TYPE_CHECKING:
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["FitOptions", "fit"]

Columns = list[str] | None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What to learn, from which columns, and where to."""

    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The model folder to write.")]
    model: Annotated[str, Parameter(help="Autoencoder or DenoisingAutoencoder.")] = "Autoencoder"
    latent: Annotated[
        str,
        Parameter(help="Number of latent components; auto: the intrinsic dimension of the data (TwoNN)."),
    ] = "auto"
    label: Annotated[
        str | None,
        Parameter(
            help="Never learned from, only used to colour and to measure: a column, another array of an "
            '.npz, a file with one value a row, or "folder" (the subfolder of each image).'
        ),
    ] = None
    condition: Annotated[str | None, Parameter(help="What a conditional model is told of each row.")] = None
    weight: Annotated[str | None, Parameter(help="Weight of each row in the loss.")] = None
    id: Annotated[str | None, Parameter(help="Identifier of each row; not learned from.")] = None
    ignore: Annotated[Columns, Parameter(help="Leave out this column; may be given again.")] = None
    column: Annotated[
        Columns,
        Parameter(help="What a column is, such as age=count; may be given again.", name="--column"),
    ] = None
    set: Annotated[
        Columns,
        Parameter(help="Set a parameter, such as max_epochs=50 or corruption.p=0.5; may be given again."),
    ] = None
    seed: Annotated[int | None, Parameter(help="Makes the run repeatable; drawn and kept if not given.")] = (
        None
    )
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


def fit(data: Data, /, *, options: FitOptions) -> int:
    """Learn from a file or a folder of images, and save the model with its figures beside PCA's."""
    resuming = options.resume and options.checkpoint.exists()
    if options.resume and not resuming and _is_finished(options.output):
        options.say(
            f"{options.output} is a finished model and no run was interrupted: there is nothing to resume"
        )
        return 0
    from isthmus.store import check_folder, remove_with_leftovers

    # An interrupted run was allowed to write the model when it began.
    overwrite = options.force or resuming
    check_folder(options.output, overwrite=overwrite)
    _note_checkpoint(options, resuming)
    estimator = _estimator(options, resuming)
    source, weight = _read(estimator, data, options)
    with _interrupts() as interrupts:
        learn = estimator.resume if resuming else estimator.fit
        learn(source, sample_weight=weight)
        estimator.save(options.output, overwrite=overwrite)
    if interrupts:
        again = f"{options.output} holds the best model so far; --resume with the same command goes on"
        note(again)
        return INTERRUPTED
    remove_with_leftovers(options.checkpoint)
    _conclude(estimator, data, options)
    return 0


def _is_finished(output: Path) -> bool:
    from isthmus.store import read_folder

    return output.is_dir() and any(output.iterdir()) and bool(read_folder(output))


def _note_checkpoint(options: FitOptions, resuming: bool) -> None:
    if options.resume and not resuming:
        note(f"there is no {options.checkpoint} to resume from; starting anew")
    elif options.checkpoint.exists() and not resuming:
        note(f"{options.checkpoint} of an interrupted run will be replaced; --resume would go on with it")


# Before training ------------------------------------------------------------------------------------------


def _estimator(options: FitOptions, resuming: bool) -> BaseAutoencoder:
    given = options.set or []
    seeded = any(text.startswith("random_state=") for text in given)
    seed = options.seed
    if seed is None and not seeded:
        # Known here, so that a run without a seed can be resumed too.
        seed = _seed_of(options.checkpoint) if resuming else secrets.randbelow(2**31 - 1)
    latent = parse_latent(options.latent)
    n_components = None if latent == "auto" else latent
    estimator = make_estimator(options.model, given, {"n_components": n_components, "random_state": seed})
    if options.condition is not None and "condition" not in estimator.get_params(deep=False):
        raise InputError(f"--condition: {type(estimator).__name__} learns no condition; leave it out")
    estimator.set_params(checkpoint=options.checkpoint, verbose=int(not options.quiet))
    if not options.quiet:
        estimator.set_callbacks(Announcement())
    return estimator


def _seed_of(checkpoint: Path) -> int | None:
    """Return the seed of the run to resume; what else is wrong with its file, `resume` says."""
    from isthmus.store import read_tensors

    try:
        return int(read_tensors(checkpoint).metadata["identity"]["settings"]["seed"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        return None


def _read(estimator: BaseAutoencoder, data: Path, options: FitOptions) -> tuple[Source, Any]:
    """Open the rows, say what each column is, and return them with their weights."""
    from isthmus import read
    from isthmus.data.inference import infer_schema

    source = read(data, array=options.array, resize=options.resize)
    options.say(f"{data}: {len(source):,} rows")
    roles, weight = _roles(source, options)
    kinds = pairs(options.column or (), "--column")
    for name in options.ignore or ():
        if name in kinds:
            raise InputError(f"--ignore {name} contradicts --column {name}={kinds[name]}; give one of them")
        kinds[name] = "ignored"
    estimator.schema = infer_schema(source, kinds=kinds, roles=roles)
    options.say(f"{estimator.schema}\n")
    return source, weight


def _roles(source: Source, options: FitOptions) -> tuple[dict[str, str], Any]:
    """Return the roles of columns, and the weights if they are not a column."""
    roles: dict[str, str] = {}
    weight = None
    for role in ("label", "condition", "weight", "id"):
        given = getattr(options, role)
        if given is None:
            continue
        side = find_side(source, given, f"--{role}")
        if side.values is None:
            if side.name in roles:
                raise InputError(f"--{role} {side.name}: this column is given as {roles[side.name]} too")
            roles[side.name] = role
        elif role == "weight":
            weight = side.values
    return roles, weight


class Announcement:
    """A callback that says what is about to be trained, once every "auto" is resolved."""

    def setup(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Print the sizes."""
        del context
        architecture = estimator.architecture_
        why = ""
        if estimator.n_components == "auto":
            why = " (auto: the TwoNN intrinsic dimension of up to 5,000 training rows)"
        layers = " - ".join(map(str, architecture.hidden_sizes)) or "none: linear"
        print(f"latent components: {architecture.n_components}{why}")
        print(
            f"hidden layers: {layers}; training rows: {estimator.n_training_rows_:,}; seed: {estimator.seed_}"
        )
        print(flush=True)

    def on_fit_task_begin(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: BaseAutoencoder, context: Any) -> bool:
        """Do nothing, and do not stop."""
        return False

    def teardown(self, estimator: BaseAutoencoder, context: Any) -> None:
        """Do nothing."""


# During and after training --------------------------------------------------------------------------------


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Give a list that an interrupt leaves its mark in, for `fit` ends in order where it is interrupted."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, previous)


def _conclude(estimator: BaseAutoencoder, data: Path, options: FitOptions) -> None:
    label = [] if options.label is None else ["--label", options.label]
    options.say(f"{estimator.n_iter_} epochs\n\n{figures(estimator.metrics_, estimator.n_components_)}\n")
    options.say(f"saved {options.output}; next, for instance:")
    options.say(f"  {command('report', options.output, data, '-o', f'{options.output}.html', *label)}")
    options.say(f"  {command('encode', options.output, data, '-o', f'{options.output}-codes.csv')}")
