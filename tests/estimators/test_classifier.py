from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import isthmus
from isthmus.data.splitting import held_out_rows
from isthmus.estimators import (
    Autoencoder,
    AutoencoderClassifier,
    ConditionalVariationalAutoencoder,
    StackedAutoencoder,
    VariationalAutoencoder,
    VectorQuantizedAutoencoder,
)
from isthmus.estimators.classifier_model import ClassifierModel

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


# Learning ---------------------------------------------------------------------------------------------------


def test_it_tells_digits_apart(digits: Any) -> None:
    X, y = digits.data, digits.target
    inner = StackedAutoencoder(30, hidden_sizes=(64,), max_epochs=10, layer_epochs=10, random_state=0)
    model = classifier(inner, max_epochs=40).fit(X[:1200], y[:1200])
    assert model.score(X[1200:], y[1200:]) > 0.9
    assert model.metrics_["accuracy"] > 0.93
    assert model.metrics_["majority_accuracy"] < 0.2


def test_without_hidden_layers_it_is_a_linear_classifier() -> None:
    """The code is a linear map, and the cross-entropy of a linear map is logistic regression."""
    X, y = make_classification(400, 6, n_informative=4, class_sep=0.7, flip_y=0.1, random_state=1)
    inner = Autoencoder(6, hidden_sizes=(), max_epochs=5, random_state=0)
    linear = classifier(inner, max_epochs=80, validation_fraction=0.0)
    original = ClassifierModel.__init__

    def without_activation(self: ClassifierModel, *arguments: Any) -> None:
        original(self, *arguments)
        self.activation = nn.Identity()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClassifierModel, "__init__", without_activation)
        linear.fit(X, y)
    wanted = LogisticRegression(C=1e6).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(linear.predict_proba(X), wanted, atol=0.03)


def test_probabilities_are_those_of_the_classes(
    fitted: AutoencoderClassifier, labelled: tuple[np.ndarray, np.ndarray]
) -> None:
    X, _ = labelled
    shares = fitted.predict_proba(X)
    assert (shares.shape, shares.dtype) == ((200, 3), np.float64)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert np.array_equal(fitted.predict(X), fitted.classes_[shares.argmax(axis=1)])
    chosen = np.random.default_rng(0).permutation(200)[:33]
    assert np.array_equal(fitted.predict_proba(X[chosen]), shares[chosen])


def test_the_figures_are_of_held_out_rows(
    fitted: AutoencoderClassifier, labelled: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = labelled
    out = held_out_rows(200, 0.1, fitted.seed_)
    metrics, shares = fitted.metrics_, fitted.predict_proba(X[out])
    assert (metrics["rows"], metrics["n_rows"]) == ("held-out", 20)
    assert metrics["accuracy"] == pytest.approx(fitted.score(X[out], y[out]))
    entropy = -np.log(shares[np.arange(20), y[out]]).mean()
    assert metrics["cross_entropy"] == pytest.approx(entropy, rel=1e-4)
    # It is what the loop judges by, and the best epoch is kept.
    assert min(row["validation_loss"] for row in fitted.history_) == pytest.approx(entropy, rel=1e-4)
    frequencies = np.bincount(y) / 200
    assert metrics["majority_accuracy"] == np.mean(y[out] == frequencies.argmax())
    assert metrics["frequencies_cross_entropy"] == pytest.approx(
        -np.log(frequencies[y[out]]).mean(), rel=1e-4
    )
    training = classifier(max_epochs=2, validation_fraction=0.0).fit(X, y)
    assert (training.metrics_["rows"], training.metrics_["n_rows"]) == ("training", 200)


def test_it_begins_with_the_frequencies_of_the_classes(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = labelled
    some = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y > 0)[:30]]
    model = classifier(max_epochs=1, learning_rate=1e-30).fit(X[some], y[some])
    wanted = np.bincount(y[some]) / len(some)
    np.testing.assert_allclose(model.predict_proba(X), np.tile(wanted, (200, 1)), atol=1e-6)


