from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import isthmus
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.errors import InputError
from isthmus.estimators import AdversarialAutoencoder, Autoencoder
from isthmus.estimators.labels import label_codes
from isthmus.parts.terms.discrepancy import squared_discrepancy

SHORT = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
RING = "gaussian_mixture:layout=ring,n_clusters=3,radius=4"


@pytest.fixture(scope="module")
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Return rows of three groups, and their labels."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 300)
    return 4 * np.eye(3)[label] @ rng.normal(size=(3, 6)) + rng.normal(size=(300, 6)), label


def discrepancy(model: AdversarialAutoencoder, codes: np.ndarray) -> float:
    draws = model.sample_codes(len(codes), random_state=1)
    return float(
        squared_discrepancy(torch.from_numpy(codes), torch.from_numpy(draws), "inverse_multiquadric", 1.0)
    )


def test_codes_follow_a_prior_that_has_no_density(rows: np.ndarray) -> None:
    settings: dict[str, Any] = {"hidden_sizes": (32,), "max_epochs": 100, "random_state": 0}
    model = AdversarialAutoencoder(2, prior="swiss_roll", **settings).fit(rows)
    free = AdversarialAutoencoder(2, prior="swiss_roll", adversarial="adversarial:weight=0", **settings).fit(
        rows
    )
    with_opponent, without = (discrepancy(model, each.transform(rows)) for each in (model, free))
    assert with_opponent < 0.5 * without
    assert model.metrics_["squared_error"] < model.metrics_["mean_squared_error"] / 2


def test_the_history_tells_the_opponents_loss_apart_from_the_objective(rows: np.ndarray) -> None:
    last = AdversarialAutoencoder(2, **SHORT).fit(rows).history_[-1]
    assert last["loss"] == pytest.approx(last["negative_log_likelihood"] + last["adversarial"])
    assert last["opponent_adversarial"] > 0
    # Held out, the term is the discrepancy from the prior, and no opponent is asked.
    assert last["validation_loss"] == pytest.approx(
        last["validation_negative_log_likelihood"] + last["validation_adversarial"]
    )
    assert "validation_opponent_adversarial" not in last


def first_weights(model: AdversarialAutoencoder) -> torch.Tensor:
    return next(iter(model.model_.terms[0].opponent.parameters()))


def test_the_opponent_learns_and_is_not_trained_by_the_objective(rows: np.ndarray) -> None:
    start, end = (
        first_weights(AdversarialAutoencoder(2, **SHORT | {"learning_rate": rate}).fit(rows))
        for rate in (1e-30, 1e-2)
    )
    assert not torch.allclose(start, end, atol=1e-4)
    still = AdversarialAutoencoder(2, adversarial="adversarial:learning_rate=1e-30", **SHORT).fit(rows)
    torch.testing.assert_close(first_weights(still), start)


