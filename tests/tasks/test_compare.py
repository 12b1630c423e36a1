"""Maps compared: figures are other libraries', held-out rows stay unseen, and what cannot run is named."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.manifold import TSNE, Isomap, LocallyLinearEmbedding, trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from isthmus import Autoencoder, VariationalAutoencoder
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.splitting import held_out_rows
from isthmus.errors import InputError
from isthmus.manifold.quality import map_quality
from isthmus.tasks import compare_maps, measuring
from isthmus.tasks.comparison import Comparison, NotRun
from isthmus.tasks.map_rows import are_classes, split_rows
from isthmus.tasks.measuring import measured, seeded
from isthmus.tasks.methods import Method, estimator_method, find_method

SMALL: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 2}


@pytest.fixture(scope="module")
def some(digits: Any) -> tuple[Any, Any]:
    X = digits.data[:250]
    return X[:, np.ptp(X, axis=0) > 0], digits.target[:250]


@pytest.fixture(scope="module")
def found(some: Any) -> Comparison:
    own = [estimator_method(Autoencoder(**SMALL)), estimator_method(VariationalAutoencoder(**SMALL))]
    return compare_maps(some[0], ("pca", "isomap", "lle", "tsne", *own), labels=some[1], n_neighbors=(1, 30))


def one(found: Comparison, name: str) -> Any:
    return next(map_ for map_ in found.maps if map_.method.name == name)


def split(X: Any, y: Any) -> tuple[Any, Any, Any, Any]:
    aside = held_out_rows(len(X), 0.2, 0)
    return X[~aside], X[aside], y[~aside], y[aside]


# Figures --------------------------------------------------------------------------------------------------


def test_the_row_of_pca_is_scikit_learn_s(some: Any, found: Comparison) -> None:
    X, held, y, held_y = split(*some)
    pca, map_ = PCA(2, random_state=0).fit(X), one(found, "pca")
    assert_allclose(map_.training, pca.transform(X), atol=1e-9)
    assert_allclose(map_.held_out, pca.transform(held), atol=1e-9)
    errors = ((pca.inverse_transform(pca.transform(held)) - held) ** 2).sum(axis=1)
    assert_allclose(map_.squared_error, (errors.mean(), errors.std(ddof=1) / np.sqrt(50)), rtol=1e-9)
    assert_allclose(found.pca_squared_error, map_.squared_error, rtol=1e-12)
    neighbor = KNeighborsClassifier(1).fit(pca.transform(X), y)
    assert map_.figures["knn_accuracy@1"].value == neighbor.score(pca.transform(held), held_y)
    assert map_.measured_on == "held-out"
    assert map_.has_density


def test_other_methods_are_those_of_their_libraries(some: Any, found: Comparison) -> None:
    X, held, _, _ = split(*some)
    isomap = Isomap(n_neighbors=15).fit(X)
    lle = LocallyLinearEmbedding(n_neighbors=15, random_state=0).fit(X)
    for name, fitted in (("isomap", isomap), ("lle", lle)):
        map_ = one(found, name)
        assert_allclose(map_.training, fitted.embedding_, rtol=1e-6, atol=1e-8)
        assert_allclose(map_.held_out, fitted.transform(held), rtol=1e-6, atol=1e-8)
        assert map_.squared_error is None
        assert map_.invert_seconds is None
        assert not map_.has_density
    assert one(found, "tsne").method.title == "t-SNE (openTSNE)"
    assert one(found, "tsne").held_out.shape == (50, 2)


def test_lda_is_told_the_classes_and_fails_without(some: Any) -> None:
    X, held, y, held_y = split(*some)
    lda = LinearDiscriminantAnalysis(n_components=2).fit(X, y)
    map_ = compare_maps(some[0], ("lda",), labels=some[1], n_neighbors=(1,)).maps[0]
    assert_allclose(map_.training, lda.transform(X), atol=1e-9)
    assert_allclose(map_.held_out, lda.transform(held), atol=1e-9)
    neighbor = KNeighborsClassifier(1).fit(lda.transform(X), y)
    assert map_.figures["knn_accuracy@1"].value == neighbor.score(lda.transform(held), held_y)
    for labels in (None, some[1] + 0.5):
        found = compare_maps(some[0], ("lda",), labels=labels)
        assert found.not_run[0].why.startswith("failed: it learns from classes; give labels that are: text")
    few = compare_maps(some[0], ("pca", "lda"), labels=some[1] > 4)
    assert few.not_run == (NotRun("lda", "failed: 2 classes have 1 axes; 2 components take 3 classes"),)
    named = compare_maps(some[0], ("lda",), labels=np.array(list("abcdefghij"), dtype=object)[some[1]])
    assert_allclose(named.maps[0].held_out, map_.held_out, atol=1e-9)


def test_held_out_rows_of_another_shape_are_refused(some: Any) -> None:
    for other in (some[0][:50, :20], np.hstack([some[0], some[0]]), pl.DataFrame(some[0][:50])):
        with pytest.raises(InputError, match="give rows of the same shape"):
            compare_maps(some[0], ("pca",), held_out=other)


def test_all_are_measured_on_the_same_held_out_rows_among_the_training_rows(
    some: Any, found: Comparison
) -> None:
    X, held, y, held_y = split(*some)
    assert_array_equal(found.rows.training, X)
    assert_array_equal(found.rows.held_out, held)
    assert_array_equal(some[1][found.rows.held_out_index], held_y)
    for map_ in found.maps:
        expected = map_quality(
            held,
            map_.held_out,
            X_reference=X,
            Z_reference=map_.training,
            labels=held_y,
            labels_reference=y,
            n_neighbors=(1, 30),
        )
        assert map_.quality.figures == expected.figures


def test_estimators_of_this_library_invert_and_say_whether_they_have_a_density(
    some: Any, found: Comparison
) -> None:
    X, held, _, _ = split(*some)
    map_ = one(found, "Autoencoder")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "constant column")
        model = Autoencoder(2, random_state=0, **SMALL).fit(X)
        errors = ((model.reconstruct(held) - held) ** 2).sum(axis=1)
        assert_allclose(map_.held_out, model.transform(held), rtol=1e-5, atol=1e-6)
    assert_allclose(map_.squared_error.value, errors.mean(), rtol=1e-5)
    assert map_.method.can_invert
    assert not map_.has_density
    assert one(found, "VariationalAutoencoder").has_density


def table(found: Comparison) -> dict[str, Any]:
    told = found.as_dict()
    for method in told["methods"]:
        for name in ("fit_seconds", "transform_seconds", "invert_seconds", "peak_bytes"):
            del method[name]
    return json.loads(json.dumps(told))


def test_the_same_seed_gives_the_same_table_but_for_what_it_takes(some: Any, found: Comparison) -> None:
    methods = [map_.method for map_ in found.maps]
    np.random.random(7)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    again = compare_maps(some[0], methods, labels=some[1], n_neighbors=(1, 30))
    assert table(again) == table(found)
    after = np.random.get_state()  # noqa: NPY002
    assert_array_equal(after[1], before[1])
    assert after[2] == before[2]
    assert table(compare_maps(some[0], ("pca",), random_state=1)) != table(compare_maps(some[0], ("pca",)))


def test_what_it_takes_is_measured(found: Comparison) -> None:
    for map_ in found.maps:
        assert map_.fit_seconds > 0
        assert map_.transform_seconds > 0
        assert map_.peak_bytes is None or map_.peak_bytes >= 0
    assert one(found, "Autoencoder").invert_seconds > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
def test_umap_maps_new_rows_and_inverts(some: Any) -> None:
    (map_,) = compare_maps(some[0][:150], ("umap",), labels=some[1][:150]).maps
    assert map_.held_out.shape == (30, 2)
    assert map_.figures["trustworthiness@10"].value > 0.9
    assert map_.squared_error.value < 1200


# What cannot be done --------------------------------------------------------------------------------------


def test_a_missing_library_is_a_named_row(some: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    told: list[tuple[str, str]] = []
    found = compare_maps(some[0], ("umap", "pca"), on_method=lambda *words: told.append(words))
    assert found.not_run == (NotRun("umap", 'not installed: pip install "isthmus[compare]"'),)
    assert [map_.method.name for map_ in found.maps] == ["pca"]
    assert [name for name, _ in told] == ["umap", "pca"]
    assert found.as_dict()["not_run"] == [{"name": "umap", "why": found.not_run[0].why}]


def test_without_open_tsne_it_is_scikit_learn_s_measured_on_the_training_rows(
    some: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    X, y = some[0][:120], some[1][:120]
    (map_,) = compare_maps(X, ("tsne",), labels=y).maps
    train, _, _, _ = split(X, y)
    codes = TSNE(2, perplexity=30, init="pca", random_state=0).fit_transform(train)
    assert map_.method.title == "t-SNE (scikit-learn)"
    assert not map_.method.can_transform
    assert map_.measured_on == "training"
    assert (map_.held_out, map_.transform_seconds, map_.squared_error) == (None, None, None)
    assert_allclose(map_.training, codes, rtol=1e-5)
    # Equally far rows are ordered at random here.
    expected = trustworthiness(train, codes, n_neighbors=10)
    assert_allclose(map_.figures["trustworthiness@10"].value, expected, rtol=1e-3)


class Broken:
    """Fails where it is told to."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fit(self, X: Any) -> Broken:
        if self.where == "fit":
            raise ValueError("no\nluck")
        self.embedding_ = X[:, :2] if self.where != "codes" else np.full((len(X), 2), np.nan)
        return self

    def transform(self, X: Any) -> Any:
        return X[:, :2]

    def inverse_transform(self, Z: Any) -> Any:
        raise RuntimeError("no way back")