def test_a_fitted_autoencoder_is_where_it_begins(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = labelled
    inner = clone(INNER).fit(X)  # all rows, labelled or not
    codes = inner.transform(X)
    model = AutoencoderClassifier(inner, max_epochs=1, learning_rate=1e-30, random_state=0).fit(
        X[:50], y[:50]
    )
    assert model.estimator_ is inner
    assert inner.n_training_rows_ == 180
    start = model.model_.encoder.state_dict()
    assert all(torch.equal(start[name], tensor) for name, tensor in inner.model_.encoder.state_dict().items())
    learned = AutoencoderClassifier(inner, max_epochs=5, random_state=0).fit(X[:50], y[:50])
    assert not torch.equal(learned.model_.encoder[0].weight, inner.model_.encoder[0].weight)
    assert np.array_equal(inner.transform(X), codes)  # the autoencoder itself stays as it is
    assert not hasattr(clone(learned).estimator, "model_")  # a clone is not fitted, nor is what it holds


def test_learning_without_labels_first_helps_where_labels_are_few() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, 600)
    centres = 3 * rng.normal(size=(4, 3))
    X = np.tanh((centres[label] + rng.normal(size=(600, 3))) @ rng.normal(size=(3, 30))) + 0.3 * rng.normal(
        size=(600, 30)
    )
    inner = Autoencoder(3, hidden_sizes=(32,), max_epochs=60, random_state=0).fit(X[:500])
    few = slice(0, 24)

    def accuracy(**params: Any) -> float:
        model = AutoencoderClassifier(inner, max_epochs=30, validation_fraction=0.0, random_state=0, **params)
        return float(model.fit(X[few], label[few]).score(X[500:], label[500:]))

    assert accuracy() > accuracy(pretrained=False) + 0.02


def test_from_random_weights_it_has_the_same_sizes(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = labelled
    model = classifier(pretrained=False, max_epochs=1, learning_rate=1e-30).fit(X, y)
    state = model.estimator_.model_.encoder.state_dict()
    for name, tensor in model.model_.encoder.state_dict().items():
        assert tensor.shape == state[name].shape
    assert not torch.equal(model.model_.encoder[0].weight, state["0.weight"])
    assert len(model.estimator_.history_) == 1


# What it takes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [
        (lambda y: y + 5, "int64"),
        (lambda y: np.array(["ant", "bee", "cow"])[y], "<U3"),
        (lambda y: np.array(["ant", "bee", "cow"], dtype=object)[y], "object"),
        (lambda y: y > 0, "bool"),
        (lambda y: y.astype(float), "float64"),
        (lambda y: y.astype(np.uint8), "uint8"),
        (lambda y: pd.Series(np.array(["ant", "bee", "cow"])[y], dtype="category"), "object"),
        (lambda y: pd.Series(y), "int64"),
        (lambda y: pl.Series(np.array(["ant", "bee", "cow"])[y]), "<U3"),
        (lambda y: y.tolist(), "int64"),
    ],
    ids=[
        "integers",
        "texts",
        "objects",
        "truth",
        "floats",
        "bytes",
        "pandas categories",
        "pandas",
        "polars",
        "list",
    ],
)
def test_classes_come_back_as_they_were_named(
    labelled: tuple[np.ndarray, np.ndarray], tmp_path: Path, convert: Callable[[np.ndarray], Any], dtype: str
) -> None:
    X, y = labelled
    named = convert(y)
    model = classifier(max_epochs=5).fit(X, named)
    assert model.classes_.dtype == dtype
    assert model.classes_.tolist() == sorted(set(np.asarray(named).tolist()))
    assert set(model.predict(X).tolist()) <= set(np.asarray(named).tolist())
    assert model.score(X, named) > 0.5
    model.save(tmp_path / "model")
    again = isthmus.load(tmp_path / "model")
    assert again.classes_.tolist() == model.classes_.tolist()
    assert np.array_equal(again.predict(X), model.predict(X))


def test_rows_may_be_of_any_kind_that_the_autoencoder_takes(
    labelled: tuple[np.ndarray, np.ndarray], mixed_table: pl.DataFrame, digits: Any
) -> None:
    X, y = labelled
    gaps = X.copy()
    gaps[::4, 2] = np.nan
    assert classifier().fit(gaps, y).score(gaps, y) > 0.6
    images = classifier(Autoencoder(4, max_epochs=1, random_state=0), max_epochs=3)
    images.fit(digits.images[:200], digits.target[:200])
    assert images.estimator_.architecture_.network == "conv"
    flat = digits.images[:5].reshape(5, 64)
    assert np.array_equal(images.predict_proba(flat), images.predict_proba(digits.images[:5]))
    segment = mixed_table["segment"]
    for frame in (mixed_table.drop("segment"), mixed_table.drop("segment").to_pandas()):
        table = classifier().fit(frame, segment)
        assert table.score(frame, segment) > 0.8
        assert list(table.feature_names_in_) == mixed_table.columns[:-1]
        assert table.n_features_in_ == 7
    for inner in (
        VariationalAutoencoder(4, hidden_sizes=(16,), max_epochs=3, random_state=0),
        VectorQuantizedAutoencoder(4, hidden_sizes=(16,), max_epochs=3, random_state=0),
        Autoencoder(4, hidden_sizes=(16,), network="gated_mlp", max_epochs=3, random_state=0),
    ):
        assert classifier(inner).fit(X, y).score(X, y) > 0.5


