"""Conditions that come with a loader's batches, and with tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from isthmus.errors import InputError
from isthmus.estimators import ConditionalVariationalAutoencoder, VariationalAutoencoder

Conditional = ConditionalVariationalAutoencoder
SHORT: dict[str, Any] = {"hidden_sizes": (8,), "max_epochs": 3, "random_state": 0}
MEANS = np.array([[0.0, 0, 5], [4, -4, 0], [-3, 2, 1]])


@pytest.fixture(scope="module")
def classes() -> tuple[np.ndarray, np.ndarray]:
    """Return rows of three known means, and which mean each has."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 300)
    return MEANS[group] + 0.3 * rng.normal(size=(300, 3)), group


def loader(*columns: Any, **how: Any) -> DataLoader[Any]:
    how = {"batch_size": 32, "generator": torch.Generator().manual_seed(0)} | how
    return DataLoader(TensorDataset(*map(torch.as_tensor, columns)), **how)


def told_apart(model: Any) -> np.ndarray:
    """Return the mean sample under each condition."""
    return np.array([model.sample(500, condition=k, random_state=0).mean(axis=0) for k in range(3)])


@pytest.mark.parametrize("shuffle", [True, False])
def test_each_batch_brings_its_own_conditions_in_whatever_order(classes: Any, shuffle: bool) -> None:
    model = Conditional(1, hidden_sizes=(), max_epochs=40, random_state=0)
    model.fit_loader(loader(*classes, shuffle=shuffle))
    np.testing.assert_allclose(told_apart(model), MEANS, atol=0.2)
    assert model.condition_schema_ is not None
    assert model.condition_schema_["condition"].levels == (0, 1, 2)
    assert model.n_training_rows_ == 300


def test_several_conditions_and_named_ones(classes: Any) -> None:
    X, group = classes
    dose = X[:, 0] ** 2
    both = np.column_stack([group, dose])
    matrix = Conditional(1, **SHORT).fit_loader(loader(X, both))
    batches = [
        (torch.as_tensor(X[at]), {"town": [f"t{g}" for g in group[at]], "dose": torch.as_tensor(dose[at])}, 0)
        for at in (slice(0, 100), slice(100, 200), slice(200, 300))
    ]
    named = Conditional(1, **SHORT).fit_loader(batches)
    for model, names, kinds in (
        (matrix, ["condition0", "condition1"], ["continuous", "continuous"]),
        (named, ["town", "dose"], ["categorical", "continuous"]),
    ):
        assert model.condition_schema_ is not None
        assert [column.name for column in model.condition_schema_.modelled] == names
        assert [column.kind for column in model.condition_schema_.modelled] == kinds
    codes = named.transform(X[:5], condition={"town": [f"t{g}" for g in group[:5]], "dose": dose[:5]})
    assert codes.shape == (5, 1)


def test_texts_may_be_missing_in_a_whole_batch(classes: Any) -> None:
    X = torch.as_tensor(classes[0][:9])
    texts = [["a", "b", None], [None, None, None], ["b", "a", "a"]]
    model = Conditional(1, **SHORT).fit_loader(list(zip(X.split(3), texts, strict=True)))
    assert model.condition_schema_ is not None
    assert model.condition_schema_["condition"].missing


def test_rows_to_hold_out_bring_theirs_as_in_fit(classes: Any) -> None:
    X, group = classes
    held_out = (X[200:], None, None, group[200:])
    model = Conditional(1, **SHORT).fit_loader(loader(X[:200], group[:200]), validation_data=held_out)
    assert model.metrics_["rows"] == "held-out"
    assert model.metrics_["log_likelihood"] == pytest.approx(model.score(X[200:], condition=group[200:]))
    with pytest.raises(InputError, match="give condition="):
        Conditional(1, **SHORT).fit_loader(loader(X, group), validation_data=X)


def test_the_same_loader_gives_the_same_bits(classes: Any) -> None:
    codes = [
        Conditional(1, **SHORT).fit_loader(loader(*classes, shuffle=True)).transform(classes[0], condition=1)
        for _ in range(2)
    ]
    assert np.array_equal(*codes)


def test_other_models_leave_what_stands_beside_rows_aside(classes: Any) -> None:
    X, group = classes
    model = VariationalAutoencoder(1, **SHORT).fit_loader(loader(X, group))
    assert model.condition_schema_ is None


def test_a_loader_of_rows_alone_says_that_nothing_is_told(classes: Any) -> None:
    with pytest.warns(UserWarning, match="fitted without a condition"):
        model = Conditional(1, **SHORT).fit_loader([torch.as_tensor(classes[0])])
    assert model.condition_schema_ is None


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (torch.zeros(3), "3 rows and a condition of 1"),
        ({"a": torch.arange(2.0), "b": torch.arange(3.0)}, "columns of unlike lengths"),
        (torch.zeros(3, 1, 1), r"shape \(3, 1, 1\)"),
    ],
)
def test_conditions_that_do_not_fit_are_refused(second: Any, said: str) -> None:
    X, n = torch.arange(12.0).reshape(4, 3), 2 if isinstance(second, dict) else 3
    second = second[:1] if isinstance(second, torch.Tensor) and second.ndim == 1 else second
    with pytest.raises(InputError, match=said):
        Conditional(1, **SHORT).fit_loader([(X[:n], second)])


def test_batches_of_different_names_are_refused() -> None:
    X = torch.arange(6.0).reshape(2, 3)
    with pytest.raises(InputError, match="told a and b"):
        Conditional(1, **SHORT).fit_loader([(X, {"a": X[:, 0]}), (X, {"b": X[:, 0]})])


def test_columns_of_an_array_are_no_condition(classes: Any) -> None:
    with pytest.raises(InputError, match="column x2 cannot be a condition"):
        Conditional(1, condition="x2", **SHORT).fit(classes[0])


# Tensors ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(classes: Any) -> Conditional:
    return Conditional(2, **SHORT).fit(classes[0], condition=classes[1])


@pytest.mark.parametrize("form", [torch.as_tensor, lambda g: torch.as_tensor(g)[:, None].bfloat16(), list])
def test_tensors_are_encoded_under_their_condition(model: Conditional, classes: Any, form: Any) -> None:
    X, group = classes
    rows = torch.tensor(X, requires_grad=True)
    codes = model.encode_tensor(rows, condition=form(group))
    np.testing.assert_allclose(
        codes.detach().numpy(), model.transform(X, condition=form(group)), rtol=1e-5, atol=1e-6
    )
    codes.sum().backward()
    assert rows.grad is not None
    assert rows.grad.abs().min() > 0


def test_one_condition_for_all_tensors_and_none_where_one_is_needed(model: Conditional, classes: Any) -> None:
    X = torch.as_tensor(classes[0])
    one = model.encode_tensor(X, condition=2).detach()
    np.testing.assert_allclose(one, model.transform(classes[0], condition=2), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="give condition="):
        model.encode_tensor(X)
    with pytest.raises(InputError, match="condition has 2 rows and the data 300"):
        model.encode_tensor(X, condition=[0, 1])
