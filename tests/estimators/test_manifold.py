from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from safetensors import safe_open
from scipy.stats import spearmanr
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

import isthmus
from isthmus.data.features import Values
from isthmus.errors import InputError
from isthmus.estimators import (
    Autoencoder,
    ManifoldAutoencoder,
    VariationalAutoencoder,
    fitting,
    neighboring,
    preparing,
)
from isthmus.manifold.nearest_neighbors import nearest_neighbors
from isthmus.model import Model
from isthmus.nets.fourier import FourierFeatures
from isthmus.parts.posteriors import Places, Point
from isthmus.training.settings import Settings

SHORT: dict[str, Any] = {"hidden_sizes": (16,), "max_epochs": 3, "random_state": 0}


@pytest.mark.slow
def test_a_roll_is_unrolled_and_decoded() -> None:
    X, turn = make_swiss_roll(3000, random_state=0)
    model = ManifoldAutoencoder(random_state=0).fit(X)
    codes = model.transform(X)
    length = (turn * np.sqrt(1 + turn**2) + np.arcsinh(turn)) / 2
    assert trustworthiness(X, codes, n_neighbors=10) >= 0.99
    assert max(abs(spearmanr(column, length)[0]) for column in codes.T) >= 0.98
    assert model.metrics_["squared_error"] < 0.01 * model.metrics_["pca_squared_error"]


def test_maps_are_truer_than_those_of_pca_and_of_a_plain_autoencoder() -> None:
    X = load_digits().data
    X = X[:, X[:600].std(axis=0) > 0]
    train, test = X[:600], X[600:1200]
    settings: dict[str, Any] = {"hidden_sizes": (64,), "max_epochs": 80, "random_state": 0}
    ours = ManifoldAutoencoder(**settings).fit(train)
    plain = Autoencoder(2, **settings).fit(train)
    pca = PCA(2).fit(train)
    true = [trustworthiness(test, model.transform(test), n_neighbors=10) for model in (ours, plain, pca)]
    assert true[0] > true[1] + 0.02
    assert true[0] > true[2] + 0.05
    assert ours.metrics_["squared_error"] < ours.metrics_["pca_squared_error"]


def test_less_weight_leaves_maps_that_decode_better() -> None:
    X = load_digits().data[:600]
    # Of one length: where a fit stops by itself can hang on the last bits of a processor's sums.
    settings: dict[str, Any] = {"hidden_sizes": (64,), "max_epochs": 60, "patience": 60, "random_state": 0}
    free, strict = (ManifoldAutoencoder(neighbor_weight=w, **settings).fit(X) for w in (0.0, 10.0))
    assert free.history_[-1]["neighbor_embedding"] == 0
    fitted = [last["negative_log_likelihood"] for last in (free.history_[-1], strict.history_[-1])]
    assert fitted[0] < fitted[1] - 4


def test_what_training_rows_were_put_at_is_forgotten(rows: np.ndarray, tmp_path: Any) -> None:
    model = ManifoldAutoencoder(1, **SHORT).fit(rows)
    assert model.architecture_.posterior == Places(36)  # 108 of the 120 rows were learned from
    assert model.model_.positions is None
    model.save(tmp_path / "model")
    with safe_open(tmp_path / "model" / "weights.safetensors", "np") as saved:
        assert not [name for name in saved.keys() if "positions" in name]  # noqa: SIM118
        assert saved.get_tensor("model.code.places").shape == (36, 1)
    again = isthmus.load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(rows), model.transform(rows))


def test_rows_of_no_more_dimensions_than_the_map_have_a_smooth_one() -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 5))
    for n_components, posterior in ((1, Places(90)), (2, Point())):
        model = ManifoldAutoencoder(n_components, **SHORT).fit(plane)
        assert model.architecture_.posterior == posterior


