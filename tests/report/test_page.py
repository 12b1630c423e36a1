from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

import isthmus
from isthmus import Autoencoder, DenoisingAutoencoder
from isthmus.errors import InputError, StoreError
from isthmus.plots import Labels
from isthmus.plots.rows import open_rows
from isthmus.report import write_report
from isthmus.report.measured import recognise
from isthmus.report.page import render
from isthmus.report.pictures import inline_svg

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Parses strictly: elements must nest, and are kept with their attributes; text is kept by section."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f" {data}"

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


@pytest.fixture(scope="module")
def digits_page(digits_model: Any, digits: Any) -> Page:
    return Page(render(digits_model, digits.images, digits.target))


@pytest.fixture(scope="module")
def table_html(table_model: Any, mixed_table: pl.DataFrame) -> str:
    return render(table_model, mixed_table)


# What stands on the page -----------------------------------------------------------------------------


def test_it_says_what_was_learned_and_the_rows_it_was_measured_on(
    digits_page: Page, digits_model: Any
) -> None:
    metrics = digits_model.metrics_
    share = 1 - metrics["squared_error"] / metrics["mean_squared_error"]
    pca = 1 - metrics["pca_squared_error"] / metrics["mean_squared_error"]
    assert "Images of 8 by 8 pixels in 4 numbers" in digits_page.words
    assert "It learned from 1,617 rows in 12 epochs" in digits_page.words
    assert (
        f"On 180 held-out rows, the codes account for {share:.0%} of how the numbers spread around their "
        f"means; PCA with as many components accounts for {pca:.0%}."
    ) in digits_page.words
    assert "Measured on 180 held-out rows." in digits_page.words
    assert (
        f"squared error per row (data units²) , lower is better {metrics['squared_error']:.4g}"
        in digits_page.words
    )
    assert f"{metrics['score']:.4g} nats per row. It is not a density" in digits_page.words


def test_images_get_a_map_reconstructions_and_a_loss_curve_but_no_column_errors(digits_page: Page) -> None:
    titles = re.findall(
        r"The map of codes|Images and reconstructions|How it learned|Column by column|On the rows given",
        digits_page.words,
    )
    assert titles == ["The map of codes", "Images and reconstructions", "How it learned"]
    assert digits_page.tags.count("svg") == 3
    assert "8 held-out images, chosen at random" in digits_page.words
    assert "PCA was fitted to 1,617 rows of the rows learned from" in digits_page.words
    for text in ("first principal component of the codes", "PCA, 4 components", "loss (nats per row)"):
        assert text in digits_page.words


def test_tables_get_column_errors_and_the_label_of_their_schema(table_html: str, table_model: Any) -> None:
    page = Page(table_html)
    assert "Column by column" in page.words
    assert "Images and reconstructions" not in page.words
    assert "The colour is “segment”, from which nothing was learned." in page.words
    assert "Measured on 30 held-out rows; root-mean-square errors for numbers." in page.words
    assert f"{table_model.metrics_['accuracy']:.0%} of the categories come back right" in page.words
    assert "gold" in page.words
    assert "Few held-out rows." in page.words


def test_without_rows_it_shows_what_the_model_knows_and_says_so(digits_model: Any) -> None:
    page = Page(render(digits_model))
    assert "No rows were given" in page.words
    assert page.tags.count("svg") == 1
    assert "How it learned" in page.words
    assert "Measured on 180 held-out rows." in page.words
    assert "The map of codes" not in page.words


def test_other_rows_are_measured_anew_and_called_given(digits_model: Any, digits: Any) -> None:
    page = Page(render(digits_model, digits.images[:300]))
    assert "These are not the rows that the model was fitted on." in page.words
    assert "Measured on 300 given rows." in page.words
    X = digits.images[:300]
    error = ((digits_model.reconstruct(X) - X) ** 2).sum(axis=(1, 2)).mean()
    assert f"{error:.4g}" in page.words
    assert "PCA, 4 components, fitted to these rows" in page.words


def test_a_model_learned_in_chunks_has_no_figures(digits: Any) -> None:
    model = Autoencoder(2, hidden_sizes=(), random_state=0).partial_fit(digits.images)
    page = Page(render(model, digits.images))
    assert "there are no figures" in page.words
    assert "None: the model learned chunk by chunk with partial_fit." in page.words


