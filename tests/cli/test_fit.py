from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import isthmus

from .conftest import SHORT, Workshop, call, digest, names, start


def test_it_tells_what_it_understood_and_learned(shop: Workshop, tmp_path: Path) -> None:
    done = call(
        "fit", shop.csv, "-o", tmp_path / "m", "--label", "group", "--column", "visits=continuous", *SHORT
    )
    assert done.status == 0
    assert "60 rows" in done.out
    assert [line.split()[:3] for line in done.out.splitlines() if line.startswith(("visits", "group"))] == [
        ["visits", "continuous", "feature"],
        ["group", "binary", "label"],
    ]
    assert "(auto: the TwoNN intrinsic dimension" in done.out
    assert "held-out rows" in done.out
    assert "PCA" in done.out
    assert f"isthmus encode {tmp_path / 'm'} {shop.csv}" in done.out
    assert "epoch 1/2" in done.err
    assert names(tmp_path) == ["m", *sorted(f"m/{name}" for name in isthmus.store.LIMITS)]


def test_the_same_words_to_a_quiet_one_give_nothing_but_a_model(shop: Workshop, tmp_path: Path) -> None:
    assert call("fit", shop.npy, "-o", tmp_path / "m", *SHORT, "--quiet") == (0, "", "")
    assert isthmus.load(tmp_path / "m").schema_.shape == (6, 5)


def test_roles_of_columns_are_kept_in_the_schema(shop: Workshop) -> None:
    schema = isthmus.load(shop.table_model).schema_
    roles = {column.name: column.role for column in schema.columns if column.role != "feature"}
    assert roles == {"group": "label", "weight": "weight", "name": "id"}


def test_parameters_are_set_by_literals_text_and_fields_of_parts(shop: Workshop, tmp_path: Path) -> None:
    given = ("hidden_sizes=(7,5)", "activation=tanh", "corruption.p=0.5", "validation_fraction=0.2")
    words = [word for text in given for word in ("--set", text)]
    done = call("fit", shop.csv, "-o", tmp_path / "m", "--model", "denoising-autoencoder", *words, *SHORT)
    assert done.status == 0, done.err
    params = json.loads((tmp_path / "m" / "config.json").read_text())["params"]
    assert params["hidden_sizes"] == [7, 5]
    assert params["activation"] == "tanh"
    assert params["corruption"] == {"kind": "masking", "p": 0.5}
    assert params["validation_fraction"] == 0.2


def test_a_label_is_never_learned_from(shop: Workshop, tmp_path: Path) -> None:
    shuffled = shop.table.with_columns(pl.col("group").reverse())
    shuffled.write_csv(tmp_path / "shuffled.csv")
    for name, data in (("a", shop.csv), ("b", tmp_path / "shuffled.csv")):
        assert call("fit", data, "-o", tmp_path / name, "--label", "group", *SHORT).status == 0
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_weights_come_from_a_column_a_file_or_an_archive(shop: Workshop, tmp_path: Path) -> None:
    weight = np.linspace(0.1, 2, 40)
    np.savez(tmp_path / "w.npz", X=shop.images, w=weight)
    np.save(tmp_path / "w.npy", weight)
    pl.DataFrame({"w": weight}).write_csv(tmp_path / "w.csv")
    (tmp_path / "w.txt").write_text("\n".join(map(repr, weight.tolist())))
    options = [
        ("--weight", given) for given in ("w", tmp_path / "w.npy", tmp_path / "w.csv", tmp_path / "w.txt")
    ]
    found = set()
    for number, option in enumerate(options):
        model = tmp_path / f"m{number}"
        done = call("fit", tmp_path / "w.npz", "-o", model, *option, *SHORT)
        assert done.status == 0, done.err
        found.add(digest(model))
    assert len(found) == 1
    assert call("fit", tmp_path / "w.npz", "-o", tmp_path / "plain", *SHORT).status == 0
    assert digest(tmp_path / "plain") not in found


def test_the_seed_that_was_drawn_is_kept_and_repeats_the_run(shop: Workshop, tmp_path: Path) -> None:
    words = ("--set", "max_epochs=2", "--quiet")
    assert call("fit", shop.npy, "-o", tmp_path / "a", *words).status == 0
    seed = json.loads((tmp_path / "a" / "config.json").read_text())["seed"]
    assert call("fit", shop.npy, "-o", tmp_path / "b", *words, "--seed", seed).status == 0
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_a_model_is_only_replaced_by_force(shop: Workshop, tmp_path: Path) -> None:
    assert call("fit", shop.npy, "-o", tmp_path / "m", *SHORT).status == 0
    before = digest(tmp_path / "m")
    other = ("fit", shop.npy, "-o", tmp_path / "m", "--seed", 5, "--set", "max_epochs=1")
    assert call(*other).status == 2
    assert digest(tmp_path / "m") == before
    assert call(*other, "--force").status == 0
    assert digest(tmp_path / "m") != before


def test_resume_of_a_finished_run_says_so(shop: Workshop) -> None:
    before = digest(shop.array_model)
    done = call("fit", shop.npz, "-o", shop.array_model, "--resume")
    assert (done.status, done.err) == (0, "")
    assert "finished model" in done.out
    assert digest(shop.array_model) == before


def test_resume_without_a_checkpoint_starts_anew_and_says_so(shop: Workshop, tmp_path: Path) -> None:
    done = call("fit", shop.npy, "-o", tmp_path / "m", *SHORT, "--resume", "--quiet")
    assert done.status == 0
    assert done.err.startswith("isthmus: note: there is no ")
    assert "starting anew" in done.err


