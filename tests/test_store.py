from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus import store
from isthmus.errors import StoreError
from isthmus.store import writing

WEIGHTS = {
    "encoder.0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "step": np.array(7, dtype=np.int64),
    "mask": np.array([True, False]),
    "none": np.zeros((0, 4)),
}
FILES = {
    "config.json": store.json_bytes({"format_version": store.FORMAT_VERSION, "estimator": "Autoencoder"}),
    "schema.json": store.json_bytes({"columns": []}),
    "weights.safetensors": store.tensor_bytes(WEIGHTS, {"note": "ö"}),
    "history.csv": b"epoch,loss\n0,1.5\n",
    "metrics.json": store.json_bytes({"loss": 1.5}),
    "README.md": "# A model: öäü\n".encode(),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    store.write_folder(tmp_path / "model", FILES)
    return tmp_path / "model"


def safetensors(header: object, body: bytes = b"\0" * 24) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def tensor(dtype: object = "F32", shape: object = (2, 3), begin: object = 0, end: object = 24) -> bytes:
    return safetensors({"a": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}})


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_line(error: pytest.ExceptionInfo[StoreError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


# --- what was written comes back ---


def test_a_folder_comes_back_as_it_was_written(model: Path) -> None:
    assert snapshot(model) == FILES
    files = store.read_folder(model)
    assert files.config["estimator"] == "Autoencoder"
    assert files.schema == {"columns": []}
    assert files.metrics == {"loss": 1.5}
    assert files.weights.metadata == {"note": "ö"}
    assert files.history.startswith("epoch,loss")
    assert files.readme == "# A model: öäü\n"
    assert files.weights.arrays.keys() == WEIGHTS.keys()
    for name, array in files.weights.arrays.items():
        np.testing.assert_array_equal(array, WEIGHTS[name], strict=True)
        assert array.flags.writeable


def test_only_the_folder_is_left_behind(model: Path) -> None:
    store.write_folder(model, FILES, overwrite=True)
    assert os.listdir(model.parent) == ["model"]


def test_permissions_are_the_users_own(model: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert model.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_to_a_model_folder_is_read(model: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(model, target_is_directory=True)
    assert store.read_folder(tmp_path / "latest").config["estimator"] == "Autoencoder"


def test_tensors_round_trip_also_when_strided_or_big_endian(tmp_path: Path) -> None:
    arrays = {"t": np.arange(12.0).reshape(3, 4).T, "b": np.arange(3, dtype=">i4"), "s": np.arange(9)[::2]}
    store.write_tensors(tmp_path / "checkpoint", arrays, {"epoch": 3, "nested": {"a": [1, 2.5, None]}})
    back = store.read_tensors(tmp_path / "checkpoint")
    assert back.metadata == {"epoch": 3, "nested": {"a": [1, 2.5, None]}}
    for name, array in arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)


def test_equal_tensors_give_equal_bytes_in_any_order() -> None:
    backwards = dict(reversed(WEIGHTS.items()))
    assert store.tensor_bytes(WEIGHTS, {"b": 1, "a": 2}) == store.tensor_bytes(backwards, {"a": 2, "b": 1})


@given(
    st.dictionaries(
        st.text(max_size=8).filter(lambda name: name != "__metadata__"),
        st.tuples(st.sampled_from(["f4", "f8", "i8", "u1", "?"]), st.lists(st.integers(0, 4), max_size=4)),
        max_size=4,
    )
)
def test_any_tensors_round_trip(specs: dict[str, tuple[str, list[int]]]) -> None:
    arrays = {name: np.ones(shape, dtype) for name, (dtype, shape) in specs.items()}
    with tempfile.TemporaryDirectory() as folder:
        store.write_tensors(Path(folder) / "t", arrays)
        back = store.read_tensors(Path(folder) / "t")
    assert back.metadata == {}
    assert back.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array, strict=True)


# --- what is refused when reading ---

Damage = Callable[[Path], object]


def replace(name: str, data: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(data)


def link(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).rename(folder.parent / name)
        (folder / name).symlink_to(folder.parent / name)

    return damage


def pipe(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return damage


def subfolder(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def grow(name: str) -> Damage:
    return lambda folder: os.truncate(folder / name, store.LIMITS[name] + 1)


WHOLE = FILES["weights.safetensors"]
REFUSED: dict[str, tuple[Damage, str]] = {
    **{f"no {name}": (lambda f, n=name: (f / n).unlink(), f'has no "{name}"') for name in FILES},
    "extra file": (replace("notes.txt", b""), 'holds "notes.txt"'),
    "extra folder": (lambda folder: (folder / "more").mkdir(), 'holds "more"'),
    "hidden file": (replace(".hidden", b""), 'holds ".hidden"'),
    **{f"{name} a link": (link(name), "symbolic link") for name in FILES},
    "pipe": (pipe("metrics.json"), "not a regular file"),
    "folder for a file": (subfolder("config.json"), "config.json"),
    "broken link": (lambda f: ((f / "x").symlink_to("y"), (f / "x").rename(f / "README.md")), "link"),
    "config too large": (grow("config.json"), "more than the"),
    "readme too large": (grow("README.md"), "more than the"),
    "config truncated": (replace("config.json", FILES["config.json"][:-5]), "not valid JSON"),
    "config empty": (replace("config.json", b""), "not valid JSON"),
    "config a list": (replace("config.json", b"[1]"), "expected an object, got list"),
    "config with NaN": (replace("config.json", b'{"format_version": NaN}'), "NaN is not JSON"),
    "config too deep": (replace("config.json", b'{"a":' + b"[" * 99999), "not valid JSON"),
    "config not UTF-8": (replace("config.json", b'{"a": "\xff"}'), "not UTF-8"),
    "history not UTF-8": (replace("history.csv", b"\xff"), "not UTF-8"),
    "schema with an endless number": (replace("schema.json", b'{"a":' + b"1" * 9999 + b"}"), "not valid"),
    "no version": (replace("config.json", b"{}"), "unknown format version None"),
    "version 0": (replace("config.json", b'{"format_version": 0}'), "unknown format version 0"),
    "version true": (replace("config.json", b'{"format_version": true}'), "unknown format version True"),
    "version text": (replace("config.json", b'{"format_version": "1"}'), "unknown format version '1'"),
    "newer version": (replace("config.json", b'{"format_version": 3}'), "upgrade isthmus"),
    "weights empty": (replace("weights.safetensors", b""), "truncated"),
    "weights cut in the header": (replace("weights.safetensors", WHOLE[:40]), "truncated"),
    "weights cut in the body": (replace("weights.safetensors", WHOLE[:-1]), "damaged"),
    "weights with a tail": (replace("weights.safetensors", WHOLE + b"\0"), "damaged"),
    "header of 2**63 bytes": (replace("weights.safetensors", b"\xff" * 7 + b"\x7f" + WHOLE[8:]), "truncated"),
    "header a list": (replace("weights.safetensors", safetensors([])), "expected an object"),
    "metadata a number": (replace("weights.safetensors", safetensors({"__metadata__": 3}, b"")), "damaged"),
    "metadata no JSON": (
        replace("weights.safetensors", safetensors({"__metadata__": {"isthmus": "{"}}, b"")),
        "damaged",
    ),
    "entry a number": (replace("weights.safetensors", safetensors({"a": 1})), "damaged"),
    "huge shape": (replace("weights.safetensors", tensor(shape=[2**40, 2**40])), "declares shape"),
    "huge offsets": (replace("weights.safetensors", tensor(shape=[2**62], end=2**64)), "declares shape"),
    "overflowing shape": (replace("weights.safetensors", tensor(shape=[2**62, 2**62 + 1])), "declares"),
    "negative shape": (replace("weights.safetensors", tensor(shape=[-2, -3])), "impossible shape"),
    "fractional shape": (replace("weights.safetensors", tensor(shape=[2.0, 3])), "impossible shape"),
    "text shape": (replace("weights.safetensors", tensor(shape="23")), "impossible shape"),
    "too many axes": (replace("weights.safetensors", tensor(shape=[1] * 33)), "impossible shape"),
    "backward offsets": (replace("weights.safetensors", tensor(begin=24, end=0)), "declares shape"),
    "wrong dtype": (replace("weights.safetensors", tensor(dtype="F64")), "declares shape"),
    "unknown dtype": (replace("weights.safetensors", tensor(dtype="BF16")), "unknown type 'BF16'"),
    "dtype a list": (replace("weights.safetensors", tensor(dtype=["F32"])), "damaged"),
    "hole": (replace("weights.safetensors", tensor(shape=[1, 3], begin=12)), "damaged"),
}


@pytest.mark.parametrize(("damage", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_damaged_folder_is_refused(model: Path, damage: Damage, message: str) -> None:
    damage(model)
    with pytest.raises(StoreError) as error:
        store.read_folder(model)
    assert message in one_line(error)
    assert str(model) in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "does not exist"),
        ("file", "is a file"),
        ("file/below", "does not exist"),
        ("a\0b", "null"),
    ],
)
def test_a_path_that_is_no_folder_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=message) as error:
        store.read_folder(tmp_path / name)
    one_line(error)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "model"
    store.write_folder(folder, FILES)
    return folder


def mutate(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for how, where, new in changes:
        at = where % (len(data) + 1)
        kept = {"insert": at, "set": at + len(new), "delete": at + 1 + where % 7, "cut": len(data)}[how]
        data = data[:at] + (b"" if how in ("delete", "cut") else new) + data[kept:]
    return data


def read_or_refusal(read: Callable[[Path], object], path: Path) -> object:
    try:
        return read(path)
    except StoreError as error:
        return error


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["insert", "set", "delete", "cut"]), st.integers(0, 2**16), st.binary(max_size=9)
    ),
    min_size=1,
    max_size=4,
)


@given(name=st.sampled_from(sorted(FILES)), changes=CHANGES)
def test_random_changes_raise_nothing_but_store_errors(
    scratch: Path, name: str, changes: list[tuple[str, int, bytes]]
) -> None:
    (scratch / name).write_bytes(mutate(FILES[name], changes))
    result = read_or_refusal(store.read_folder, scratch)
    (scratch / name).write_bytes(FILES[name])
    assert isinstance(result, store.ModelFiles) or "\n" not in str(result)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**70) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
