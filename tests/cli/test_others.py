from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import isthmus
from isthmus.cli import demo
from isthmus.cli.app import COMMANDS
from isthmus.cli.lab import claim_names

from .conftest import Workshop, call, names, run_python

HEAVY = ("numpy", "torch", "sklearn", "polars", "matplotlib", "narwhals")


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_needs_no_library(words: list[str], tmp_path: Path) -> None:
    code = (
        f"import sys; from isthmus.cli import main; assert main({words!r}) == 0; "
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = run_python(code, cwd=tmp_path)
    assert done.stderr == "[]\n"
    assert "Usage: isthmus" in done.stdout


def test_every_command_is_described_and_the_version_told() -> None:
    out = call("--help").out
    assert all(name in out for name in COMMANDS)
    assert call().out == out
    assert call("--version").out.strip() == isthmus.__version__


def test_info_of_a_model(shop: Workshop) -> None:
    done = call("info", shop.table_model)
    assert (done.status, done.err) == (0, "")
    model = isthmus.load(shop.table_model)
    for fact in (
        "Autoencoder",
        f"format version {isthmus.store.FORMAT_VERSION}",
        f"seed {model.seed_}",
        "town",
        "PCA, 2 comp.",
        "nats per row",
    ):
        assert fact in done.out
    assert "categorical (1 column)" in done.out
    assert "corruption" in call("info", shop.denoiser).out
    assert "told of each row   y (categorical)" in call("info", shop.told_apart).out


def test_a_terminal_of_few_letters_is_no_error(shop: Workshop, tmp_path: Path) -> None:
    code = f"from isthmus.cli import main; assert main(['info', {str(shop.table_model)!r}]) == 0"
    assert "standard deviations?" in run_python(code, tmp_path, PYTHONIOENCODING="ascii").stdout


def test_info_of_data_is_its_schema(shop: Workshop) -> None:
    done = call("info", shop.csv)
    assert (done.status, done.err) == (0, "")
    assert [line.split()[1] for line in done.out.splitlines() if line.startswith(("town", "tall"))] == [
        "categorical",
        "binary",
    ]
    assert "20 rows" in call("info", shop.pictures).out


def test_reports(shop: Workshop, tmp_path: Path) -> None:
    given = {
        "bare": (shop.table_model,),
        "column": (shop.table_model, shop.csv, "--label", "group"),
        "array": (shop.array_model, shop.npz, "--label", "y"),
        "file": (shop.array_model, shop.npy, "--label", shop.labels),
        "folder": (shop.picture_model, shop.pictures, "--label", "folder"),
    }
    for name, words in given.items():
        output = tmp_path / f"{name}.html"
        done = call("report", *words, "-o", output)
        assert (done.status, done.err) == (0, ""), name
        assert "<html" in output.read_text()
    assert call("report", shop.table_model, "-o", output).status == 2
    assert call("report", shop.table_model, "-o", output, "--force").status == 0


def test_a_claim_is_checked_and_written(tmp_path: Path) -> None:
    done = call("lab", "neuron", "-o", tmp_path / "lab")
    assert (done.status, done.err) == (0, "")
    assert "confirmed" in done.out
    assert names(tmp_path) == ["lab", "lab/neuron.json", "lab/neuron.png"]
    assert json.loads((tmp_path / "lab" / "neuron.json").read_text())["confirmed"] is True
    assert call("lab", "neuron", "-o", tmp_path / "lab").status == 2
    assert call("lab", "neuron", "-o", tmp_path / "lab", "--force").status == 0
    assert {"linear", "neuron"} <= set(claim_names())


def test_the_demo_makes_what_it_says_and_replaces_only_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = demo._run
    few = ("--set", "max_epochs=2", "--quiet")
    monkeypatch.setattr(demo, "_run", lambda *words: run(*words, *(few if words[0] == "fit" else ())))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = call("demo")
        assert (done.status, done.err) == (0, ""), done.err
        assert {path.name for path in (tmp_path / "demo").iterdir()} == {
            "README.txt",
            "mine.txt",
            *demo.MADE,
        } - (set() if (tmp_path / "demo" / "mine.txt").exists() else {"mine.txt"})
        (tmp_path / "demo" / "mine.txt").write_text("not the demo's")
    assert "GENERATED" in done.out
    filled = pl.read_csv(tmp_path / "demo" / "bikes-filled.csv")
    assert pl.read_csv(tmp_path / "demo" / "bikes.csv").null_count().sum_horizontal().item() > 100
    assert filled.null_count().sum_horizontal().item() == 0
    for line in done.out.splitlines()[-3:]:
        words = line.split()
        assert words[0] == "isthmus"
        done = call(*words[1:], *(few if words[1] == "fit" else ()))
        assert (done.status, done.err) == (0, "")
