"""Names to addresses, without making anybody wait for longer than its deadline.

``getaddrinfo`` cannot be interrupted. So lookups run in daemon threads of our own: one that hangs blocks neither the
host program's thread pool nor its exit, and callers of the same name share one lookup. Each has a thread to itself, up
to ``MAX_THREADS``, so that one that hangs holds up no other; only that many hung ones at once would. The answer is
handed to a callback; how long it is used is the pool's business.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable

from ..errors import ResolutionError
from ..flow.dialing import Address

Resolve = Callable[[str], Iterable[str]]
Callback = Callable[[list[Address] | ResolutionError], None]

# A thread ends when nothing is asked any more, so that these are rare: as many hosts are asked for within one lookup,
# or hang.
MAX_THREADS = 32
# What getaddrinfo says of a name that does not exist, or that has no address; everything else may pass.
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def literal(host: str, port: int) -> Address | None:
    """The address, if ``host`` is one already (an IPv6 address without brackets)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return None
    return Address(family, (host, port, 0, 0) if family == socket.AF_INET6 else (host, port))


def look_up(host: str, port: int, resolve: Resolve | None) -> list[Address]:
    """Looks a name up, blocking.

    Raises:
        ResolutionError: there is no address; ``permanent`` where the name does not exist.
    """
    if resolve is not None:
        addresses = [literal(text, port) for text in resolve(host)]
        found = [address for address in addresses if address is not None]
    else:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            permanent = error.errno in _NO_SUCH_NAME
            what, advice = f"the name lookup failed: {error.strerror}", "check the host" if permanent else None
            raise ResolutionError(what, permanent=permanent, advice=advice) from None
        except UnicodeError:
            raise ResolutionError("the host name cannot be looked up: it is no valid name", permanent=True) from None
        found = [Address(family, address) for family, _, _, _, address in infos]  # type: ignore[arg-type]
    if not found:
        raise ResolutionError("the name lookup gave no address")
    return found


class Resolver:
    """Looks names up in daemon threads: ``start`` returns at once, the callback comes from one of the threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[tuple[str, int, Resolve | None], list[Callback]] = {}
        self._queue: deque[tuple[str, int, Resolve | None]] = deque()
        self._threads: set[threading.Thread] = set()

    def start(self, host: str, port: int, resolve: Resolve | None, callback: Callback) -> None:
        """Begins a lookup, or joins the one under way for the same name.

        Raises:
            RuntimeError: there is no thread for it, and none can be started.
        """
        question = (host, port, resolve)
        with self._lock:
            callbacks = self._asked.get(question)
            if callbacks is None:
                self._queue.append(question)
                self._asked[question] = [callback]
            else:
                callbacks.append(callback)
            # Whoever joins looks too: an interrupt may have come before the first one's thread.
            if self._queue and len(self._threads) < MAX_THREADS:
                self._start_thread()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name="smswire lookup", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:
            self._threads.discard(thread)
            # Without any thread nobody would ever answer, nor be asked for this name again.
            if not self._threads:
                self._queue.clear()
                self._asked.clear()
                raise
        except BaseException:
            # An interrupt: it may never run, and one too many does no harm.
            self._threads.discard(thread)
            raise

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._threads.discard(threading.current_thread())
                    return
                question = self._queue.popleft()
            answer: list[Address] | ResolutionError
            try:
                answer = look_up(*question)
            except ResolutionError as error:
                answer = error
            except BaseException as error:  # noqa: BLE001 - a caller's own resolve function may raise anything, SystemExit too
                answer = ResolutionError(f"the name lookup failed: {type(error).__name__}")
            with self._lock:
                callbacks = self._asked.pop(question, [])
            for callback in callbacks:
                callback(answer)


_resolver = Resolver()


def resolver() -> Resolver:
    """This process's resolver."""
    return _resolver


def _restart_in_child() -> None:
    global _resolver
    _resolver = Resolver()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_in_child)