def broken(where: str) -> Method:
    return Method(where, where, lambda *_: Broken(where), can_invert=where == "inverse")


def test_a_method_that_fails_is_named_and_the_others_go_on(some: Any) -> None:
    found = compare_maps(some[0], (broken("fit"), broken("codes"), "pca"))
    assert found.not_run == (
        NotRun("fit", "failed: no luck"),
        NotRun("codes", "failed: the codes are not all finite numbers"),
    )
    assert len(found.maps) == 1


def test_a_map_that_cannot_be_inverted_is_kept_and_told(some: Any) -> None:
    with pytest.warns(UserWarning, match="inverse: codes of held-out rows could not be turned into rows"):
        (map_,) = compare_maps(some[0], (broken("inverse"),)).maps
    assert (map_.squared_error, map_.invert_seconds) == (None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ("pcs",)}, 'no method is called "pcs". Did you mean "pca"'),
        ({"methods": ()}, "methods is empty"),
        ({"methods": ("pca", "pca")}, "methods has pca twice"),
        ({"methods": ("ConditionalVariationalAutoencoder",)}, "is told a condition"),
        ({"n_components": 0}, "n_components is 0"),
        ({"test_fraction": 1.0}, "test_fraction is 1.0"),
        ({"test_fraction": 0.001}, "too few would be held out"),
        ({"n_neighbors": (10, 79)}, "give numbers from 1 to 78"),
        ({"n_neighbors": (0,)}, "n_neighbors is"),
        ({"random_state": -1}, "random_state is -1"),
        ({"labels": [1, 2]}, "labels has shape"),
        ({"held_out_labels": [1, 2]}, "without held_out"),
        ({"held_out": np.ones((9, 3)), "labels": range(100)}, "belong together"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_work(change: dict[str, Any], message: str) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    started = Method("started", "started", lambda *_: pytest.fail("work had begun"))
    with pytest.raises(InputError) as error:
        compare_maps(rows, **({"methods": (started,)} | change))
    assert message in str(error.value)


# Rows -----------------------------------------------------------------------------------------------------


def test_held_out_rows_may_be_given(some: Any, found: Comparison) -> None:
    X, held, y, held_y = split(*some)
    given = compare_maps(X, ("pca",), labels=y, held_out=held, held_out_labels=held_y, n_neighbors=(1, 30))
    assert given.maps[0].figures == one(found, "pca").figures
    assert (given.as_dict()["held_out"], found.as_dict()["held_out"]) == ("array", None)


def test_of_many_rows_some_are_drawn_with_their_labels(some: Any) -> None:
    rows = split_rows(some[0], labels=some[1], max_rows=100, seed=3)
    assert (len(rows.training), len(rows.held_out)) == (80, 20)
    assert_array_equal(rows.training, some[0][rows.training_index])
    assert_array_equal(rows.held_out_labels, some[1][rows.held_out_index])
    assert not np.isin(rows.training_index, rows.held_out_index).any()


def test_tables_are_seen_as_encoders_see_them_and_nothing_is_learned_from_held_out_rows(
    mixed_table: pl.DataFrame,
) -> None:
    schema = infer_schema(as_source(mixed_table), roles={"segment": "label"})
    rows = split_rows(mixed_table, schema=schema)
    assert_allclose(rows.training[:, 0].mean(), 0, atol=1e-6)
    assert_allclose(rows.training[:, 0].std(), 1, rtol=1e-3)
    assert abs(rows.held_out[:, 0].mean()) > 1e-3
    other = split_rows(mixed_table.drop("segment"))
    assert_array_equal(rows.training, other.training)
    assert np.isfinite(rows.held_out).all()


def test_a_missing_number_is_the_training_mean_and_images_keep_their_shape(digits: Any) -> None:
    X = digits.images[:100].astype(float)
    X[:, 3, 3] = np.arange(100)
    X[5, 3, 3] = X[6, 3, 3] = np.nan
    rows = split_rows(X)
    position = 3 * 8 + 3
    known = [i for i in rows.training_index if i not in (5, 6)]
    joined = np.concatenate([rows.training, rows.held_out])
    index = np.concatenate([rows.training_index, rows.held_out_index])
    assert rows.shape == (8, 8)
    assert_allclose(joined[np.isin(index, [5, 6]), position], np.mean(known))

    seen: list[tuple[int, ...]] = []

    class Spy(PCA):
        def fit(self, X: Any, y: Any = None) -> Any:
            seen.append(X.shape)
            self.embedding_ = X.reshape(len(X), -1)[:, :2]
            return self

        def transform(self, X: Any) -> Any:
            return X.reshape(len(X), -1)[:, :2]

    compare_maps(X, [Method(str(i), "", lambda *_: Spy(), takes_images=bool(i)) for i in (0, 1)])
    assert seen == [(80, 64), (80, 8, 8)]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["a", "b"], True),
        ([True, False], True),
        ([0, 1, 9], True),
        ([0.0, 2.0], True),
        ([0.5, 1.5], False),
        ([0.0, np.nan], False),
        (np.array(["a", None], dtype=object), False),
        (np.array(["a", "b"], dtype=object), True),
        (range(51), False),
        (np.array(["2024-01-01"], dtype="M8[D]"), False),
    ],
)
def test_classes_are_told_from_measurements(labels: Any, classes: bool) -> None:
    assert are_classes(np.asarray(labels)) is classes