# Labels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_labels_bring_codes_to_their_parts_of_the_prior(
    clusters: tuple[np.ndarray, np.ndarray], share: float
) -> None:
    X, label = clusters
    known = np.arange(300) % 4 < 4 * share
    names = np.where(known, np.array(["ant", "bee", "cow"])[label], None)
    settings: dict[str, Any] = {"hidden_sizes": (32,), "max_epochs": 60, "validation_fraction": 0.0}
    model = AdversarialAutoencoder(2, prior=RING, random_state=1, **settings).fit(X, labels=names)
    assert model.labels_.tolist() == ["ant", "bee", "cow"]
    assert model.architecture_.n_labels == 3
    codes = model.transform(X)  # the networks are not told the label
    angle = np.arctan2(codes[:, 1], codes[:, 0])  # the first petal lies in the direction of the first axis
    right = np.round(angle / (2 * np.pi / 3)).astype(int) % 3 == label
    assert right.mean() > 0.95
    assert right[~known].all() or share == 1


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        ([2, 0, -1, 2], [0, 2], [1, 0, -1, 1]),
        ([2.0, 0.0, float("nan"), 2.0], [0.0, 2.0], [1, 0, -1, 1]),
        (["b", "a", None, "b"], ["a", "b"], [1, 0, -1, 1]),
        ([10, 9, None, 10], [9, 10], [1, 0, -1, 1]),  # numbers, though NumPy calls them objects
        ([True, False, None, True], [False, True], [1, 0, -1, 1]),
        (pd.Categorical(["b", "a", None, "b"]), ["a", "b"], [1, 0, -1, 1]),
        (pd.array([5, 3, None, 5], dtype="Int64"), [3, 5], [1, 0, -1, 1]),
        (pl.Series(["b", "a", None, "b"]), ["a", "b"], [1, 0, -1, 1]),
        (np.array(["2020", "2019", "NaT", "2020"], dtype="datetime64[Y]"), ["2019", "2020"], [1, 0, -1, 1]),
        ([-1, -1, -1, -1], [], [-1, -1, -1, -1]),
        (["-1", "a", "a", "a"], ["-1", "a"], [0, 1, 1, 1]),
        (["b", "a", -1, "b"], ["a", "b"], [1, 0, -1, 1]),  # of a list with texts NumPy makes texts alone
        (["b", "a", float("nan"), "b"], ["a", "b"], [1, 0, -1, 1]),
        (
            [pd.Timestamp("2020"), pd.Timestamp("2019"), pd.NaT, pd.Timestamp("2020")],
            ["2019", "2020"],
            [1, 0, -1, 1],
        ),
        (np.array(["2020", "2019", "NaT", "2020"], dtype="datetime64[ns]"), ["2019", "2020"], [1, 0, -1, 1]),
    ],
    ids=str,
)
def test_unknown_labels_are_none_nan_or_minus_1(labels: Any, names: list[Any], codes: list[int]) -> None:
    found, numbers = label_codes(labels, 4)
    assert [str(name)[:4] if isinstance(name, str) else name for name in found.tolist()] == names
    assert numbers.tolist() == codes