NUMBERS = st.lists(st.integers(0, 30) | st.sampled_from([2**31, 2**63, 2**64]) | JSON, max_size=3)
ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "I8", "F8_E4M3", "F4"]) | JSON,
        "shape": NUMBERS | JSON,
        "data_offsets": NUMBERS | JSON,
    }
)


@given(header=st.dictionaries(st.sampled_from(["a", "b", "__metadata__"]), ENTRY | JSON), body=st.binary())
def test_random_headers_raise_nothing_but_store_errors(scratch: Path, header: object, body: bytes) -> None:
    path = scratch.parent / "header"
    path.write_bytes(safetensors(header, body))
    result = read_or_refusal(store.read_tensors, path)
    if isinstance(result, StoreError):
        assert "\n" not in str(result)
    else:
        assert sum(array.nbytes for array in result.arrays.values()) == len(body)


# --- what is refused when writing ---


def make_folder_of_others(path: Path) -> None:
    path.mkdir()
    (path / "thesis.tex").write_text("years of work")


def make_folder_with_foreign_config(path: Path) -> None:
    path.mkdir()
    (path / "config.json").write_text('{"hidden_size": 3}')


def make_model_with_notes(path: Path) -> None:
    store.write_folder(path, FILES)
    (path / "notes.txt").write_text("which seed it was")


