"""What benchmarks share: a table on the screen, the same rows as JSON, and where they were run."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

import torch

__all__ = ["machine", "write"]


def machine() -> str:
    """Say what ran: processor, cores, torch and the date."""
    cores = f"{os.cpu_count()} cores, {torch.get_num_threads()} threads"
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{platform.machine()}, {cores}{gpu}, torch {torch.__version__}, {datetime.date.today().isoformat()}"
    )


def write(title: str, rows: list[dict[str, Any]], output: str | None = None) -> None:
    """Print rows as a Markdown table; with `output`, write them as JSON too."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    print(f"\n{title} ({machine()})\n")
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(str(row.get(name, '')) for name in names)} |")
    if output:
        Path(output).write_text(json.dumps({"title": title, "machine": machine(), "rows": rows}, indent=1))
