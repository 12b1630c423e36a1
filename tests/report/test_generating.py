"""What the page of a generative model shows: new rows, the space of codes, health and densities."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from isthmus import (
    AdversarialAutoencoder,
    ConditionalVariationalAutoencoder,
    VariationalAutoencoder,
)
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.plots.rows import open_rows
from isthmus.report.figures import figure_table
from isthmus.report.generating import some_conditions
from isthmus.report.measured import recognise
from isthmus.report.page import render
from isthmus.tasks import nearest

from .test_page import Page

FEW: dict[str, Any] = {"hidden_sizes": (16,), "max_epochs": 4, "random_state": 0}
TITLES = "New images|New rows|The space of codes|Health|The map of codes|Column by column"


def titles(page: Page) -> list[str]:
    return re.findall(f"({TITLES}) (?=[A-Z0-9])", page.words)


@pytest.fixture(scope="module")
def vae(digits: Any) -> VariationalAutoencoder:
    return VariationalAutoencoder(2, **FEW).fit(digits.images)


@pytest.fixture(scope="module")
def vae_page(vae: Any, digits: Any) -> Page:
    return Page(render(vae, digits.images, digits.target))


@pytest.fixture(scope="module")
def table(mixed_table: pl.DataFrame) -> pl.DataFrame:
    return mixed_table.drop("day")


@pytest.fixture(scope="module")
def told(table: pl.DataFrame) -> ConditionalVariationalAutoencoder:
    return ConditionalVariationalAutoencoder(2, condition=["segment", "member"], **FEW).fit(table)


@pytest.fixture(scope="module")
def told_apart(digits: Any) -> ConditionalVariationalAutoencoder:
    model = ConditionalVariationalAutoencoder(2, **FEW)
    return model.fit(digits.images, condition=digits.target)


# Images ----------------------------------------------------------------------------------------------------


def test_images_get_samples_a_space_of_codes_and_health(vae_page: Page) -> None:
    assert titles(vae_page) == ["The map of codes", "New images", "The space of codes", "Health"]
    assert vae_page.tags.count("svg") == 5  # the map, reconstructions, samples, the space, the loss


def test_samples_stand_above_the_nearest_rows_with_their_distances(
    vae_page: Page, vae: Any, digits: Any
) -> None:
    distance = nearest(vae, vae.sample(8, expected=True, random_state=0), digits.images)[1]
    told = " ".join(f"{value:.3g}" for value in distance)
    drawn = [element[1]["aria-label"] or "" for element in vae_page.elements if element[0] == "svg"][2]
    assert "the nearest of the 1,797 rows given" in drawn
    assert "none is a copy" in drawn
    assert all(value in vae_page.text for value in told.split())
    assert "Euclidean distance, in units of the data" in vae_page.text


def test_a_copy_is_told(vae: Any) -> None:
    copied = vae.sample(8, expected=True, random_state=0)
    assert "8 are copies (distance 0)" in Page(render(vae, copied)).words
    assert "1 is a copy (distance 0)" in Page(render(vae, np.concatenate([copied[:1], 0 * copied[:3]]))).words


def test_without_rows_samples_stand_alone(vae: Any) -> None:
    page = Page(render(vae))
    assert titles(page) == ["New images", "The space of codes"]
    assert "nearest" not in page.words
    assert "model.sample(10)" in page.words


def test_more_than_two_latents_have_no_map_of_all_codes(digits: Any) -> None:
    page = Page(render(VariationalAutoencoder(3, **FEW).fit(digits.images)))
    assert titles(page) == ["New images"]


# Figures and health ----------------------------------------------------------------------------------------


def test_the_density_stands_with_its_error_beside_its_baselines(vae_page: Page, vae: Any) -> None:
    metrics = vae.metrics_
    row = figure_table(metrics, 2).rows[-1]
    assert row.name == "log p(x), nats per row"
    assert row.cells == (
        f"{metrics['log_likelihood']:.4g} ± {metrics['log_likelihood_std_error']:.2g}",
        f"{metrics['pca_log_likelihood']:.4g}",
        f"{metrics['independent_log_likelihood']:.4g}, independent",
    )
    assert " ".join(row.cells) in vae_page.words
    assert "a lower bound, of 180 rows of them" in vae_page.words
    assert f"log p(x) is on average {metrics['log_likelihood']:.4g} nats or more" in vae_page.words
    # What a row's own code makes of it is no density, and never stands beside one.
    assert "log p(x given its code)" not in vae_page.words


def test_health_is_the_diagnosis_of_the_held_out_rows(vae_page: Page, vae: Any, digits: Any) -> None:
    rows = digits.images[recognise(open_rows(vae, digits.images)).index]
    found = vae.diagnose(rows)
    assert "Codes of 180 held-out rows" in vae_page.words
    assert f"{found.total_kl:.4g} nats per row" in vae_page.words
    assert f"active latents {int(found.active_units.sum())} of 2" in vae_page.words


def test_concerns_of_the_diagnosis_stand_with_the_others_and_once(digits: Any) -> None:
    fast = FEW | {"max_epochs": 20, "learning_rate": 0.02}
    model = VariationalAutoencoder(2, beta=1e4, warmup=0.0, **fast).fit(digits.images)
    page = Page(render(model, digits.images))
    assert page.words.count("Posterior collapse.") == 1
    assert page.words.count("Collapsed code.") == page.words.count("Unused latents.") == 0
    assert page.words.index("Posterior collapse.") < page.words.index("Figures")
    assert "Nothing learned." in page.words


def test_what_learning_lowers_is_named(vae_page: Page, digits_model: Any) -> None:
    assert "negative log-likelihood of a row, plus what else is asked of its code (kl)" in vae_page.words
    page = Page(render(digits_model))
    assert "The negative log-likelihood of a row, epoch by epoch" in page.words
    assert titles(page) == []


def test_a_model_that_learned_chunk_by_chunk_has_samples_and_no_figures(digits: Any) -> None:
    model = VariationalAutoencoder(2, hidden_sizes=(4,), random_state=0).partial_fit(digits.images)
    page = Page(render(model, digits.images))
    assert titles(page) == ["The map of codes", "New images", "The space of codes", "Health"]
    assert "Codes of 1,797 given rows" in page.words
    assert "None: the model learned chunk by chunk" in page.words


# Tables ----------------------------------------------------------------------------------------------------


def test_a_table_of_new_rows_beside_the_nearest(table: pl.DataFrame) -> None:
    model = VariationalAutoencoder(2, **FEW).fit(table.drop("segment"))
    page = Page(render(model, table))
    assert titles(page) == ["The map of codes", "Column by column", "New rows", "Health"]
    drawn = model.sample(8, random_state=0)
    index, distance = nearest(model, drawn, table.drop("segment"))
    for i, row in enumerate(drawn.rows()):
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]
        assert " ".join([str(i + 1), *cells, f"{index[i]} ({distance[i]:.3g})"]) in page.words
    assert "in brackets their distances, in training standard deviations" in page.words


def test_wide_tables_are_cut(digits: Any) -> None:
    model = VariationalAutoencoder(2, **FEW).fit(digits.data)
    page = Page(render(model, digits.data))
    assert "New rows" in titles(page)
    assert "6 of 61 columns." in page.words
    assert "distances, in units of the data" in page.words


def test_rows_with_gaps_have_neighbours(digits: Any) -> None:
    holes = digits.data[:200].copy()
    holes[::3, 20] = np.nan
    assert "New rows" in titles(Page(render(VariationalAutoencoder(2, **FEW).fit(holes), holes)))


# Conditions ------------------------------------------------------------------------------------------------


def test_conditions_in_the_columns_are_part_of_the_new_rows(told: Any, table: pl.DataFrame) -> None:
    page = Page(render(told, table, "segment"))
    assert titles(page) == ["The map of codes", "Column by column", "New rows", "Health"]
    assert "What they are told stands in the first columns." in page.words
    assert "The colour is “segment”, which the networks are told." in page.words
    assert [f"{i + 1} {member} {segment}" in page.words for i, (member, segment) in enumerate(_told())] == (
        [True] * 8
    )
    assert "log p(x given its condition), nats per row" in page.words
    assert "independent, which are told nothing" in page.words


def _told() -> list[tuple[str, str]]:
    return [("False", "gold"), ("True", "silver")] * 4


def test_a_condition_apart_is_asked_for_and_what_needs_it_left_out(told_apart: Any, digits: Any) -> None:
    page = Page(render(told_apart, digits.images, digits.target))
    assert titles(page) == ["New images", "The space of codes"]
    assert "This model is told “condition” of each row, which stands apart from the rows given." in page.words
    assert "Pictures of rows, their codes and figures on them need it and are left out" in page.words
    assert "condition 0, 1, 2, 3, 4, 5, 6, 7." in page.words
    assert "All are told condition 0." in page.words
    assert "the nearest of the 1,797 rows given" in page.words  # which it is not needed for
    assert "model.transform(rows, condition=...)" in page.words
    assert titles(Page(render(told_apart))) == ["New images", "The space of codes"]


def test_a_condition_given_beside_the_rows_fills_the_page(told_apart: Any, digits: Any) -> None:
    page = Page(render(told_apart, digits.images, condition=digits.target))
    assert titles(page) == ["The map of codes", "New images", "The space of codes", "Health"]
    assert "Images and reconstructions" in page.words
    assert "left out" not in page.words
    held_out = recognise(open_rows(told_apart, digits.images, digits.target))
    assert (held_out.name, len(held_out.index)) == ("held-out", 180)
    told = {"condition": digits.target[held_out.index]}
    found = told_apart.diagnose(digits.images[held_out.index], **told)
    assert f"{found.total_kl:.4g} nats per row" in page.words
    # A label that may be the condition under another name is not called unlearned.
    coloured = Page(render(told_apart, digits.images, digits.target, digits.target)).words
    assert "The colour is “label”." in coloured


def test_other_conditions_are_other_rows_and_one_holds_for_all(told_apart: Any, digits: Any) -> None:
    page = Page(render(told_apart, digits.images[:60], condition=3))
    assert "These are not the rows that the model was fitted on." in page.words
    again = told_apart.reconstruct(digits.images[:60], condition=3)
    error = ((again - digits.images[:60]) ** 2).sum(axis=(1, 2)).mean()
    assert f"{error:.4g}" in page.words


def test_a_table_whose_condition_is_given_or_stands_in_other_columns(table: pl.DataFrame) -> None:
    rows, segment = table.drop("segment"), table.select("segment")
    model = ConditionalVariationalAutoencoder(2, **FEW).fit(rows, condition=segment)
    html = render(model, rows, condition=segment)
    assert titles(Page(html)) == ["The map of codes", "Column by column", "New rows", "Health"]
    assert "These are not the rows" not in Page(html).words
    assert render(model, table) == html
    assert render(model, rows, condition=table["segment"]) == html


def test_conditions_that_cannot_be_used_are_refused(told_apart: Any, vae: Any, digits: Any) -> None:
    with pytest.raises(InputError, match="fitted without one"):
        render(vae, digits.images, condition=digits.target)
    with pytest.raises(InputError, match="give them too"):
        render(told_apart, condition=digits.target)
    with pytest.raises(InputError, match="condition has 5 rows and the data 1797"):
        render(told_apart, digits.images, condition=digits.target[:5])


def test_rows_without_the_columns_of_the_condition(told: Any, table: pl.DataFrame) -> None:
    page = Page(render(told, table.drop("segment")))
    assert "This model is told “segment” of each row" in page.words
    assert titles(page) == ["New rows"]
    assert "nearest" not in page.words


def test_conditions_to_show_are_levels_in_turn_and_numbers_over_their_range() -> None:
    frame = pl.DataFrame(
        {
            "x": np.random.default_rng(0).normal(size=60),
            "town": ["b", "a", "c"] * 20,
            "size": np.linspace(0, 4, 60),
        }
    )
    model = ConditionalVariationalAutoencoder(1, condition=["town", "size"], **FEW).fit(frame)
    found = some_conditions(model, 4)
    assert found["town"].to_list() == ["a", "b", "c", "a"]
    assert found["size"].to_list() == pytest.approx([0.5, 1.5, 2.5, 3.5])
    assert some_conditions(VariationalAutoencoder(1, **FEW).fit(frame), 4) is None


def test_labels_that_a_discriminator_was_told_are_not_called_unlearned(table: pl.DataFrame) -> None:
    schema = infer_schema(as_source(table), roles={"segment": "label"})
    plain = AdversarialAutoencoder(2, schema=schema, **FEW).fit(table)
    assert "“segment”, from which nothing was learned" in Page(render(plain, table)).words
    ring = "gaussian_mixture:layout=ring,n_clusters=2"
    page = Page(render(AdversarialAutoencoder(2, labels="segment", prior=ring, **FEW).fit(table), table))
    assert "The colour is “segment”, which the discriminator was told." in page.words
    labels = table["segment"].to_numpy()
    model = AdversarialAutoencoder(2, schema=schema, prior=ring, **FEW)
    page = Page(render(model.fit(table, labels=labels), table))
    assert "The colour is “segment”." in page.words