def test_positions_settle_first_and_networks_then_need_a_quarter_of_the_steps(
    rows: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    chosen: list[Settings] = []

    def settling(layout: torch.Tensor, graph: Any, n_drawn: int, min_dist: float, n: int, seed: int) -> Any:
        steps.append(n)
        return layout

    def stop(model: Any, batches: Any, settings: Settings) -> None:
        chosen.append(settings)
        raise InterruptedError

    monkeypatch.setattr(neighboring, "settle", settling)
    monkeypatch.setattr(fitting, "make_positions", stop)
    # 108 rows in 7 batches an epoch; a map of two dimensions of five, one as good as flat, a short one
    flat = rows @ np.diag([1.0, 1.0] + [0.0] * (rows.shape[1] - 2))
    for X, params in ((rows, {"n_components": 1}), (flat, {}), (rows, {"n_components": 1, "max_epochs": 3})):
        with pytest.raises(InterruptedError):
            ManifoldAutoencoder(random_state=0, **params).fit(X)
    assert [settings.max_epochs for settings in chosen] == [286, 500, 3]
    assert steps == [2000, 5 * 3 * 7]


def test_settling_is_told_of(rows: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, told in ((0, False), (1, True)):
        ManifoldAutoencoder(1, verbose=verbose, **SHORT).fit(rows)
        assert capsys.readouterr().err.startswith("108 rows settle among their neighbours\n") is told


def test_the_decoder_of_a_torn_map_reads_waves_but_not_a_linear_one_nor_a_users(rows: np.ndarray) -> None:
    def own(n_in: int, n_out: int) -> torch.nn.Module:
        return torch.nn.Linear(n_in, n_out)

    model = ManifoldAutoencoder(1, **SHORT).fit(rows).model_
    assert isinstance(model.decoder[0], FourierFeatures)
    assert model.decoder[0].linear.in_features == 1
    for changed in ({"decoder": own}, {"hidden_sizes": ()}, {"n_components": 5}):
        plain = ManifoldAutoencoder(**{"n_components": 1} | SHORT | changed).fit(rows)
        assert plain.architecture_.n_waves == 0
        assert not any(isinstance(part, FourierFeatures) for part in plain.model_.modules())


def test_rows_between_two_groups_are_put_in_one_of_them() -> None:
    rng = np.random.default_rng(0)
    side = np.where(rng.random(600) < 0.5, -1.0, 1.0)
    X = np.column_stack([20 * side, rng.normal(size=(600, 4))])
    model = ManifoldAutoencoder(2, hidden_sizes=(32,), max_epochs=100, random_state=0).fit(X)
    between = np.column_stack([rng.uniform(-10, 10, 200), rng.normal(size=(200, 4))])
    codes, learned = model.transform(between), model.transform(X)
    far = np.linalg.norm(codes[:, None] - learned[None], axis=2).min(axis=1)
    apart = np.linalg.norm(learned[side < 0].mean(axis=0) - learned[side > 0].mean(axis=0))
    assert np.quantile(far, 0.9) < 0.1 * apart


def test_the_unit_of_an_array_does_not_matter(rows: np.ndarray) -> None:
    maps = [ManifoldAutoencoder(**SHORT).fit(unit * rows).transform(unit * rows) for unit in (1.0, 1024.0)]
    np.testing.assert_allclose(maps[0], maps[1], rtol=1e-3, atol=1e-3)


def test_neighbours_of_arrays_are_those_in_their_units_and_of_frames_in_standard_deviations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 50.0]
    points: list[np.ndarray] = []

    def recording(rows: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        points.append(rows)
        return nearest_neighbors(rows, *args, **kwargs)

    monkeypatch.setattr(neighboring, "nearest_neighbors", recording)
    for data in (X, pl.DataFrame(X, schema=["a", "b"])):
        ManifoldAutoencoder(validation_fraction=0.0, **SHORT).fit(data)
    np.testing.assert_allclose(points[0].std(axis=0), X.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(points[1].std(axis=0), 1.0, rtol=1e-5)


def test_held_out_rows_count_too(rows: np.ndarray) -> None:
    last = ManifoldAutoencoder(**SHORT).fit(rows).history_[-1]
    names = ("negative_log_likelihood", "placement", "neighbor_embedding")
    total = sum(last[f"validation_{name}"] for name in names)
    assert last["validation_loss"] == pytest.approx(total)
    given = ManifoldAutoencoder(**SHORT).fit(rows[:90], validation_data=rows[90:])
    assert np.isfinite(given.history_[-1]["validation_neighbor_embedding"])


def test_small_sets_have_as_many_neighbours_as_there_are(rows: np.ndarray) -> None:
    assert ManifoldAutoencoder(n_neighbors=50, **SHORT).fit(rows[:6]).transform(rows[:6]).shape == (6, 2)
    model = ManifoldAutoencoder(**SHORT).partial_fit(rows[:6])
    with pytest.raises(InputError, match="1 sample is no one's neighbour"):
        model.partial_fit(rows[:1])


def test_chunks_have_a_graph_each(rows: np.ndarray) -> None:
    model = ManifoldAutoencoder(**SHORT)
    for chunk in (rows[:60], rows[60:], rows[:40]):
        model.partial_fit(chunk)
    assert np.isfinite(model.history_[-1]["neighbor_embedding"])
    assert model.n_iter_ == 3


def test_later_chunks_leave_places_where_they_are(rows: np.ndarray) -> None:
    model = ManifoldAutoencoder(1, **SHORT).partial_fit(rows[:60])
    places = model.model_.code.places.clone()
    before = model.model_.encoder[0].weight.detach().clone()
    model.partial_fit(rows[60:])
    torch.testing.assert_close(model.model_.code.places, places, atol=0, rtol=0)
    assert not torch.equal(model.model_.encoder[0].weight, before)
    assert model.model_.positions is None


def test_data_that_are_not_in_memory_are_refused_by_name(
    rows: np.ndarray, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"loader: 120 training rows are read anew in every epoch"):
        ManifoldAutoencoder(**SHORT).fit_loader(list(torch.from_numpy(rows).float().split(40)))
    np.save(tmp_path / "big.npy", rows)
    monkeypatch.setattr(preparing, "_memory_limit", lambda: 1.0)
    model = ManifoldAutoencoder(**SHORT)
    with pytest.raises(
        InputError, match=r"big\.npy: \d+ training rows .* give a part of the rows, or chunks"
    ):
        model.fit(isthmus.read(tmp_path / "big.npy"))
    assert not hasattr(model, "model_")


def test_other_models_may_keep_neighbourhoods_too(rows: np.ndarray) -> None:
    model = VariationalAutoencoder(2, terms=("neighbor_embedding:n_neighbors=5",), **SHORT).fit(rows)
    last = model.history_[-1]
    assert last["neighbor_embedding"] != 0
    assert np.abs(model.transform(rows)).mean() < 5  # no first layout: the prior says where codes lie


def test_tables_with_gaps_have_maps() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"a": [None, *rng.normal(size=79)], "b": rng.choice(["x", "y"], 80), "c": rng.integers(0, 9, 80)}
    )
    model = ManifoldAutoencoder(metric="cosine", **SHORT).fit(frame)
    assert model.inverse_transform(model.transform(frame)).columns == frame.columns


def test_neighbours_are_binarised_as_the_rows_beside_them_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    encode = Model.encode

    def recording(self: Model, rows: Values, condition: torch.Tensor | None = None) -> torch.Tensor:
        seen.append(rows.values)
        return encode(self, rows, condition)

    X = np.random.default_rng(0).random((60, 5))
    monkeypatch.setattr(Model, "encode", recording)
    settings = SHORT | {"terms": ("neighbor_embedding",), "likelihood": "bernoulli:binarize=dynamic"}
    VariationalAutoencoder(2, **settings).fit(X)
    training = [values for values in seen if len(values) > 1 and bool(((values == 0) | (values == 1)).all())]
    assert len(training) >= 3
