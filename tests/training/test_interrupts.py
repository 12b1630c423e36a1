from __future__ import annotations

import signal
import threading

import pytest

from isthmus.training.interrupts import HeldInterrupts


def test_an_interrupt_waits_for_the_end_of_the_step() -> None:
    before = signal.getsignal(signal.SIGINT)
    with HeldInterrupts() as held:
        held.release()  # nothing is held yet
        signal.raise_signal(signal.SIGINT)
        assert held.pending
        with pytest.raises(KeyboardInterrupt):
            held.release()
        assert not held.pending
        held.release()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_one_does_not_wait() -> None:
    with HeldInterrupts() as held:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert held.pending  # it came in the middle of a step


def test_the_callers_own_handler_is_called_and_put_back() -> None:
    calls: list[int] = []

    def own(number: int, frame: object) -> None:
        calls.append(number)

    before = signal.signal(signal.SIGINT, own)
    try:
        with HeldInterrupts() as held:
            signal.raise_signal(signal.SIGINT)
            assert not calls
            held.release()
        assert calls == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_nothing_is_held() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with HeldInterrupts() as held:
            seen.append((held.holds, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
