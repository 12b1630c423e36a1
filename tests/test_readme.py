"""The README's examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.slow
def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    assert len(example.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours, pca = map(float, done.stdout.split("\n")[0].split())
    assert ours < 0.7 * pca
    assert (tmp_path / "digits-model" / "weights.safetensors").exists()


@pytest.mark.slow
def test_the_shell_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("shell")
    lines = [line.partition("#")[0].split() for line in example.strip().splitlines()]
    assert len(lines) == 6
    for line in lines:
        command = [sys.executable, "-m", "isthmus", *line[1:]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
    assert "<html" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "codes.csv").read_text().startswith("z0")
