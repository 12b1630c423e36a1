"""A run's whole state in one file: a killed run goes on and ends with the same bits as an unbroken one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from isthmus.errors import StoreError
from isthmus.store import read_tensors, write_tensors
from isthmus.training.loop import Trainer
from isthmus.training.optimizer import Optimizer
from isthmus.training.state import Progress

__all__ = ["Checkpoint", "Earlier", "History", "as_history", "history_columns"]

History = list[dict[str, float]]


def environment(device: torch.device) -> dict[str, Any]:
    """Return what the bits of a run depend on besides data, seed and settings."""
    return {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": str(device)}


@dataclass(frozen=True)
class Earlier:
    """What a run's earlier phases left to the present one; most runs have a single phase.

    Attributes
    ----------
    phase : int
        How many were before.
    tensors : dict of str to Tensor
    facts : dict
        As JSON.
    """

    phase: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Checkpoint:
    """Saves a `Trainer` now and then, and puts it back.

    Parameters
    ----------
    path : Path
        The file; written beside and renamed.
    seconds : float
        Time between two saves; 0 saves after every step.
    identity : mapping
        Settings, parts, schema and the fingerprint of the data, as JSON: a run goes on only if they agree.

    Attributes
    ----------
    earlier : Earlier
        Saved beside the trainer; whoever runs several phases sets it when one begins.
    found : Earlier or None
        That of the file that the run goes on from.
    """

    def __init__(self, path: Path, seconds: float, identity: Mapping[str, Any]) -> None:
        self.path, self.seconds = path, seconds
        self.identity = json.loads(json.dumps(dict(identity)))
        self.last = time.monotonic()
        self.earlier = Earlier()
        self.found: Earlier | None = None

    def maybe_save(self, trainer: Trainer) -> None:
        if time.monotonic() - self.last >= self.seconds:
            self.save(trainer)

    def save(self, trainer: Trainer) -> None:
        """Write the state of `trainer`."""
        tensors = {f"model.{name}": tensor for name, tensor in trainer.model.state_dict().items()}
        for prefix, optimizer in _optimizers(trainer).items():
            tensors |= {f"{prefix}{name}": tensor for name, tensor in optimizer.tensors().items()}
        tensors |= {f"sums.{name}": tensor for name, tensor in trainer.sums.items()}
        if trainer.best is not None:
            tensors |= {f"best.{name}": tensor for name, tensor in trainer.best.items()}
        tensors |= _generators(trainer)
        progress = asdict(trainer.progress)
        names, tensors["history"] = history_columns(progress.pop("history"))
        tensors |= {f"earlier.{name}": tensor for name, tensor in self.earlier.tensors.items()}
        meta = {
            "progress": progress,
            "history": names,
            "phase": self.earlier.phase,
            "earlier": self.earlier.facts,
            "identity": self.identity,
            "environment": environment(trainer.device),
        }
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        write_tensors(self.path, arrays, meta, overwrite=True)
        self.last = time.monotonic()

    def find(self, device: torch.device) -> None:
        """Look which phase the file is of, if there is one, or refuse by name what differs."""
        if not self.path.exists():
            return
        tensors, meta = self._read(device)
        try:
            phase, facts = int(meta.get("phase", 0)), dict(meta.get("earlier", {}))
            self.found = Earlier(phase, _below(tensors, "earlier."), facts)
        except (TypeError, ValueError) as error:
            raise self.misfit(error) from error

    def go_on(self, trainer: Trainer) -> None:
        """Restore `trainer` if the file that was found is of the present phase."""
        if self.found is not None and self.found.phase == self.earlier.phase:
            self.restore(trainer)
            self.found = None

    def restore(self, trainer: Trainer) -> None:
        """Bring `trainer` to the saved state, or refuse by name what differs."""
        tensors, meta = self._read(trainer.device)
        try:
            trainer.model.load_state_dict(_below(tensors, "model."))
            best = _below(tensors, "best.")
            # In the model's order, in which the trainer copies them: a file of tensors has its own.
            names = trainer.model.state_dict() if best else ()
            trainer.best = {name: best[name].to(trainer.device) for name in names} or None
            trainer.sums = {k: v.to(trainer.device) for k, v in _below(tensors, "sums.").items()}
            for prefix, optimizer in _optimizers(trainer).items():
                optimizer.load_tensors(_below(tensors, prefix))
            trainer.progress = Progress(
                **meta["progress"], history=as_history(meta["history"], tensors["history"])
            )
            trainer.noise.set_state(tensors["random.noise"])
            torch.set_rng_state(tensors["random.cpu"])
            if "random.cuda" in tensors:
                torch.cuda.set_rng_state(tensors["random.cuda"], trainer.device)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise self.misfit(error) from error

    def _read(self, device: torch.device) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
        arrays, meta = read_tensors(self.path)
        self._refuse_differences(meta, device)
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}, meta

    def misfit(self, error: Exception) -> StoreError:
        """Return what to raise where the file's contents are not those of this run."""
        return StoreError(
            f"{self.path}: the checkpoint does not fit this model ({error}); start anew without --resume"
        )

    def _refuse_differences(self, meta: Mapping[str, Any], device: torch.device) -> None:
        for title, mine in (("identity", self.identity), ("environment", environment(device))):
            saved = meta.get(title)
            if not isinstance(saved, dict):
                raise StoreError(f"{self.path}: not a training checkpoint; start anew without --resume")
            was, now = _flat(saved), _flat(mine)
            for name in sorted(was.keys() | now.keys()):
                if was.get(name) != now.get(name):
                    raise StoreError(
                        f"{self.path}: cannot resume, {name} differs: it was {_short(was.get(name))}, "
                        f"now it is {_short(now.get(name))}; use the same as before, or start anew"
                    )


def _optimizers(trainer: Trainer) -> dict[str, Optimizer]:
    """Return each optimiser by what its tensors' names begin with."""
    others = {f"opponent.{name}.": optimizer for name, optimizer in trainer.opponent_optimizers.items()}
    return {"optimizer.": trainer.optimizer} | others


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name what stands inside, as in "settings.seed", so that a difference can be told in a few words."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def history_columns(history: History) -> tuple[list[str], Tensor]:
    """Return a history's names and its numbers: JSON has no way to write a loss that is not finite."""
    names = list(history[0]) if history else []
    rows = [[row[name] for name in names] for row in history]
    return names, torch.tensor(rows, dtype=torch.float64)


def as_history(names: Sequence[str], columns: Tensor) -> History:
    """Undo `history_columns`."""
    if not names:
        return []
    rows = columns.reshape(-1, len(names)).tolist()
    return [dict(zip(names, row, strict=True)) | {"epoch": int(row[names.index("epoch")])} for row in rows]


def _generators(trainer: Trainer) -> dict[str, Tensor]:
    states = {"random.noise": trainer.noise.get_state(), "random.cpu": torch.get_rng_state()}
    if trainer.device.type == "cuda":
        states["random.cuda"] = torch.cuda.get_rng_state(trainer.device)
    return states


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
