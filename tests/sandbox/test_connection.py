"""Connections over real sockets: limits, ends, slow and broken clients. Time stands still unless a test advances it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox import Limits, ManualClock, Sandbox
from smswire.sandbox.api import OneTooMany
from smswire.sandbox.clock import Timers
from smswire.sandbox.connection import Connection
from smswire.sandbox.exchange import Peer, Terms
from smswire.sandbox.journal import Journal
from smswire.sandbox.listening import listening

from .raw import FORM, JSON, KEY, NUMBER, TIMEOUT_S, Raw, request

Make = Callable[..., Sandbox]
BALANCE = request("GET", f"/api/balance?p={KEY}")
LISTENERS = ["plain", "tls"]


@pytest.fixture
def both(make_sandbox: Make) -> Sandbox:
    """A sandbox with both listeners."""
    return make_sandbox(tls=True, plain=True)


def balance(client: Raw) -> str:
    client.send(BALANCE)
    return client.read("GET").text


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_51st_connection_in_a_second_gets_429_and_the_end(both: Sandbox, listener: str) -> None:
    """Readable over TLS too; one second after the first, the next is served."""
    clients = [Raw(both, LISTENERS[number % 2]) for number in range(50)]
    with Raw(both, listener) as refused:
        answer = refused.call("GET", f"/api/balance?p={KEY}")
        assert (answer.status, answer.closes, refused.is_at_end) == (429, True, True)
    assert [balance(client) for client in clients] == ["1000000"] * 50
    both.advance(1.0)
    with Raw(both, listener) as client:
        assert balance(client) == "1000000"
    for client in clients:
        client.close()
    assert [accept["admitted"] for accept in both.accepts()] == [True] * 50 + [False, True]
    assert both.summary()["peak_accepts_per_second"] == 51


def test_refused_connections_take_no_place(make_sandbox: Make) -> None:
    """Who goes on knocking is let in when the second of the admitted ones has passed."""
    sandbox = make_sandbox(limits=Limits(connections_per_second=1))
    statuses = []
    for seconds in (0.0, 0.5, 0.25, 0.25):
        sandbox.advance(seconds)
        with Raw(sandbox) as client:
            client.send(BALANCE)
            statuses.append(client.read("GET").status)
    assert statuses == [200, 429, 429, 200]


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_500th_answer_closes_and_a_501st_request_is_never_served(both: Sandbox, listener: str) -> None:
    """Not even when it is there already."""
    with Raw(both, listener) as client:
        for number in range(1, 500):
            client.send(BALANCE)
            assert not client.read("GET").closes, number
        client.send(BALANCE + BALANCE)
        assert client.read("GET").closes
        assert client.is_at_end
    assert len(both.calls()) == 500


@pytest.mark.parametrize("listener", LISTENERS)
def test_an_idle_connection_is_closed_after_3_seconds(both: Sandbox, listener: str) -> None:
    """Not a moment earlier; each request starts the time anew. Over TLS the end is announced."""
    with Raw(both, listener) as client:
        for _ in range(3):
            assert balance(client) == "1000000"
            both.advance(2.999)
        both.advance(0.001)
        assert client.is_at_end


def test_a_connection_that_says_nothing_is_idle_too(both: Sandbox) -> None:
    """From the accept on, also in the middle of a TLS handshake."""
    with Raw(both) as silent, Raw(both) as stuck, Raw(both) as last:
        stuck.send(b"GET / HT")
        balance(last)  # accepted last: so the others are being watched
        both.advance(3.0)
        assert silent.is_at_end
        stuck.read_to_end()
    with socket.create_connection(("127.0.0.1", both.port), TIMEOUT_S) as handshake, Raw(both, "tls") as last:
        handshake.sendall(b"\x16\x03\x01")
        balance(last)
        both.advance(3.0)
        assert handshake.recv(1) == b""


def test_a_request_that_dribbles_in_is_cut_off_in_the_end(sandbox: Sandbox) -> None:
    """Each byte is a sign of life, but the whole must be there within a minute."""
    head = request("GET", "/" + "x" * 80)
    with Raw(sandbox) as slow, Raw(sandbox) as other:
        for position in range(21):
            slow.send(head[position : position + 1])
            balance(other)  # answered after the byte before it was read
            sandbox.advance(2.9)
        assert slow.is_at_end


@pytest.mark.parametrize("listener", LISTENERS)
def test_requests_sent_ahead_are_answered_in_order(both: Sandbox, listener: str) -> None:
    """One after the other, each whole."""
    with Raw(both, listener) as client:
        client.send(BALANCE + request("GET", "/nothing") + BALANCE)
        assert [client.read("GET").status for _ in range(3)] == [200, 404, 200]


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_delayed_answer_comes_when_its_time_has_come(make_sandbox: Make, listener: str) -> None:
    """The message is accepted before; the next request waits for its turn."""
    sandbox = make_sandbox(tls=True, plain=True, delay=5.0)
    with Raw(sandbox, listener) as client:
        form = request("POST", f"/api/sms?p={KEY}&to={NUMBER}&text=x")
        client.send(form + form)
        with Raw(sandbox, "inspection") as inspection:
            inspection.wait_until(sandbox.messages)
        client.socket.settimeout(0)
        with pytest.raises((BlockingIOError, ssl.SSLWantReadError)):
            client.socket.recv(1)
        client.socket.settimeout(TIMEOUT_S)
        sandbox.advance(5.0)
        assert client.read().text == "100"
        sandbox.advance(5.0)
        assert client.read().text == "402"


def test_a_client_that_goes_while_its_answer_waits_leaves_nothing_behind(make_sandbox: Make) -> None:
    """The message was accepted all the same."""
    sandbox = make_sandbox(delay=5.0)
    with Raw(sandbox, "inspection") as inspection, Raw(sandbox) as client:
        client.send(request("POST", f"/api/sms?p={KEY}&to={NUMBER}&text=x"))
        inspection.wait_until(sandbox.messages)
    sandbox.advance(5.0)
    assert len(sandbox.messages()) == 1


def test_a_client_that_goes_while_a_name_is_looked_up_has_sent_nothing(make_sandbox: Make) -> None:
    """Closing the sandbox does not wait for the lookup."""
    asked, go_on = threading.Event(), threading.Event()

    def resolve(name: str) -> list[str]:
        asked.set()
        go_on.wait(TIMEOUT_S)
        return ["127.0.0.1"]

    sandbox = make_sandbox({KEY: "office.example"}, resolve=resolve)
    with Raw(sandbox) as client:
        client.send(BALANCE)
        assert asked.wait(TIMEOUT_S)
        sandbox.close()
        assert client.read_to_end() == b""
    go_on.set()
    assert sandbox.calls() == []


@pytest.mark.parametrize("listener", LISTENERS)
def test_chunked_answers_say_the_same(make_sandbox: Make, listener: str) -> None:
    """In two chunks, and without a length."""
    sandbox = make_sandbox(tls=True, plain=True, chunked=True)
    with Raw(sandbox, listener) as client:
        for text in ("a", "b"):
            answer = client.sms(text=text)
            assert (answer.headers["Transfer-Encoding"], answer.headers["Content-Length"]) == ("chunked", None)
            assert answer.json["messages"][0]["text"] == text
        assert client.call("HEAD", "/api/sms").status == 405
        assert balance(client) == "999999.85"


def test_keep_alive_is_advertised_only_when_told_to(make_sandbox: Make) -> None:
    """With what is left; the last answer says close instead."""
    sandbox = make_sandbox(advertise_keep_alive=True, limits=Limits(requests_per_connection=2))
    with Raw(sandbox) as client:
        assert client.sms().headers["Keep-Alive"] == "timeout=3, max=1"
        last = client.sms()
        assert (last.headers["Keep-Alive"], last.closes) == (None, True)


def test_connection_close_and_http_1_0_end_after_the_answer(sandbox: Sandbox) -> None:
    """As the client asked."""
    for head in (BALANCE.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), BALANCE.replace(b"HTTP/1.1", b"HTTP/1.0")):
        with Raw(sandbox) as client:
            client.send(head)
            assert client.read("GET").text == "1000000"
            assert client.is_at_end


@pytest.mark.parametrize("length", [10, 5_000_000])
def test_a_client_that_expects_100_continue_gets_it(sandbox: Sandbox, length: int) -> None:
    """And then the answer, even if that is that the body is too large."""
    with Raw(sandbox) as client:
        client.send(
            b"POST /api/sms HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length
        )
        assert client.socket.recv(65_536).startswith(b"HTTP/1.1 100 ")
        client.send(b" " * length)
        assert client.read().status == (400 if length == 10 else 413)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /" + b"x" * 70_000, b"431"),
        (b"POST /api/sms HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
    ],
)
@pytest.mark.parametrize("listener", LISTENERS)
def test_what_is_no_http_is_told_so_and_ended(both: Sandbox, listener: str, data: bytes, status: bytes) -> None:
    """With the status that fits, readable to the last byte."""
    with Raw(both, listener) as client:
        client.send(data)
        assert client.read_to_end().split(b" ")[1] == status
    with Raw(both, listener) as client:
        assert balance(client) == "1000000"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\x00\x05hello"])
def test_what_is_no_tls_is_ended(both: Sandbox, data: bytes) -> None:
    """The others notice nothing."""
    with socket.create_connection(("127.0.0.1", both.port), TIMEOUT_S) as client:
        client.sendall(data)
        while client.recv(65_536):
            pass
    with Raw(both, "tls") as good:
        assert balance(good) == "1000000"


def test_an_untrusting_client_may_leave_in_the_handshake(both: Sandbox) -> None:
    """It says so in an alert, which is no fault of the server."""
    with (
        socket.create_connection(("127.0.0.1", both.port), TIMEOUT_S) as tcp,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(tcp, server_hostname="127.0.0.1")
    with Raw(both, "tls") as good:
        assert balance(good) == "1000000"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "gateway.example"])
def test_the_certificate_is_valid_for_loopback_and_the_given_names(make_sandbox: Make, name: str) -> None:
    """And negotiates http/1.1."""
    sandbox = make_sandbox(tls=True, host_names=["gateway.example"])
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", sandbox.port), TIMEOUT_S) as tcp,
        context.wrap_socket(tcp, server_hostname=name) as secure,
    ):
        assert secure.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_client_that_ends_its_side_still_gets_its_answer(make_sandbox: Make, listener: str) -> None:
    """Then the connection is done."""
    sandbox = make_sandbox(tls=True, plain=True, delay=1.0)
    with Raw(sandbox, listener) as client:
        client.send(BALANCE)
        client.end_sending()
        with Raw(sandbox, "inspection") as inspection:
            inspection.wait_until(sandbox.calls)
        sandbox.advance(1.0)
        assert client.read("GET").text == "1000000"
        assert client.is_at_end


def test_half_a_request_and_the_end_is_400(sandbox: Sandbox) -> None:
    """Nothing was sent."""
    with Raw(sandbox) as client:
        client.send(request("POST", f"/api/sms?p={KEY}&to={NUMBER}&text=x", b"to", {"Content-Type": FORM})[:-1])
        client.end_sending()
        assert client.read().status == 400
        assert client.is_at_end
    assert sandbox.messages() == []


def test_a_reset_is_an_end_like_any_other(both: Sandbox) -> None:
    """At once, in a request, or with an answer on its way."""
    for data in (b"", b"GET / HT", BALANCE * 3):
        for listener in LISTENERS:
            with Raw(both, listener) as client:
                client.send(data)
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    with Raw(both) as good:
        assert balance(good) == "1000000"


def greedy_for_megabytes(sandbox: Sandbox) -> Raw:
    """A client that asks for far more than all buffers hold, in one go; the server has read it and is at it."""
    with Raw(sandbox) as client:
        client.sms(to=",".join(str(491710000000 + number) for number in range(200)), text="x" * 1500)
    greedy = Raw(sandbox, "inspection")
    greedy.send(request("GET", "/messages") * 100)
    with Raw(sandbox, "inspection") as other:
        other.call("GET", "/summary")  # asked later and answered: so the others were read
    return greedy


def test_a_client_that_reads_nothing_is_cut_off(sandbox: Sandbox) -> None:
    """Its requests are left lying until it takes its answers; after a minute it is gone."""
    with greedy_for_megabytes(sandbox) as greedy:
        sandbox.advance(60.0)
        assert 0 < greedy.read_to_end().count(b"HTTP/1.1 200") < 100


def test_a_client_that_reads_late_gets_every_answer(sandbox: Sandbox) -> None:
    """As fast as it takes them."""
    with greedy_for_megabytes(sandbox) as greedy:
        assert {greedy.read("GET").json["count"] for _ in range(100)} == {200}


def test_what_is_sent_far_ahead_is_left_in_the_network_until_its_turn(make_sandbox: Make) -> None:
    """Requests that wait for delayed answers fill no memory, and none is lost."""
    sandbox = make_sandbox(delay=5.0)
    with Raw(sandbox) as client, Raw(sandbox, "inspection") as inspection:
        client.send(BALANCE)
        inspection.wait_until(sandbox.calls)
        client.send(request("GET", f"/api/balance?p={KEY}", headers={"X-Padding": "x" * 10_000}) * 30)
        for number in range(1, 32):
            inspection.wait_until(lambda number=number: len(sandbox.calls()) == number)  # type: ignore[misc]
            sandbox.advance(5.0)
            assert client.read("GET").text == "1000000"


def test_a_farewell_over_tls_is_returned(both: Sandbox) -> None:
    """close_notify for close_notify; then the end."""
    with Raw(both, "tls") as client:
        assert balance(client) == "1000000"
        assert isinstance(client.socket, ssl.SSLSocket)
        with client.socket.unwrap() as below:
            below.settimeout(TIMEOUT_S)
            assert below.recv(1) == b""


class ResetInTheLastMoment(socket.socket):
    """A server's socket whose far end resets the connection after the last byte and before the end of the stream."""

    client: socket.socket

    def shutdown(self, how: int) -> None:
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()
        super().shutdown(how)


