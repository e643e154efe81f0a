"""Ctrl-C: the first stops, the second gives up waiting, others tear nothing."""

from __future__ import annotations

import signal
import threading

import pytest

from smswire.cli.interrupts import Interrupts


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_only_the_first_interrupts(number, capfd):
    """A second in the middle of stopping is answered with a word; afterwards the signal is what it was before."""
    before = signal.getsignal(number)
    with Interrupts():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        signal.raise_signal(number)
    assert "already stopping" in capfd.readouterr().err
    assert signal.getsignal(number) is before


def test_the_second_gives_up_waiting_unless_it_is_the_same_keypress():
    """One keypress may arrive twice; a third stops nothing more."""
    clock = Clock()
    with Interrupts(clock) as interrupts, interrupts.second_gives_up():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        clock.now = 0.9
        signal.raise_signal(signal.SIGINT)
        clock.now = 1.0
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        clock.now = 9.0
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_held_back_comes_at_the_end_of_what_must_not_be_torn():
    """Once, and not before."""
    reached = []

    def not_torn(interrupts):
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            reached.append("end")

    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            not_torn(interrupts)
        assert reached == ["end"]
        with interrupts.held():
            pass


def test_once_the_work_is_done_an_interrupt_is_answered_with_a_word(capfd):
    """What is left, a report or a line of JSON, is short and must be told; one held back until then is no exception."""
    with Interrupts() as interrupts:
        with interrupts.second_gives_up():
            interrupts.end()
            signal.raise_signal(signal.SIGINT)
        with interrupts.held():
            signal.raise_signal(signal.SIGTERM)
    assert capfd.readouterr().err.count("already stopping") == 2


def test_a_signal_within_a_signal_is_passed_over():
    """A burst does not pile handler upon handler until the stack ends; the next signal counts again."""
    times = iter(range(0, 1_000, 10))

    def clock():
        signal.raise_signal(signal.SIGINT)
        return next(times)

    with Interrupts(clock) as interrupts, interrupts.second_gives_up():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_the_block_just_runs():
    """Signals are the main thread's; nothing is installed."""
    before = signal.getsignal(signal.SIGINT)
    found = []

    def run():
        with Interrupts() as interrupts, interrupts.second_gives_up():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_signal_that_is_ignored_stays_ignored():
    """A send started with nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
