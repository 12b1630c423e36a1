from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from isthmus.data.sources import as_source
from isthmus.data.splitting import held_out_rows
from isthmus.errors import InputError, TrainingError
from isthmus.estimators import Autoencoder, DenoisingAutoencoder
from isthmus.estimators.building import model_arrays

MakeModel = Callable[..., Autoencoder]


def same_bits(one: Autoencoder, other: Autoencoder) -> bool:
    a, b = model_arrays(one.model_), model_arrays(other.model_)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def without_seconds(model: Autoencoder) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in model.history_]


# Small and odd data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (5, 4), (5, 1), (40, 1), (20, 2)])
def test_few_rows_and_columns_work(shape: tuple[int, int]) -> None:
    X = np.random.default_rng(0).normal(size=shape)
    model = Autoencoder(max_epochs=2, random_state=0).fit(X)
    assert 1 <= model.n_components_ <= shape[1]
    assert model.transform(X).shape == (shape[0], model.n_components_)
    assert np.isfinite(model.score_samples(X)).all()
    assert np.isfinite(model.metrics_["score"])


def test_more_components_than_columns_and_fewer_rows_than_a_batch_work(
    rows: np.ndarray, quick: MakeModel
) -> None:
    model = quick(9, batch_size=4096).fit(rows)
    assert model.transform(rows).shape == (len(rows), 9)
    assert model.metrics_["pca_squared_error"] == pytest.approx(0, abs=1e-8)


def test_repeated_rows_and_a_constant_column_work(quick: MakeModel) -> None:
    X = np.column_stack([np.repeat([1.0, 2.0], 10), np.full(20, 3.0)])
    model = quick("auto").fit(X)
    assert model.n_components_ == 1
    assert (model.reconstruct(X)[:, 1] == 3).all()


def test_a_column_that_only_held_out_rows_vary_works(quick: MakeModel) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    out = held_out_rows(60, 0.1, 0)
    X[~out, 1] = 4.0
    for data in (X, pl.DataFrame(X)):
        assert np.isfinite(quick().fit(data).history_[-1]["validation_loss"])
    X[~out, 1] = np.nan
    assert np.isfinite(quick().fit(X).score_samples(X)).all()


# Seeds ------------------------------------------------------------------------------------------------------


def test_a_seed_fixes_every_bit(rows: np.ndarray) -> None:
    def fit(seed: int) -> Autoencoder:
        return DenoisingAutoencoder(2, hidden_sizes=(8,), max_epochs=3, random_state=seed).fit(rows)

    assert same_bits(fit(0), fit(0))
    assert without_seconds(fit(0)) == without_seconds(fit(0))
    assert not same_bits(fit(0), fit(1))


def test_the_seed_drawn_when_none_is_given_repeats_the_fit(rows: np.ndarray, quick: MakeModel) -> None:
    one, other = (quick(random_state=None).fit(rows) for _ in range(2))
    assert one.seed_ != other.seed_
    assert same_bits(one, quick(random_state=one.seed_).fit(rows))


def test_numpys_generators_give_seeds(rows: np.ndarray, quick: MakeModel) -> None:
    one, other = (quick(random_state=np.random.RandomState(5)).fit(rows) for _ in range(2))
    assert same_bits(one, other)
    assert same_bits(one, quick(random_state=np.int64(one.seed_)).fit(rows))
    generator = np.random.RandomState(5)
    assert quick(random_state=generator).fit(rows).seed_ != quick(random_state=generator).fit(rows).seed_


def test_the_callers_random_numbers_are_untouched(rows: np.ndarray, quick: MakeModel) -> None:
    torch.manual_seed(3)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    model = DenoisingAutoencoder(2, hidden_sizes=(8,), max_epochs=2, random_state=0).fit(rows)
    model.partial_fit(rows)
    model.score_samples(rows)
    assert torch.equal(torch.get_rng_state(), before)
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], numpy_before[1])
    assert after[2] == numpy_before[2]


