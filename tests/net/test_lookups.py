"""Names to addresses: what fails, what hangs, what is shared, and whose local address is used."""

from __future__ import annotations

import resource
import threading

import pytest

from smswire import Client, Sent, errors
from smswire.net.pacers import Pacer

from .raw import WITHIN_S
from .runtimes import gateway_over
from .test_queue import Caller


class Names:
    """A ``resolve`` that counts, and answers with what it is given, in turn; the last answer stays."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str) -> list[str]:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def by_name(server) -> str:
    return server.origin.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize(
    "error", [OSError("no"), ValueError("no"), SystemExit(1)], ids=lambda error: type(error).__name__
)
def test_a_lookup_that_fails_may_pass(serve, make_client, error):
    """Whatever the function raises, the next attempt asks again."""
    server = serve()
    names = Names(error, error, ["127.0.0.1"])
    assert make_client(by_name(server), resolve=names).request("POST", "/").status == 200
    assert (names.asked, server.accepted) == (3, 1)


def test_a_lookup_that_goes_on_failing_means_not_sent(serve, make_client):
    """Three attempts, then ResolutionError."""
    names = Names(OSError("secret text"))
    with pytest.raises(errors.ResolutionError) as raised:
        make_client(by_name(serve()), resolve=names).request("POST", "/")
    assert (raised.value.sent, raised.value.attempts, names.asked) == (Sent.NO, 3, 3)
    assert "secret text" not in str(raised.value)


def test_a_name_that_does_not_exist_is_asked_for_once(make_client):
    """The error is permanent: another attempt would hear the same."""
    names = Names(errors.ResolutionError("no such name", permanent=True))
    with pytest.raises(errors.ResolutionError) as raised:
        make_client("https://localhost:1", resolve=names).request("POST", "/")
    assert (raised.value.sent, names.asked) == (Sent.NO, 1)


def test_lookups_that_hang_hold_up_nobody_else(serve, make_client):
    """The deadlines of their callers hold, and another client's lookup is answered."""
    may_end = threading.Event()
    server = serve()
    for _ in range(8):

        def hang(host: str) -> list[str]:
            may_end.wait(WITHIN_S)
            return ["127.0.0.1"]

        with pytest.raises(errors.Timeout) as raised:
            make_client(by_name(server), resolve=hang).request("POST", "/", timeout=0.05)
        assert raised.value.sent is Sent.NO
    assert make_client(by_name(server), resolve=Names(["127.0.0.1"])).request("POST", "/").status == 200
    may_end.set()


def test_callers_share_one_lookup_and_its_answer(serve, make_client):
    """Ten at once and one after them: the function is asked once."""
    names = Names(["127.0.0.1"])
    client = make_client(by_name(serve()), resolve=names)
    callers = [Caller(client) for _ in range(10)]
    for caller in callers:
        caller.join()
    client.request("POST", "/")
    assert [caller.status for caller in callers] == [200] * 10
    assert names.asked == 1


def test_the_local_address_reaches_the_whitelist(make_sandbox, make_client):
    """The sandbox lets the key in from its address only: allowed from there, refused with 903 from elsewhere."""
    sandbox = make_sandbox(keys={"sandbox-key": "127.0.0.5"})
    for local, code in (("127.0.0.5", None), ("127.0.0.6", 903)):
        client = make_client(sandbox, local_address=local)
        with gateway_over(client, "sandbox-key", base_url=sandbox.url) as gateway:
            if code is None:
                gateway.sms("491716992343", "Hello")
            else:
                with pytest.raises(errors.GatewayError) as raised:
                    gateway.sms("491716992343", "Hello")
                assert (raised.value.code, raised.value.sent) == (code, Sent.NO)
    assert [accept["peer"] for accept in sandbox.accepts()] == ["127.0.0.5", "127.0.0.6"]


@pytest.mark.parametrize("local", ["localhost", "", "::1"])
def test_a_local_address_that_cannot_work_shows_at_construction(local):
    """No address, or one of another family than the origin's."""
    with pytest.raises(errors.ConfigurationError):
        Client("http://127.0.0.1:1", local_address=local, pacer=Pacer())


def test_a_foreign_local_address_means_not_sent(serve, make_client):
    """``bind`` fails: NO, no descriptor and no slot of the pacer is kept."""
    pacer = Pacer()
    with pytest.raises(errors.ConnectError) as raised:
        make_client(serve(), local_address="192.0.2.1", pacer=pacer).request("POST", "/")
    assert raised.value.sent is Sent.NO
    assert pacer.stats() == (0, 0, 0)


def test_no_descriptor_left_means_not_sent(serve, make_client):
    """``socket()`` fails with EMFILE: NO, the place is free, and the client works once there are descriptors."""
    pacer = Pacer()
    client = make_client(serve(), pacer=pacer)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(errors.ConnectError) as raised:
            client.request("POST", "/")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert raised.value.sent is Sent.NO
    assert "Too many open files" in dict(raised.value.failures).values()
    assert pacer.stats() == (0, 0, 0)
    assert client.request("POST", "/", timeout=1e9).status == 200
