"""Whatever users can get wrong: one line on stderr, exit status 2, and nothing written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import SHORT, Done, Workshop, call, environment, names


@pytest.fixture
def folder(shop: Workshop, tmp_path: Path) -> Path:
    """Give a folder of bad files beside good ones, called as the tables below call them."""
    for path in (shop.csv, shop.npz, shop.npy, shop.labels):
        shutil.copy(path, tmp_path / path.name)
    models = (shop.table_model, shop.array_model, shop.vae, shop.table_vae, shop.told, shop.told_apart)
    for path in (shop.pictures, *models):
        shutil.copytree(path, tmp_path / path.name)
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_text("a,b\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    (tmp_path / "one.csv").write_text("a,b\n1.5,2.5\n")
    (tmp_path / "constant.csv").write_text("a,b\n1,2\n1,2\n1,2\n")
    (tmp_path / "nothing.csv").write_text("a,b\n,\n,\n,\n")
    (tmp_path / "infinite.csv").write_text("a,b\n1.5,2\n2.5,inf\n3.5,1\n")
    (tmp_path / "text.xls").write_text("a")
    (tmp_path / "short.txt").write_text("1\n2\n")
    (tmp_path / "long.txt").write_text("1\n2\n" * 30)
    (tmp_path / "file").write_text("a file")
    (tmp_path / "output.csv").write_text("precious")
    (tmp_path / "bare").mkdir()
    shutil.copytree(shop.pictures, tmp_path / "photos")
    (tmp_path / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "codes.npy", np.zeros((3, 7), np.float32))
    np.save(tmp_path / "holes.npy", np.full((3, 2), np.nan, np.float32))
    shop.table.drop("height", "town").write_csv(tmp_path / "narrow.csv")
    shop.table.with_columns(height=pl.lit("tall")).write_csv(tmp_path / "typed.csv")
    shop.table.with_columns(height=np.inf).write_csv(tmp_path / "endless.csv")
    pl.DataFrame({"z0": [1.0], "z2": [1.0]}).write_csv(tmp_path / "gap.csv")
    pl.DataFrame({"z0": ["a"], "z1": ["b"]}).write_csv(tmp_path / "letters.csv")
    _break_models(tmp_path)
    return tmp_path


def _break_models(folder: Path) -> None:
    for name in ("truncated", "foreign", "future", "swapped", "extra"):
        shutil.copytree(folder / "table-model", folder / name)
    weights = folder / "truncated" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    config = folder / "future" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"format_version": 99}))
    shutil.copy(folder / "array-model" / "weights.safetensors", folder / "swapped")
    (folder / "foreign" / "README.md").unlink()
    (folder / "extra" / "notes.txt").write_text("mine")


def refused(folder: Path, words: str, fragment: str, monkeypatch: pytest.MonkeyPatch) -> Done:
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = call(*(SHORT_NAMES.get(word, word) for word in words.split(" ")))
    assert done.status == 2, done
    assert done.err.startswith("isthmus: error: "), done.err
    assert done.err.count("\n") == 1, done.err
    assert fragment in done.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return done


SHORT_NAMES = {
    "AAE": "AdversarialAutoencoder",
    "CVAE": "ConditionalVariationalAutoencoder",
    "VAE": "VariationalAutoencoder",
    "VQ": "VectorQuantizedAutoencoder",
}
FIT = {
    "fit": "DATA",
    "fit table.csv": "--output",
    "fit table.csv -o m --latnt 2": "Did you mean --latent?",
    "fit table.csv table.csv -o m": "table.csv",
    "fit missing.csv -o m": "does not exist",
    "fit table.cvs -o m": '"table.csv"',
    "fit empty.csv -o m": "is empty",
    "fit header.csv -o m": "0 sample",
    "fit ragged.csv -o m": "line 3",
    "fit one.csv -o m": "at least 2 rows",
    "fit constant.csv -o m": "nothing to learn",
    "fit nothing.csv -o m": "nothing to learn",
    "fit infinite.csv -o m": '"b", row 1',
    "fit text.xls -o m": "no known format",
    "fit words.npy -o m": "expected numbers",
    "fit pictures -o m": "broken.png",
    "fit bare -o m": "no PNG or JPEG",
    "fit table.csv -o no/where/m": "create it first",
    "fit table.csv -o file": "a file",
    "fit table.csv -o array-model": "--force",
    "fit table.csv -o pictures --force": "never overwritten",
    "fit table.csv -o m --model Autoencodr": 'Did you mean "Autoencoder"?',
    "fit table.csv -o m --latent 0": "at least 1",
    "fit table.csv -o m --latent two": "at least 1",
    "fit table.csv -o m --latent 1000000000000": "not enough memory",
    "fit table.csv -o m --latent 2 --set n_components=3": "one of them",
    "fit table.csv -o m --set epochs=3": 'Did you mean "max_epochs"?',
    "fit table.csv -o m --set max_epochs": "expected name=value",
    "fit table.csv -o m --set max_epochs=1 --set max_epochs=2": "given twice",
    "fit table.csv -o m --set max_epochs=0": "max_epochs",
    "fit table.csv -o m --set max_epochs.x=1": "has no fields",
    "fit table.csv -o m --set likelihood=gausian": 'Did you mean "gaussian"?',
    "fit table.csv -o m --set likelihood.scale=1": "set likelihood to a part first",
    "fit table.csv -o m --model DenoisingAutoencoder --set corruption.q=1": "no field 'q'",
    "fit table.csv -o m --model DenoisingAutoencoder --set corruption.p=7": "p must be",
    "fit table.csv -o m --set schema=auto": "use --column",
    "fit table.csv -o m --set checkpoint=here": "beside the model",
    "fit table.csv -o m --set device=toaster": "device",
    "fit table.csv -o m --seed one": "--seed",
    "fit table.csv -o m --seed -1": '"-1" for --seed. Expected a whole number from 0',
    "fit table.csv -o m --seed 4294967296": "--seed",
    "fit table.csv -o m --label grup": 'Did you mean "group"?',
    "fit table.csv -o m --label folder": "no such file",
    "fit images.npz -o m --label yy": 'Did you mean "y"?',
    "fit images.npz -o m --label short.txt": "one value for each of the 40 rows",
    "fit images.npz -o m --weight words.npy": "one value for each",
    "fit images.npz -o m --array Z": "no array 'Z'",
    "fit images.npy -o m --label folder": "no such file",
    "fit images.npy -o m --array X": "array=",
    "fit table.csv -o m --resize 3 4": "resize=",
    "fit table.csv -o m --resize 3": "--resize",
    "fit photos -o m --resize 0 4": "1 pixel or more",
    "fit table.csv -o m --label group --id group": "given as label too",
    "fit table.csv -o m --weight town": "cannot be a weight",
    "fit table.csv -o m --condition group": "no condition",
    "fit table.csv -o m --model CVAE --condition grup": 'Did you mean "group"?',
    "fit table.csv -o m --model CVAE --condition group --label group": "given as condition too",
    "fit table.csv -o m --model CVAE --condition group --condition long.txt": "put all of them into columns",
    "fit table.csv -o m --model CVAE --set condition=group": "use --condition",
    "fit images.npz -o m --model CVAE --condition short.txt": "one value for each of the 40 rows",
    "fit images.npz -o m --model CVAE --condition y --condition y": "two conditions are called y",
    "fit table.csv -o m --model AAE --set labels=grup": 'Did you mean "group"?',
    "fit table.csv -o m --model AAE --set labels=group --id group": "given as label too",
    "fit table.csv -o m --model AAE --set adversarial.wight=1": "no field 'wight'",
    "fit table.csv -o m --model VAE --set prior=normal": 'Did you mean "standard_normal"?',
    "fit table.csv -o m --model VAE --set terms=total_corelation": 'Did you mean "total_correlation"?',
    "fit table.csv -o m --model VAE --set bound=importance_weighted:k=0": "k must be",
    "fit table.csv -o m --model VAE --set beta=-1": "beta",
    "fit table.csv -o m --set beta=1": "no parameter 'beta'",
    "fit images.npz -o m --model VQ --set posterior=point": '"vector_quantized"',
    "fit table.csv -o m --ignore hight": 'Did you mean "height"?',
    "fit table.csv -o m --column height=count": 'cannot be "count"',
    "fit table.csv -o m --column height=real": "not a kind",
    "fit table.csv -o m --column height": "expected name=value",
    "fit table.csv -o m --column height=count --ignore height": "contradicts",
}
ROWS = {
    "encode table-model table.csv": "--output",
    "encode table-model table.csv -o z.xls": ".csv, .parquet or .npy",
    "encode table-model table.csv -o z.npy --id name": "an id column",
    "encode table-model table.csv -o output.csv": "--force",
    "encode table-model table.csv -o bare --force": "must end in",
    "encode table-model table.csv -o no/z.csv": "create it first",
    "encode table-model narrow.csv -o z.csv": '"height", "town"',
    "encode table-model typed.csv -o z.csv": "'tall'",
    "encode table-model endless.csv -o z.csv": "infinity",
    "encode table-model images.npy -o z.csv": "fitted on a frame",
    "encode table-model missing.csv -o z.csv": "does not exist",
    "encode table-model table.csv -o z.csv --id nam": 'Did you mean "name"?',
    "encode array-model images.npz -o z.csv --id short.txt": "one value for each",
    "encode array-model table.csv -o z.csv": '"x0"',
    "encode array-model codes.npy -o z.csv": "30 features",
    "encode missing-model table.csv -o z.csv": "does not exist",
    "encode bare table.csv -o z.csv": "is no model folder",
    "encode file table.csv -o z.csv": "is a file",
    "encode truncated table.csv -o z.csv": "damaged",
    "encode foreign table.csv -o z.csv": '"README.md"',
    "encode future table.csv -o z.csv": "version 99",
    "encode swapped table.csv -o z.csv": "do not fit together",
    "encode extra table.csv -o z.csv": '"notes.txt"',
    "decode table-model codes.npy -o x.csv": "7 columns",
    "decode table-model holes.npy -o x.csv": "NaN",
    "decode table-model gap.csv -o x.csv": "expected columns z0 to z1",
    "decode table-model letters.csv -o x.csv": "does not hold numbers",
    "decode table-model table.csv -o x.csv": "expected columns z0 to z1",
    "decode array-model table.csv -o output.csv": "--force",
    "reconstruct table-model table.csv -o x.npy": "a table",
    "reconstruct table-model narrow.csv -o x.csv": '"height", "town"',
    "denoise table-model table.csv -o x.csv": "needs a model fitted with a corruption",
    "denoise table-model table.csv -o output.csv": "--force",
    "score table-model narrow.csv": '"height", "town"',
    "score table-model table.csv -o output.csv": "--force",
    "score array-model words.npy": "expected numbers",
}
MADE = {
    "sample vae": "--output",
    "sample vae -o s.gif": ".csv, .parquet, .npy or .png",
    "sample vae -o output.csv": "--force",
    "sample vae -o no/s.csv": "create it first",
    "sample table-vae -o s.png": "rows of 7 columns",
    "sample table-vae -o s.npy": "a table",
    "sample vae -o s.npy --beside images.npz": "nearest_row",
    "sample vae -o s.csv --beside missing.npz": "does not exist",
    "sample vae -o s.csv --beside codes.npy": "30 features",
    "sample vae -o s.csv --beside words.npy": "expected numbers",
    "sample table-vae -o s.csv --beside narrow.csv": '"height", "town"',
    "sample vae -o s.csv --array X": "--beside",
    "sample vae -o s.csv -n 0": "at least 1",
    "sample vae -o s.csv -n -3": "at least 1",
    "sample vae -o s.csv -n many": "many",
    "sample vae -o s.csv --temperature -1": "at least 0",
    "sample vae -o s.csv --seed -1": '"-1" for --seed. Expected a whole number from 0',
    "sample vae -o s.csv --condition y=1": "fitted without one",
    "sample array-model -o s.csv": "--model VariationalAutoencoder",
    "sample missing-model -o s.csv": "does not exist",
    "sample truncated -o s.csv": "damaged",
    "sample told -o s.csv": "--condition town=",
    "sample told -o s.csv --condition town=heer": 'Did you mean "here"?',
    "sample told -o s.csv --condition town": "expected name=value",
    "sample told -o s.csv --condition twn=here": 'Did you mean "town"?',
    "sample told -o s.csv --condition town=here --condition town=away": "given twice",
    "sample told-apart -o s.csv --condition y=9": '"0", "1", "2"',
    "manifold vae": "--output",
    "manifold vae -o m.png -n 0": "at least 1",
    "manifold vae -o m.png --dims 0 0": "two different components",
    "manifold vae -o m.png --dims 0 5": "from 0 to 1",
    "manifold table-vae -o m.png": "a picture shows images",
    "manifold array-model -o m.png": "manifold needs a generative model",
    "interpolate vae images.npz -o w.csv --from 0": "--to",
    "interpolate vae images.npz -o w.csv --from 0 --to 40": "positions from 0 to 39",
    "interpolate vae images.npz -o w.csv --from -1 --to 4": "positions from 0 to 39",
    "interpolate vae images.npz -o w.csv --from 0 --to 4 -n 1": "at least 2",
    "interpolate vae images.npz -o w.csv --from 0 --to 4 --path round": "round",
    "interpolate vae images.npz -o output.csv --from 0 --to 4": "--force",
    "interpolate table-vae narrow.csv -o w.csv --from 0 --to 4": '"height", "town"',
    "interpolate array-model images.npz -o w.csv --from 0 --to 4": "interpolate needs a generative model",
    "interpolate told-apart images.npz -o w.csv --from 0 --to 4": "--condition y=",
    "traverse vae images.npz -o t.csv --row 0": "--dim",
    "traverse vae images.npz -o t.csv --row 0 --dim 2": "from 0 to 1, or all",
    "traverse vae images.npz -o t.csv --row 0 --dim one": "from 0 to 1, or all",
    "traverse vae images.npz -o t.csv --row 99 --dim 0": "positions from 0 to 39",
    "traverse table-vae table.csv -o t.npy --row 0 --dim 0": "a table",
    "density vae images.npz -o d.xls": ".csv, .parquet or .npy",
    "density vae images.npz --samples 0": "at least 1",
    "density vae images.npz --seed -1": '"-1" for --seed. Expected a whole number from 0',
    "density table-vae narrow.csv": '"height", "town"',
    "density array-model images.npz": "--model VariationalAutoencoder",
    "density told-apart images.npz": "--condition",
    "density told-apart images.npz --condition short.txt": "one value for each",
    "density told-apart images.npz --condition yy": 'Did you mean "y"?',
    "density vae images.npz --condition y": "fitted without one",
    "diagnose table-model table.csv": "needs a model with a prior",
    "diagnose told-apart images.npy": "--condition",
    "encode told-apart images.npz -o z.csv": "--condition",
    "encode told narrow.csv -o z.csv": "--condition",
    "decode told codes.npy -o x.csv": "--condition",
    "decode told-apart codes.npy -o x.csv --condition short.txt": "one value for each of the 3 rows",
    "models vae": "vae",
}
OTHER = {
    "fitt": 'Did you mean "fit"?',
    "--nonsense": "--nonsense",
    "info": "PATH",
    "info missing": "does not exist",
    "info truncated": "damaged",
    "info ragged.csv": "line 3",
    "report": "MODEL",
    "report missing-model": "does not exist",
    "report table-model table.csv -o output.csv": "--force",
    "report table-model table.csv -o no/r.html": "create it first",
    "report table-model table.csv -o r.html --label grup": 'Did you mean "group"?',
    "report table-model -o r.html --label group": "give the data",
    "report table-model narrow.csv -o r.html": "height",
    "report told-apart -o r.html --condition y=1": "give the data",
    "report told-apart images.npz -o r.html --condition yy": 'Did you mean "y"?',
    "report told-apart images.npy -o r.html --condition short.txt": "one value for each of the 40 rows",
    "report vae images.npz -o r.html --condition y": "fitted without one",
    "lab neurn": 'Did you mean "neuron"?',
    "lab neuron -o file": "expected a folder",
    "lab neuron -o no/where": "expected a folder",
    "demo -o bare/no/demo": "No such file",
    "demo -o pictures": "not made by demo",
    "demo -o file": "is a file",
}
# Not even with --force, which each of these is given.
READ = [
    "map table.csv -o table.html --label town",
    "map table.csv --codes bare/../table.csv",
    "map images.npz --label output.csv -o output.html",
    "encode table-model table.csv -o table.csv",
    "encode array-model images.npz -o output.csv --id output.csv",
    "encode told-apart images.npz -o output.csv --condition output.csv",
    "decode array-model codes.npy -o codes.npy",
    "reconstruct array-model images.npy -o images.npy",
    "reconstruct array-model pictures -o pictures/broken.png",
    "score table-model table.csv -o table.csv",
    "density table-vae table.csv -o table.csv",
    "sample vae -o images.npy --beside images.npy",
    "traverse vae images.npy -o images.npy --row 0 --dim 0",
    "dimension table.csv --json table.csv",
    "compare table.csv --json table.csv",
    "compare table.csv --held-out typed.csv --json typed.csv",
    "report table-model table.csv -o table.csv",
    "report array-model images.npz --label classes.txt -o classes.txt",
]


@pytest.mark.parametrize(("words", "fragment"), [*FIT.items(), *ROWS.items(), *MADE.items(), *OTHER.items()])
def test_it_is_refused_in_one_line(
    folder: Path, words: str, fragment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(folder, words, fragment, monkeypatch)


@pytest.mark.parametrize("words", READ)
def test_no_output_replaces_what_is_read(folder: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(folder, f"{words} --force", "would replace the data", monkeypatch)


def test_a_symbolic_link_in_a_model_is_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "extra" / "notes.txt").unlink()
    (folder / "extra" / "README.md").unlink()
    (folder / "extra" / "README.md").symlink_to("/etc/hostname")
    refused(folder, "info extra", "symbolic link", monkeypatch)


BIG = "fit table.csv -o m --latent 1000000000000"


def test_checks_come_before_training(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.estimators.fitting.fit", lambda *_, **__: pytest.fail("it was trained"))
    for words in FIT:
        # These are found in the data or in the networks, by the fit itself.
        if not words.startswith(
            ("fit one.csv", "fit constant.csv", "fit nothing.csv", "fit infinite.csv", BIG)
        ):
            refused(folder, words, "", monkeypatch)


def test_debugging_shows_the_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISTHMUS_DEBUG", "1")
    with pytest.raises(ValueError, match="does not exist"):
        call("info", folder / "missing")


def test_an_interrupt_is_status_130(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("isthmus.data.inference.infer_schema", interrupt)
    done = call("fit", folder / "table.csv", "-o", folder / "m", *SHORT, "--quiet")
    assert done == (130, "", "isthmus: error: interrupted\n")
    assert "m" not in names(folder)


def test_a_reader_that_leaves_early_is_no_error(shop: Workshop) -> None:
    command = f"{sys.executable} -m isthmus info {shop.csv} | true"
    done = subprocess.run(command, shell=True, env=environment(), capture_output=True, text=True, check=False)
    assert done.stderr == ""
