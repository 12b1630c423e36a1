"""``density`` and ``diagnose``: the library's figures, with their errors, rows and baselines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isthmus
from isthmus.cli.printing import plus_minus

from .conftest import Workshop, call, succeed


def test_the_mean_with_its_error_bits_and_rows(shop: Workshop) -> None:
    model = isthmus.load(shop.vae)
    out = succeed("density", shop.vae, shop.npz, "--samples", 20)
    mean, bits = model.mean_density(shop.images, n_samples=20), model.bits_per_dim(shop.images, n_samples=20)
    assert out.splitlines()[:4] == [
        "mean log p(x), a lower bound",
        f"{plus_minus(mean.mean, mean.std_error)} nats per row (± Monte Carlo standard error)",
        f"{bits:.6g} bits per dimension, over 1,200 observed entries",
        f"measured on 40 rows of {shop.npz}, 20 draws per row, one fixed noise for all rows",
    ]


def test_each_row_with_its_own_noise(shop: Workshop, tmp_path: Path) -> None:
    model, words = isthmus.load(shop.table_vae), ("density", shop.table_vae, shop.csv, "--id", "name")
    out = succeed(*words, "-o", tmp_path / "d.csv", "--seed", 4, "--samples", 16)
    values, n_observed, error = model.score_samples(
        shop.table, n_samples=16, random_state=4, return_n_observed=True, return_std_error=True
    )
    found = pl.read_csv(tmp_path / "d.csv")
    assert found.columns == ["name", "log_likelihood", "std_error", "n_observed"]
    assert_array_equal(found["log_likelihood"].to_numpy(), values)
    assert_array_equal(found["std_error"].to_numpy(), error)
    assert_array_equal(found["n_observed"].to_numpy(), n_observed)
    mean = model.mean_density(shop.table, n_samples=16, random_state=4)
    assert plus_minus(mean.mean, mean.std_error) in out
    assert "16 draws per row, noise of each row's own (seed 4)" in out


def test_only_observed_entries_count(shop: Workshop, tmp_path: Path) -> None:
    gaps = shop.table.with_columns(height=pl.when(pl.col("tall")).then("height"))
    gaps.write_csv(tmp_path / "gaps.csv")
    words = ("--model", "VariationalAutoencoder", "--ignore", "name", "--seed", 1, "--set", "max_epochs=1")
    succeed("fit", tmp_path / "gaps.csv", "-o", tmp_path / "m", "--quiet", *words)
    out = succeed("density", tmp_path / "m", tmp_path / "gaps.csv")
    n_missing = gaps["height"].null_count()
    assert f"over {60 * 6 - n_missing} observed entries" in out
    bits = isthmus.load(tmp_path / "m").bits_per_dim(pl.read_csv(tmp_path / "gaps.csv"))
    assert f"{bits:.6g} bits per dimension" in out


def test_the_baselines_of_the_fit_stand_below(shop: Workshop) -> None:
    # Images of 6 x 5 pixels: PCA gives densities. Of a table with categories it gives none.
    for path, data in ((shop.vae, shop.npz), (shop.table_vae, shop.csv)):
        metrics = isthmus.load(path).metrics_
        out = succeed("density", path, data, "--samples", 2)
        cells = dict(re.findall(r"^  (\S.*?)  +(\S.*)$", out, flags=re.MULTILINE))
        here = plus_minus(metrics["log_likelihood"], metrics["log_likelihood_std_error"])
        assert cells["this model"] == here
        assert cells["independent columns"] == f"{metrics['independent_log_likelihood']:.6g}"
        pca = metrics.get("pca_log_likelihood")
        expected = "-, needs columns of numbers without gaps" if pca is None else f"{pca:.6g}"
        assert cells["probabilistic PCA, 2 components"] == expected
        rows = f"{metrics['log_likelihood_n_rows']} {metrics['rows']} rows of the fit"
        assert f"for comparison, nats per row on {rows}:" in out
    assert "pca_log_likelihood" in isthmus.load(shop.vae).metrics_
    assert "pca_log_likelihood" not in metrics


def test_a_model_without_figures_has_no_baselines(shop: Workshop, tmp_path: Path) -> None:
    model = isthmus.VariationalAutoencoder(2, hidden_sizes=(4,), random_state=0)
    model.partial_fit(shop.images).save(tmp_path / "m")
    assert "for comparison" not in succeed("density", tmp_path / "m", shop.npy)


def test_the_density_of_a_conditional_model_says_so(shop: Workshop) -> None:
    out = succeed("density", shop.told_apart, shop.npz, "--condition", "y")
    assert "mean log p(x given its condition), a lower bound" in out
    assert "it is told the condition, the others are not" in out
    mean = isthmus.load(shop.told_apart).mean_density(shop.images, condition=shop.classes)
    assert plus_minus(mean.mean, mean.std_error) in out


def test_one_draw_has_no_known_error(shop: Workshop) -> None:
    assert "± unknown nats per row" in succeed("density", shop.vae, shop.npz, "--samples", 1)


def test_of_tokens_nothing_is_drawn(shop: Workshop, tmp_path: Path) -> None:
    model = isthmus.VectorQuantizedAutoencoder(4, hidden_sizes=(4,), max_epochs=1, random_state=0)
    model.fit(shop.images).save(tmp_path / "m")
    out = succeed("density", tmp_path / "m", shop.npz)
    assert f"{model.score(shop.images):.6g} nats per row (nothing was drawn)" in out
    assert "log p(x, z) of each row's tokens z" in out
    assert "draws per row" not in out


def test_more_draws_bring_the_bound_nearer(shop: Workshop) -> None:
    means = [
        float(succeed("density", shop.vae, shop.npz, "--samples", n, "--seed", 1).splitlines()[1].split()[0])
        for n in (1, 500)
    ]
    assert means[0] < means[1]


@pytest.mark.parametrize("name", ["Autoencoder", "AdversarialAutoencoder"])
def test_a_model_without_a_density_is_refused(shop: Workshop, tmp_path: Path, name: str) -> None:
    given = {"hidden_sizes": (4,), "max_epochs": 1, "random_state": 0}
    getattr(isthmus, name)(2, **given).fit(shop.images).save(tmp_path / "m")
    done = call("density", tmp_path / "m", shop.npz, "-o", tmp_path / "d.csv")
    assert done.status == 2
    assert name in done.err
    assert "--model VariationalAutoencoder" in done.err
    assert not (tmp_path / "d.csv").exists()


def test_the_diagnosis_is_the_library_s(shop: Workshop) -> None:
    out = succeed("diagnose", shop.vae, shop.npz)
    assert out == f"{isthmus.load(shop.vae).diagnose(shop.images)}\n"
    assert "Codes of 40 given rows" in out


def test_fit_and_info_tell_the_density_with_its_error(shop: Workshop, tmp_path: Path) -> None:
    metrics = isthmus.load(shop.vae).metrics_
    told = plus_minus(metrics["log_likelihood"], metrics["log_likelihood_std_error"])
    line = f"log p(x), a lower bound: {told} nats per row (± Monte Carlo standard error), on "
    assert line in succeed("info", shop.vae)
    assert_allclose(float(told.split()[0]), metrics["log_likelihood"], rtol=1e-5)
    assert np.isfinite(metrics["log_likelihood"])
