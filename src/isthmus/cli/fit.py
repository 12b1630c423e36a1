"""``fit``: from a file to a saved model."""

from __future__ import annotations

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from isthmus.cli.announcing import Announcement
from isthmus.cli.fit_options import FitOptions
from isthmus.cli.options import Data
from isthmus.cli.parameters import make_estimator, pairs, parse_latent
from isthmus.cli.printing import command, figures
from isthmus.cli.running import INTERRUPTED, note
from isthmus.errors import InputError, StoreError

if TYPE_CHECKING:
    from isthmus.data.schema import Schema
    from isthmus.data.sources import Source
    from isthmus.estimators.base import BaseAutoencoder

__all__ = ["fit"]


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
    source, beside = _read(estimator, data, options)
    with _interrupts() as interrupts:
        learn = estimator.resume if resuming else estimator.fit
        try:
            learn(source, **beside)
        except KeyboardInterrupt as interrupt:
            if getattr(interrupt, "__notes__", None):  # of a run that has left a checkpoint, but no model yet
                note(f"{options.checkpoint} holds the run so far; --resume with the same command goes on")
            raise
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


def _read(estimator: BaseAutoencoder, data: Path, options: FitOptions) -> tuple[Source, dict[str, Any]]:
    """Open the rows, say what each column is, and return them with what lies apart from them."""
    from isthmus import read
    from isthmus.cli.beside import find_beside

    source = read(data, array=options.array, resize=options.resize)
    options.say(f"{data}: {len(source):,} rows")
    beside = find_beside(estimator, source, options)
    estimator.schema = _schema(source, beside.roles, options)
    options.say(f"{estimator.schema}\n")
    return source, beside.given


def _schema(source: Source, roles: dict[str, str], options: FitOptions) -> Schema:
    from isthmus.data.inference import infer_schema
    from isthmus.estimators.conditions import condition_kinds

    kinds = pairs(options.column or (), "--column")
    for name in options.ignore or ():
        if name in kinds:
            raise InputError(f"--ignore {name} contradicts --column {name}={kinds[name]}; give one of them")
        kinds[name] = "ignored"
    told = [name for name, role in roles.items() if role == "condition"]
    return infer_schema(source, kinds=condition_kinds(source, told) | kinds, roles=roles)


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
    options.say(f"{_epochs(estimator)}\n\n{figures(estimator.metrics_, estimator.n_components_)}\n")
    options.say(f"saved {options.output}; next, for instance:")
    for words in _next(estimator, data, options):
        options.say(f"  {command(*words)}")


def _next(estimator: BaseAutoencoder, data: Path, options: FitOptions) -> Iterator[list[object]]:
    """Yield commands to try."""
    from isthmus.cli.conditions import condition_example
    from isthmus.estimators.generative import Generative

    model: object = options.output
    label = () if options.label is None else ("--label", options.label)
    apart = () if estimator._condition_names() else options.condition or ()
    told = [word for name in apart for word in ("--condition", name)]
    yield ["report", model, data, "-o", f"{model}.html", *label, *told]
    yield ["encode", model, data, "-o", f"{model}-codes.csv", *told]
    if isinstance(estimator, Generative):
        ending = "png" if estimator.schema_.holds_images else "csv"
        yield ["sample", model, "-o", f"{model}-samples.{ending}", *condition_example(estimator)]


def _epochs(estimator: BaseAutoencoder) -> str:
    """Say how long it learned, and why it ended if that was before the longest that was allowed."""
    n, most = estimator.n_iter_, estimator.max_epochs
    told = f"{n:,} epoch{'s' if n > 1 else ''}"
    early = isinstance(most, int) and n < most
    return f"{told} of at most {most:,}: the held-out loss had stopped falling" if early else told
