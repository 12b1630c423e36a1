from __future__ import annotations

import signal
import threading

import pytest

from isthmus.training.interrupts import HeldInterrupts


def test_an_interrupt_waits_for_its_release() -> None:
    with HeldInterrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.pending
        with pytest.raises(KeyboardInterrupt):
            interrupts.release()
        assert not interrupts.pending
        interrupts.release()


def test_a_second_one_is_not_held() -> None:
    with HeldInterrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupts.pending  # it came in the middle of something


def test_the_handler_that_was_there_is_called_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        mine = signal.getsignal(signal.SIGINT)
        with HeldInterrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            assert not seen
            interrupts.release()
        assert seen == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_where_nothing_can_be_held_nothing_is_done() -> None:
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with HeldInterrupts() as interrupts:
                interrupts.release()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert not errors
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with HeldInterrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            assert not interrupts.pending
    finally:
        signal.signal(signal.SIGINT, before)
