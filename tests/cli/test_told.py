"""Conditions, labels and parts of generative models on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isthmus

from .conftest import CVAE, SHORT, VAE, Workshop, call, digest, succeed, table


def test_conditions_are_columns_that_later_commands_find_by_themselves(
    shop: Workshop, tmp_path: Path
) -> None:
    words = ("--model", CVAE, "--condition", "town", "--condition", "visits", "--ignore", "name")
    assert call("fit", shop.csv, "-o", tmp_path / "m", *words, *SHORT).status == 0
    model = isthmus.load(tmp_path / "m")
    assert tuple(model.condition) == ("town", "visits")
    told = {column.name: column.kind for column in model.condition_schema_.modelled}
    # Few whole numbers are names to a network; --column says otherwise.
    assert told == {"town": "categorical", "visits": "categorical"}
    assert {column.role for column in model.schema_.columns if column.name in told} == {"condition"}
    words = (*words, "--column", "visits=count")
    assert call("fit", shop.csv, "-o", tmp_path / "n", *words, *SHORT).status == 0
    assert isthmus.load(tmp_path / "n").condition_schema_["visits"].kind == "count"


def test_conditions_come_from_an_archive_a_file_or_folders(shop: Workshop, tmp_path: Path) -> None:
    for name, data, given in (("a", shop.npz, "y"), ("b", shop.npy, shop.labels)):
        words = ("--model", CVAE, "--condition", given, *SHORT)
        assert call("fit", data, "-o", tmp_path / name, *words).status == 0
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    words = ("fit", shop.pictures, "-o", tmp_path / "c", "--model", CVAE, "--condition", "folder", *SHORT)
    assert call(*words).status == 0
    schema = isthmus.load(tmp_path / "c").condition_schema_
    assert schema is not None
    assert schema["folder"].levels == ("class0", "class1")


def test_without_a_condition_a_conditional_model_says_so(shop: Workshop, tmp_path: Path) -> None:
    done = call("fit", shop.npy, "-o", tmp_path / "m", "--model", CVAE, *SHORT, "--quiet")
    assert done.status == 0
    assert "fitted without a condition" in done.err


AAE = ("--model", "AdversarialAutoencoder", "--latent", 2, *SHORT, "--quiet")
RING = ("--set", "prior=gaussian_mixture:layout=ring,n_clusters=3")


def test_an_adversarial_model_learns_from_labels_only_if_they_are_set(shop: Workshop, tmp_path: Path) -> None:
    shop.table.with_columns(pl.col("group").reverse()).write_csv(tmp_path / "other.csv")
    for name, data in (("a", shop.csv), ("b", tmp_path / "other.csv")):
        words = ("--ignore", "name", *AAE, *RING)
        assert call("fit", data, "-o", tmp_path / name, "--label", "group", *words) == (0, "", "")
        assert call("fit", data, "-o", tmp_path / f"{name}-told", "--set", "labels=group", *words).status == 0
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a-told") != digest(tmp_path / "b-told")
    told = isthmus.load(tmp_path / "a-told")
    assert told.labels_.tolist() == ["u", "v"]
    assert told.schema_["group"].role == "label"
    assert not hasattr(isthmus.load(tmp_path / "a"), "labels_")


def test_labels_of_a_discriminator_may_lie_apart(shop: Workshop, tmp_path: Path) -> None:
    for name, data, given in (("a", shop.npz, "y"), ("b", shop.npy, shop.labels)):
        done = call("fit", data, "-o", tmp_path / name, "--set", f"labels={given}", *AAE, *RING)
        assert done == (0, "", "")
        assert isthmus.load(tmp_path / name).labels_.tolist() == [0, 1, 2]
        assert "discriminator told  3 labels" in succeed("info", tmp_path / name)
    succeed("sample", tmp_path / "a", "-o", tmp_path / "x.npy", "-n", 4, "--label", 2, "--seed", 1)
    expected = isthmus.load(tmp_path / "a").sample(4, labels=2, random_state=1)
    assert_array_equal(np.load(tmp_path / "x.npy"), expected)
    done = call("sample", tmp_path / "a", "-o", tmp_path / "y.npy", "--label", 7)
    assert done.status == 2
    assert "labels: '7' is none of those fitted: 0, 1, 2" in done.err
    done = call("sample", shop.vae, "-o", tmp_path / "y.npy", "--label", 7)
    assert done.status == 2
    assert "--label 7: this model was fitted without labels" in done.err
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_parts_are_told_where_they_are_not_the_usual_ones(shop: Workshop, tmp_path: Path) -> None:
    words = ("fit", shop.npz, "-o", tmp_path / "m", "--model", VAE, "--force", *SHORT)
    usual = call(*words).out
    assert not any(
        line.startswith(("prior:", "posterior:", "terms:", "bound:")) for line in usual.splitlines()
    )
    terms = "total_correlation:weight=5"
    done = call(
        *words, "--set", "prior=vamp_prior", "--set", "prior.n_pseudo_inputs=7", "--set", f"terms={terms}"
    )
    assert done.status == 0, done.err
    told = dict(line.split(":", 1) for line in done.out.splitlines() if ":  " in line)
    assert told["prior"].strip() == "vamp_prior:n_pseudo_inputs=7"
    assert told["terms"].strip().startswith("kl:beta=1.0")
    assert terms in told["terms"]
    assert "posterior" not in told


def test_what_is_suggested_next_can_be_run(
    shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, words in {
        "a": (shop.npz, "--model", CVAE, "--condition", "y"),
        "b": (shop.csv, "--model", CVAE, "--condition", "tall", "--condition", "town", "--ignore", "name"),
        "c": (shop.csv, "--model", VAE, "--ignore", "name"),
        "d": (shop.pictures, "--model", "VectorQuantizedAutoencoder", "--latent", 4),
    }.items():
        out = call("fit", *words, "-o", name, *SHORT).out
        commands = [line.split()[1:] for line in out.splitlines() if line.startswith("  isthmus ")]
        assert [command[0] for command in commands] == ["report", "encode", "sample"]
        for command in commands:
            done = call(*command)
            assert done.status == 0, done


def test_samples_under_a_condition(shop: Workshop, tmp_path: Path) -> None:
    succeed("sample", shop.told, "-o", tmp_path / "s.parquet", "--seed", 1, "--condition", "town=away")
    expected = isthmus.load(shop.told).sample(10, condition="away", random_state=1)
    found = table(tmp_path / "s.parquet")
    assert found["town"].to_list() == ["away"] * 10
    assert found.equals(expected.select("height", "visits", "town", "tall"))
    succeed("sample", shop.told_apart, "-o", tmp_path / "s.npy", "--seed", 1, "--condition", "y=2")
    expected = isthmus.load(shop.told_apart).sample(10, condition=2, random_state=1)
    assert_array_equal(np.load(tmp_path / "s.npy"), expected)


def test_a_condition_in_the_columns_is_read_by_every_command(shop: Workshop, tmp_path: Path) -> None:
    model = isthmus.load(shop.told)
    assert tuple(model.condition) == ("town",)
    succeed("encode", shop.told, shop.csv, "-o", tmp_path / "z.csv", "--id", "town")
    assert_array_equal(
        table(tmp_path / "z.csv").select("z0", "z1").to_numpy().astype(np.float32),
        model.transform(shop.table),
    )
    succeed("decode", shop.told, tmp_path / "z.csv", "-o", tmp_path / "decoded.csv")
    succeed("reconstruct", shop.told, shop.csv, "-o", tmp_path / "direct.csv")
    assert table(tmp_path / "decoded.csv")["height"].equals(table(tmp_path / "direct.csv")["height"])
    assert table(tmp_path / "decoded.csv")["town"].equals(shop.table["town"])
    mean = model.score(shop.table)
    assert f"{mean:.6g} nats per row" in succeed("score", shop.told, shop.csv)
    assert str(model.diagnose(shop.table)) in succeed("diagnose", shop.told, shop.csv)


@pytest.mark.parametrize("given", ["y", "file"])
def test_a_condition_apart_is_given_to_every_command(shop: Workshop, tmp_path: Path, given: str) -> None:
    data, told = (shop.npz, "y") if given == "y" else (shop.npy, shop.labels)
    model, words = isthmus.load(shop.told_apart), ("--condition", told)
    codes = model.transform(shop.images, condition=shop.classes)
    again = model.reconstruct(shop.images, condition=shop.classes)
    succeed("encode", shop.told_apart, data, "-o", tmp_path / "z.npy", *words)
    assert_array_equal(np.load(tmp_path / "z.npy"), codes)
    succeed("reconstruct", shop.told_apart, data, "-o", tmp_path / "again.npy", *words)
    assert_array_equal(np.load(tmp_path / "again.npy"), again)
    succeed(
        "decode", shop.told_apart, tmp_path / "z.npy", "-o", tmp_path / "x.npy", "--condition", shop.labels
    )
    assert_array_equal(np.load(tmp_path / "x.npy"), again)
    expected = model.score_samples(shop.images, condition=shop.classes)
    assert f"{expected.mean():.6g} nats per row" in succeed("score", shop.told_apart, data, *words)
    found = model.diagnose(shop.images, condition=shop.classes)
    assert str(found) in succeed("diagnose", shop.told_apart, data, *words)


@pytest.mark.parametrize("name", ["ward.csv", "other.txt"])
def test_a_condition_of_texts_is_text_in_a_file_of_numbers_alone(
    shop: Workshop, tmp_path: Path, name: str
) -> None:
    wards = np.array(["01", "7", "7a"])[shop.classes]
    (tmp_path / "ward.txt").write_text("\n".join(wards))
    words = ("--model", CVAE, "--latent", 2, *SHORT, "--quiet")
    succeed("fit", shop.npy, "-o", tmp_path / "m", "--condition", tmp_path / "ward.txt", *words)
    rows = np.flatnonzero(wards != "7a")
    np.save(tmp_path / "some.npy", shop.images[rows])
    lines = ["ward", *wards[rows]] if name.endswith(".csv") else wards[rows]
    (tmp_path / name).write_text("\n".join(lines))
    given = ("--condition", tmp_path / name)
    succeed("encode", tmp_path / "m", tmp_path / "some.npy", "-o", tmp_path / "z.npy", *given)
    expected = isthmus.load(tmp_path / "m").transform(shop.images[rows], condition=wards[rows])
    assert_array_equal(np.load(tmp_path / "z.npy"), expected)


def test_one_of_several_conditions_is_known_by_its_name(shop: Workshop, tmp_path: Path) -> None:
    words = ("--model", CVAE, "--condition", "town", "--condition", "visits", "--ignore", "name", *SHORT)
    assert call("fit", shop.csv, "-o", tmp_path / "m", *words).status == 0
    rows = shop.table.drop("town", "visits")
    rows.write_csv(tmp_path / "rows.csv")
    for name in ("town", "visits"):
        shop.table.select(name).write_csv(tmp_path / f"{name}.csv")
    shop.table.select("visits").write_csv(tmp_path / "other.csv")
    expected = isthmus.load(tmp_path / "m").transform(shop.table)
    given = ("--condition", tmp_path / "visits.csv", "--condition", tmp_path / "town.csv")
    succeed("encode", tmp_path / "m", tmp_path / "rows.csv", "-o", tmp_path / "z.npy", *given)
    assert_array_equal(np.load(tmp_path / "z.npy"), expected)
    given = ("--condition", tmp_path / "other.csv", "--condition", tmp_path / "town.csv")
    done = call("encode", tmp_path / "m", tmp_path / "rows.csv", "-o", tmp_path / "y.npy", *given)
    assert done.status == 2
    assert 'which condition is "other"? This model is told "visits", "town"; give a column' in done.err


def test_one_condition_for_all_rows(shop: Workshop, tmp_path: Path) -> None:
    succeed("encode", shop.told_apart, shop.npy, "-o", tmp_path / "z.npy", "--condition", "y=1")
    expected = isthmus.load(shop.told_apart).transform(shop.images, condition=1)
    assert_array_equal(np.load(tmp_path / "z.npy"), expected)


def test_a_condition_in_columns_that_the_model_was_not_fitted_on(shop: Workshop, tmp_path: Path) -> None:
    succeed("reconstruct", shop.array_model, shop.npz, "-o", tmp_path / "x.csv", "--id", "y")
    succeed("reconstruct", shop.array_model, shop.npz, "-o", tmp_path / "x.npy")
    succeed("encode", shop.told_apart, tmp_path / "x.csv", "-o", tmp_path / "z.npy")
    expected = isthmus.load(shop.told_apart).transform(np.load(tmp_path / "x.npy"), condition=shop.classes)
    # float32 numbers as text are a rounding away from themselves once they are read as float64.
    assert_allclose(np.load(tmp_path / "z.npy"), expected, atol=1e-6)


@pytest.mark.parametrize("given", ["y", "file", "y=1"])
def test_reports_are_told_the_condition(shop: Workshop, tmp_path: Path, given: str) -> None:
    told = shop.labels if given == "file" else given
    succeed("report", shop.told_apart, shop.npz, "-o", tmp_path / "r.html", "--condition", told)
    page = (tmp_path / "r.html").read_text()
    assert "The map of codes" in page
    assert ("These are not the rows" in page) == (given == "y=1")
    done = call("report", shop.told_apart, shop.npz, "-o", tmp_path / "bare.html")
    assert done.status == 0
    assert done.err.startswith("isthmus: note: this model is told y of each row; without --condition")
    assert "The map of codes" not in (tmp_path / "bare.html").read_text()


@pytest.mark.parametrize(
    ("labels", "word", "label"), [([0, 1, None], "1", 1.0), ([False, True, False], "true", True)]
)
def test_a_label_is_found_however_its_value_is_written(
    tmp_path: Path, labels: list[object], word: str, label: object
) -> None:
    rng = np.random.default_rng(0)
    rows = pl.DataFrame({"x": rng.normal(size=60), "y": rng.normal(size=60), "g": labels * 20})
    rows.write_csv(tmp_path / "rows.csv")
    assert (
        call("fit", tmp_path / "rows.csv", "-o", tmp_path / "m", "--set", "labels=g", *AAE, *RING).status == 0
    )
    succeed("sample", tmp_path / "m", "-o", tmp_path / "x.csv", "--label", word, "--seed", 1)
    expected = isthmus.load(tmp_path / "m").sample(10, labels=label, random_state=1)
    assert_allclose(pl.read_csv(tmp_path / "x.csv")["x"], expected["x"])
