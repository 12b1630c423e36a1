"""The stacked autoencoder."""

from __future__ import annotations

import numbers
import sys
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from sklearn.utils._param_validation import Interval, StrOptions
from torch import nn

from isthmus.data.features import Features
from isthmus.errors import InputError
from isthmus.estimators.base import BaseAutoencoder
from isthmus.estimators.choices import choose_settings
from isthmus.estimators.docs import document
from isthmus.estimators.preparing import Prepared
from isthmus.estimators.registry import register
from isthmus.model import Model
from isthmus.parts.corruptions import Corruption
from isthmus.parts.posteriors import Point, Posterior
from isthmus.parts.registry import Part, parse_as
from isthmus.training.checkpoint import Checkpoint
from isthmus.training.layerwise import train_layers
from isthmus.training.settings import Settings

__all__ = ["StackedAutoencoder"]


@register
@document
@dataclass(eq=False, repr=False, kw_only=True)
class StackedAutoencoder(BaseAutoencoder):
    """A deep autoencoder trained layer by layer, then together (Bengio et al. 2007; Vincent et al. 2010).

    Each layer first learns to restore the output of the layer below, damaged by `corruption` if there is one;
    the whole then goes on from there. An interrupt among the layers leaves no fitted model, but `resume` goes
    on from it all the same. `partial_fit` is the joint phase alone; a first chunk starts it from random
    weights.

    Parameters
    ----------
    {parameters}
    posterior : Posterior, str or dict, default="point"
        A point, with the code's activation.
    corruption : Corruption, str, dict or None, default=None
        What each layer's input is damaged by while it learns alone: "masking:p=0.3" makes the layers
        denoising autoencoders. The joint phase sees the data's damage only.
    layer_epochs : int or "auto", default="auto"
        Epochs of each layer; "auto" is as many as `max_epochs`.

    Attributes
    ----------
    {attributes}
    layer_history_ : list of list of dict
        The history of each layer's own training. This and the next are of the run that learned: a model
        folder does not hold them (a pickle does).
    initial_weights_ : dict of str to ndarray
        The encoder's weights after the layers' training and before the joint one, named as in the state of an
        ``nn.Sequential(nn.Linear, activation, nn.Linear, ...)``. Of arrays of numbers the first layer reads
        the rows as they are given (centre and scale are folded in), so they initialise any network.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits().data
    >>> model = StackedAutoencoder(10, hidden_sizes=(50, 30), max_epochs=3, random_state=0).fit(digits)
    >>> {name: weight.shape for name, weight in model.initial_weights_.items()}["0.weight"]
    (50, 64)
    """

    posterior: Posterior | str | dict[str, Any] = "point"
    corruption: Corruption | str | dict[str, Any] | None = None
    layer_epochs: int | str = "auto"

    paper: ClassVar[str] = 'Bengio et al., "Greedy layer-wise training of deep networks", NIPS 19 (2007)'
    convolves: ClassVar[bool] = False
    part_families: ClassVar[dict[str, str]] = BaseAutoencoder.part_families | {
        "posterior": "posterior",
        "corruption": "corruption",
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseAutoencoder._parameter_constraints | {
        "posterior": [str, dict, Part],
        "corruption": [str, dict, Part, None],
        "layer_epochs": [Interval(numbers.Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }

    def _posterior(self) -> Posterior:
        return parse_as(self.posterior, "posterior", (Point,), "posterior")

    def _corruption(self) -> Corruption | None:
        part = self._part("corruption")
        return part if isinstance(part, Corruption) else None

    def _layer_settings(self, prepared: Prepared) -> Settings:
        return choose_settings(self, self.architecture_, prepared, max_epochs=self.layer_epochs)

    def _initial_identity(self, prepared: Prepared) -> dict[str, Any]:
        return {"layer_settings": asdict(self._layer_settings(prepared))}

    def _initialize(self, model: Model, prepared: Prepared, checkpoint: Checkpoint | None) -> None:
        if self.architecture_.network != "mlp" or self.encoder is not None or self.decoder is not None:
            raise InputError(
                'layers of perceptrons can be stacked, others not; set network="mlp" and no factories'
            )
        assert isinstance(model.encoder, nn.Sequential)
        console = Console(file=sys.stderr)

        def report(number: int, history: list[dict[str, float]]) -> None:
            if self.verbose:
                loss = f"{history[-1]['loss']:.4g} nats/row"
                console.print(f"layer {number + 1}: {len(history)} epochs, loss {loss}", highlight=False)

        self.layer_history_ = train_layers(
            model,
            prepared.batches,
            prepared.held_out,
            self._layer_settings(prepared),
            self._corruption(),
            report,
            checkpoint,
        )
        self.initial_weights_ = _weights(model.encoder, model.features)


def _weights(encoder: nn.Sequential, features: Features) -> dict[str, NDArray[np.float32]]:
    arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in encoder.state_dict().items()}
    # In an array whose numbers are all observed, an input is a row's entry, shifted and scaled.
    if features.in_frame or features.n_inputs != features.n_columns or features.any_counts:
        return arrays
    centre, scale = features.centre.cpu().numpy(), features.scale.cpu().numpy()
    mean, spread = features.input_mean.cpu().double().numpy(), 1 / features.input_scale.cpu().double().numpy()
    inner = arrays["0.weight"] / (spread * scale)
    arrays["0.bias"] = (arrays["0.bias"] - inner @ (centre + scale * mean)).astype(np.float32)
    arrays["0.weight"] = np.zeros((len(inner), features.n_given), np.float32)
    arrays["0.weight"][:, features.given_index] = inner
    return arrays