def make_link_to_folder_of_others(path: Path) -> None:
    make_folder_of_others(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


NEVER_REPLACED = {
    "file": (lambda path: path.write_text("x"), "is a file"),
    "pipe": (os.mkfifo, "is a file"),
    "other folder": (make_folder_of_others, "never overwritten"),
    "foreign config": (make_folder_with_foreign_config, "never overwritten"),
    "model with notes": (make_model_with_notes, "never overwritten"),
    "link to another folder": (make_link_to_folder_of_others, "never overwritten"),
}


@pytest.mark.parametrize(("make", "message"), NEVER_REPLACED.values(), ids=NEVER_REPLACED.keys())
def test_overwrite_never_removes_what_is_no_model(tmp_path: Path, make: Damage, message: str) -> None:
    make(tmp_path / "out")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match=message) as error:
        store.write_folder(tmp_path / "out", FILES, overwrite=True)
    one_line(error)
    assert snapshot(tmp_path) == before


def test_an_existing_model_needs_overwrite(model: Path) -> None:
    changed = {**FILES, "README.md": b"new"}
    with pytest.raises(StoreError, match="--force"):
        store.write_folder(model, changed)
    assert snapshot(model) == FILES
    store.write_folder(model, changed, overwrite=True)
    assert snapshot(model) == changed


def test_a_damaged_model_can_be_overwritten(model: Path) -> None:
    (model / "weights.safetensors").unlink()
    store.write_folder(model, FILES, overwrite=True)
    assert snapshot(model) == FILES


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    store.write_folder(tmp_path / "model", FILES)
    assert snapshot(tmp_path / "model") == FILES


def test_through_a_link_the_model_behind_it_is_replaced(model: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(model, target_is_directory=True)
    store.write_folder(tmp_path / "latest", {**FILES, "README.md": b"new"}, overwrite=True)
    assert (tmp_path / "latest").is_symlink()
    assert (model / "README.md").read_bytes() == b"new"


@pytest.mark.parametrize("files", [{}, {**FILES, "../evil": b""}, {"config.json": b"{}"}])
def test_only_a_models_files_are_written(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(StoreError, match="missing or unknown files"):
        store.write_folder(tmp_path / "model", files)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["codes.csv", "history.csv"])
def test_nothing_else_is_written_into_a_model_folder(model: Path, name: str) -> None:
    before = store.read_folder(model)
    with pytest.raises(StoreError, match="lies in a model folder"):
        store.write_file(model / name, b"", overwrite=True)
    with pytest.raises(StoreError, match="lies in a model folder"):
        store.check_folder(model / name.partition(".")[0])
    assert store.read_folder(model).history == before.history


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match='b" is not a folder'):
        store.write_folder(tmp_path / "b" / "model", FILES)
    with pytest.raises(StoreError, match="is not a folder"):
        store.write_file(tmp_path / "b" / "file", b"")


