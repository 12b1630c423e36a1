"""What a call costs: seconds, and memory where the system tells its peak."""

from __future__ import annotations

import ctypes
import gc
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import torch

__all__ = ["Measured", "measured", "seeded"]

T = TypeVar("T")
PROCESS = Path("/proc/self")
RESET_PEAK = "5"  # proc_pid_clear_refs(5)


class Measured(NamedTuple, Generic[T]):
    """What a call returned, and what it took.

    Attributes
    ----------
    value : object
    seconds : float
        By the clock.
    peak_bytes : int or None
        By how much the process's resident memory rose at its peak, native libraries included, GPUs not. None
        where the system does not tell: it is Linux that can reset the peak.
    """

    value: T
    seconds: float
    peak_bytes: int | None


def measured(call: Callable[[], T]) -> Measured[T]:
    """Call a function and measure what it takes.

    The C library may keep freed memory and use it again; it is asked to give it back first (glibc), or else
    the peak would be understated.
    """
    before = _start()
    threads = torch.get_num_threads()
    began = time.perf_counter()
    value = call()
    seconds = time.perf_counter() - began
    # numba, hence UMAP, sets the number for all OpenMP libraries: what comes after would run on more threads,
    # perhaps on more than are free (a hundred times slower), and not to the same bits.
    torch.set_num_threads(threads)
    peak = None if before is None else _status("VmHWM")
    return Measured(value, seconds, None if peak is None or before is None else max(0, peak - before))


def _start() -> int | None:
    """Set the peak to the memory that is in use, and return that."""
    gc.collect()
    try:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        (PROCESS / "clear_refs").write_text(RESET_PEAK)
    except (OSError, TypeError):  # another system: Windows cannot open None
        return None
    return _status("VmRSS")


def _status(name: str) -> int | None:
    found = re.search(rf"^{name}:\s+(\d+) kB", (PROCESS / "status").read_text(), flags=re.MULTILINE)
    return None if found is None else 1024 * int(found[1])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator for a while, and leave the caller's as it was.

    Isomap starts its eigensolver from it, and takes no seed.
    """
    state = np.random.get_state()  # noqa: NPY002 - it is this one that is drawn from
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
