"""``dimension``: every estimate with its rows, the diagnostics, the evidence and the choice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from isthmus import VariationalAutoencoder
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.manifold.curse import curse_report
from isthmus.manifold.dimension import intrinsic_dimension
from isthmus.tasks.dimension import dimension_by_evidence
from isthmus.tasks.encoded import encoded_inputs

from .conftest import Workshop, call, is_picture, names, run_python, succeed

SETTINGS = {"max_epochs": 3, "hidden_sizes": (4,)}
SET = ("--set", "max_epochs=3", "--set", "hidden_sizes=(4,)", "--samples", 8, "--candidates", 1, 2)


@pytest.fixture
def plane(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5)) + 0.05 * rng.normal(size=(200, 5))
    np.save(tmp_path / "plane.npy", np.vstack([X, X[:10]]))
    return tmp_path / "plane.npy"


def cells(out: str) -> dict[str, list[str]]:
    """Return the cells of each line of a table by its first cell."""
    rows = [re.split(r"  +", line.strip()) for line in out.splitlines() if line.startswith("  ")]
    return {first: rest for first, *rest in rows}


def test_the_estimates_are_the_library_s_with_the_rows(plane: Path) -> None:
    out = succeed("dimension", plane, "--no-evidence")
    source = as_source(np.load(plane))
    found = intrinsic_dimension(encoded_inputs(source, infer_schema(source)))
    assert out.splitlines()[0] == (
        f"intrinsic dimension of {plane}, measured on 210 rows (10 repeat others), "
        "5 columns as models see them"
    )
    table = cells(out)
    assert table["TwoNN"][0] == f"{found.two_nn:.4g}"
    assert table["Levina-Bickel"][0] == f"{found.levina_bickel:.4g}"
    assert table["PCA, 95 % of the variance"][0] == f"{found.explained_variance:.4g}" == "2"
    assert table["PCA, participation ratio"][0] == f"{found.participation_ratio:.4g}"
    assert "evidence:" not in out


def test_the_diagnostics_have_units_and_rows(plane: Path) -> None:
    table = cells(succeed("dimension", plane, "--no-evidence"))
    source = as_source(np.load(plane))
    curse = curse_report(encoded_inputs(source, infer_schema(source)))
    for number in curse.numbers:
        value, n_rows = table[number.name]
        assert value == f"{number.value:.4g} {number.unit}".strip()
        assert n_rows == f"{number.n_rows:,}"
    assert table["relative contrast of distances"][1] == "200"


def test_the_evidence_its_choice_picture_and_json(plane: Path, tmp_path: Path) -> None:
    picture, numbers = tmp_path / "dimension.png", tmp_path / "dimension.json"
    done = call("dimension", plane, *SET, "--seed", 5, "-o", picture, "--json", numbers)
    assert done.status == 0
    assert all(line.startswith("isthmus: note:") for line in done.err.splitlines())
    X = np.load(plane)
    expected = dimension_by_evidence(
        X,
        (1, 2),
        estimator=VariationalAutoencoder(random_state=5, **SETTINGS),
        n_samples=8,
        random_state=5,
    )
    assert expected.sentence in done.out
    assert f"on {expected.n_rows} held-out rows; learned from {expected.n_training_rows}, 8 draws" in done.out
    table = cells(done.out)
    for row in expected.table:
        assert table[str(row.n_components)][0].startswith(f"{row.nats:.6g} ± {row.standard_error:.2g}")
    assert table[str(expected.chosen)][-1] == "<- chosen"
    assert is_picture(picture)
    written = json.loads(numbers.read_text())
    assert written["evidence"]["chosen"] == expected.chosen
    assert written["evidence"]["sentence"] == expected.sentence
    assert written["intrinsic_dimension"]["n_rows"] == 210
    assert written["curse"]["their coefficient of variation"]["n_rows"] == 200


def test_tables_with_columns_of_all_kinds(mixed_table: pl.DataFrame, tmp_path: Path) -> None:
    mixed_table.write_parquet(tmp_path / "t.parquet")
    done = call("dimension", tmp_path / "t.parquet", "--ignore", "segment", *SET)
    assert done.status == 0, done
    source = as_source(mixed_table.drop("segment"))
    n_inputs = encoded_inputs(source, infer_schema(source)).shape[1]
    assert f"300 rows, {n_inputs} columns as models see them" in done.out
    assert "on 60 held-out rows; learned from 240" in done.out


def test_few_rows_are_measured_without_evidence(shop: Workshop) -> None:
    done = call("dimension", shop.csv)
    assert (done.status, done.out) == (2, "")
    assert "of 60 rows 12 would be held out" in done.err
    assert "--no-evidence" in done.err
    assert "60 rows" in succeed("dimension", shop.csv, "--ignore", "name", "--no-evidence")


def test_images_are_measured_by_their_pixels(shop: Workshop) -> None:
    out = succeed("dimension", shop.npz, "--array", "X", "--no-evidence")
    assert "40 rows, 30 columns as models see them" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--no-evidence", "-o", "x.png"), "-o draws the evidence"),
        (("-o", "x.jpg"), "must end in .png"),
        (("-o", "nowhere/x.png"), "is not a folder"),
        (("--json", "nowhere/x.json"), "is not a folder"),
        (("-o", "x.png", "--json", "x.png"), "-o and --json name the same file"),
        (("--no-evidence", "--set", "max_epochs=2"), "are for the evidence"),
        (("--set", "n_components=2"), "use --candidates"),
        (("--set", "prior=swiss_roll", "--candidates", "2"), "swiss_roll has no density"),
        (("--set", "depth=2"), "no parameter 'depth'"),
        (("--candidates", "0"), "--candidates 0: expected a whole number of at least 1"),
        (("--samples", "1"), "--samples 1: expected a whole number of at least 2"),
        (("--fits", "0"), "--fits 0: expected a whole number of at least 1"),
        (("--no-evidence", "--fits", "2"), "are for the evidence"),
        (("--array", "X"), "array"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    plane: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(plane.parent)
    before = names(plane.parent)
    done = call("dimension", plane, *words)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert names(plane.parent) == before


def test_files_that_exist_are_kept_unless_forced(plane: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    done = call("dimension", plane, "--no-evidence", "--json", kept)
    assert (done.status, kept.read_text()) == (2, "mine")
    succeed("dimension", plane, "--no-evidence", "--json", kept, "--force")
    assert json.loads(kept.read_text())["evidence"] is None


@pytest.mark.parametrize(
    ("rows", "message"), [([[1.0, 2.0]] * 30, "nothing to measure"), ([[1.0, 2.0]], "nothing to measure")]
)
def test_rows_without_a_dimension_are_refused(tmp_path: Path, rows: list[list[float]], message: str) -> None:
    np.save(tmp_path / "x.npy", np.array(rows))
    done = call("dimension", tmp_path / "x.npy", "--no-evidence")
    assert done.status == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_help_names_the_options_and_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom isthmus.cli import main\n"
        "main(['dimension', '--help'])\nassert 'torch' not in sys.modules"
    )
    out = run_python(code, tmp_path).stdout
    for word in ("--no-evidence", "--candidates", "--fits", "--json", "--output"):
        assert word in out