class FullDisk:
    """Lets `allowed` writes through, half of the next, then says what a full disk says."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed

    def __call__(self, file: object, data: bytes) -> None:
        if self.allowed == 0:
            file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.allowed -= 1
        file.write(data)


@pytest.mark.parametrize("allowed", range(len(FILES)))
@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: int, existing: bool
) -> None:
    if existing:
        store.write_folder(tmp_path / "model", FILES)
    before = snapshot(tmp_path)
    monkeypatch.setattr("isthmus.store.folder.write_synced", FullDisk(allowed))
    with pytest.raises(StoreError, match="No space left on device; nothing was changed") as error:
        store.write_folder(tmp_path / "model", {**FILES, "README.md": b"new"}, overwrite=True)
    one_line(error)
    assert snapshot(tmp_path) == before
    assert os.listdir(tmp_path) == (["model"] if existing else [])


def test_a_full_disk_at_the_last_moment_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").write_bytes(b"old")
    monkeypatch.setattr(writing, "write_synced", FullDisk(0))
    with pytest.raises(StoreError, match="No space left"):
        store.write_file(tmp_path / "out", b"new", overwrite=True)
    assert snapshot(tmp_path) == {"out": b"old"}


def test_a_failed_rename_puts_the_old_folder_back(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def refuse_new(source: Path, target: Path) -> None:
        if str(source).endswith(".tmp"):
            raise PermissionError(errno.EACCES, "Permission denied", str(source))
        rename(source, target)

    monkeypatch.setattr(writing.os, "rename", refuse_new)
    with pytest.raises(StoreError, match="Permission denied"):
        store.write_folder(model, {**FILES, "README.md": b"new"}, overwrite=True)
    assert snapshot(model.parent) == {f"model/{name}": data for name, data in FILES.items()}


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    def interrupted() -> None:
        with store.open_output(tmp_path / "out") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


def test_another_files_error_inside_the_block_is_not_called_ours(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), store.open_output(tmp_path / "out"):
        open(tmp_path / "input").close()
    assert os.listdir(tmp_path) == []


def test_a_file_needs_overwrite_and_a_folder_is_never_replaced(tmp_path: Path) -> None:
    store.write_file(tmp_path / "out", b"1")
    with pytest.raises(StoreError, match="--force"):
        store.write_file(tmp_path / "out", b"2")
    store.write_file(tmp_path / "out", b"2", overwrite=True)
    assert snapshot(tmp_path) == {"out": b"2"}
    for name in ("folder", "pipe"):
        (tmp_path / "folder").mkdir() if name == "folder" else os.mkfifo(tmp_path / "pipe")
        with pytest.raises(StoreError, match="not a regular file"):
            store.write_file(tmp_path / name, b"3", overwrite=True)


def test_through_a_link_the_file_behind_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"1")
    (tmp_path / "link").symlink_to("real")
    store.write_file(tmp_path / "link", b"2", overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"2"


def test_numbers_that_json_lacks_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        store.json_bytes({"loss": float("nan")})


# What writers refuse can be asked before there is anything to write.


def test_outputs_are_checked_as_writing_would(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_bytes(b"")
    assert store.check_output(tmp_path / "new") == tmp_path / "new"
    assert store.check_output(tmp_path / "file", overwrite=True) == tmp_path / "file"
    assert store.check_folder(tmp_path / "new") == tmp_path / "new"
    for path in ("file", "folder", "no/where"):
        with pytest.raises(StoreError):
            store.check_output(tmp_path / path)
    for path in ("file", "folder", "no/where"):
        with pytest.raises(StoreError):
            store.check_folder(tmp_path / path, overwrite=True)


def test_a_file_goes_with_what_killed_writers_left(tmp_path: Path) -> None:
    kept = ["m", ".m.checkpoint.other.tmp", ".mm.checkpoint.00112233.tmp"]
    for name in (*kept, "m.checkpoint", ".m.checkpoint.00112233.tmp"):
        (tmp_path / name).write_bytes(b"")
    store.remove_with_leftovers(tmp_path / "m.checkpoint")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