def test_it_says_how_the_model_is_made_and_used(digits_page: Page, table_html: str) -> None:
    assert (
        "Autoencoder(hidden_sizes=(32,), max_epochs=12, n_components=4, random_state=0)" in digits_page.words
    )
    assert "gaussian:scale=shared, all columns" in digits_page.words
    assert 'model = isthmus.load("MODEL")' in digits_page.words
    assert "x1 ... x31 (31 columns)" in digits_page.words  # a long schema, summarised
    assert "negative_binomial: visits" in Page(table_html).words
    assert "3 distinct texts, some missing" in Page(table_html).words


def test_the_code_on_the_page_runs(digits_page: Page, digits_model: Any, digits: Any, tmp_path: Path) -> None:
    code = digits_page.text[digits_page.text.index("import isthmus") :].split("\n\n \n")[0]
    lines = re.findall(r"^(?:import|\w+ = ).*$", code, flags=re.MULTILINE)[:7]
    digits_model.save(tmp_path / "MODEL")
    np.save(tmp_path / "DATA.npy", digits.images)
    program = (
        "\n".join(lines).replace("MODEL", str(tmp_path / "MODEL")).replace("DATA", str(tmp_path / "DATA.npy"))
    )
    known: dict[str, Any] = {}
    exec(program, known)
    np.testing.assert_array_equal(known["codes"], digits_model.transform(digits.images))
    assert known["back"].shape == known["again"].shape == digits.images.shape
    assert known["nats"].shape == (len(digits.images),)


def test_warnings_stand_on_the_page_when_they_apply_and_only_then(digits_model: Any, digits: Any) -> None:
    page = Page(render(digits_model, digits.images))
    assert "Nothing stands out" not in page.words  # 12 epochs are too few
    assert "Stopped while still falling." in page.words
    X = np.random.default_rng(0).normal(size=(600, 2)) @ np.random.default_rng(1).normal(size=(2, 6))
    X += 0.1 * np.random.default_rng(2).normal(size=X.shape)
    model = Autoencoder(2, hidden_sizes=(), max_epochs=300, random_state=0).fit(X)
    page = Page(render(model, X))
    assert "Nothing stands out: no over-fitting" in page.words
    assert "no collapsed code or unused latent" in page.words


def test_a_collapsed_model_is_shown_as_one(digits: Any) -> None:
    model = Autoencoder(3, hidden_sizes=(8,), weight_decay=450, max_epochs=3, random_state=0).fit(
        digits.images
    )
    page = Page(render(model, digits.images))
    assert "Collapsed code." in page.words
    assert "Nothing learned." in page.words


def test_a_denoising_model_is_shown_at_its_work(digits: Any) -> None:
    model = DenoisingAutoencoder(2, hidden_sizes=(8,), max_epochs=2, random_state=0).fit(digits.images)
    assert "reconstructed, from the corrupted" in Page(render(model, digits.images)).words


# One file, safe to open ------------------------------------------------------------------------------


def test_it_needs_no_other_file_and_no_network(digits_page: Page, table_html: str) -> None:
    for page in (digits_page, Page(table_html)):
        for tag, attributes in page.elements:
            for name in ("src", "href", "xlink:href", "srcset", "data", "action"):
                assert re.match(r"#|data:image/png;base64,", attributes.get(name) or "#"), (tag, name)
        assert not {"script", "link", "iframe", "object", "embed", "img", "base"} & set(page.tags)
    assert "@import" not in table_html
    assert not re.search(r"url\((?!#)", table_html)
    assert not re.search(r"https?://(?!www\.w3\.org/)", table_html)  # the names of SVG's own vocabulary


def test_names_are_text_and_never_markup(table_html: str) -> None:
    assert "<script" not in table_html
    page = Page(table_html)
    assert page.text.count("<script>alert(1)</script>") >= 3  # in the picture, the table and the schema
    assert "city & canton" in page.words
    assert "price in $ or US$" in page.words
    assert "名前" in page.words


def test_labels_and_levels_are_text_too(digits_model: Any, digits: Any) -> None:
    hostile = np.where(digits.target > 4, "<b>x</b>", '"></svg><script>')
    html = render(digits_model, digits.images, Labels.read(hostile, "<i>name</i> & -->"))
    assert "<script" not in html
    page = Page(html)
    assert "i" not in page.tags
    assert "<b>x</b>" in page.text
    assert "<i>name</i> & -->" in page.text


