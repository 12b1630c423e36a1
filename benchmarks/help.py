"""How fast does ``isthmus --help`` answer, beside ``python -c "import cyclopts"``, and does it import torch?

    python benchmarks/help.py [-o help.json]

The two commands are run in turn, 15 times each; the medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from tables import write

COMMANDS = {
    'python -c "import cyclopts"': [sys.executable, "-c", "import cyclopts"],
    "isthmus --help": [sys.executable, "-m", "isthmus", "--help"],
}
REPEATS = 15
HEAVY = ("torch", "sklearn", "polars", "matplotlib")


def heavy_imports() -> str:
    script = (
        "import sys; from isthmus.cli import main; main(['--help']); "
        f"print('|', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.rpartition("|")[2].strip() or "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", help="JSON file to write")
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPEATS):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(medians.values()))
    rows = [
        {"command": name, "median, s": round(median, 3), "ratio": round(median / first, 2)}
        for name, median in medians.items()
    ]
    rows[-1]["heavy imports"] = heavy_imports()
    write("Start of the command line", rows, arguments.output)


if __name__ == "__main__":
    main()
