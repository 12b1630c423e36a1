"""One AdamW step with the gradient's norm bounded and steps that are not finite left out, on the device."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["Optimizer"]

# A gradient longer than this many times the usual one is shortened to it. The bound is relative because the
# loss is in nats per row: its scale, hence the norm's, depends on the columns' number and noise.
CLIP_FACTOR = 4.0
NORM_MEMORY = 0.98


class Optimizer:
    """Fused AdamW. Clipping is folded into its kernel, and a gradient that is not finite changes nothing.

    The kernel divides gradients by ``grad_scale`` and skips the update where ``found_inf`` is 1 (the hooks of
    mixed-precision training), so neither costs a pass over the weights or a wait for the device.

    Parameters
    ----------
    parameters : iterable of nn.Parameter
    weight_decay : float
    betas : tuple of two float, default=(0.9, 0.999)
        How much of the running mean of gradients, and of their squares, a step keeps.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        weight_decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        self.options = {"lr": 0.0, "betas": betas, "weight_decay": weight_decay, "fused": True}
        self.parameters = [p for p in parameters if p.requires_grad]
        self.adam = torch.optim.AdamW(self.parameters, **self.options)
        device = self.parameters[0].device
        self.usual_norm = torch.zeros((), device=device)
        self.skipped = torch.zeros((), device=device)

    def step(self, rate: float) -> None:
        """Apply the gradients at learning rate `rate` and clear them."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        first = self.usual_norm == 0
        usual = torch.where(first, norm, self.usual_norm)
        limit = CLIP_FACTOR * usual
        failed = ~torch.isfinite(norm)
        bounded = torch.minimum(norm, limit)
        follow = torch.lerp(bounded, usual, NORM_MEMORY)
        self.usual_norm = torch.where(failed, self.usual_norm, follow)
        self.skipped += failed
        group = self.adam.param_groups[0]
        group["lr"] = rate
        self.adam.grad_scale = torch.where(norm > limit, norm / limit, 1.0)  # type: ignore[attr-defined]
        self.adam.found_inf = failed.to(torch.float32)  # type: ignore[attr-defined]
        self.adam.step()
        self.clear()

    def exchange(self, parameters: Iterable[nn.Parameter]) -> None:
        """Train these parameters from now on; those that were trained before keep their running means."""
        old = self.adam.state
        self.parameters = [p for p in parameters if p.requires_grad]
        self.adam = torch.optim.AdamW(self.parameters, **self.options)
        for parameter in self.parameters:
            if parameter in old:
                self.adam.state[parameter] = old[parameter]

    def clear(self) -> None:
        """Forget the gradients."""
        self.adam.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """Return the optimiser's state, named by the position of each parameter."""
        state = {"usual_norm": self.usual_norm, "skipped": self.skipped}
        for number, parameter in enumerate(self.parameters):
            for name, tensor in self.adam.state.get(parameter, {}).items():
                state[f"{number}.{name}"] = tensor
        return state

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Take up the state that `tensors` returned."""
        self.usual_norm = tensors["usual_norm"].to(self.usual_norm.device)
        self.skipped = tensors["skipped"].to(self.skipped.device)
        for number, parameter in enumerate(self.parameters):
            names = ("step", "exp_avg", "exp_avg_sq")
            found = {name: tensors[f"{number}.{name}"] for name in names if f"{number}.{name}" in tensors}
            if found:
                self.adam.state[parameter] = {k: v.to(parameter.device) for k, v in found.items()}