def test_it_fits_a_phone(digits_page: Page) -> None:
    metas = [attributes for tag, attributes in digits_page.elements if tag == "meta"]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in metas
    svgs = [attributes for tag, attributes in digits_page.elements if tag == "svg"]
    assert all("width" not in svg and svg["viewbox"] for svg in svgs)
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in svgs)


def test_the_same_model_and_rows_give_the_same_page(
    table_model: Any, mixed_table: Any, table_html: str
) -> None:
    assert render(table_model, mixed_table) == table_html


def test_ids_are_not_repeated_with_other_contents(table_html: str) -> None:
    pairs = set(re.findall(r'<(?:path|clipPath|use|image|rect)[^>]*? id="[^"]+"[^>]*>', table_html))
    ids = [re.search(r' id="([^"]+)"', pair)[1] for pair in pairs]  # type: ignore[index]
    assert len(ids) == len(set(ids))


# Files, labels and rows ------------------------------------------------------------------------------


def test_the_file_appears_whole_and_replaces_none_unasked(digits_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(digits_model, path)
    first = path.read_bytes()
    assert first.decode().startswith("<!doctype html>")
    with pytest.raises(StoreError, match="exists"):
        write_report(digits_model, path)
    with pytest.raises(InputError, match="label has 2 values and array 3 rows"):
        write_report(digits_model, path, np.zeros((3, 8, 8)), [1, 2], overwrite=True)
    assert path.read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    write_report(digits_model, path, overwrite=True)


def test_a_file_of_rows_is_named_without_its_folder_and_its_columns_can_be_labels(
    table_model: Any, mixed_table: pl.DataFrame, tmp_path: Path
) -> None:
    mixed_table.write_parquet(tmp_path / "rows & more.parquet")
    source = isthmus.read(tmp_path / "rows & more.parquet")
    html = render(table_model, source, "visits")
    page = Page(html)
    assert "with rows of rows & more.parquet" in page.words
    assert str(tmp_path) not in html
    assert "The colour is “visits”, one of the columns learned." in page.words
    with pytest.raises(InputError, match="no column 'visit'"):
        render(table_model, source, "visit")


def test_the_rows_of_the_fit_are_found_again(digits_model: Any, digits: Any, tmp_path: Path) -> None:
    digits_model.save(tmp_path / "model")
    np.save(tmp_path / "digits.npy", digits.images)
    source = isthmus.read(tmp_path / "digits.npy")
    measured = recognise(open_rows(isthmus.load(tmp_path / "model"), source))
    assert (measured.name, len(measured.index), len(measured.training)) == ("held-out", 180, 1617)
    X = digits.images[measured.index]
    error = ((digits_model.reconstruct(X) - X) ** 2).sum(axis=(1, 2)).mean()
    assert error == pytest.approx(digits_model.metrics_["squared_error"], rel=1e-5)


def test_as_many_rows_of_other_data_are_not_taken_for_those_of_the_fit(
    digits_model: Any, digits: Any
) -> None:
    assert recognise(open_rows(digits_model, digits.images[::-1].copy())).name == "given"


def test_without_held_out_rows_the_training_rows_are_found_again(digits: Any) -> None:
    model = Autoencoder(2, hidden_sizes=(), max_epochs=2, validation_fraction=0, random_state=0)
    model.fit(digits.images[:100])
    measured = recognise(open_rows(model, digits.images[:100]))
    assert (measured.name, len(measured.index)) == ("training", 100)
    page = Page(render(model, digits.images[:100]))
    assert "Measured on 100 training rows." in page.words
    assert "No held-out rows." in page.words


def test_pandas_frames_with_other_columns_besides(table_model: Any, mixed_table: pl.DataFrame) -> None:
    frame = mixed_table.to_pandas().assign(comment="hello")
    assert "The colour is “comment”" in Page(render(table_model, frame, "comment")).words


# Pictures --------------------------------------------------------------------------------------------


def test_pictures_take_the_colours_of_the_page_and_keep_their_text() -> None:
    figure = Figure()
    figure.subplots().set_title("a < b & 名前")
    svg = inline_svg(figure, 'says "a < b"')
    page = Page(svg)
    assert page.elements[0][1]["aria-label"] == 'says "a < b"'
    assert "a < b & 名前" in page.text
    assert "<!--" not in svg
    assert "<metadata" not in svg


def test_an_unfitted_model_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not fitted"):
        write_report(Autoencoder(), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())
