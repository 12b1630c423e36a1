from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from isthmus.data.encoding import encode
from isthmus.data.features import Features, Values
from isthmus.data.inference import infer_schema
from isthmus.data.sources import as_source
from isthmus.data.statistics import measure
from isthmus.nets.mlp import mlp
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.specs import DiagonalGaussian, Point
from isthmus.parts.terms.base import Step, TermModule
from isthmus.parts.terms.contractive import input_slopes
from isthmus.parts.terms.specs import Contractive

SUPPORT = {"binary": "unit", "categorical": "category", "count": "count"}


def build(X: Any, support: str | None = None, **kinds: str) -> tuple[Features, Values]:
    """Return the device stage of some data, with the usual support of each kind, and the rows' values."""
    schema = infer_schema(as_source(X), kinds=kinds)
    encoded = encode(schema, X).values
    supports = [support or SUPPORT.get(column.kind, "real") for column in schema.modelled]
    features = Features(schema, measure(schema, [encoded]), supports, mark_missing=False)
    return features, features.to_values(torch.from_numpy(encoded))


def table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "real": [1.0, 2.0, None, 3.0, 4.5, 7.0],
            "city": ["b", "a", "c", None, "a", "a"],
            "n": [0, 3, 1, None, 5, 9],
            "yes": [True, False, True, True, False, True],
            "wide": [1e3, 2e3, 5e3, 0.0, 1e3, 2e3],
        }
    )


def array(n: int = 40, d: int = 3, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(n, d)) * np.array([1.0, 20.0, 0.5])[:d]


def make_step(features: Features, rows: Values, encoder: nn.Module, code: Code, *beside: Tensor) -> Step:
    def outputs(values: Values) -> Tensor:
        inputs = [features(values), *(side.expand(len(values.values), -1) for side in beside)]
        return encoder(torch.cat(inputs, dim=1))

    given = {"seen": rows, "outputs": outputs(rows), "encode": outputs, "encoder": encoder, "code": code}
    generator = torch.Generator().manual_seed(0)
    return cast(Step, SimpleNamespace(features=features, generator=generator, **given))


def network(*sizes: int, seed: int = 0) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return mlp(sizes, "tanh")


def term_of(code: Code, n_probes: int = 1) -> TermModule:
    return Contractive(n_probes=n_probes).build(code, None, 0)


def jacobian_norms(step: Step) -> Tensor:
    """Return the squared norm of each row's Jacobian by values, divided by units: autograd's, row by row."""
    unit = torch.as_tensor(step.features.facts().unit, dtype=torch.float32)
    norms = []
    for b in range(len(step.seen.values)):
        row = step.seen.rows(slice(b, b + 1))

        def code_of(values: Tensor, row: Values = row) -> Tensor:
            return step.code.code(step.encode(row._replace(values=values)))[0]

        jacobian = torch.autograd.functional.jacobian(code_of, row.values)[:, 0] / unit  # (D, C)
        if row.observed is not None:
            jacobian = jacobian * row.observed
        norms.append(jacobian.square().sum())
    return torch.stack(norms)


# One layer --------------------------------------------------------------------------------------------------


def test_of_a_sigmoid_layer_is_the_formula_of_rifai_et_al() -> None:
    features, rows = build(array())
    encoder, code = network(3, 4), Point("sigmoid").build(4)
    step = make_step(features, rows, encoder, code)
    h = torch.sigmoid(encoder(features(rows)))
    layer = encoder[0]
    assert isinstance(layer, nn.Linear)
    weight = layer.weight / torch.as_tensor(features.scale, dtype=torch.float32)  # by data units
    expected = ((h * (1 - h)).square() * weight.square().sum(dim=1)).sum(dim=1)
    torch.testing.assert_close(term_of(code)(step), expected)


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu", "softplus"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_of_one_layer_is_autograds(activation: str, wrapped: bool) -> None:
    features, rows = build(array(8))
    encoder = network(3, 4)
    code = Point(activation, top_k=2).build(4)
    step = make_step(features, rows, encoder if wrapped else encoder[0], code)
    torch.testing.assert_close(term_of(code)(step), jacobian_norms(step))


@pytest.mark.parametrize("support", [None, "unit"])
def test_of_all_kinds_of_columns_is_autograds(support: str | None) -> None:
    if support is None:
        features, rows = build(table(), n="count")
        assert features.supports == ("real", "category", "count", "unit", "real")
        assert rows.observed is not None
    else:
        features, rows = build(
            np.random.default_rng(0).integers(0, 256, size=(9, 4, 3)).astype("uint8"), support
        )
        assert features.input_scale.max() > 2
    code = Point("sigmoid").build(3)
    step = make_step(features, rows, network(features.n_inputs, 3), code)
    torch.testing.assert_close(term_of(code)(step), jacobian_norms(step))


def test_a_condition_beside_the_inputs_has_no_part_in_it() -> None:
    features, rows = build(array(8))
    condition = torch.ones(1, 2)
    code = Point("sigmoid").build(4)
    step = make_step(features, rows, network(5, 4), code, condition)
    torch.testing.assert_close(term_of(code)(step), jacobian_norms(step))


# Slopes -----------------------------------------------------------------------------------------------------


