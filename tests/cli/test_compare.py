"""``compare``: one table with every method, a page or a picture of the maps, and errors in one line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

from isthmus.tasks import compare_maps

from .conftest import call, is_picture, names, run_python

SET = ("--set", "max_epochs=2", "--set", "hidden_sizes=(4,)")


@pytest.fixture(scope="module")
def digits_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    digits = load_digits()
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, X=digits.data[:150], y=digits.target[:150])
    return path


def cells(out: str) -> dict[str, list[str]]:
    """Return the cells of each line of the table by its first cell."""
    rows = [re.split(r"  +", line.strip()) for line in out.splitlines() if line.startswith("  ")]
    return {first: rest for first, *rest in rows}


def test_the_table_is_the_library_s_with_a_page_and_all_numbers(
    digits_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    page, numbers = tmp_path / "c.html", tmp_path / "c.json"
    words = ("--array", "X", "--label", "y", "--methods", "pca,umap,isthmus", *SET, "--seed", 3)
    done = call("compare", digits_npz, *words, "-o", page, "--json", numbers)
    assert done.status == 0, done.err
    with np.load(digits_npz) as file:
        expected = compare_maps(file["X"], ("pca",), labels=file["y"], random_state=3)
    pca = expected.maps[0].figures["trustworthiness@10"]
    table = cells(done.out)
    first = table["trustworthiness, 10 nearest"]
    assert first[:2] == ["↑", f"{pca.value:.3f} ± {pca.standard_error:.3f}"]
    assert len(first) == 3
    assert table["can invert"] == ["yes", "yes"]
    assert table['umap: not installed: pip install "isthmus[compare]"'] == []
    assert "measured on 30 held-out rows" in done.out
    notes = done.err.splitlines()
    assert all(line.startswith("isthmus: note:") for line in notes)
    assert [name for name in ("pca", "umap", "isthmus") if any(f"note: {name}: " in n for n in notes)] == [
        "pca",
        "umap",
        "isthmus",
    ]
    assert "ManifoldAutoencoder" in page.read_text(encoding="utf-8")
    written = json.loads(numbers.read_text())
    assert [method["name"] for method in written["methods"]] == ["pca", "isthmus"]
    assert written["methods"][0]["figures"]["trustworthiness@10"] == pca.value
    assert written["random_state"] == 3


def test_tables_are_compared_and_their_maps_drawn(mixed_table: pl.DataFrame, tmp_path: Path) -> None:
    mixed_table.write_csv(tmp_path / "t.csv")
    picture = tmp_path / "maps.png"
    done = call("compare", tmp_path / "t.csv", "--methods", "pca", "lle", "--label", "segment", "-o", picture)
    assert done.status == 0, done.err
    assert is_picture(picture)
    assert "learned from 240 rows" in done.out
    assert "training standard deviations, one-hot codes" in done.out
    assert "kNN accuracy, 10 nearest" in cells(done.out)


def test_rows_to_measure_on_can_be_given(digits_npz: Path, tmp_path: Path) -> None:
    digits = load_digits()
    np.savez(tmp_path / "new.npz", X=digits.data[150:230], y=digits.target[150:230])
    words = ("--array", "X", "--label", "y", "--methods", "lda", "--held-out", tmp_path / "new.npz")
    done = call("compare", digits_npz, *words, "--json", tmp_path / "c.json")
    assert done.status == 0, done.err
    assert "learned from 150 rows of 53 numbers, measured on 80 held-out rows of " in done.out
    assert f"held-out rows of {tmp_path / 'new.npz'} unless" in done.out
    expected = compare_maps(
        digits.data[:150],
        ("lda",),
        labels=digits.target[:150],
        held_out=digits.data[150:230],
        held_out_labels=digits.target[150:230],
    )
    written = json.loads((tmp_path / "c.json").read_text())
    assert "new.npz" in written["held_out"]
    figures = written["methods"][0]["figures"]
    assert figures["knn_accuracy@10"] == expected.maps[0].figures["knn_accuracy@10"].value


def test_rows_to_measure_on_are_read_as_those_that_are_learned_from(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    numbers = {f"x{i}": random.normal(size=150) for i in range(3)}
    rows = pl.DataFrame({"size": random.choice(["10", "S"], 150), **numbers})
    rows.write_csv(tmp_path / "t.csv")
    rows.filter(pl.col("size") == "10").write_csv(tmp_path / "new.csv")
    done = call("compare", tmp_path / "t.csv", "--methods", "pca", "--held-out", tmp_path / "new.csv")
    assert done.status == 0, done.err


def test_labels_of_rows_to_measure_on_stand_beside_them(digits_npz: Path, tmp_path: Path) -> None:
    digits = load_digits()
    np.savez(tmp_path / "new.npz", X=digits.data[150:300], z=digits.target[150:300])
    np.savez(tmp_path / "small.npz", X=digits.data[150:300, :20], y=digits.target[150:300])
    np.save(tmp_path / "y.npy", digits.target[:150])
    for new, label, message in (
        ("new", tmp_path / "y.npy", "has to be in"),
        ("new", "y", "has to be in"),
        ("small", "y", "give rows of the same shape"),
    ):
        words = ("--array", "X", "--methods", "pca", "--held-out", tmp_path / f"{new}.npz", "--label", label)
        done = call("compare", digits_npz, *words)
        assert (done.status, done.out) == (2, "")
        assert message in done.err
        assert len(done.err.splitlines()) == 1


def test_a_label_of_numbers_colours_and_is_not_learned_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.normal(size=120) for name in "abc"})
    frame.write_csv(tmp_path / "t.csv")
    done = call("compare", tmp_path / "t.csv", "--methods", "pca", "--label", "c", "--rows", 100)
    assert done.status == 0, done.err
    assert "learned from 80 rows of 2 numbers" in done.out
    assert "kNN accuracy" not in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--methods", "pcs"), 'no method is called "pcs". Did you mean "pca"'),
        (("--methods", "pca,pca"), "methods has pca twice"),
        (("-o", "x.jpg"), "must end in .html or .png"),
        (("-o", "nowhere/x.html"), "is not a folder"),
        (("--json", "nowhere/x.json"), "is not a folder"),
        (("-o", "x.png", "--json", "./x.png"), "-o and --json name the same file"),
        (("--methods", "pca", "--set", "max_epochs=2"), "--set is for isthmus's models"),
        (("--set", "n_components=3"), "maps have two components"),
        (("--set", "depth=3"), "no parameter 'depth'"),
        (("--methods", "pca,lda"), "--methods lda learns from labels; name them with --label"),
        (("--held-out", "nowhere.npz"), "nowhere.npz does not exist"),
        (("--rows", "5"), "--rows 5: expected a whole number of at least 100"),
        (("--label", "town"), "--label town: no such file"),
        (("--seed", "-1"), "whole number from 0"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    digits_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("compare", digits_npz, "--array", "X", *words)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert names(tmp_path) == []


def test_too_few_rows_are_refused_in_one_line(tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.random.default_rng(0).normal(size=(38, 3)))
    done = call("compare", tmp_path / "few.npy", "--methods", "pca")
    assert done.status == 2
    assert "there are 30 training rows" in done.err
    assert len(done.err.splitlines()) == 1


def test_if_no_method_runs_it_fails(digits_npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    done = call("compare", digits_npz, "--array", "X", "--methods", "umap")
    assert done.status == 2
    assert 'error: no method could be run: umap: not installed: pip install "isthmus[compare]"' in done.err


def test_files_that_exist_are_kept_unless_forced(digits_npz: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.html"
    kept.write_text("mine")
    words = ("compare", digits_npz, "--array", "X", "--methods", "pca", "-o", kept)
    assert (call(*words).status, kept.read_text()) == (2, "mine")
    assert call(*words, "--force").status == 0
    assert kept.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_help_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom isthmus.cli import main\n"
        "main(['compare', '--help'])\nmain(['map', '--help'])\nmain(['--help'])\n"
        "assert not {'torch', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    out = run_python(code, tmp_path).stdout
    for word in ("--methods", "pca,isomap,lle,tsne,umap,isthmus", "--codes", "--save", "compare", "map"):
        assert word in out
