"""The sandbox itself: the listeners, which service a connection gets, and the life of it all.

Both listeners of the gateway share one window of connections. A refused connection is served like any other, its TLS
handshake too, but by a service that only says 429. Everything runs in one event loop in a thread of its own; what other
threads change they change there.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, TypeVar

from .access import Access, resolve
from .account import Account
from .api import Api, OneTooMany
from .clock import ManualClock, Timers
from .connection import Connection
from .exchange import Peer, Service, Terms
from .inspection import Inspection
from .journal import Entry, Journal
from .limits import ConnectionWindow, Limits
from .listening import Listener, listening_on
from .recipients import Directory
from .thread import LoopThread
from .tls import authority, write_pem

T = TypeVar("T")


class Sandbox:
    """The gateway on loopback, as a context manager; it runs in a thread of its own.

    >>> with Sandbox(tls=False) as sandbox:
    ...     sandbox.url.startswith("http://127.0.0.1:"), sandbox.messages()
    (True, [])

    Args:
        keys: the API keys, or a mapping from key to its IP whitelist: addresses, networks and host names with commas
            between them; None or an empty string: callable from anywhere.
        host: address to listen on, for all listeners.
        port, plain_port, inspection_port: 0 lets the system choose.
        tls: listen with TLS. Without it there is plain http only, and ``url`` is the plain one.
        plain: listen with plain http as well.
        host_names: further names for the server certificate, beside ``localhost``, ``127.0.0.1`` and ``::1``.
        ca_file: where to write the authority's certificate (PEM); by default a temporary file, removed by ``close``.
        chunked: answer with chunked transfer coding instead of ``Content-Length``.
        delay: seconds between a request that has arrived (and been acted on) and its answer.
        limits: the documented limits.
        clock: seconds, as ``time.monotonic`` gives; with a :class:`~smswire.sandbox.ManualClock` time moves by
            ``advance`` only.
        resolve: host name to its addresses, asked at each call that depends on it.
        contacts, groups: number by contact name; numbers by group name.
        failing: code by number: messages to it fail so.
        balance, price: credit, and the price of one part, in EUR.
        advertise_keep_alive: send ``Keep-Alive: timeout=…, max=…``. Whether the real gateway does is not known.

    Attributes:
        url (str): base URL, ending in ``/api``.
        plain_url (str | None): the same over plain http.
        inspection_url (str): base URL of the inspection port.
        ca_file (str | None): the authority's certificate; None without TLS.
        port, plain_port, inspection_port (int): as bound; ``port`` and ``plain_port`` are 0 if not listened on.

    Raises:
        ValueError: a setting that cannot be.
        ImportError: ``tls`` without trustme.
        OSError: from ``start``: an address cannot be listened on.
    """

    def __init__(
        self,
        keys: Sequence[str] | Mapping[str, str | None] = ("sandbox-key",),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        plain_port: int = 0,
        inspection_port: int = 0,
        tls: bool = True,
        plain: bool = False,
        host_names: Sequence[str] = (),
        ca_file: str | os.PathLike[str] | None = None,
        chunked: bool = False,
        delay: float = 0.0,
        limits: Limits = Limits(),  # noqa: B008  frozen
        clock: Callable[[], float] = time.monotonic,
        resolve: Callable[[str], Iterable[str]] = resolve,
        contacts: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        failing: Mapping[str, int] | None = None,
        balance: Decimal = Decimal(1_000_000),
        price: Decimal = Decimal("0.075"),
        advertise_keep_alive: bool = False,
    ) -> None:
        if not 0 <= delay < math.inf:
            raise ValueError(f"delay must be seconds, 0 or more, not {delay!r}")
        self.host = host
        self.port = port if tls else 0
        self.plain_port = plain_port if tls else (plain_port or port)
        self.inspection_port = inspection_port
        self._is_tls = tls
        self._is_plain = plain or not tls
        self._context: ssl.SSLContext | None = None
        self._pem = b""
        if tls:
            self._context, self._pem = authority(host_names)
        self.ca_file: str | None = os.fspath(ca_file) if ca_file is not None and tls else None
        self._has_own_ca_file = self.ca_file is None and tls
        self._clock = clock
        self._terms = Terms(
            idle_seconds=limits.idle_seconds,
            request_seconds=limits.request_seconds,
            linger_seconds=limits.linger_seconds,
            head_bytes=limits.head_bytes,
            body_bytes=limits.body_bytes,
            requests_per_connection=limits.requests_per_connection,
            is_chunked=chunked,
            delay=delay,
            advertises_keep_alive=advertise_keep_alive,
        )
        self._inspection_terms = Terms(3600.0, 60.0, limits.linger_seconds, limits.head_bytes, limits.body_bytes)
        self._window = ConnectionWindow(limits.connections_per_second)
        self._journal = Journal()
        self._account = Account(limits, balance, price, failing or {})
        self._lookups = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sandbox-lookup")
        self._api = Api(
            Access(keys),
            self._account,
            Directory(contacts or {}, groups or {}),
            self._journal,
            limits=limits,
            clock=clock,
            resolve=resolve,
            executor=self._lookups,
        )
        self._one_too_many = OneTooMany(self._journal)
        self._inspection = Inspection(self._journal, self._summary, self._reset)
        self._connections_made = 0
        self._connections: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._listeners: list[Listener] = []
        self._thread: LoopThread | None = None
        self._is_closed = False
        self._timers: Timers

    # -- life ------------------------------------------------------------------------------------------------

    def start(self) -> Sandbox:
        """Listen and serve; called by ``with``.

        Raises:
            OSError: an address cannot be listened on, or ``ca_file`` not written.
            RuntimeError: it was started before.
        """
        if self._thread is not None or self._is_closed:
            raise RuntimeError("a sandbox is started once")
        sockets = self._bind()
        if self._is_tls:
            try:
                self.ca_file = write_pem(self._pem, self.ca_file)
            except OSError:
                for _, listening in sockets:
                    listening.close()
                raise
        self._thread = LoopThread()
        self._timers = Timers(self._clock, self._thread.loop)
        self._in_loop(lambda: self._listen(sockets))
        return self

    def close(self) -> None:
        """End every connection and listener, and the thread. Closing twice does nothing.

        Raises:
            RuntimeError: the server itself failed while it ran; the cause is chained.
        """
        if self._is_closed:
            return
        self._is_closed = True
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.run(self._shut_down())
            thread.stop()
        self._lookups.shutdown(wait=False, cancel_futures=True)
        if self._has_own_ca_file and self.ca_file is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.ca_file)
        if thread is not None and thread.faults:
            raise RuntimeError("the sandbox failed while it ran") from thread.faults[0]

    def restart(self) -> None:
        """End every connection and listener as a process that dies would, and listen again on the same ports.

        Certificate, journal, account and the count of connections stay.

        Raises:
            RuntimeError: it is not running.
        """
        if self._thread is None:
            raise RuntimeError("the sandbox is not running")
        self._thread.run(self._shut_down())
        sockets = self._bind()
        self._in_loop(lambda: self._listen(sockets))

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox {self.url}>"

    # -- what it saw -----------------------------------------------------------------------------------------

    def messages(self) -> list[Entry]:
        """Every accepted message, oldest first.

        Its members: ``id, to, text, from, parameters, encoding, parts, call, connection, key``. ``to`` is in digits
        with country code; ``parameters`` is what else the call carried; ``key`` is the position of the API key.
        Messages of a ``debug=1`` call are not among them: nothing was sent.
        """
        return self._journal.messages()

    def accepts(self) -> list[Entry]:
        """Every accept, oldest first: ``time`` (s, the sandbox's clock), ``peer, admitted, connection, listener``."""
        return self._journal.accepts()

    def calls(self) -> list[Entry]:
        """Every call answered, oldest first: ``number, connection, method, path, status, code``."""
        return self._journal.calls()

    def summary(self) -> Entry:
        """Counts of the lists, the balance, and ``peak_accepts_per_second``: the most accepts, refused ones included,
        in any half-open second."""
        return self._summary()

    def reset(self) -> None:
        """Forget what was seen and sent, and restore the credit. The count of connections in this second stays."""
        self._in_loop(self._reset)

    @property
    def balance(self) -> Decimal:
        """Credit in EUR; may be set."""
        return self._account.balance

    @balance.setter
    def balance(self, amount: Decimal) -> None:
        self._in_loop(lambda: setattr(self._account, "balance", amount))

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass: move the :class:`~smswire.sandbox.ManualClock` and ring what is due by then.

        Raises:
            TypeError: ``clock`` is no ``ManualClock``.
        """
        clock = self._clock
        if not isinstance(clock, ManualClock):
            raise TypeError("only a sandbox with clock=ManualClock() can be advanced")

        def move() -> None:
            clock.advance(seconds)
            self._timers.ring_due()

        self._in_loop(move)

    @property
    def url(self) -> str:
        return f"https://{self._host_in_url}:{self.port}/api" if self._is_tls else str(self.plain_url)

    @property
    def plain_url(self) -> str | None:
        return f"http://{self._host_in_url}:{self.plain_port}/api" if self._is_plain else None

    @property
    def inspection_url(self) -> str:
        return f"http://{self._host_in_url}:{self.inspection_port}"

    @property
    def _host_in_url(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    # -- accepting -------------------------------------------------------------------------------------------

    def _bind(self) -> list[tuple[str, socket.socket]]:
        """Bound and listening sockets by listener; remembers the ports the system chose."""
        wanted = [("inspection", self.inspection_port)]
        if self._is_tls:
            wanted.append(("tls", self.port))
        if self._is_plain:
            wanted.append(("plain", self.plain_port))
        sockets = listening_on(self.host, wanted)
        ports = {name: sock.getsockname()[1] for name, sock in sockets}
        self.inspection_port = ports["inspection"]
        self.port = ports.get("tls", 0)
        self.plain_port = ports.get("plain", 0)
        return sockets

    def _listen(self, sockets: Iterable[tuple[str, socket.socket]]) -> None:
        for name, sock in sockets:
            take = self._take_for_inspection if name == "inspection" else self._taker(name)
            self._listeners.append(Listener(asyncio.get_running_loop(), sock, self._clock, take))

    def _taker(self, listener: str) -> Callable[[socket.socket, Any, float], None]:
        context = self._context if listener == "tls" else None

        def take(sock: socket.socket, address: Any, now: float) -> None:
            admitted = self._window.admit(now)
            self._connections_made += 1
            peer = Peer(self._connections_made, address[0], address[1])
            entry = {
                "time": now,
                "peer": address[0],
                "admitted": admitted,
                "connection": peer.connection,
                "listener": listener,
            }
            self._journal.add_accept(entry)
            self._open(sock, peer, self._api if admitted else self._one_too_many, self._terms, context)

        return take

    def _take_for_inspection(self, sock: socket.socket, address: Any, now: float) -> None:
        self._open(sock, Peer(0, address[0], address[1]), self._inspection, self._inspection_terms, None)

    def _open(
        self, sock: socket.socket, peer: Peer, service: Service, terms: Terms, context: ssl.SSLContext | None
    ) -> None:
        connection = Connection(peer, service, terms, self._timers, context, self._connections.discard)
        self._connections.add(connection)
        task = asyncio.get_running_loop().create_task(self._hand_over(sock, connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _hand_over(self, sock: socket.socket, connection: Connection) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)
        except OSError:  # gone before it could be watched
            self._connections.discard(connection)
            sock.close()

    async def _shut_down(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        # One by one, of a copy: with no listener there will be no more, and `gather` of tasks that have ended does not
        # let the loop run the callback that takes them out.
        for task in list(self._opening):
            await task
        for connection in list(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0)  # an aborted transport says so in the loop's next round
        await asyncio.gather(*self._api.lookups(), return_exceptions=True)
        self._timers.close()

    def _in_loop(self, function: Callable[[], T]) -> T:
        """Call ``function`` in the server's thread, or here when there is none."""
        return function() if self._thread is None else self._thread.call(function)

    # -- the rest --------------------------------------------------------------------------------------------

    def _summary(self) -> Entry:
        return {**self._journal.summary(), "balance": float(self._account.balance)}

    def _reset(self) -> None:
        self._journal.reset()
        self._account.reset()