def test_weights_count(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = labelled
    weight = np.where(y == 2, 0.0, 1.0)
    model = classifier().fit(X, y, sample_weight=weight)
    assert (model.predict(X) != 2).all()
    assert not np.array_equal(model.estimator_.transform(X), classifier().fit(X, y).estimator_.transform(X))


def test_what_cannot_be_learned_is_refused_in_one_line(
    fitted: AutoencoderClassifier, labelled: tuple[np.ndarray, np.ndarray]
) -> None:
    X, y = labelled
    conditional = ConditionalVariationalAutoencoder(2, condition="a")
    told = ConditionalVariationalAutoencoder(2, hidden_sizes=(4,), max_epochs=1).fit(X, condition=y)
    inner = clone(INNER).fit(X)
    for model, data, labels, problem in (
        (classifier(), X, None, "requires y to be passed"),
        (classifier(), X, y[:-1], "y has 199 values and X 200 rows"),
        (classifier(), X, X[:, 0], "continuous"),
        (classifier(), X, np.where(y == 0, np.nan, y), "NaN"),
        (classifier(), X, np.where(y == 0, None, "a"), "mixes values of several types, or lacks some"),
        (classifier(), X, np.where(y == 0, None, y), "mixes values of several types, or lacks some"),
        (classifier(conditional), X, y, "told a condition"),
        (AutoencoderClassifier(told), X, y, "told a condition"),
        (AutoencoderClassifier(StandardScaler()), X, y, "no autoencoder of isthmus"),
        (AutoencoderClassifier(inner), X[:, :5], y, "5 features"),
        (classifier(max_epochs=0), X, y, "max_epochs"),
    ):
        with pytest.raises(ValueError, match=problem) as caught:
            model.fit(data, labels)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="5 features"):
        fitted.predict(X[:, :5])
    # A fit that fails changes nothing.
    model = classifier(max_epochs=2).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="y has 199"):
        model.fit(X, y[:-1])
    assert np.array_equal(model.predict_proba(X), before)


# An estimator as others -------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bits(labelled: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = labelled
    before = torch.get_rng_state()
    inner = Autoencoder(4, hidden_sizes=(16,), max_epochs=3)  # its seed derives from the classifier's
    first, again, other = (
        classifier(inner, max_epochs=3, random_state=s).fit(X, y).predict_proba(X) for s in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_goes_through_pipelines_grids_and_cross_validation(
    labelled: tuple[np.ndarray, np.ndarray],
) -> None:
    X, y = labelled
    piped = make_pipeline(StandardScaler(), classifier()).fit(X, y)
    assert piped.score(X, y) > 0.8
    assert cross_val_score(classifier(), X, y, cv=3).mean() > 0.6
    grid = GridSearchCV(classifier(max_epochs=10), {"estimator__n_components": [1, 4]}, cv=2).fit(X, y)
    assert grid.best_params_ == {"estimator__n_components": 4}
    model = classifier(VariationalAutoencoder(4))
    assert (
        model.set_params(
            estimator__prior="vamp_prior", estimator__prior__n_pseudo_inputs=7
        ).estimator.prior.n_pseudo_inputs
        == 7
    )


def test_an_interrupt_keeps_the_best_model(
    labelled: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = labelled
    objective, seen = ClassifierModel.objective, 0

    def interrupted(self: ClassifierModel, *arguments: Any) -> Any:
        nonlocal seen
        terms = objective(self, *arguments)
        seen += 1
        if seen == 60:
            signal.raise_signal(signal.SIGINT)
        return terms

    monkeypatch.setattr(ClassifierModel, "objective", interrupted)
    with pytest.warns(UserWarning, match=r"interrupted in epoch \d+; the best model so far is kept"):
        model = classifier(max_epochs=500).fit(X, y)
    assert 1 < model.n_iter_ < 20
    best = min(row["validation_loss"] for row in model.history_)
    assert model.metrics_["cross_entropy"] == pytest.approx(best, rel=1e-4)
