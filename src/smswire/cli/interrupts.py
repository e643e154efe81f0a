"""Ctrl-C, a polite ``kill`` or a closed terminal during a send.

- The first raises KeyboardInterrupt: nothing new is sent, the calls in flight are waited for, and stderr says so.
- The second raises it again, but only while calls are waited for (``second_gives_up``): those are then reported as they
  stand. It counts from a second after the first on, since one keypress may reach a program twice, from the terminal and
  from the program that started it.
- What must not be torn at all holds them back (``held``).
- Once the work is done (``end``), what is left is short and must be told: none raises any more.
- Any other would tear what the first has set going: a report half written, a child process left running. It is
  answered with a word on stderr; every wait that is left has a deadline.
- One that comes while another is being handled is part of the same burst, and passed over: handlers in handlers without
  end would take the stack.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SAME_KEYPRESS_S = 1.0
_STDERR = 2


class Interrupts:
    """The rules above, for the length of a ``with`` block.

    A signal that the program was started to ignore (``nohup``) stays ignored. Outside the main thread, to which alone
    Python delivers signals, the block runs as it is.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first_at: float | None = None
        self._second_came = False
        self._may_give_up = False
        self._is_held = False
        self._held_back = False
        self._has_ended = False
        self._is_handling = False
        self._handlers_before: list[tuple[signal.Signals, Any]] = []

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._handlers_before = [(number, signal.signal(number, self._handle)) for number in heeded]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers_before:
            signal.signal(number, handler)

    @contextlib.contextmanager
    def second_gives_up(self) -> Iterator[None]:
        """Within the block a second interrupt raises too."""
        self._may_give_up = True
        try:
            yield
        finally:
            self._may_give_up = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """An interrupt within the block is acted on at its end."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._held_back:
                self._held_back = False
                self._act()

    def end(self) -> None:
        """The work is done: from here on an interrupt is answered with a word only."""
        self._has_ended = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._is_handling:
            return
        self._is_handling = True
        try:
            if self._is_held:
                self._held_back = True
            else:
                self._act()
        finally:
            self._is_handling = False

    def _act(self) -> None:
        now = self._clock()
        if self._has_ended:
            _say(b"already stopping")
            return
        if self._first_at is None:
            self._first_at = now
            if self._may_give_up:
                _say(b"stopping: waiting for the calls in flight, until the next Ctrl-C or their deadlines")
            raise KeyboardInterrupt
        if self._may_give_up and not self._second_came and now - self._first_at >= _SAME_KEYPRESS_S:
            self._second_came = True
            raise KeyboardInterrupt
        _say(b"already stopping")


def _say(sentence: bytes) -> None:
    """A sentence on stderr, and not by ``print``: the signal may have come in the middle of one."""
    with contextlib.suppress(OSError):
        os.write(_STDERR, b"smswire: " + sentence + b"\n")
