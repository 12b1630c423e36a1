from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isthmus
from isthmus.cli.output import as_frames, write_arrays, write_frames

from .conftest import CVAE, SHORT, Workshop, call, names, run_python, succeed, table


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_codes_of_a_table(shop: Workshop, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"codes.{ending}"
    succeed("encode", shop.table_model, shop.csv, "-o", output, "--id", "name")
    codes = table(output)
    expected = isthmus.load(shop.table_model).transform(shop.table)
    assert codes.columns == ["name", "z0", "z1"]
    assert codes["name"].to_list() == shop.table["name"].to_list()
    assert_array_equal(codes.select("z0", "z1").to_numpy().astype(np.float32), expected)


@pytest.fixture(scope="module")
def like_numbers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    """Give a folder with a model of texts some of which are words for missing values or numbers."""
    folder, random = tmp_path_factory.mktemp("texts"), np.random.default_rng(0)
    levels = {"veneer": ["None", "Brk", "Stone"], "size": ["10", "12", "S", "M"], "told": ["true", "half"]}
    columns = {name: random.choice(some, 80) for name, some in levels.items()}
    rows = pl.DataFrame({**columns, "x": random.normal(size=80)})
    rows.write_csv(folder / "all.csv")
    words = ("--model", CVAE, "--condition", "told", "--latent", 1, *SHORT, "--quiet")
    succeed("fit", folder / "all.csv", "-o", folder / "m", *words)
    return folder, rows


@pytest.mark.parametrize(("name", "level"), [("veneer", "None"), ("size", "10"), ("told", "true")])
def test_a_row_is_read_as_it_is_among_all_rows(
    like_numbers: tuple[Path, pl.DataFrame], tmp_path: Path, name: str, level: str
) -> None:
    (folder, rows), chosen = like_numbers, pl.col(name) == level
    rows.filter(chosen).write_csv(tmp_path / "some.csv")
    for data, output in ((folder / "all.csv", "a.npy"), (tmp_path / "some.csv", "b.npy")):
        succeed("encode", folder / "m", data, "-o", tmp_path / output)
    of_all = np.load(tmp_path / "a.npy")[rows.select(chosen).to_series().to_numpy()]
    assert_allclose(np.load(tmp_path / "b.npy"), of_all, rtol=1e-6)


@pytest.mark.parametrize(
    "words",
    [
        "report m some.csv",
        "sample m --condition told=half --beside some.csv",
        "traverse m some.csv --row 0 --dim 0",
    ],
)
def test_other_commands_read_rows_so_too(
    like_numbers: tuple[Path, pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    folder, rows = like_numbers
    monkeypatch.chdir(folder)
    rows.filter(pl.col("size") == "10").write_csv("some.csv")
    done = call(*words.split(" "), "-o", tmp_path / "output.csv")
    assert done.status == 0, done.err


def test_columns_are_found_by_name_in_any_order_and_others_left_aside(shop: Workshop, tmp_path: Path) -> None:
    for data, name in ((shop.csv, "a.npy"), (shop.parquet, "b.npy")):
        succeed("encode", shop.table_model, data, "-o", tmp_path / name)
    assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))


def test_labels_weights_and_identifiers_need_not_be_known(shop: Workshop, tmp_path: Path) -> None:
    shop.table.drop("group", "weight", "name").write_csv(tmp_path / "new.csv")
    succeed("score", shop.table_model, tmp_path / "new.csv")


def test_ignored_columns_need_not_be_there(shop: Workshop, tmp_path: Path) -> None:
    shop.table.drop("name", "weight").write_csv(tmp_path / "new.csv")
    for data, name in ((shop.csv, "a.csv"), (tmp_path / "new.csv", "b.csv")):
        succeed("reconstruct", shop.denoiser, data, "-o", tmp_path / name)
    whole, less = table(tmp_path / "a.csv"), table(tmp_path / "b.csv")
    assert less.equals(whole.drop("name", "weight"))


def test_lists_are_refused_for_a_csv_before_the_model_runs(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = shop.table.with_columns(tags=pl.concat_list("visits", "visits"))
    rows.write_parquet(tmp_path / "t.parquet")
    assert call("fit", tmp_path / "t.parquet", "-o", tmp_path / "m", "--latent", 2, *SHORT).status == 0
    words = ("reconstruct", tmp_path / "m", tmp_path / "t.parquet", "-o")
    succeed(*words, tmp_path / "x.parquet")
    assert table(tmp_path / "x.parquet")["tags"].equals(rows["tags"])
    monkeypatch.setattr("isthmus.model.Model.encode", lambda *_: pytest.fail("it ran"))
    done = call(*words, tmp_path / "x.csv")
    assert done.status == 2
    assert 'column "tags" holds List(Int64), which a .csv file cannot' in done.err


@pytest.mark.parametrize("ending", ["csv", "parquet", "npy"])
def test_decoded_codes_are_the_reconstruction_of_images(shop: Workshop, tmp_path: Path, ending: str) -> None:
    codes, decoded, direct = (tmp_path / f"{name}.{ending}" for name in ("codes", "decoded", "direct"))
    succeed("encode", shop.array_model, shop.npz, "-o", codes)
    succeed("decode", shop.array_model, codes, "-o", decoded)
    succeed("reconstruct", shop.array_model, shop.npy, "-o", direct)
    expected = isthmus.load(shop.array_model).reconstruct(shop.images)
    for path in (decoded, direct):
        if ending == "npy":
            assert_array_equal(np.load(path), expected)
        else:
            frame = table(path)
            assert frame.columns == [f"x{i}" for i in range(30)]
            assert_array_equal(frame.to_numpy().astype(np.float32), expected.reshape(40, 30))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_decoded_codes_are_the_reconstruction_of_a_table(shop: Workshop, tmp_path: Path, ending: str) -> None:
    codes, decoded, direct = (tmp_path / f"{name}.{ending}" for name in ("codes", "decoded", "direct"))
    succeed("encode", shop.table_model, shop.csv, "-o", codes, "--id", "name")
    succeed("decode", shop.table_model, codes, "-o", decoded, "--id", "name")
    succeed("reconstruct", shop.table_model, shop.csv, "-o", direct, "--id", "name")
    assert table(decoded).equals(table(direct))
    assert table(direct).columns == ["name", "height", "visits", "town", "tall"]
    assert table(direct).schema["visits"] == pl.Int64


def test_what_reconstruct_writes_of_an_array_can_be_encoded(shop: Workshop, tmp_path: Path) -> None:
    succeed("reconstruct", shop.array_model, shop.npz, "-o", tmp_path / "x.csv", "--id", "y")
    succeed("reconstruct", shop.array_model, shop.npz, "-o", tmp_path / "x.npy")
    for name in ("x.csv", "x.npy"):
        succeed("encode", shop.array_model, tmp_path / name, "-o", tmp_path / f"codes-{name[2:]}.npy")
    # float32 numbers as text are a rounding away from themselves once they are read as float64.
    assert_allclose(np.load(tmp_path / "codes-csv.npy"), np.load(tmp_path / "codes-npy.npy"), atol=1e-6)


def test_a_folder_of_images_there_and_back(shop: Workshop, tmp_path: Path) -> None:
    succeed("encode", shop.picture_model, shop.pictures, "-o", tmp_path / "z.csv", "--id", "folder")
    assert table(tmp_path / "z.csv")["folder"].to_list() == ["class0"] * 10 + ["class1"] * 10
    succeed("decode", shop.picture_model, tmp_path / "z.csv", "-o", tmp_path / "a.npy")
    succeed("reconstruct", shop.picture_model, shop.pictures, "-o", tmp_path / "b.npy")
    assert np.load(tmp_path / "a.npy").shape == (20, 6, 5)
    assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))


