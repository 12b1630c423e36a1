"""Python pickling through NumPy state: the module is taken apart into arrays and built again."""

from __future__ import annotations

from typing import Any

from isthmus.estimators.building import model_arrays, rebuild_model

__all__ = ["freeze", "thaw"]


def freeze(state: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's state with its module as arrays, and without what only a running fit needs."""
    state = {name: value for name, value in state.items() if name != "_trainer"}
    if "model_" in state:
        state["model_"] = model_arrays(state["model_"])
    return state


def thaw(state: dict[str, Any]) -> dict[str, Any]:
    """Undo `freeze`; the module is on the CPU."""
    if "model_" not in state:
        return state
    factories = state["encoder"], state["decoder"]
    model = rebuild_model(
        state["architecture_"],
        state["schema_"],
        state["model_"],
        *factories,
        state["condition_schema_"],
    )
    return state | {"model_": model}
