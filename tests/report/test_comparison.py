"""The pages of maps: figures are the task's, beside PCA's, with the rows they were measured on."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from isthmus import Autoencoder
from isthmus.data.sources import as_source
from isthmus.errors import StoreError
from isthmus.manifold.quality import Figure, map_quality
from isthmus.plots.rows import open_rows
from isthmus.report.comparison import comparison_rows, lead, render_comparison, write_comparison
from isthmus.report.map_figures import FIGURES, cell, meanings
from isthmus.report.map_page import render_map, write_map
from isthmus.report.map_truth import measure_map
from isthmus.report.measured import recognise
from isthmus.tasks import compare_maps
from isthmus.tasks.comparison import Comparison

from .test_page import Page


@pytest.fixture(scope="module")
def comparison(digits: Any) -> Comparison:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "umap", None)
        patch.setitem(sys.modules, "openTSNE", None)
        return compare_maps(digits.data[:150], ("pca", "isomap", "tsne", "umap"), labels=digits.target[:150])


# Comparisons ----------------------------------------------------------------------------------------------


def test_the_page_holds_every_figure_the_maps_and_what_could_not_run(comparison: Comparison) -> None:
    page = Page(render_comparison(comparison, label_name="digit", data="<digits>.npz"))
    for map_ in comparison.maps:
        for name, figure in map_.figures.items():
            assert cell(name, figure) in page.words
    assert "3 maps of the same rows, side by side" in page.words
    assert 'umap not installed: pip install "isthmus[compare]"' in page.words
    assert "learned a map from the same 120 rows of" in page.words
    assert "of 30 rows that none of them had seen, except for t-SNE (scikit-learn)" in page.words
    assert "Measured on 30 held-out rows, each among 120 training rows" in page.words
    assert "The colour is “digit”, from which nothing was learned." in page.words
    assert "<digits>.npz" in page.words
    assert page.tags.count("svg") == 1
    assert page.tags.count("table") == 2


def test_the_same_comparison_gives_the_same_page(comparison: Comparison) -> None:
    assert render_comparison(comparison) == render_comparison(comparison)


def test_the_table_says_what_methods_can_and_on_which_rows_they_were_measured(
    comparison: Comparison,
) -> None:
    rows = {row.name: list(row.cells) for row in comparison_rows(comparison)}
    assert rows["measured on"] == ["held-out", "held-out", "training"]
    assert rows["can map new rows"] == ["yes", "yes", "no"]
    assert rows["can invert"] == ["yes", "no", "no"]
    assert rows["has a density"] == ["yes", "no", "no"]
    assert rows["squared error per row"][1:] == ["-", "-"]
    assert rows["squared error per row"][0] == cell("squared_error", comparison.pca_squared_error)
    assert rows["seconds to map held-out rows"][2] == "-"


def test_maps_measured_on_training_rows_are_not_called_the_best(comparison: Comparison) -> None:
    areas = [map_.figures["r_nx_area"].value for map_ in comparison.maps]
    assert np.argmax(areas) == 2
    text = " ".join(lead(comparison))
    best = comparison.maps[int(np.argmax(areas[:2]))]
    assert f"kept best by {best.method.title} (area under R_NX {cell('', best.figures['r_nx_area'])}" in text


def test_the_page_names_held_out_rows_that_were_given(digits: Any, comparison: Comparison) -> None:
    given = as_source(digits.data[600:700])
    given.name = "march.npy"
    found = compare_maps(digits.data[:600], ("pca",), held_out=given)
    assert "Figures are of 100 rows given beside them (march.npy) that none" in lead(found)[0]
    assert "given" not in lead(comparison)[0]


def test_maps_that_were_told_the_labels_are_not_called_the_best(digits: Any) -> None:
    found = compare_maps(digits.data[:600], ("pca", "lda"), labels=digits.target[:600])
    pca, lda = (map_.figures["knn_accuracy@10"].value for map_ in found.maps)
    assert lda > pca
    assert "best" not in " ".join(lead(found))
    page = Page(render_comparison(found, label_name="digit"))
    assert "from which nothing was learned but by LDA (told the labels)." in page.words


def test_every_figure_of_maps_has_its_words(comparison: Comparison) -> None:
    names = {name.partition("@")[0] for map_ in comparison.maps for name in map_.figures}
    assert names == set(FIGURES)
    assert len(meanings(comparison.maps[0].figures)) == len(FIGURES)


def test_figures_are_told_with_their_errors_and_what_is_not_finite_is_not() -> None:
    assert cell("stress", Figure(0.12345, 0.0111)) == "0.123 ± 0.011"
    assert cell("squared_error", Figure(1234.5, 12.34)) == "1234 ± 12"
    assert cell("stress", Figure(float("nan"), 0.1)) == cell("stress", None) == "-"


def test_a_page_is_not_replaced_unasked(comparison: Comparison, tmp_path: Any) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        write_comparison(comparison, path)
    write_comparison(comparison, path, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


# A map ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(digits: Any) -> Any:
    return Autoencoder(2, hidden_sizes=(16,), max_epochs=4, random_state=0).fit(digits.images[:300])


def test_a_map_is_measured_on_the_held_out_rows_beside_pca(digits: Any, model: Any) -> None:
    X, y = digits.images[:300], digits.target[:300]
    given = open_rows(model, X)
    index, training = recognise(given).index, recognise(given).training
    found = measure_map(given, y)
    flat = X.reshape(300, -1)
    pca = PCA(2, random_state=0).fit(flat[training])
    for quality, codes in ((found.map, model.transform(X)), (found.pca, pca.transform(flat))):
        expected = map_quality(
            flat[index],
            codes[index],
            X_reference=flat[training],
            Z_reference=codes[training],
            labels=y[index],
            labels_reference=y[training],
        )
        for name, figure in expected.figures.items():
            assert_allclose(quality.figures[name], figure, rtol=1e-6, err_msg=name)
    assert (found.rows, found.n_rows, found.n_training) == ("held-out", 30, 270)


@pytest.mark.filterwarnings("ignore:constant column")
def test_other_rows_are_measured_among_themselves(digits: Any, model: Any) -> None:
    X = digits.images[300:400]
    found = measure_map(open_rows(model, X))
    expected = map_quality(X.reshape(100, -1), model.transform(X))
    assert (found.rows, found.n_rows, found.n_training) == ("given", 100, 100)
    name = "trustworthiness@10"
    assert_allclose(found.map.figures[name].value, expected.figures[name].value, rtol=1e-6)
    assert found.measured_on == "100 given rows"


def test_the_page_of_a_map_holds_the_map_and_how_true_it_is(digits: Any, model: Any, tmp_path: Any) -> None:
    y = digits.target[:300]
    figures = write_map(model, tmp_path / "map.html", digits.images[:300], y, classes=y)
    page = Page((tmp_path / "map.html").read_text(encoding="utf-8"))
    assert figures.sentence in page.words
    name = "trustworthiness@10"
    assert cell(name, figures.map.figures[name]) in figures.sentence
    assert cell(name, figures.pca.figures[name]) in figures.sentence
    assert "Measured on 30 held-out rows, each among 270 training rows" in page.words
    titles = re.findall(
        r"The map of codes|How true it is|Images and reconstructions|How it learned", page.words
    )
    assert titles == ["The map of codes", "How true it is", "Images and reconstructions", "How it learned"]
    assert "kNN accuracy, 10 nearest" in page.words


def test_the_page_of_a_table_s_map(mixed_table: pl.DataFrame, table_model: Any) -> None:
    html, figures = render_map(table_model, mixed_table, classes=mixed_table["segment"].to_numpy())
    page = Page(html)
    assert "The colour is “segment”, from which nothing was learned." in page.words
    assert "Column by column" in page.words
    assert figures.map.figures["knn_accuracy@10"].value > 0.5