def test_denoising_is_the_reconstruction_by_a_denoiser(shop: Workshop, tmp_path: Path) -> None:
    succeed("denoise", shop.denoiser, shop.csv, "-o", tmp_path / "a.csv")
    succeed("reconstruct", shop.denoiser, shop.csv, "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


@pytest.mark.parametrize("model", ["VariationalAutoencoder", "StackedAutoencoder"])
def test_every_model_that_learned_from_corrupted_rows_cleans_them(
    shop: Workshop, tmp_path: Path, model: str
) -> None:
    words = ("--model", model, "--set", "corruption=masking:p=0.2", "--latent", 2, *SHORT, "--quiet")
    assert call("fit", shop.npz, "-o", tmp_path / "m", *words) == (0, "", "")
    out = succeed("denoise", tmp_path / "m", shop.npz, "-o", tmp_path / "x.npy")
    assert out.endswith("40 rows denoised\n")
    assert_array_equal(np.load(tmp_path / "x.npy"), isthmus.load(tmp_path / "m").reconstruct(shop.images))


def test_scores_with_their_mean_and_unit(shop: Workshop, tmp_path: Path) -> None:
    gaps = shop.table.with_columns(height=pl.when(pl.col("tall")).then("height"))
    gaps.write_csv(tmp_path / "gaps.csv")
    assert call("fit", tmp_path / "gaps.csv", "-o", tmp_path / "m", *SHORT).status == 0
    out = succeed("score", tmp_path / "m", tmp_path / "gaps.csv", "-o", tmp_path / "s.csv", "--id", "name")
    scores = table(tmp_path / "s.csv")
    assert scores.columns == ["name", "log_likelihood", "n_observed"]
    model = isthmus.load(tmp_path / "m")
    expected, observed = model.score_samples(pl.read_csv(tmp_path / "gaps.csv"), return_n_observed=True)
    assert_array_equal(scores["log_likelihood"].to_numpy(), expected)
    assert_array_equal(scores["n_observed"].to_numpy(), observed)
    assert f"{expected.mean():.6g} nats per row" in out
    assert out.splitlines()[-1] == succeed("score", tmp_path / "m", tmp_path / "gaps.csv").splitlines()[-1]


def test_what_is_odd_about_rows_is_a_note(shop: Workshop, tmp_path: Path) -> None:
    shop.table.with_columns(town=pl.lit("elsewhere")).write_csv(tmp_path / "odd.csv")
    done = call("encode", shop.table_model, tmp_path / "odd.csv", "-o", tmp_path / "z.csv")
    assert done.status == 0
    assert done.err.count("\n") == 1
    assert done.err.startswith('isthmus: note: column "town": unseen values')


def test_more_rows_than_a_block(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(8200, 2))
    np.savez(tmp_path / "x.npz", X=X, number=np.arange(8200))
    model = tmp_path / "m"
    assert (
        call(
            "fit", tmp_path / "x.npz", "-o", model, "--latent", 1, "--seed", 0, "--set", "max_epochs=1"
        ).status
        == 0
    )
    for ending in ("csv", "parquet"):
        succeed("encode", model, tmp_path / "x.npz", "-o", tmp_path / f"z.{ending}", "--id", "number")
        assert_array_equal(table(tmp_path / f"z.{ending}")["number"].to_numpy(), np.arange(8200))
        succeed("decode", model, tmp_path / f"z.{ending}", "-o", tmp_path / f"x.{ending}", "--id", "number")
        assert len(table(tmp_path / f"x.{ending}")) == 8200
    succeed("encode", model, tmp_path / "x.npz", "-o", tmp_path / "z.npy")
    assert_array_equal(np.load(tmp_path / "z.npy")[:, 0], isthmus.load(model).transform(X)[:, 0])


def test_frames_are_written_as_they_come(tmp_path: Path) -> None:
    alive = []

    def arrays() -> Any:
        for i in range(5):
            alive.append(i)
            yield np.full((2, 3), i)
            alive.remove(i)

    for ending in ("csv", "parquet"):
        frames = as_frames(arrays(), ["a", "b", "c"])
        write_frames(tmp_path / f"t.{ending}", frames, overwrite=False)
        assert table(tmp_path / f"t.{ending}")["c"].to_list() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    write_arrays(tmp_path / "t.npy", arrays(), 10, overwrite=False)
    assert np.load(tmp_path / "t.npy").shape == (10, 3)
    assert alive == []


def test_a_full_disk_is_one_line_and_leaves_nothing(shop: Workshop, tmp_path: Path) -> None:
    words = ["encode", str(shop.table_model), str(shop.csv), "-o"]
    code = (
        "import resource; from isthmus.cli import main; from isthmus import load, read\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))\n"
        f"for ending in ('csv', 'parquet', 'npy'): assert main([*{words!r}, 'z.' + ending]) == 2"
    )
    done = run_python(code, cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("isthmus: error: ") and "File too large" in line for line in lines), lines
    assert names(tmp_path) == []


def test_the_umask_is_respected(shop: Workshop, tmp_path: Path) -> None:
    succeed("encode", shop.table_model, shop.csv, "-o", tmp_path / "z.csv")
    assert (tmp_path / "z.csv").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    os.umask(mask := os.umask(0))
    return mask