def test_a_client_that_resets_while_the_stream_is_ended_is_no_fault() -> None:
    """The connection is gone, and the loop hears of no error: another connection's alarms hang on it."""
    faults: list[object] = []

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: faults.append(context))
        clock, gone = ManualClock(), asyncio.Event()
        timers = Timers(clock, loop)
        with listening("127.0.0.1", 0) as sock:
            client = socket.create_connection(sock.getsockname(), TIMEOUT_S)
            accepted = ResetInTheLastMoment(fileno=sock.accept()[0].detach())
        accepted.client = client
        accepted.setblocking(False)
        connection = Connection(
            Peer(1, "127.0.0.1", 1),
            OneTooMany(Journal()),
            Terms(3.0, 60.0, 2.0, 65_536, 65_536, delay=0.3),
            timers,
            None,
            lambda connection: gone.set(),
        )
        await loop.connect_accepted_socket(lambda: connection, accepted)
        connection.data_received(BALANCE)
        clock.advance(0.3)
        timers.ring_due()
        await asyncio.wait_for(gone.wait(), TIMEOUT_S)
        assert client.fileno() == -1

    asyncio.run(serve())
    assert faults == []


@given(cuts=st.lists(st.integers(1, 40), max_size=30))
def test_a_request_reads_the_same_however_it_is_cut(shared: tuple[Sandbox, Raw], cuts: list[int]) -> None:
    """Whole, byte by byte, or in between."""
    sandbox, client = shared
    sandbox.reset()
    data = request("POST", f"/api/sms?p={KEY}", f"to={NUMBER}&text=Gr%C3%BC%C3%9Fe".encode(), {"Content-Type": FORM})
    for cut in cuts:
        client.send(data[:cut])
        data = data[cut:]
    client.send(data)
    assert client.read().text == "100"
    assert [message["text"] for message in sandbox.messages()] == ["Grüße"]


@given(data=st.binary(min_size=1, max_size=200))
def test_garbage_never_harms_the_server(shared: tuple[Sandbox, Raw], data: bytes) -> None:
    """Whatever it is answered, others are served; a fault inside would be raised at the end of the module."""
    sandbox, good = shared
    sandbox.advance(1.0)
    with Raw(sandbox) as client:
        client.send(data)
        client.end_sending()
        found = client.read_to_end()
        assert found == b"" or found.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    assert good.call("POST", "/api/balance", headers={"X-Api-Key": KEY, "Accept": JSON}).status == 200