def leave_checkpoint(shop: Workshop, path: Path) -> None:
    """Leave the checkpoint of a run that ended with its last step and was not saved."""
    parameters = {"max_epochs": 1, "checkpoint": path, "checkpoint_seconds": 0, "random_state": 1}
    isthmus.Autoencoder(2, **parameters).fit(isthmus.read(shop.npy))


def test_resume_replaces_the_model_that_an_interrupt_left(shop: Workshop, tmp_path: Path) -> None:
    shutil.copytree(shop.table_model, tmp_path / "m")
    leave_checkpoint(shop, tmp_path / "m.checkpoint")
    words = ("fit", shop.npy, "-o", tmp_path / "m", "--latent", 2, "--set", "max_epochs=1", "--quiet")
    assert call(*words, "--resume") == (0, "", "")
    assert isthmus.load(tmp_path / "m").schema_.container == "array"
    assert not (tmp_path / "m.checkpoint").exists()


def test_a_forgotten_resume_is_noted(shop: Workshop, tmp_path: Path) -> None:
    leave_checkpoint(shop, tmp_path / "m.checkpoint")
    done = call("fit", shop.npy, "-o", tmp_path / "m", *SHORT, "--quiet")
    assert done.status == 0
    assert "--resume would go on with it" in done.err
    assert names(tmp_path)[0] == "m"


def test_resume_refuses_another_run_by_name_and_an_odd_checkpoint(shop: Workshop, tmp_path: Path) -> None:
    leave_checkpoint(shop, tmp_path / "m.checkpoint")
    words = ("fit", shop.npy, "-o", tmp_path / "m", "--latent", 2, "--resume", "--quiet", "--set")
    assert "settings.max_epochs differs: it was 1, now it is 2" in call(*words, "max_epochs=2").err
    assert "settings.seed differs" in call(*words, "max_epochs=1", "--seed", 4).err
    (tmp_path / "m.checkpoint").write_bytes(b"not a checkpoint")
    done = call(*words, "max_epochs=1")
    assert done.status == 2
    assert done.err.count("\n") == 1
    assert names(tmp_path) == ["m.checkpoint"]


# Processes of their own -----------------------------------------------------------------------------------

LONG = ("--set", "max_epochs=20", "--set", "batch_size=16", "--latent", "2")
SAVING = ("--set", "checkpoint_seconds=0")


def interrupted(shop: Workshop, tmp_path: Path, number: int) -> tuple[int, str]:
    """Start a long fit, and send it a signal when it has a checkpoint of a few epochs."""
    process = start("fit", shop.csv, "-o", "m", *LONG, *SAVING, "--seed", 1, cwd=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 6/"):
            break
    time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.fixture(scope="module")
def unbroken(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("unbroken")
    process = start("fit", shop.csv, "-o", "m", *LONG, *SAVING, "--seed", 1, "--quiet", cwd=folder)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert names(folder)[0] == "m"
    return digest(folder / "m")


def test_a_killed_run_resumes_to_the_same_bits(shop: Workshop, tmp_path: Path, unbroken: str) -> None:
    status, _ = interrupted(shop, tmp_path, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert (tmp_path / "m.checkpoint").exists()
    assert not (tmp_path / "m").exists()
    # The seed is found in the checkpoint.
    process = start("fit", shop.csv, "-o", "m", *LONG, *SAVING, "--resume", "--quiet", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
    assert digest(tmp_path / "m") == unbroken
    assert {name.split("/")[0] for name in names(tmp_path)} == {"m"}


def test_an_interrupt_keeps_the_best_model_and_the_checkpoint(shop: Workshop, tmp_path: Path) -> None:
    status, err = interrupted(shop, tmp_path, signal.SIGINT)
    assert status == 130
    assert "--resume" in err
    assert "Traceback" not in err
    assert isthmus.load(tmp_path / "m").n_iter_ < 20
    assert {name.split("/")[0] for name in names(tmp_path)} == {"m", "m.checkpoint"}


def test_an_interrupt_among_a_stacks_layers_leaves_a_checkpoint_to_go_on_from(
    shop: Workshop, tmp_path: Path
) -> None:
    long = ("--set", "layer_epochs=60", "--set", "hidden_sizes=(4,)", "--set", "max_epochs=2")
    words = ("fit", shop.csv, "-o", "m", "--model", "StackedAutoencoder", "--latent", 2, "--seed", 1, *long)
    process = start(*words, *SAVING, cwd=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("layer 1"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "layer 2" not in err
    assert "m.checkpoint holds the run so far; --resume with the same command goes on" in err
    assert "Traceback" not in err
    assert names(tmp_path) == ["m.checkpoint"]
    again = start(*words, *SAVING, "--resume", cwd=tmp_path)
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0
    assert "layer 1" not in err  # it is not learned a second time
    assert "layer 2: 60 epochs" in err


def test_two_processes_with_one_seed_give_the_same_file_with_checkpoints_or_without(
    shop: Workshop, tmp_path: Path, unbroken: str
) -> None:
    process = start("fit", shop.csv, "-o", "again", *LONG, "--seed", 1, "--quiet", cwd=tmp_path)
    process.communicate(timeout=60)
    assert digest(tmp_path / "again") == unbroken


def test_it_is_told_why_a_run_ended_early(shop: Workshop, tmp_path: Path) -> None:
    words = (
        "fit",
        shop.npy,
        "-o",
        tmp_path / "m",
        "--latent",
        2,
        "--seed",
        0,
        "--force",
        "--set",
        "patience=5",
    )
    out = call(*words, "--set", "validation_fraction=0.3", "--set", "max_epochs=400").out
    n = isthmus.load(tmp_path / "m").n_iter_
    assert n < 400
    assert f"{n} epochs of at most 400: the held-out loss had stopped falling\n" in out
    assert "\n1 epoch\n" in call(*words, "--set", "max_epochs=1").out