def test_labels_that_are_no_classes_give_no_figures_of_classes(some: Any) -> None:
    found = compare_maps(some[0], ("pca",), labels=some[0].sum(axis=1) + 0.5)
    assert not any(name.startswith("knn") for name in found.maps[0].figures)
    assert found.rows.labels is not None


# Measuring ------------------------------------------------------------------------------------------------


def test_the_peak_counts_memory_that_was_freed_again() -> None:
    taken = measured(lambda: len(np.ones(12_500_000)))
    assert taken.value == 12_500_000
    assert taken.peak_bytes is None or 90e6 < taken.peak_bytes < 130e6
    nothing = measured(lambda: None)
    assert nothing.peak_bytes is None or nothing.peak_bytes < 10e6


def test_where_the_system_does_not_tell_the_peak_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(measuring, "PROCESS", tmp_path / "nowhere")
    assert measured(lambda: 1).peak_bytes is None


def test_a_method_leaves_the_number_of_threads_as_it_was() -> None:
    threads = torch.get_num_threads()
    assert measured(lambda: torch.set_num_threads(threads + 1)).value is None
    assert torch.get_num_threads() == threads


def test_numpy_s_generator_is_seeded_and_put_back() -> None:
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random(2)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    with seeded(1):
        inside = np.random.random()  # noqa: NPY002
    assert_array_equal(np.random.random(2), expected)  # noqa: NPY002
    with seeded(1):
        assert np.random.random() == inside  # noqa: NPY002


def test_isthmus_is_the_manifold_autoencoder() -> None:
    method = find_method("isthmus")
    assert (method.name, method.title) == ("isthmus", "isthmus")
    assert type(method.make(2, 100, 7)).__name__ == "ManifoldAutoencoder"
    assert (method.make(2, 100, 7).n_components, method.make(2, 100, 7).random_state) == (2, 7)
    assert find_method("variational-autoencoder").title == "VariationalAutoencoder"
