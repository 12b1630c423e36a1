from __future__ import annotations

import numpy as np
import pytest
import torch

from isthmus.errors import InputError
from isthmus.estimators import ContractiveAutoencoder
from isthmus.model import LIKELIHOOD_TERM

SETTINGS = {"hidden_sizes": (16,), "max_epochs": 60, "random_state": 0}


def jacobian_norm(model: ContractiveAutoencoder, X: np.ndarray) -> float:
    """Return the mean over rows of the squared Frobenius norm of the code's Jacobian by the row's entries."""

    def code(row: torch.Tensor) -> torch.Tensor:
        return model.encode_tensor(row[None])[0].double()

    jacobians = [torch.autograd.functional.jacobian(code, torch.from_numpy(row)) for row in X]
    return float(torch.stack(jacobians).square().sum(dim=(1, 2)).mean())


@pytest.mark.parametrize("hidden", [(), (16,)])
def test_the_jacobian_shrinks_as_the_weight_grows(rows: np.ndarray, hidden: tuple[int, ...]) -> None:
    norms, errors = [], []
    for weight in (0.0, 1.0, 100.0):
        model = ContractiveAutoencoder(
            2, contractive=f"contractive:weight={weight}", **SETTINGS | {"hidden_sizes": hidden}
        ).fit(rows)
        norms.append(jacobian_norm(model, rows[:40]))
        errors.append(np.mean((model.reconstruct(rows) - rows) ** 2))
    assert norms[2] < norms[1] < norms[0]
    assert norms[2] < 0.2 * norms[0]
    assert errors[0] < errors[2]  # what it costs


def test_of_a_single_layer_the_term_is_exact(rows: np.ndarray) -> None:
    model = ContractiveAutoencoder(
        3, hidden_sizes=(), contractive="contractive:weight=2", max_epochs=3, random_state=0
    ).fit(rows, validation_data=rows)
    best = min(model.history_, key=lambda row: row["validation_loss"])
    assert best["validation_contractive"] == pytest.approx(2 * jacobian_norm(model, rows), rel=1e-4)
    assert best["validation_loss"] == pytest.approx(
        best["validation_contractive"] + best[f"validation_{LIKELIHOOD_TERM}"]
    )


def test_of_a_deep_encoder_the_term_is_right_on_average(rows: np.ndarray) -> None:
    model = ContractiveAutoencoder(
        3, hidden_sizes=(8,), contractive="contractive:weight=1,n_probes=200", max_epochs=3, random_state=0
    ).fit(rows, validation_data=rows)
    best = min(model.history_, key=lambda row: row["validation_loss"])
    assert best["validation_contractive"] == pytest.approx(jacobian_norm(model, rows), rel=0.05)


def test_codes_lie_where_the_activation_puts_them(rows: np.ndarray) -> None:
    codes = ContractiveAutoencoder(3, hidden_sizes=(8,), max_epochs=2, random_state=0).fit_transform(rows)
    assert ((codes > 0) & (codes < 1)).all()
    with pytest.raises(InputError, match='Did you mean "contractive"'):
        ContractiveAutoencoder(2, contractive="contractiv").fit(rows)
