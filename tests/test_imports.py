"""What must come up without torch, whose import costs seconds.

import-linter counts imports inside functions too, and cannot tell modules of `isthmus.parts` that describe a
part from those that build it: so this asks Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import isthmus

ROOT = Path(isthmus.__file__).parent
WITHOUT_TORCH = (
    "isthmus",
    "isthmus.cli",
    "isthmus.data.encoding",
    "isthmus.data.inference",
    "isthmus.data.schema",
    "isthmus.data.sources",
    "isthmus.errors",
    "isthmus.manifold",
    "isthmus.parts",
    "isthmus.store",
)


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_importing_it_imports_no_torch(module: str) -> None:
    assert python(f"import sys, {module}; print('torch' in sys.modules)") == "False"


def test_importing_the_package_imports_no_library() -> None:
    heavy = ("numpy", "sklearn", "polars", "matplotlib")
    assert python(f"import sys, isthmus; print([name for name in {heavy} if name in sys.modules])") == "[]"
