"""A classifier as a model folder and as a pickle; edited folders are refused in one line."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from torch import nn

import isthmus
from isthmus.errors import InputError, StoreError
from isthmus.estimators import Autoencoder, AutoencoderClassifier, StackedAutoencoder

INNER = Autoencoder(4, hidden_sizes=(16,), max_epochs=5, random_state=0)


def classifier(inner: Any = INNER, **params: Any) -> AutoencoderClassifier:
    return AutoencoderClassifier(clone(inner), **{"max_epochs": 30, "random_state": 0} | params)


@pytest.fixture(scope="module")
def labelled() -> tuple[np.ndarray, np.ndarray]:
    return make_classification(
        200, 8, n_informative=5, n_redundant=2, n_classes=3, class_sep=2.0, random_state=0
    )


@pytest.fixture(scope="module")
def fitted(labelled: tuple[np.ndarray, np.ndarray]) -> AutoencoderClassifier:
    """Return a classifier; do not change it."""
    return classifier().fit(*labelled)


@pytest.mark.parametrize("keep", ["save", "pickle"])
def test_it_is_kept_with_its_autoencoder(
    fitted: AutoencoderClassifier, labelled: tuple[np.ndarray, np.ndarray], tmp_path: Path, keep: str
) -> None:
    X, y = labelled
    if keep == "save":
        fitted.save(tmp_path / "model")
        again = isthmus.load(tmp_path / "model")
    else:
        data = pickle.dumps(fitted)
        assert b"torch" not in data.replace(b"classifier_model", b"")
        again = pickle.loads(data)
    assert isinstance(again, AutoencoderClassifier)
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(again.estimator_.transform(X), fitted.estimator_.transform(X))
    assert (again.metrics_, again.history_) == (fitted.metrics_, fitted.history_)
    assert (again.estimator_.metrics_, again.estimator_.history_) == (
        fitted.estimator_.metrics_,
        fitted.estimator_.history_,
    )
    assert (again.n_iter_, again.seed_, again.n_features_in_) == (fitted.n_iter_, fitted.seed_, 8)
    assert str(again.get_params()) == str(fitted.get_params())
    assert np.array_equal(again.fit(X, y).predict_proba(X), fitted.predict_proba(X))


def test_a_fitted_autoencoder_stays_where_learning_begins(
    labelled: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = labelled
    inner = clone(INNER).fit(X)
    model = AutoencoderClassifier(inner, max_epochs=3, random_state=0).fit(X, y)
    model.save(tmp_path / "model")
    for again in (isthmus.load(tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        assert again.estimator is again.estimator_
        assert np.array_equal(again.fit(X, y).predict_proba(X), model.predict_proba(X))


def test_the_defaults_and_own_networks_are_kept(
    labelled: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = labelled
    inner = StackedAutoencoder(2, hidden_sizes=(4,), max_epochs=1, layer_epochs=1, random_state=0)
    model = classifier(inner, max_epochs=1).fit(X, y)
    model.estimator = None
    model.save(tmp_path / "model")
    assert isthmus.load(tmp_path / "model").estimator is None
    own = classifier(Autoencoder(2, encoder=make, max_epochs=1, random_state=0), max_epochs=2).fit(X, y)
    own.save(tmp_path / "own")
    with pytest.raises(StoreError, match=r"its own encoder \(.*make\); pass it"):
        isthmus.load(tmp_path / "own")
    again = isthmus.load(tmp_path / "own", encoder=make)
    assert np.array_equal(again.predict_proba(X), own.predict_proba(X))


def make(n_in: int, n_out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(n_in, 4), nn.Tanh(), nn.Linear(4, n_out))


def test_its_card_tells_figures_beside_the_frequencies(fitted: AutoencoderClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    card = (tmp_path / "model" / "README.md").read_text()
    assert "3 classes: 0, 1, 2." in card
    assert "Measured on 20 held-out rows." in card
    assert "| accuracy, higher is better |" in card
    assert "# Autoencoder\n" in card
    with pytest.raises(StoreError, match="exists"):
        fitted.save(tmp_path / "model")


def test_dates_are_no_classes_that_can_be_saved(
    labelled: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    X, y = labelled
    model = classifier(max_epochs=1).fit(X, y)
    model.classes_ = np.array(["2020", "2021", "2022"], dtype="datetime64[Y]")
    with pytest.raises(InputError, match="cannot be saved; fit on texts or numbers"):
        model.save(tmp_path / "model")


EDITED: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "fewer classes": (("classes", "values"), [0, 1], "size mismatch"),
    "very many classes": (("classes", "values"), list(range(100_000)), "need .* weights"),
    "the same class twice": (("classes", "values"), [0, 1, 1], "distinct classes"),
    "classes of two types": (("classes", "values"), [0, 1, "2"], "does not name classes"),
    "lists as classes": (("classes", "values"), [[0], [1], [2]], "does not name classes"),
    "no classes": (("classes", "values"), [], "does not name classes"),
    "another type": (("classes", "dtype"), "datetime64[s]", "does not name classes"),
    "a type that loses digits": (("classes", "dtype"), "bool", "distinct classes"),
    "no type": (("classes", "dtype"), "evil", "evil"),
    "a parameter": (("params", "max_epochs"), -1, "max_epochs"),
    "a surprise": (("params", "surprise"), 1, "surprise"),
    "another inner estimator": (("autoencoder", "estimator"), "Autoencodr", "Did you mean"),
    "a classifier inside": (("autoencoder", "estimator"), "AutoencoderClassifier", "no estimator is called"),
    "inner layers": (("autoencoder", "architecture", "hidden_sizes"), [10**9, 10**9], "declares layers"),
    "inner figures": (("autoencoder", "metrics"), {"score": 1}, "figures of a model"),
    "inner history": (("autoencoder", "history"), "epoch\n1,2,3\n", "fit together"),
    "a given estimator": (("given", "params", "max_epochs"), 0, "max_epochs"),
    "no such estimator": (("given", "estimator"), "os.system", "no estimator is called"),
    "seed": (("seed",), -1, "whole number"),
    "columns": (("n_features_in",), 9, "different columns"),
}


@pytest.mark.parametrize(("path", "to", "problem"), EDITED.values(), ids=EDITED)
def test_edited_folders_are_refused_in_one_line(
    fitted: AutoencoderClassifier, tmp_path: Path, path: tuple[str | int, ...], to: Any, problem: str
) -> None:
    folder = tmp_path / "model"
    fitted.save(folder)
    config = json.loads((folder / "config.json").read_text())
    inner = config
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(StoreError, match=problem) as caught:
        isthmus.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [lambda m: {}, lambda m: m | {"rows": "all"}, lambda m: m | {"accuracy": "1"}]
)
def test_edited_figures_are_refused(
    fitted: AutoencoderClassifier, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / "metrics.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(StoreError, match="figures of a classifier"):
        isthmus.load(tmp_path / "model")
