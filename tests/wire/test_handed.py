"""The count of what left: `handed` is what the far end can read, never more, and at rest never less."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.errors import ConnectionEnded, ProtocolError, Sent, SmswireError, TLSError
from smswire.wire import Channel, Request

from .feeding import HOST
from .key_update import ServerKeys, server_with_secrets
from .lanes import new_channel
from .peer import VERSIONS, connected, take

NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"
versions = st.sampled_from(VERSIONS)
bodies = st.one_of(
    st.integers(0, 300), st.sampled_from([16_000, 16_384, 32_768, 40_000]).flatmap(lambda n: st.integers(n - 200, n))
).map(bytes)
takes = st.lists(st.integers(0, 300) | st.integers(0, 40_000), max_size=12)


def post(body: bytes) -> Request:
    return Request("POST", "/api/sms", [("X-Api-Key", "sandbox-key")], body)


@given(versions, st.lists(st.tuples(bodies, takes), min_size=1, max_size=3))
@example(VERSIONS[1], [(bytes(40_000), [1, 16_500, 1])])
def test_over_tls_handed_is_exactly_what_the_far_end_can_decrypt(
    version: ssl.TLSVersion, exchanges: list[tuple[bytes, list[int]]]
) -> None:
    """However little the kernel takes at a time, after every system call, and in each of several exchanges."""
    channel, peer = connected(version)
    for body, counts in exchanges:
        peer.plain = b""
        channel.send_request(post(body))
        assert channel.handed == 0
        assert not channel.fully_handed
        for count in counts:
            left = take(channel, peer, count) - count
            assert channel.handed == len(peer.plain)
            assert channel.fully_handed is (left <= 0)
        take(channel, peer)
        assert channel.handed == len(peer.plain)
        assert channel.fully_handed
        assert peer.plain.endswith(b"\r\n\r\n" + body)
        assert not channel.bytes_to_send()
        assert channel.receive_data(peer.say(NOTHING)) is not None
        assert channel.reusable


@given(bodies, takes)
def test_over_plain_http_every_byte_counts(body: bytes, counts: list[int]) -> None:
    """There the far end can act on any."""
    channel = new_channel(HOST)
    channel.send_request(post(body))
    whole, gone = bytes(channel.bytes_to_send()), 0
    for count in counts:
        gone += min(count, len(whole) - gone)
        channel.handed_over(min(count, len(channel.bytes_to_send())))
        assert channel.handed == gone
        assert bytes(channel.bytes_to_send()) == whole[gone:]
        assert channel.fully_handed is (gone == len(whole))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_longer_than_a_record_goes_in_several(version: ssl.TLSVersion) -> None:
    """At most 16,384 bytes in each, so that what has been read is known by the record."""
    channel, peer = connected(version)
    channel.send_request(post(bytes(40_000)))
    data = bytes(channel.bytes_to_send())
    lengths = []
    while data:
        assert data[0] == 23
        size = 5 + int.from_bytes(data[3:5], "big")
        before = len(peer.plain)
        take(channel, peer, size - 1)
        assert channel.handed == len(peer.plain) == before
        take(channel, peer, 1)
        assert channel.handed == len(peer.plain)
        lengths.append(len(peer.plain) - before)
        data = data[size:]
    assert lengths[:2] == [16_384, 16_384]
    assert len(lengths) == 3


def end_of_stream(channel: Channel, _: object) -> None:
    channel.receive_eof()


def close_notify(channel: Channel, peer: object) -> None:
    channel.receive_data(peer.close())  # type: ignore[attr-defined]


def not_http(channel: Channel, peer: object) -> None:
    channel.receive_data(peer.say(b"220 mail\r\n"))  # type: ignore[attr-defined]


def no_record(channel: Channel, _: object) -> None:
    channel.receive_data(b"\x17\x03\x03\x00\x20" + bytes(32))


FAILURES = {
    end_of_stream: ConnectionEnded,
    close_notify: ConnectionEnded,
    not_http: ProtocolError,
    no_record: TLSError,
}


@given(versions, bodies, takes, st.sampled_from(list(FAILURES)))
def test_a_failure_says_what_the_far_end_could_read_and_nothing_follows_a_part_of_a_record(
    version: ssl.TLSVersion, body: bytes, counts: list[int], fail: object
) -> None:
    """`sent` is MAYBE exactly if the far end has any plaintext, and stays so, whatever it gets afterwards."""
    channel, peer = connected(version)
    channel.send_request(post(body))
    for count in counts:
        take(channel, peer, count)
    readable, was_whole = peer.plain, channel.fully_handed
    with pytest.raises(SmswireError) as caught:
        fail(channel, peer)  # type: ignore[operator]
    assert type(caught.value) is FAILURES[fail]  # type: ignore[index]
    assert caught.value.sent is (Sent.MAYBE if readable else Sent.NO)
    assert bytes(channel.bytes_to_send()) == b""
    farewell = channel.bytes_to_close()
    assert bool(farewell) is was_whole
    peer.receive(farewell)
    assert peer.plain == readable
    assert channel.handed == len(readable)
    for again in (channel.receive_eof, lambda: channel.receive_data(b"x")):
        with pytest.raises(SmswireError) as caught:
            again()
        assert caught.value.sent is (Sent.MAYBE if readable else Sent.NO), "a second question has the same answer"


@given(versions, bodies, takes)
def test_giving_up_sends_no_more_of_a_request(version: ssl.TLSVersion, body: bytes, counts: list[int]) -> None:
    """A caller whose time is over closes: the far end gets close_notify only behind a whole request."""
    channel, peer = connected(version)
    channel.send_request(post(body))
    for count in counts:
        take(channel, peer, count)
    readable, was_whole = peer.plain, channel.fully_handed
    farewell = channel.bytes_to_close()
    assert bool(farewell) is was_whole
    peer.receive(farewell)
    assert (peer.plain, peer.has_ended, peer.error) == (readable, was_whole, None)
    assert bytes(channel.bytes_to_send()) == b""


@given(versions, st.sampled_from([20_000, 40_000]), st.integers(0, 40_000))
def test_an_answer_before_the_whole_request_left_stands_and_the_rest_stays(
    version: ssl.TLSVersion, size: int, count: int
) -> None:
    """Servers answer early to what they will not read; what the far end could not have read it has not answered."""
    channel, peer = connected(version)
    channel.send_request(post(bytes(size)))
    take(channel, peer, count)
    early = peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    if not peer.plain:
        with pytest.raises(ProtocolError) as caught:
            channel.receive_data(early)
        assert caught.value.sent is Sent.NO
    else:
        response = channel.receive_data(early)
        assert response is not None
        assert (response.status, channel.reusable) == (413, channel.fully_handed)
    if not channel.fully_handed:
        assert bytes(channel.bytes_to_send()) == channel.bytes_to_close() == b""


@given(st.lists(st.tuples(st.booleans(), bodies, takes, st.booleans(), takes), min_size=1, max_size=3), st.booleans())
@example([(True, bytes(40_000), [17_000], True, [1, 1, 1])], True)
def test_a_key_update_is_no_part_of_a_request(
    exchanges: list[tuple[bool, bytes, list[int], bool, list[int]]], wants_ours: bool
) -> None:
    """It may stand before a record, or between two, and be taken without them: the law holds under every key."""
    with server_with_secrets() as (server, secrets):
        channel, peer = connected(server=server)
        keys = ServerKeys.of(secrets())
    for update_first, body, counts, update_within, more in exchanges:
        peer.plain = b""
        if update_first:
            assert channel.receive_data(keys.update(wants_ours=wants_ours)) is None
            assert channel.reusable
        channel.send_request(post(body))
        for count in counts:
            take(channel, peer, count)
            assert channel.handed == len(peer.plain)
        if update_within:
            assert channel.receive_data(keys.update(wants_ours=wants_ours)) is None
        for count in more:
            take(channel, peer, count)
            assert channel.handed == len(peer.plain)
        take(channel, peer)
        assert channel.handed == len(peer.plain)
        assert channel.fully_handed
        assert peer.plain.endswith(b"\r\n\r\n" + body)
        assert peer.error is None
        assert channel.receive_data(keys.say(NOTHING)) is not None
        assert channel.reusable


@pytest.mark.parametrize("wants_ours", [True, False])
def test_a_key_update_of_ours_leaves_only_if_asked_for(wants_ours: bool) -> None:
    """It is 27 bytes before the request; taken alone, nothing was handed."""
    with server_with_secrets() as (server, secrets):
        channel, peer = connected(server=server)
        keys = ServerKeys.of(secrets())
    channel.send_request(post(b""))
    size = take(channel, peer)
    assert channel.receive_data(keys.say(NOTHING)) is not None
    assert channel.receive_data(keys.update(wants_ours=wants_ours)) is None
    channel.send_request(post(b""))
    peer.plain = b""
    assert take(channel, peer, 27) == size + 27 * wants_ours
    assert channel.handed == len(peer.plain) == 0
    take(channel, peer, size - 27 * (not wants_ours))
    assert channel.handed == len(peer.plain) > 0
    assert channel.fully_handed


def test_what_was_not_there_cannot_have_been_handed_over() -> None:
    """More than was offered, or less than nothing, is the runtime's mistake, and counts for nothing."""
    for channel in (new_channel(HOST), connected()[0]):
        with pytest.raises(ValueError, match="more was handed over"):
            channel.handed_over(1)
        channel.send_request(post(b"x"))
        there = len(channel.bytes_to_send())
        for count in (there + 1, -1):
            with pytest.raises(ValueError, match="more was handed over"):
                channel.handed_over(count)
        assert (channel.handed, len(channel.bytes_to_send())) == (0, there)
        channel.handed_over(there)
        assert channel.fully_handed
