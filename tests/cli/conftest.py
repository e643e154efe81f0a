"""What holds for every test of the commands: signals mean what they mean in a terminal, however pytest was started."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal():
    """Nothing is ignored because ``nohup`` or ``&`` had it so; commands that a test starts inherit this."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
