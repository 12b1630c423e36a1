"""Initialisation and dropout draw from torch's global generators: inside this context, never outside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["isolated"]


@contextmanager
def isolated(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators for a while and leave the caller's as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        # torch.manual_seed would seed the generators of all devices, which are not put back.
        torch.default_generator.manual_seed(seed)
        if devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
