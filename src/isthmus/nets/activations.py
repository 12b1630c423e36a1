"""Names of activations; importing them imports no torch."""

from __future__ import annotations

__all__ = ["CODE_ACTIVATIONS", "HIDDEN_ACTIVATIONS"]

# What may stand between two layers, and what may be applied to a code.
HIDDEN_ACTIVATIONS = ("elu", "gelu", "relu", "sigmoid", "silu", "tanh")
CODE_ACTIVATIONS = ("identity", "relu", "sigmoid", "softplus", "tanh")