def test_slopes_of_inputs_are_autograds() -> None:
    features, rows = build(table(), n="count")
    assert rows.observed is not None
    values = rows.values.clone().requires_grad_()
    inputs = features(rows._replace(values=values))
    slopes = input_slopes(features, rows)
    assert slopes.shape == (6, 4)
    for k, column in enumerate(features.numbers.tolist()):
        (gradient,) = torch.autograd.grad(inputs[:, k].sum(), values, retain_graph=True)
        torch.testing.assert_close(slopes[:, k], gradient[:, column])
        assert gradient.count_nonzero() == rows.observed[:, column].sum()
    (rest,) = torch.autograd.grad(inputs[:, 4:].sum(), values, allow_unused=True, materialize_grads=True)
    assert not rest.any()


def test_an_entry_that_was_not_observed_has_no_slope_in_an_array() -> None:
    features, rows = build(array(4))
    assert features.plain
    rows = rows._replace(observed=torch.tensor([[True, False, True]]).expand(4, 3))
    assert input_slopes(features, rows).tolist() == [[1, 0, 1]] * 4
    code = Point().build(1)  # one component: nothing is random
    for sizes in ((3, 1), (3, 4, 1)):
        step = make_step(features, rows, network(*sizes), code)
        torch.testing.assert_close(term_of(code)(step), jacobian_norms(step))


# More layers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [Point("sigmoid"), DiagonalGaussian()], ids=str)
def test_the_mean_over_many_probes_is_autograds(spec: Point | DiagonalGaussian) -> None:
    features, rows = build(table(), n="count")
    code = spec.build(3)
    step = make_step(features, rows, network(features.n_inputs, 5, code.n_outputs), code)
    truth = jacobian_norms(step)
    estimates = torch.stack([term_of(code)(step).detach() for _ in range(600)])
    error = estimates.std(dim=0) / 600**0.5
    assert (error > 0).all()
    assert (error < 0.1 * truth).all()
    assert ((estimates.mean(dim=0) - truth).abs() < 4 * error).all()


def test_probes_are_averaged() -> None:
    features, rows = build(array(10))
    code = Point().build(3)
    step = make_step(features, rows, network(3, 5, 3), code)
    many = torch.stack([term_of(code, 16)(step).detach() for _ in range(100)])
    one = torch.stack([term_of(code, 1)(step).detach() for _ in range(100)])
    torch.testing.assert_close(many.mean(dim=0), jacobian_norms(step), rtol=0.15, atol=1e-4)
    assert 2.5 < (one.std(dim=0).mean() / many.std(dim=0).mean()) < 6  # about 4


@pytest.mark.parametrize("sizes", [(3, 1), (3, 5, 1)], ids=["exact", "estimated"])
def test_its_gradient_by_the_weights_is_that_of_finite_differences(sizes: tuple[int, ...]) -> None:
    features, rows = build(array(6))
    encoder, code = network(*sizes).double(), Point("sigmoid").build(1)  # one component: nothing is random
    features = features.double()
    rows = rows._replace(values=rows.values.double())
    first = encoder[0]
    assert isinstance(first, nn.Linear)

    def total(weight: Tensor) -> Tensor:
        with torch.no_grad():
            first.weight.copy_(weight)
        return term_of(code)(make_step(features, rows, encoder, code)).sum()

    start = first.weight.detach().clone()
    direction = torch.linspace(-1, 1, start.numel()).double().view_as(start)
    (gradient,) = torch.autograd.grad(total(start), first.weight)
    step = 1e-5
    with torch.no_grad():
        slope = (total(start + step * direction) - total(start - step * direction)) / (2 * step)
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("sizes", [(3, 2), (3, 5, 2)], ids=["exact", "estimated"])
def test_held_out_rows_need_no_graph(sizes: tuple[int, ...]) -> None:
    features, rows = build(array(6))
    encoder, code = network(*sizes), Point("sigmoid").build(2)
    learning = term_of(code)(make_step(features, rows, encoder, code))
    with torch.no_grad():
        step = make_step(features, rows, encoder, code)
        held_out = term_of(code)(step)
    torch.testing.assert_close(held_out, learning.detach())
    assert learning.requires_grad
    assert not held_out.requires_grad
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_where_all_columns_are_categories_there_is_nothing_to_contract() -> None:
    features, rows = build(pl.DataFrame({"a": ["x", "y", "z", "x"], "b": ["u", "v", "u", "w"]}))
    assert not len(features.numbers)
    code = Point().build(2)
    for sizes in ((features.n_inputs, 2), (features.n_inputs, 4, 2)):
        assert not term_of(code)(make_step(features, rows, network(*sizes), code)).any()


# Units ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(3, 2), (3, 5, 2)], ids=["exact", "estimated"])
def test_derivatives_are_by_data_units_in_arrays_and_deviations_in_frames(sizes: tuple[int, ...]) -> None:
    """A thousand times the data, seen by the same network: a millionth of the norm, or the same."""
    X, code = array(), Point("tanh").build(2)

    def norms(data: Any) -> Tensor:
        return term_of(code)(make_step(*build(data), network(*sizes), code))

    torch.testing.assert_close(norms(1000 * X) * 1e6, norms(X), rtol=1e-4, atol=1e-7)
    frames = [pl.DataFrame(scale * X, schema=["a", "b", "c"]) for scale in (1, 1000)]
    torch.testing.assert_close(norms(frames[1]), norms(frames[0]), rtol=1e-4, atol=1e-7)
    assert norms(X).mean() > 1e-3


def test_facts_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    features, rows = build(array())
    code = Point().build(2)
    term = term_of(code)
    step = make_step(features, rows, network(3, 2), code)
    first = term(step)
    monkeypatch.setattr(Features, "facts", None)
    torch.testing.assert_close(term(step), first)
    assert not term.state_dict()
