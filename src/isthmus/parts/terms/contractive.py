"""The squared Frobenius norm of the code's Jacobian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from isthmus.data.features import Features, Values
from isthmus.parts.posteriors.base import Code
from isthmus.parts.posteriors.point import PointCode
from isthmus.parts.terms.base import Step, TermModule

if TYPE_CHECKING:
    from isthmus.parts.terms.specs import Contractive

__all__ = ["ContractiveTerm", "input_slopes"]


class ContractiveTerm(TermModule):
    """||d code / d row||^2 of each row, by data units in arrays and training deviations in frames.

    Exact for a `Point` code that one linear layer computes. Else Hutchinson's estimate: for random signs v,
    the squared length of v' J has the mean ||J||^2. Categories have no derivative, nor have entries that
    were not observed.

    Parameters
    ----------
    spec : Contractive
    code : Code
    """

    unit: Tensor | None

    def __init__(self, spec: Contractive, code: Code) -> None:
        super().__init__("contractive", spec.weight)
        self.n_probes = spec.n_probes
        self.register_buffer("unit", None, persistent=False)

    def forward(self, step: Step) -> Tensor:
        layer = _only_layer(step.encoder)
        if layer is not None and isinstance(step.code, PointCode):
            return self._exact(step, layer)
        return self._estimate(step)

    def _unit(self, features: Features) -> Tensor:
        """Return one value unit in the units asked for, of shape (C,); computed once: it is NumPy's work."""
        if self.unit is None:
            dtype, device = features.input_scale.dtype, features.input_scale.device
            self.unit = torch.as_tensor(features.facts().unit, dtype=dtype, device=device)
        return self.unit

    def _exact(self, step: Step, layer: nn.Linear) -> Tensor:
        unit = self._unit(step.features)[step.features.numbers]
        slopes = input_slopes(step.features, step.seen) / unit  # (B, K)
        bends = _activation_slopes(step)  # (B, D)
        weight = layer.weight[:, : len(unit)]  # (D, K): inputs that are numbers stand first
        return ((bends.square() @ weight.square()) * slopes.square()).sum(dim=1)

    def _estimate(self, step: Step) -> Tensor:
        learning = torch.is_grad_enabled()
        with torch.enable_grad():
            values = step.seen.values.detach().requires_grad_()
            codes = step.code.code(step.encode(step.seen._replace(values=values)))
            squares = [
                self._squares(_signs_times_jacobian(codes, values, step.generator, learning), step)
                for _ in range(self.n_probes)
            ]
        return torch.stack(squares).mean(dim=0)  # (B,)

    def _squares(self, gradient: Tensor, step: Step) -> Tensor:
        """Return the squared length of gradients by values, (B, C), in the units asked for."""
        return _observed(gradient / self._unit(step.features), step.seen).square().sum(dim=1)


def input_slopes(features: Features, rows: Values) -> Tensor:
    """Return d input / d value of the inputs that are numbers, of shape (B, len(features.numbers)).

    It is the derivative of `Features.forward`: the first inputs are the columns `features.numbers`, each a
    function of its own value alone; all other inputs (one-hot codes, flags, calendar parts) are constant.
    """
    slopes = features.input_scale.expand_as(rows.values)  # 1 for standardised columns
    if features.any_counts:
        slopes = torch.where(features.counts, slopes / (1 + rows.values.clamp(min=0)), slopes)
    return _observed(slopes, rows)[:, features.numbers]


def _observed(x: Tensor, rows: Values) -> Tensor:
    return x if rows.observed is None else torch.where(rows.observed, x, 0.0)


def _only_layer(encoder: nn.Module) -> nn.Linear | None:
    """Return the linear layer that an encoder consists of, if it does."""
    if isinstance(encoder, nn.Sequential) and len(encoder) == 1:
        encoder = encoder[0]
    return encoder if isinstance(encoder, nn.Linear) else None


def _activation_slopes(step: Step) -> Tensor:
    """Return d code / d output, of shape (B, D), of a code that is elementwise."""
    learning = torch.is_grad_enabled()
    with torch.enable_grad():
        outputs = step.outputs if step.outputs.requires_grad else step.outputs.detach().requires_grad_()
        total = step.code.code(outputs).sum()
        (slopes,) = torch.autograd.grad(total, outputs, create_graph=learning)
    return slopes


def _signs_times_jacobian(
    codes: Tensor, values: Tensor, generator: torch.Generator, learning: bool
) -> Tensor:
    """Return v' J for random signs v of the codes' shape, (B, D); of shape (B, C)."""
    signs = 2.0 * torch.randint(2, codes.shape, generator=generator, device=codes.device) - 1
    (gradient,) = torch.autograd.grad(
        codes,
        values,
        signs.to(codes.dtype),
        create_graph=learning,
        retain_graph=True,  # for the next probe
        materialize_grads=True,  # zeros where all columns are categories
    )
    return gradient