def test_a_column_and_an_array_say_the_same(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    X, label = clusters
    plain = pl.DataFrame(X, schema=list("abcdef"))
    frame = plain.with_columns(kind=pl.Series(np.array(["u", "v", "w"])[label]))
    inside = AdversarialAutoencoder(2, prior=RING, labels="kind", **SHORT).fit(frame)
    apart = AdversarialAutoencoder(2, prior=RING, **SHORT).fit(plain, labels=frame["kind"])
    assert np.array_equal(inside.transform(frame), apart.transform(plain))
    # It is a label: not learned, not needed later, and copied where it is there.
    assert inside.n_features_in_ == 6
    assert np.array_equal(inside.transform(plain), inside.transform(frame))
    assert inside.reconstruct(frame)["kind"].equals(frame["kind"])
    assert "kind" not in inside.reconstruct(plain).columns
    drawn = inside.sample(3, random_state=0)
    assert drawn.columns == frame.columns
    assert drawn["kind"].null_count() == 3
    schema = infer_schema(as_source(frame), roles={"kind": "label"})
    given = AdversarialAutoencoder(2, prior=RING, labels="kind", schema=schema, **SHORT).fit(frame)
    assert np.array_equal(given.transform(plain), inside.transform(plain))
    assert np.array_equal(
        AdversarialAutoencoder(2, prior=RING, labels="kind", **SHORT).fit_transform(frame),
        inside.transform(frame),
    )


def test_codes_and_rows_are_drawn_from_a_labels_part_of_the_prior(
    clusters: tuple[np.ndarray, np.ndarray],
) -> None:
    X, label = clusters
    model = AdversarialAutoencoder(2, prior=RING, **SHORT).fit(X, labels=np.array(["u", "v", "w"])[label])
    codes = model.sample_codes(300, labels=["w", "u", "v"] * 100, random_state=0)
    angle = np.arctan2(codes[:, 1], codes[:, 0]) % (2 * np.pi)
    petal = np.round(angle / (2 * np.pi / 3)).astype(int) % 3
    assert np.mean(petal == [2, 0, 1] * 100) > 0.99
    # One label stands for all rows, temperature 0 leaves the petal's middle, and rows are decoded codes.
    middle = model.sample_codes(4, labels="v", temperature=0.0, random_state=0)
    np.testing.assert_allclose(
        middle, [[4 * np.cos(2 * np.pi / 3), 4 * np.sin(2 * np.pi / 3)]] * 4, atol=1e-5
    )
    drawn = model.sample(4, labels="v", temperature=0.0, expected=True, random_state=0)
    np.testing.assert_allclose(drawn, model.inverse_transform(middle), atol=1e-5)
    with pytest.raises(InputError, match=r"labels: 'x' is none of those fitted: u, v, w"):
        model.sample(2, labels="x")
    with pytest.raises(
        InputError, match=r"labels has the shape \(3,\); give one label, or one for each of 2"
    ):
        model.sample(2, labels=["u", "v", "w"])
    with pytest.raises(InputError, match="was fitted without labels"):
        AdversarialAutoencoder(2, prior=RING, **SHORT).fit(X).sample(2, labels=0)


def test_what_cannot_be_a_label_is_refused(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    X, label = clusters

    def fit(data: Any = X, told: Any = label, **params: Any) -> None:
        AdversarialAutoencoder(2, **SHORT | {"prior": RING} | params).fit(data, labels=told)

    with pytest.raises(
        InputError, match=r"labels has the shape \(299,\); give one label for each of the 300"
    ):
        fit(told=label[:-1])
    with pytest.raises(InputError, match="the draws of StandardNormalPrior carry no label"):
        fit(prior="standard_normal")
    with pytest.raises(InputError, match="there are 300 labels, and RingPrior has 3 parts"):
        fit(told=np.arange(300))
    frame = pl.DataFrame(X, schema=list("abcdef"))
    with pytest.raises(InputError, match='no column "lable"'):
        fit(frame, None, labels="lable")
    with pytest.raises(InputError, match="as a feature"):
        fit(frame, None, labels="a", schema=infer_schema(as_source(frame)))
    with pytest.raises(InputError, match='no column "kind"'):
        AdversarialAutoencoder(2, labels="kind", **SHORT).fit(X)


def test_chunks_have_the_labels_of_the_first_one(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    X, label = clusters
    names = np.array(["u", "v", "w"])[label]
    model = AdversarialAutoencoder(2, prior=RING, **SHORT).partial_fit(X[:100], labels=names[:100])
    some = np.where(names[100:200] == "u", None, names[100:200])
    for later in (names[100:200], some, np.full(100, None), None):
        model.partial_fit(X[100:200], labels=later)
        assert model.labels_.tolist() == ["u", "v", "w"]
    with pytest.raises(InputError, match=r"the first chunk had .*start anew with all of them"):
        model.partial_fit(X[200:], labels=np.full(100, "x"))
    assert model.labels_.tolist() == ["u", "v", "w"]
    without = AdversarialAutoencoder(2, **SHORT).partial_fit(X[:100])
    without.partial_fit(X[100:], labels=np.full(200, None))
    assert not hasattr(without, "labels_")
    with pytest.raises(InputError, match="the first chunk had None"):
        without.partial_fit(X[100:], labels=label[100:])


def test_labels_are_kept_with_the_model(clusters: tuple[np.ndarray, np.ndarray], tmp_path: Any) -> None:
    X, label = clusters
    pair = "gaussian_mixture:layout=ring,n_clusters=2"
    kinds = ((label, RING), (np.array(["u", "v", "w"])[label], RING), (label > 0, pair), (label / 2, RING))
    for labels, prior in kinds:
        model = AdversarialAutoencoder(2, prior=prior, **SHORT).fit(X, labels=labels)
        model.save(tmp_path / "model", overwrite=True)
        again = isthmus.load(tmp_path / "model")
        assert again.labels_.tolist() == model.labels_.tolist()
        assert again.labels_.dtype == model.labels_.dtype
        again.partial_fit(X, labels=labels)


def test_fewer_labels_than_parts_are_warned_of(clusters: tuple[np.ndarray, np.ndarray]) -> None:
    X, label = clusters
    model = AdversarialAutoencoder(2, prior=RING, **SHORT)
    with pytest.warns(
        UserWarning, match=r"3 parts and there are 2 labels: no row will lie in 1 of .*clusters=2"
    ) as at_fit:
        model.fit(X, labels=label > 0)
    with pytest.warns(UserWarning, match="3 parts and there are 2 labels") as at_chunk:
        AdversarialAutoencoder(2, prior=RING, **SHORT).partial_fit(X, labels=label > 0)
    assert {warning.filename for warning in (*at_fit, *at_chunk)} == {__file__}
    # Rows without a label may lie anywhere, and warnings are errors in these tests.
    model.fit(X, labels=np.where(label > 1, -1, label))


def test_other_estimators_take_no_labels(rows: np.ndarray) -> None:
    with pytest.raises(TypeError, match="labels"):
        Autoencoder(2, **SHORT).fit(rows, labels=np.zeros(120))
