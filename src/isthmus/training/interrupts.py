"""Ctrl-C between two steps, never within one: what is saved then is a state that a run can go on from."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["HeldInterrupts"]


class HeldInterrupts:
    """A context that holds SIGINT back until `release` is called; a second one is not held any more.

    It then calls the handler that was there before, which as a rule raises KeyboardInterrupt. Outside the
    main thread, or where SIGINT is not handled in Python, nothing is held.

    Attributes
    ----------
    pending : bool
        Whether one is held. In a handler of KeyboardInterrupt: whether it came in the middle of a step.
    """

    def __init__(self) -> None:
        self.pending = False
        self.previous = signal.getsignal(signal.SIGINT)

    def __enter__(self) -> HeldInterrupts:
        self.holds = callable(self.previous) and threading.current_thread() is threading.main_thread()
        if self.holds:
            signal.signal(signal.SIGINT, self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        if self.holds:
            signal.signal(signal.SIGINT, self.previous)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self.pending:
            self._pass_on(number, frame)
        self.pending = True

    def release(self) -> None:
        """Let the interrupt happen, if there is one."""
        if self.pending:
            self.pending = False
            self._pass_on(signal.SIGINT, None)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self.previous):
            self.previous(number, frame)
