"""The documentation of the parameters and attributes that all estimators share, written once."""

from __future__ import annotations

import inspect
from typing import TypeVar

__all__ = ["document"]

T = TypeVar("T", bound=type)

PARAMETERS = """\
n_components : int or "auto", default="auto"
    Width of the code. "auto" is the TwoNN intrinsic dimension (Facco et al. 2017) of at most 5,000 training
    rows.
hidden_sizes : tuple of int or "auto", default="auto"
    Widths of the encoder's hidden layers; the decoder mirrors them. ``()`` makes both linear. "auto" is two
    layers, about four times as wide as the input (32 to 512) and half of that.
likelihood : Likelihood, str, dict or "auto", default="auto"
    p(x given z), hence the loss: a part of `isthmus.parts`, or ``"gaussian:scale=per_feature"``. "auto" asks
    the schema: for an array one Gaussian of shared, learned scale; for a frame the likelihood of each
    column's kind.
activation : {"silu", "relu", "gelu", "elu", "tanh", "sigmoid"}, default="silu"
network : {"auto", "mlp", "gated_mlp", "conv"}, default="auto"
    "mlp": multilayer perceptrons. "gated_mlp": hidden layers are multiplied by gates (Dauphin et al. 2017).
    "conv": residual convolutions, whose stages have `hidden_sizes` channels. "auto" is "conv" for images of
    shape (n, height, width[, channels]) with ``hidden_sizes="auto"``, else "mlp".
encoder, decoder : callable, optional
    Called with the numbers of inputs and outputs, return the torch module to use instead of a multilayer
    perceptron.
max_epochs : int or "auto", default="auto"
    "auto" aims at 8,000 steps (of a map whose rows have settled before at 2,000), within 10 to 500 epochs.
batch_size : int or "auto", default="auto"
    "auto" is the power of two near a twelfth of the rows, 16 to 256 (1,024 from half a million rows on).
learning_rate : float or "auto", default="auto"
    Peak rate of AdamW; "auto" is 1e-2 for linear networks and 2e-3 for others.
weight_decay : float, default=0.0
validation_fraction : float, default=0.1
    Share of the rows to hold out, at most 10,000 rows; none when that makes fewer than 5. Without held-out
    rows the whole schedule is run and the last weights are kept.
patience : int or "auto", default="auto"
    Epochs without a lower held-out loss before the learning rate decays; "auto" is a tenth of the epochs, at
    least 5.
schema : Schema or "auto", default="auto"
    What each column is; "auto" infers it.
checkpoint : str or Path, optional
    A file to keep the state of a running fit in, for `resume`.
checkpoint_seconds : float, default=60
    Time between two saves of it; 0 saves after every step.
random_state : int, RandomState or None, default=None
    The seed that is drawn from it is kept in ``seed_``; None draws it from NumPy's global generator, as
    scikit-learn does.
device : str, default="auto"
    A torch device; "auto" is the GPU where there is one.
verbose : int, default=0
    Above 0, shows the progress of `fit` on stderr."""

ATTRIBUTES = """\
schema_ : Schema
    What each column was taken for.
condition_schema_ : Schema or None
    What the columns of the condition were taken for, if the networks are told one.
n_components_ : int
    Width of the code.
architecture_ : Architecture
    Sizes and parts, every "auto" resolved.
model_ : torch.nn.Module
    Encoder, decoder and likelihood.
history_ : list of dict
    One row an epoch: every term of the loss in nats per row, on training and held-out rows, and seconds so
    far.
metrics_ : dict
    Figures on held-out rows (``metrics_["rows"]`` says so; else on training rows) beside those of PCA.
n_iter_ : int
    Epochs done.
n_training_rows_ : int
    Rows learned from, without the held-out ones; `partial_fit` adds those of each chunk.
seed_ : int
    What all random numbers of the fit derive from.
n_features_in_ : int
    Columns seen during `fit`.
feature_names_in_ : ndarray of str
    Their names, after a fit on a frame."""


def document(estimator: T) -> T:
    """Put what is shared in place of ``{parameters}`` and ``{attributes}`` in a docstring."""
    if estimator.__doc__:  # python -OO has none
        text = inspect.cleandoc(estimator.__doc__)
        estimator.__doc__ = text.replace("{parameters}", PARAMETERS).replace("{attributes}", ATTRIBUTES)
    return estimator
