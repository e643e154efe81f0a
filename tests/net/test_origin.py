"""Origins, plain http, IPv6, and the poll that stands in where there is none."""

from __future__ import annotations

import os
import select
import socket
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire import Client, errors
from smswire.net.origin import Origin, parse
from smswire.net.pacers import Pacer
from smswire.net.polling import IN, OUT, SelectPoll


@pytest.mark.parametrize(
    ("text", "origin", "authority"),
    [
        ("https://gateway.test", ("https", "gateway.test", 443), "gateway.test"),
        ("HTTPS://Gateway.Test:443/", ("https", "gateway.test", 443), "gateway.test"),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080), "127.0.0.1:8080"),
        ("http://gateway.test:443", ("http", "gateway.test", 443), "gateway.test:443"),
        ("https://[::1]:8443", ("https", "::1", 8443), "[::1]:8443"),
        ("https://[::1]", ("https", "::1", 443), "[::1]"),
        ("https://xn--bcher-kva.test.:1", ("https", "xn--bcher-kva.test.", 1), "xn--bcher-kva.test.:1"),
    ],
)
def test_an_origin_is_scheme_host_and_port(text, origin, authority):
    """And its authority leaves out the port that is the scheme's own."""
    assert parse(text) == Origin(*origin)
    assert parse(text).authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "", "gateway.test", "ftp://gateway.test", "https://", "https://:443", "https://a.test:0", "https://a.test:65536",
        "https://a.test:", "https://user:secret@a.test", "https://a.test/api", "https://a.test?secret", "https://a.test#f",
        "https://a b.test", "https://a..test", "https://-a.test", "https://bücher.test", "https://[::1", "https://::1",
        "https://" + "a" * 64 + ".test", "https://a.test\n", "https://[:::::]", None, b"https://a.test",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused(text):
    """The text is not repeated, for it might hold a password."""
    with pytest.raises(errors.ConfigurationError) as raised:
        parse(text)
    assert "secret" not in str(raised.value)


@given(st.text())
def test_any_text_is_an_origin_or_refused(text):
    """Nothing else ever comes out, and what is read reads the same again."""
    try:
        origin = parse(f"https://{text}")
    except errors.ConfigurationError:
        return
    assert parse(f"https://{origin.authority}") == origin


def test_plain_http_off_loopback_warns_and_on_loopback_does_not():
    """The key could be read on the way."""
    with pytest.warns(UserWarning, match="plain http") as warned:
        Client("http://gateway.test", pacer=Pacer())
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for origin in ("http://localhost", "http://127.9.9.9", "http://[::1]", "https://gateway.test"):
            Client(origin, pacer=Pacer())


def test_an_ipv6_origin_works(make_sandbox, make_client):
    """By its address in brackets, which is in the certificate."""
    try:
        sandbox = make_sandbox(host="::1")
    except OSError:
        assert parse("https://[::1]:8443").host == "::1"  # a machine without IPv6 can only read it
        return
    client = make_client(sandbox)
    assert client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status == 200


def test_select_does_what_poll_does():
    """Over a socket with news, without, with a full buffer, at its end, and with nothing registered."""
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)

        def same(events: int) -> None:
            theirs, ours = select.poll(), SelectPoll()
            for poll in (theirs, ours):
                poll.register(one.fileno(), IN)
                poll.modify(one.fileno(), events)
            found = [(fd, event & (IN | OUT)) for fd, event in theirs.poll(0)]
            assert ours.poll(0) == found
            assert SelectPoll().poll(0) == []

        for events in (IN, OUT, IN | OUT):
            same(events)
        other.send(b"a")
        for events in (IN, OUT, IN | OUT):
            same(events)
        while True:
            try:
                one.send(os.urandom(65_536))
            except BlockingIOError:
                break
        for events in (IN, OUT, IN | OUT):
            same(events)
