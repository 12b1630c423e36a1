"""Greedy layer-wise training: each layer learns to restore what the layers below it give (Bengio 2007)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.data.batches import Batch, Batches, MemoryBatches
from isthmus.data.column_facts import ColumnFacts
from isthmus.data.features import Features, Values
from isthmus.data.splitting import derive_seed
from isthmus.model import Model
from isthmus.parts.corruptions import Corruption
from isthmus.parts.densities import Density
from isthmus.parts.likelihoods import Gaussian
from isthmus.parts.posteriors.point import PointCode
from isthmus.training.checkpoint import Checkpoint, Earlier, History, as_history, history_columns
from isthmus.training.interruptible import interruptible
from isthmus.training.loop import Trainer
from isthmus.training.settings import Settings

__all__ = ["train_layers"]

# Rows that pass through the trained layers at once.
PIECE = 4096


class _Activations(nn.Module):
    """Stands in for `Features` where the rows are a layer's outputs: numbers as they are."""

    in_frame = False

    def __init__(self, mean: Tensor, low: Tensor, high: Tensor) -> None:
        super().__init__()
        self.mean, self.low, self.high = (part.double().cpu().numpy() for part in (mean, low, high))

    def forward(self, rows: Values) -> Tensor:
        return rows.values

    def facts(self) -> ColumnFacts:
        n = len(self.mean)
        zeros = np.zeros(n)
        return ColumnFacts(
            names=tuple(f"h{j}" for j in range(n)),
            n_categories=(0,) * n,
            log_jacobian=zeros,
            unit=np.ones(n),
            resolution=zeros,
            mean=self.mean,
            frequencies=(None,) * n,
            low=self.low,
            high=self.high,
            zero=zeros,
            real=np.ones(n, dtype=bool),
            mark_missing=False,
        )


@dataclass(eq=False)
class _Mapped:
    """Batches whose rows are passed through the layers trained so far."""

    batches: Batches
    through: Callable[[Batch], Batch]

    def __post_init__(self) -> None:
        self.n_rows, self.mean_weight = self.batches.n_rows, self.batches.mean_weight

    def n_batches(self, batch_size: int) -> int:
        return self.batches.n_batches(batch_size)

    def epoch(self, batch_size: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        for batch in self.batches.epoch(batch_size, seed, epoch, start):
            yield self.through(batch)


def train_layers(
    model: Model,
    batches: Batches,
    held_out: Batch | None,
    settings: Settings,
    corruption: Corruption | None,
    report: Callable[[int, History], None],
    checkpoint: Checkpoint | None = None,
) -> list[History]:
    """Train the linear layers of a model's perceptrons one after the other, outermost first, in place.

    Layer i of the encoder and layer i from the end of the decoder form an autoencoder of one hidden layer.
    The outermost restores the data, by the model's own likelihood; the others the activations that the layer
    below gives for undamaged rows, by squared error.

    Parameters
    ----------
    model : Model
        Its encoder and decoder are `nn.Sequential`s of linear layers and activations that mirror each other.
    batches, held_out, settings
        As for `Trainer`; each layer gets the whole schedule.
    corruption : Corruption or None
        What damages each layer's input while it learns.
    report : callable
        Told each layer's number, from 0, and history.
    checkpoint : Checkpoint, optional
        Keeps the run, of which each layer is a phase. Layers that were learned before are taken from the file
        it has found, and it is left ready for the phase that follows the layers.

    Returns
    -------
    list of list of dict
        The history of each layer.
    """
    layers = list(zip(_blocks(model.encoder), reversed(_blocks(model.decoder)), strict=True))
    histories = _learned_before(model, checkpoint)
    _begin_phase(model, histories, checkpoint)
    if len(histories) == len(layers):
        return histories
    for number, (up, down) in enumerate(layers):
        features, density = _stage(model, batches, number)
        if number == len(histories):
            code = model.code if number == len(layers) - 1 else _code_of(up)
            layer = Model(features, up, down, density, code, corruption)
            layer.set_device(next(model.parameters()).device)
            own = replace(settings, seed=derive_seed(settings.seed, 10, number))
            histories.append(_train(Trainer(layer, batches, held_out, own), checkpoint))
            report(number, histories[-1])
            _begin_phase(model, histories, checkpoint)
        batches, held_out = _pass_on(batches, held_out, [features, up])
    return histories


def _train(trainer: Trainer, checkpoint: Checkpoint | None) -> History:
    if checkpoint is not None:
        checkpoint.go_on(trainer)
    with interruptible(trainer, checkpoint) as interrupts:
        while not trainer.finished:
            trainer.epoch()
            interrupts.release()
    trainer.restore_best()
    return trainer.progress.history


def _begin_phase(model: Model, histories: list[History], checkpoint: Checkpoint | None) -> None:
    """Keep, from now on, what the layers have learned so far."""
    if checkpoint is None:
        return
    tensors = {f"weights.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    names = []
    for number, history in enumerate(histories):
        columns, tensors[f"history.{number}"] = history_columns(history)
        names.append(columns)
    checkpoint.earlier = Earlier(len(histories), tensors, {"histories": names})


def _learned_before(model: Model, checkpoint: Checkpoint | None) -> list[History]:
    """Give the model what layers had learned in the run that is to go on, and return their histories."""
    if checkpoint is None or checkpoint.found is None:
        return []
    found = checkpoint.found
    try:
        model.load_state_dict({name: found.tensors[f"weights.{name}"] for name in model.state_dict()})
        columns = [found.tensors[f"history.{number}"] for number in range(found.phase)]
        return [as_history(*pair) for pair in zip(found.facts["histories"], columns, strict=True)]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise checkpoint.misfit(error) from error


def _blocks(network: nn.Module) -> list[nn.Sequential]:
    """Split a perceptron into its layers, each with the activation that follows it."""
    modules = list(network.children())
    starts = [i for i, module in enumerate(modules) if isinstance(module, nn.Linear)]
    ends = [*starts[1:], len(modules)]
    return [nn.Sequential(*modules[start:end]) for start, end in zip(starts, ends, strict=True)]


def _code_of(block: nn.Sequential) -> PointCode:
    linear = block[0]
    assert isinstance(linear, nn.Linear)
    return PointCode(linear.out_features)


def _stage(model: Model, batches: Batches, number: int) -> tuple[Features, Density]:
    """Return what reads a layer's rows, and the likelihood by which it restores them."""
    if number == 0:
        return model.features, model.density
    rows = next(iter(batches.epoch(PIECE, 0, 0))).rows.values
    stand_in: Any = _Activations(rows.mean(dim=0), rows.amin(dim=0), rows.amax(dim=0))
    return stand_in, Gaussian(scale="shared").build(stand_in.facts())


def _pass_on(
    batches: Batches, held_out: Batch | None, below: Sequence[nn.Module]
) -> tuple[Batches, Batch | None]:
    """Replace rows by what the layer just trained makes of them: at once where they are in memory."""

    def through(batch: Batch) -> Batch:
        return replace(batch, rows=_outputs(batch.rows, below))

    passed: Batches = (
        MemoryBatches(through(batches.data))
        if isinstance(batches, MemoryBatches)
        else _Mapped(batches, through)
    )
    return passed, None if held_out is None else through(held_out)


@torch.no_grad()
def _outputs(rows: Values, below: Sequence[nn.Module]) -> Values:
    features, up = below
    pieces = [
        up(features(rows.rows(slice(start, start + PIECE)))) for start in range(0, len(rows.values), PIECE)
    ]
    return Values(torch.cat(pieces), None, None)
