"""Open files, frames and arrays as a `Source`: rows in blocks, read anew as often as asked."""

from __future__ import annotations

from isthmus.data.sources.base import Block, Source
from isthmus.data.sources.opening import as_source, read
from isthmus.data.sources.values import read_values

__all__ = ["Block", "Source", "as_source", "read", "read_values"]
