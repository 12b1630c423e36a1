from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from isthmus.errors import InputError
from isthmus.estimators import Autoencoder, StackedAutoencoder, preparing

STILL = {"max_epochs": 1, "learning_rate": 1e-30}  # a joint phase that changes nothing


def sequential(weights: dict[str, np.ndarray]) -> nn.Sequential:
    """Return a plain network of the weights, SiLU between its layers."""
    modules: list[nn.Module] = []
    numbers = sorted({int(name.split(".")[0]) for name in weights})
    for number in numbers:
        n_out, n_in = weights[f"{number}.weight"].shape
        modules += [nn.Linear(n_in, n_out), nn.SiLU()]
    network = nn.Sequential(*modules[:-1])
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return network


DATA: dict[str, Any] = {
    "numbers": lambda X: X,
    "a constant column": lambda X: np.insert(X, 2, 7.0, axis=1),
    "images": lambda X: np.abs(X).reshape(120, 5, 1) / 120,
    "small integers": lambda X: np.clip(X, 0, 200).astype(np.uint8),
    "truth values": lambda X: np.greater(X, X.mean(axis=0)),
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_the_initial_weights_read_rows_as_they_are(rows: np.ndarray, data: Any, monkeypatch: Any) -> None:
    """In a plain network they give what the stacked encoder gives before the joint phase."""
    X = data(rows)
    model = StackedAutoencoder(2, hidden_sizes=(12, 6), layer_epochs=3, max_epochs=1, random_state=0)
    outputs = []
    initialize = StackedAutoencoder._initialize

    def watched(self: StackedAutoencoder, module: Any, *arguments: Any) -> None:
        initialize(self, module, *arguments)
        values = module.features.to_values(
            torch.from_numpy(X.reshape(120, -1)[:, self.schema_.modelled_index].astype(float))
        )
        outputs.append(module.encoder_outputs(values).detach().numpy().copy())

    monkeypatch.setattr(StackedAutoencoder, "_initialize", watched)
    model.fit(X)
    network = sequential(model.initial_weights_)
    assert network[0].in_features == X[0].size
    with torch.no_grad():
        ours = network(torch.from_numpy(X.reshape(120, -1).astype(np.float32))).numpy()
    np.testing.assert_allclose(ours, outputs[0], atol=2e-4)
    after = {name: t.numpy() for name, t in model.model_.encoder.state_dict().items()}
    assert not np.array_equal(
        after["2.weight"], model.initial_weights_["2.weight"]
    )  # the joint phase goes on


def test_of_gaps_and_tables_they_are_those_of_the_encoders_inputs(
    rows: np.ndarray, mixed_table: pl.DataFrame
) -> None:
    gaps = rows.copy()
    gaps[::4, 1] = np.nan
    for data in (gaps, mixed_table):
        model = StackedAutoencoder(2, hidden_sizes=(6,), layer_epochs=2, random_state=0, **STILL).fit(data)
        state = model.model_.encoder.state_dict()
        for name, weight in model.initial_weights_.items():
            np.testing.assert_allclose(weight, state[name].numpy(), atol=1e-6)


def test_each_layer_learns_by_itself_and_the_whole_begins_better(rows: np.ndarray) -> None:
    settings: dict[str, Any] = {"hidden_sizes": (12, 6), "random_state": 0, "validation_fraction": 0.0}
    model = StackedAutoencoder(2, layer_epochs=80, max_epochs=20, **settings).fit(rows)
    assert [len(history) for history in model.layer_history_] == [80, 80, 80]
    for history in model.layer_history_:
        assert history[-1]["loss"] < history[0]["loss"] - 0.5
    plain = Autoencoder(2, max_epochs=20, **settings).fit(rows)
    assert model.history_[0]["loss"] < plain.history_[0]["loss"] - 1
    assert model.history_[-1]["loss"] < plain.history_[-1]["loss"]


def test_a_layer_restores_what_the_layers_below_make_of_undamaged_rows(rows: np.ndarray) -> None:
    """A wide linear layer without damage restores its input wholly, one with damage cannot."""
    fixed: dict[str, Any] = {"hidden_sizes": (12,), "layer_epochs": 150, "random_state": 0, **STILL}
    clean = StackedAutoencoder(5, **fixed).fit(rows)
    damaged = StackedAutoencoder(5, corruption="gaussian_noise:sd=2", **fixed).fit(rows)
    assert clean.layer_history_[1][-1]["loss"] < damaged.layer_history_[1][-1]["loss"]
    assert clean.layer_history_[0][-1]["loss"] < damaged.layer_history_[0][-1]["loss"]
    # The first layer's targets are the clean rows, in both.
    errors = [np.mean((model.reconstruct(rows) - rows) ** 2) / rows.var() for model in (clean, damaged)]
    assert errors[0] < 0.05
    assert errors[1] < 0.5


def test_epochs_of_layers(rows: np.ndarray) -> None:
    settings: dict[str, Any] = {"hidden_sizes": (6,), "random_state": 0, "validation_fraction": 0.0}
    model = StackedAutoencoder(2, max_epochs=7, **settings).fit(rows)
    assert [len(history) for history in model.layer_history_] == [7, 7]
    model = StackedAutoencoder(2, max_epochs=7, layer_epochs=3, **settings).fit(rows)
    assert [len(history) for history in model.layer_history_] == [3, 3]
    assert len(model.history_) == 7
    linear = StackedAutoencoder(2, max_epochs=2, **settings | {"hidden_sizes": ()}).fit(rows)
    assert len(linear.layer_history_) == 1


def test_partial_fit_skips_the_layers(rows: np.ndarray) -> None:
    settings: dict[str, Any] = {"hidden_sizes": (6,), "random_state": 0}
    model = StackedAutoencoder(2, **settings).partial_fit(rows)
    assert not hasattr(model, "layer_history_")
    assert np.array_equal(model.transform(rows), Autoencoder(2, **settings).partial_fit(rows).transform(rows))
    fitted = StackedAutoencoder(2, max_epochs=2, **settings).fit(rows)
    before = fitted.initial_weights_["0.weight"].copy()
    fitted.partial_fit(rows)
    assert np.array_equal(fitted.initial_weights_["0.weight"], before)


def test_rows_that_do_not_fit_in_memory_pass_through_the_layers_too(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"hidden_sizes": (6,), "random_state": 0, "max_epochs": 2, "batch_size": 4096}
    held = StackedAutoencoder(2, **settings).fit(rows)
    monkeypatch.setattr(preparing, "_memory_limit", lambda: 0)
    streamed = StackedAutoencoder(2, **settings).fit(rows)
    # One batch an epoch holds the same rows in either order.
    np.testing.assert_allclose(streamed.transform(rows), held.transform(rows), atol=1e-4)


def test_progress_of_the_layers_is_told(rows: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    StackedAutoencoder(2, hidden_sizes=(6,), max_epochs=2, random_state=0, verbose=1).fit(rows)
    told = capsys.readouterr().err
    assert "layer 1: 2 epochs, loss" in told
    assert "layer 2: 2 epochs, loss" in told
    assert "nats/row" in told


def test_what_has_no_layers_to_stack_is_refused(rows: np.ndarray, digits: Any) -> None:
    for params, problem in (
        ({"network": "gated_mlp"}, 'set network="mlp" and no factories'),
        ({"encoder": nn.Linear}, 'set network="mlp" and no factories'),
        ({"posterior": "diagonal_gaussian"}, "posterior=.*point"),
    ):
        with pytest.raises(InputError, match=problem):
            StackedAutoencoder(2, max_epochs=1).set_params(**params).fit(rows)
    with pytest.raises(InputError, match='set network="mlp"'):
        StackedAutoencoder(2, network="conv", max_epochs=1).fit(digits.images[:50])