def test_a_second_fit_owes_nothing_to_the_first(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick().fit(rows[:50, :3])
    model.partial_fit(rows[:50, :3])
    assert same_bits(model.fit(rows), quick().fit(rows))
    assert len(model.history_) == model.n_iter_


# Weights and held-out rows ----------------------------------------------------------------------------------


def test_rows_of_weight_zero_count_for_nothing_in_the_loss(rows: np.ndarray, quick: MakeModel) -> None:
    weight = np.ones(len(rows))
    weight[:20] = 0
    changed = rows.copy()
    changed[:20] = rows[:20][::-1]  # other rows in their places, with the same mean and spread
    options = {"validation_fraction": 0.0, "batch_size": 4096}
    one = quick(**options).fit(rows, sample_weight=weight)
    other = quick(**options).fit(changed, sample_weight=weight)
    np.testing.assert_allclose(one.transform(rows), other.transform(rows), atol=1e-5)
    assert not np.allclose(one.transform(rows), quick(**options).fit(rows).transform(rows), atol=1e-5)


def test_held_out_rows_without_weight_are_not_held_out(rows: np.ndarray, quick: MakeModel) -> None:
    weight = np.ones(len(rows))
    weight[held_out_rows(len(rows), 0.1, 0)] = 0
    model = quick().fit(rows, sample_weight=weight)
    assert model.metrics_["rows"] == "training"
    assert "validation_loss" not in model.history_[0]
    with pytest.raises(InputError, match="every training row"):
        quick().fit(rows, sample_weight=1 - weight)


def test_validation_data_are_rows_or_a_tuple(rows: np.ndarray, quick: MakeModel) -> None:
    train, held_out = rows[:90], rows[90:]
    plain = quick().fit(train, validation_data=held_out)
    assert (plain.metrics_["rows"], plain.metrics_["n_rows"]) == ("held-out", 30)
    assert plain.n_training_rows_ == 90
    for given in ((held_out, None), (held_out, np.zeros(30)), (held_out, None, np.full(30, 2.0))):
        assert same_bits(quick().fit(train, validation_data=given), plain)
    weight = np.linspace(0, 1, 30)
    weighted = quick().fit(train, validation_data=(held_out, None, weight))
    score = -np.average(weighted.score_samples(held_out), weights=weight)
    best = min(row["validation_loss"] for row in weighted.history_)
    assert score == pytest.approx(best, rel=1e-5)
    with pytest.raises(ValueError, match="4 features"):
        quick().fit(train, validation_data=held_out[:, :4])


def test_validation_rows_may_be_sources_and_tables(table: pl.DataFrame, quick: MakeModel) -> None:
    plain = table.drop("key", "label", "importance")
    one = quick().fit(plain[:60], validation_data=plain[60:])
    other = quick().fit(as_source(plain[:60]), validation_data=as_source(plain[60:]))
    assert same_bits(one, other)


def test_without_held_out_rows_the_last_weights_are_kept(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(validation_fraction=0, max_epochs=6).fit(rows)
    assert (model.metrics_["rows"], model.n_iter_, model.n_training_rows_) == ("training", 6, 120)
    assert not any(name.startswith("validation") for name in model.history_[0])
    # The loss of the last weights, whose rate has come to zero, is that of the last epoch.
    assert -model.score(rows) == pytest.approx(model.history_[-1]["loss"], rel=0.02)


def test_the_best_weights_are_kept(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(max_epochs=12, learning_rate=0.3).fit(rows[:90], validation_data=rows[90:])
    best = min(row["validation_loss"] for row in model.history_)
    assert -model.score(rows[90:]) == pytest.approx(best, rel=1e-5)


def test_history_has_a_row_an_epoch(rows: np.ndarray, quick: MakeModel) -> None:
    model = quick(max_epochs=4).fit(rows)
    terms = {"negative_log_likelihood", "validation_negative_log_likelihood"}
    assert set(model.history_[0]) == terms | {
        "epoch",
        "loss",
        "validation_loss",
        "learning_rate",
        "seconds",
    }
    assert [row["epoch"] for row in model.history_] == [1, 2, 3, 4]
    assert model.n_iter_ == 4
    assert all(row["loss"] == pytest.approx(row["negative_log_likelihood"]) for row in model.history_)
    seconds = [row["seconds"] for row in model.history_]
    assert seconds == sorted(seconds)
    assert model.history_[-1]["learning_rate"] == pytest.approx(0, abs=1e-12)


# Loaders ----------------------------------------------------------------------------------------------------


def test_a_loader_learns_what_its_rows_teach(rows: np.ndarray, quick: MakeModel) -> None:
    data = TensorDataset(torch.from_numpy(rows), torch.arange(len(rows)))
    loader = DataLoader(data, batch_size=10, shuffle=True, generator=torch.Generator().manual_seed(0))
    model = quick(max_epochs=60).fit_loader(loader)
    plain = quick(max_epochs=60, validation_fraction=0).fit(rows)
    assert model.metrics_["rows"] == "training"
    assert model.score(rows) == pytest.approx(plain.score(rows), abs=0.3)
    assert model.score(rows) > quick(max_epochs=1).fit(rows).score(rows) + 0.5
    held_out = quick().fit_loader([torch.from_numpy(rows[:90])], validation_data=rows[90:])
    assert held_out.metrics_["rows"] == "held-out"


def test_what_can_be_gone_through_once_is_no_loader(rows: np.ndarray, quick: MakeModel) -> None:
    tensor = torch.from_numpy(rows)
    with pytest.raises(InputError, match="only once"):
        quick().fit_loader(iter([tensor]))
    with pytest.raises(InputError, match="only once"):
        quick().fit_loader(part for part in tensor.split(10))
    with pytest.raises(InputError, match="no batch"):
        quick().fit_loader([])


# Failures ---------------------------------------------------------------------------------------------------


def test_values_that_no_rate_can_learn_raise_an_error_after_warnings(
    rows: np.ndarray, quick: MakeModel
) -> None:
    def broken(n_in: int, n_out: int) -> torch.nn.Module:
        class Broken(torch.nn.Linear):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                out = super().forward(x)
                return out * float("inf") if self.training else out

        return Broken(n_in, n_out)

    with pytest.warns(UserWarning, match="learning rate is halved"), pytest.raises(TrainingError):
        quick(encoder=broken, max_epochs=20).fit(rows)


@pytest.mark.parametrize("validation_fraction", [0, 0.2])
def test_a_fit_of_few_epochs_that_diverges_is_an_error(
    rows: np.ndarray, quick: MakeModel, validation_fraction: float
) -> None:
    model = quick(max_epochs=2, learning_rate=1e30, validation_fraction=validation_fraction)
    with (
        pytest.warns(UserWarning, match="learning rate is halved"),
        pytest.raises(TrainingError, match="last"),
    ):
        model.fit(rows)


def test_a_talkative_fit_is_the_same_fit(
    rows: np.ndarray, quick: MakeModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = quick(verbose=1).fit(rows)
    assert "nats/row" in capsys.readouterr().err
    assert same_bits(model, quick().fit(rows))
