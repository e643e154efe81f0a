"""Opening a connection: which address next, when another beside it, and what becomes of every socket and grant."""

from __future__ import annotations

import errno
import math
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import CertificateError, ConfigurationError, ConnectError, NetworkError, TLSError
from smswire.flow.dialing import CLOSE, CONNECT, FAILED, OPENED, WATCH, Address, Addresses, Attempt, Opening, interleave
from smswire.flow.pacing import Grant, Pacing
from smswire.wire.channel import Channel
from smswire.wire.tls import TLS

from .kit import (
    HOST,
    V6,
    A,
    B,
    C,
    Ledger,
    Peer,
    authority,
    client_tls,
    closed_to_the_end,
    dialled,
    exchange,
    joined,
    ledger,
    new_pool,
    opened_plain,
    racing,
)

FAR_END = (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE)
OUR_END = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENOBUFS)


def os_error(number: int) -> OSError:
    return OSError(number, f"error {number}")


# What is known of a host's addresses

some_addresses = st.builds(
    Address, st.sampled_from([2, 10]), st.tuples(st.sampled_from(["127.0.0.1", "::1"]), st.integers(1, 9))
)


@given(st.lists(some_addresses, max_size=12))
def test_families_take_turns_and_nothing_is_lost(addresses):
    """The resolver's order holds within a family and for the very first; families alternate while both last."""
    order = interleave(addresses)
    assert sorted(order) == sorted(set(addresses))
    assert order[:1] == addresses[:1]
    families = [address.family for address in order]
    for family in set(families):
        assert [a for a in order if a.family == family] == [a for a in dict.fromkeys(addresses) if a.family == family]
    shortest = min((families.count(family) for family in (2, 10)), default=0)
    for place in range(1, 2 * shortest):
        assert families[place] != families[place - 1]


@pytest.mark.parametrize(("address", "text"), [(A, "127.0.0.1:8001"), (V6, "[::1]:8001")])
def test_an_address_is_shown_as_in_a_url(address, text):
    """An IPv6 address stands in brackets before its port."""
    assert str(address) == text


def test_the_address_that_answered_last_goes_first_until_a_dial_to_it_is_overdue():
    """The place of honour moves with answers; a dial to another address that is overdue does not touch it."""
    addresses = Addresses(25)
    addresses.replace([A, B, C], 10.0)
    assert addresses.in_order() == [A, B, C]
    addresses.answered(B, 0.1)
    assert addresses.in_order() == [B, A, C]
    addresses.overdue(A)
    assert addresses.in_order() == [B, A, C]
    addresses.overdue(B)
    assert addresses.in_order() == [A, B, C]


def test_an_address_no_longer_in_the_answer_is_forgotten():
    """A new lookup takes the place of honour and the round trip of what it does not name, and keeps the others'."""
    addresses = Addresses(25)
    addresses.replace([A, B], 10.0)
    addresses.answered(A, 1.0)
    addresses.replace([A, C], 20.0)
    assert (addresses.first, addresses.delay(A)) == (A, 2.5)
    addresses.replace([B], 30.0)
    assert (addresses.first, addresses.delay(A)) == (None, 0.25)
    addresses.answered(A, 1.0)
    assert (addresses.in_order(), addresses.delay(A)) == ([B], 0.25)


def test_a_lookup_is_fresh_until_its_time_and_not_at_it():
    """Nothing is known before the first lookup, nor from the instant its answer ends."""
    addresses = Addresses(25)
    assert not addresses.is_fresh(-1e9)
    addresses.replace([A], 10.0)
    assert addresses.is_fresh(math.nextafter(10.0, 0))
    assert not addresses.is_fresh(10.0)


@given(st.floats(0, 10))
def test_the_delay_is_250_ms_or_two_and_a_half_round_trips(round_trip):
    """An address with a long way is not overtaken at every dial."""
    addresses = Addresses(25)
    addresses.replace([A, B], math.inf)
    assert addresses.delay(A) == 0.25
    addresses.answered(A, round_trip)
    assert addresses.delay(A) == max(0.25, 2.5 * round_trip)
    assert addresses.delay(B) == 0.25


# One opening, over plain http


def test_a_plain_connection_is_ready_when_tcp_is():
    """It carries its unsettled grant with it, since nobody has heard of the far end yet, and its round trip."""
    pool = new_pool()
    waiter, _ = joined(pool)
    opening = dialled(pool, 1.0, waiter)
    connection = opened_plain(opening, 1.0, 0.125)
    assert (connection.address, connection.round_trip) == (A, 0.125)
    assert isinstance(connection.grant, Grant)
    assert ledger(pool).endings == []
    assert pool.addresses.first == A


def test_an_address_may_be_overtaken_only_after_its_delay():
    """The next address is tried beside it when 250 ms have passed, and the one that answers first is taken."""
    pool = new_pool(addresses=[A, B])
    joined(pool)
    opening = dialled(pool, 5.0)
    assert (opening.next_step(5.0), opening.address) == (CONNECT, A)
    assert (opening.next_step(5.0), opening.wait_until) == (WATCH, 5.25)
    assert opening.next_step(5.2) == WATCH
    assert (opening.next_step(5.25), opening.address) == (CONNECT, B)
    opening.handle_connected(B, 5.3)
    assert closed_to_the_end(opening, 5.3) == ([A], OPENED)
    assert opening.address == B
    assert ledger(pool).told() == ["abandon"]
    assert pool.addresses.first == B


def test_an_address_that_failed_is_followed_at_once():
    """A refusal does not wait for any delay."""
    pool = new_pool(addresses=[A, B])
    joined(pool)
    opening = dialled(pool)
    assert opening.next_step(0.0) == CONNECT
    opening.handle_failed(A, os_error(errno.ECONNREFUSED), 0.01)
    assert (opening.next_step(0.01), opening.address) == (CLOSE, A)
    opening.handle_closed(A, 0.01)
    assert (opening.next_step(0.01), opening.address) == (CONNECT, B)


def test_the_last_address_is_not_overtaken_and_the_opening_ends_in_time():
    """With nothing left to try it waits until its end, and names every address and what came of it."""
    pool = new_pool(addresses=[A, B], connect_timeout=2.0)
    joined(pool)
    opening = dialled(pool)
    now = racing(opening, 0.0, 2)
    opening.handle_failed(A, os_error(errno.EHOSTUNREACH), now)
    assert closed_to_the_end(opening, now) == ([A], WATCH)
    opening.next_step(0.6)
    assert (opening.next_step(0.6), opening.wait_until) == (WATCH, 2.0)
    assert closed_to_the_end(opening, 2.0) == ([B], FAILED)
    assert isinstance(opening.error, ConnectError)
    assert opening.error.failures == ((str(A), f"error {errno.EHOSTUNREACH}"), (str(B), "no answer"))
    assert ledger(pool).told() == ["abandon", "abandon"]


def test_an_opening_ends_at_its_calls_deadline_if_that_is_sooner():
    """A call that dials for itself is not kept by its dial."""
    pool = new_pool(connect_timeout=5.0)
    waiter, _ = joined(pool)
    opening = pool.dial(0.0, waiter, 1.5)
    assert isinstance(opening, Opening)
    racing(opening, 0.0, 1)
    assert opening.next_step(1.4) == WATCH
    assert opening.wait_until == 1.5
    assert closed_to_the_end(opening, 1.5) == ([A], FAILED)


@pytest.mark.parametrize("number", FAR_END + OUR_END)
def test_only_some_errors_are_the_far_ends_word(number):
    """A refusal or a reset settles; whatever else the socket reports is this side giving up, and is abandoned."""
    pool = new_pool()
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_failed(A, os_error(number), 0.1)
    assert closed_to_the_end(opening, 0.1) == ([A], FAILED)
    assert ledger(pool).told() == ["settle" if number in FAR_END else "abandon"]


@pytest.mark.parametrize("number", FAR_END + OUR_END)
def test_what_connect_itself_raised_never_left(number):
    """Its grant is given back, unless the error is one that only the far end can cause."""
    pool = new_pool()
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_failed_at_once(A, os_error(number), 0.0)
    assert closed_to_the_end(opening, 0.0) == ([A], FAILED)
    assert ledger(pool).told() == ["settle" if number in FAR_END else "give_back"]
    assert ledger(pool).stats(0.0).live == (number in FAR_END)


def test_an_end_settles_and_bytes_before_the_request_lose_the_address():
    """Both come from the far end; neither makes a connection, and the next address is tried."""
    pool = new_pool(addresses=[A, B])
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 2)
    opening.handle_end(A, 0.3)
    opening.handle_data(B, b"HTTP/1.1 408 Request Timeout\r\n\r\n", 0.3)
    assert closed_to_the_end(opening, 0.3) == ([A, B], FAILED)
    assert ledger(pool).told() == ["settle", "settle"]
    assert isinstance(opening.error, ConnectError)
    assert [address for address, _ in opening.error.failures] == [str(A), str(B)]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_an_opening_given_up_closes_every_socket_once_and_fails(count):
    """However many addresses were tried: each is closed, each grant abandoned, and a grant not used given back."""
    pool = new_pool(addresses=[A, B, C])
    joined(pool)
    opening = dialled(pool)
    now = racing(opening, 0.0, count) if count else 0.0
    opening.abandon(now)
    opening.abandon(now)
    addresses, step = closed_to_the_end(opening, now)
    assert (sorted(addresses), step) == (sorted([A, B, C][:count]), FAILED)
    assert isinstance(opening.error, ConnectError)
    assert ledger(pool).told() == (["abandon"] * count or ["give_back"])


def test_an_opening_given_up_when_it_was_ready_closes_that_too():
    """Between OPENED and the runtime's word that it has the connection, giving up still closes it."""
    pool = new_pool()
    joined(pool)
    opening = dialled(pool)
    opened_plain(opening, 0.0)
    opening.abandon(0.1)
    assert opening.connection is None
    assert closed_to_the_end(opening, 0.1) == ([A], FAILED)
    assert ledger(pool).told() == ["abandon"]


@pytest.mark.parametrize("race", [False, True])
def test_a_channel_that_cannot_be_made_costs_no_grant(race):
    """The context may refuse every handshake; the opening fails with that, and no slot is lost over it."""
    made: list[Channel] = []

    def new_channel() -> Channel:
        if len(made) == race:
            raise ConfigurationError("TLS cannot be used with this context and host name")
        made.append(Channel("h"))
        return made[-1]

    pool = new_pool(addresses=[A, B], new_channel=new_channel)
    joined(pool)
    opening = dialled(pool)
    if race:
        racing(opening, 0.0, 1)
    addresses, step = closed_to_the_end(opening, 0.25)
    assert (addresses, step) == ([A] if race else [], FAILED)
    assert isinstance(opening.error, ConfigurationError)
    assert ledger(pool).told() == (["give_back", "abandon"] if race else ["give_back"])
    assert ledger(pool).stats(0.25).unsettled == 0


def test_a_context_without_any_version_takes_no_slot():
    """The same with OpenSSL's own refusal, which comes as soon as the handshake would begin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ECDHE+AESGCM")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    pool = new_pool(tls=TLS(context, "gateway.test"))
    joined(pool)
    opening = dialled(pool)
    assert opening.next_step(0.0) == FAILED
    assert isinstance(opening.error, TLSError)
    assert ledger(pool).told() == ["give_back"]


# Several openings of one pool


def test_until_an_address_has_answered_only_one_race_is_under_way():
    """The gate comes before any grant, and opens for all as soon as one address has answered."""
    pool = new_pool(addresses=[A, B])
    joined(pool)
    _, bell = joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    bell.arm()
    assert pool.dial(0.1) == math.inf
    assert ledger(pool).stats(0.1).granted == 1
    opening.handle_connected(A, 0.1)
    dialled(pool, 0.1)


def test_a_race_that_failed_opens_the_gate_for_the_next():
    """Nothing answered: the next call's race may begin, and the head of the queue is woken to begin it."""
    pool = new_pool(connect_timeout=1.0)
    _, _ = joined(pool)
    opening = dialled(pool)
    _, bell = joined(pool)
    racing(opening, 0.0, 1)
    assert pool.dial(0.1) == math.inf
    closed_to_the_end(opening, 1.0)
    assert opening.error is not None
    pool.failed(opening, opening.error)
    assert bell.rung
    dialled(pool, 1.0)


def test_an_overdue_dial_costs_its_address_the_place_of_honour_once():
    """The address goes first again as soon as another dial to it answers, though the old one never does."""
    pool = new_pool(Ledger(limit=4, spacing=0.0), addresses=[A, B])
    taken = [ledger(pool).ask(0.0, print) for _ in range(2)]
    pool.addresses.answered(A, 0.0)
    joined(pool), joined(pool)
    silent, prompt = dialled(pool), dialled(pool)
    racing(silent, 0.0, 1)
    racing(prompt, 0.0, 1)
    assert silent.next_step(0.25) == WATCH  # due, but every slot is taken
    assert all(isinstance(grant, Grant) for grant in taken)
    assert pool.addresses.first is None
    prompt.handle_connected(A, 0.26)
    assert pool.addresses.first == A
    assert silent.next_step(0.27) == WATCH
    assert pool.addresses.first == A


def test_a_races_next_address_comes_before_other_dials():
    """While a race waits for its grant nobody else of its pool asks for one."""
    pool = new_pool(Ledger(limit=1, spacing=0.0), addresses=[A, B])
    pool.addresses.answered(B, 0.0)
    pool.addresses.answered(A, 0.0)
    joined(pool), joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    assert (opening.next_step(0.25), opening.wait_until) == (WATCH, 0.25 + 1.01)
    pool.addresses.answered(A, 0.0)
    assert pool.dial(2.0) == math.inf
    opening.handle_failed(A, os_error(errno.ECONNREFUSED), 2.0)
    assert closed_to_the_end(opening, 2.0)[1] == WATCH
    assert pool.dial(4.0) == math.inf
    assert opening.next_step(4.0) == CONNECT


def test_a_race_that_is_over_holds_nobody_back():
    """An address that answers ends the race for the next; other dials need not wait until its handshake is done."""
    pool = new_pool(Ledger(limit=4, spacing=0.0), addresses=[A, B], tls=client_tls())
    taken = [ledger(pool).ask(0.0, print) for _ in range(2)]
    pool.addresses.answered(A, 0.0)
    for _ in range(3):
        joined(pool)
    slow, other = dialled(pool), dialled(pool)
    racing(slow, 0.0, 1)
    slow.handle_connected(A, 0.1)
    assert slow.next_step(0.25) == WATCH  # due, and refused
    assert all(isinstance(grant, Grant) for grant in taken)
    other.abandon(0.25)
    assert closed_to_the_end(other, 0.25) == ([], FAILED)
    assert other.error is not None
    pool.failed(other, other.error)
    assert pool.dial(0.25) == math.inf
    hello = slow.attempts[A].channel.bytes_to_send()
    slow.handle_data(A, Peer().receive(bytes(hello))[:40], 0.4)
    assert slow.next_step(0.4) == WATCH
    dialled(pool, 0.4)


def test_at_most_half_of_the_limit_is_unsettled_at_one_of_several_addresses():
    """An address that was first and has gone silent does not take every slot."""
    pool = new_pool(Ledger(limit=4, spacing=0.0), addresses=[A, B])
    pool.addresses.answered(A, 0.0)
    for _ in range(4):
        joined(pool)
    first, _ = dialled(pool), dialled(pool)
    assert pool.dial(0.0) == math.inf
    assert ledger(pool).stats(0.0).live == 2
    racing(first, 0.0, 1)
    first.handle_failed(A, os_error(errno.ECONNREFUSED), 0.1)
    dialled(pool, 0.1)


def test_a_race_does_not_crowd_an_address_either():
    """Races to an address count like dials to it: one too many waits, and keeps no other dial waiting."""
    pool = new_pool(Ledger(limit=6, spacing=0.0), addresses=[A, B])
    pool.addresses.answered(A, 0.0)
    for _ in range(6):
        joined(pool)
    late = dialled(pool)
    racing(late, 0.0, 1)
    pool.addresses.answered(B, 0.0)
    others = [dialled(pool, 0.1) for _ in range(3)]
    for opening in others:
        racing(opening, 0.1, 1)
    assert (late.next_step(0.25), late.wait_until) == (WATCH, 0.5)
    assert ledger(pool).stats(0.25).unsettled == 4
    others[0].handle_failed(B, os_error(errno.ECONNREFUSED), 0.3)
    assert late.next_step(0.5) == CONNECT
    assert late.address == B


def test_a_crowded_address_without_the_place_of_honour_goes_last():
    """Connections that wait for their first byte at a silent address do not keep the next race from another one."""
    pool = new_pool(Ledger(limit=2, spacing=0.0), addresses=[A, B])
    for _ in range(2):
        joined(pool)
    opening = dialled(pool)
    connection = opened_plain(opening, 0.0)
    pool.opened(opening, connection, 0.0)
    pool.addresses.overdue(A)
    opening = dialled(pool)
    assert (opening.next_step(0.0), opening.address) == (CONNECT, B)


def test_a_single_address_may_take_every_slot():
    """With one address there is nobody to keep slots for."""
    pool = new_pool(Ledger(limit=2, spacing=0.0))
    pool.addresses.answered(A, 0.0)
    joined(pool), joined(pool)
    dialled(pool), dialled(pool)
    assert ledger(pool).stats(0.0).live == 2


# Over TLS


def test_over_tls_a_connected_address_has_not_answered():
    """The kernel completes TCP handshakes for servers that hang: only a byte of theirs settles."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_connected(A, 0.1)
    assert opening.next_step(0.1) == WATCH
    assert pool.addresses.first is None
    assert ledger(pool).endings == []
    assert opening.next_step(0.25) == CONNECT
    exchange(opening, A, Peer(), 0.3)
    assert pool.addresses.first == A
    assert ledger(pool).told() == ["settle"]


def test_an_address_that_hangs_behind_its_first_byte_is_left_too():
    """It settled its grant and keeps its time; then the next address is tried beside it, and goes first from there."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_connected(A, 0.1)
    opening.handle_data(A, b"\x16", 0.2)
    assert pool.addresses.first == A
    assert (opening.next_step(0.2), opening.wait_until) == (WATCH, 0.45)
    assert (opening.next_step(0.45), opening.address) == (CONNECT, B)
    assert pool.addresses.first is None
    peer = Peer()
    opening.handle_connected(B, 0.5)
    while not opening.attempts[B].channel.established:
        assert exchange(opening, B, peer, 0.5)
    assert closed_to_the_end(opening, 0.5) == ([A], OPENED)
    assert pool.addresses.first == B


def test_a_connection_that_ends_with_its_handshake_is_none():
    """TLS 1.2: the server's last flight may bring its close_notify along, and TCP may stay open."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    pool = new_pool(tls=TLS(context, HOST))
    joined(pool)
    opening = dialled(pool)
    peer = Peer()
    racing(opening, 0.0, 1)
    opening.handle_connected(A, 0.0)
    assert exchange(opening, A, peer, 0.0)
    channel = opening.attempts[A].channel
    flight = bytes(channel.bytes_to_send())
    opening.handle_sent(A, len(flight))
    opening.handle_data(A, peer.receive(flight) + peer.close_notify(), 0.0)
    assert (channel.established, channel.reusable) == (True, False)
    assert closed_to_the_end(opening, 0.0) == ([A], FAILED)
    assert opening.connection is None
    assert type(opening.error) is NetworkError


def test_an_address_that_hangs_alone_says_so_at_the_end():
    """The error tells a handshake that did not end from an address that never answered."""
    pool = new_pool(addresses=[A], tls=client_tls(), connect_timeout=1.0)
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_connected(A, 0.1)
    opening.handle_data(A, b"\x16", 0.2)
    assert closed_to_the_end(opening, 1.0) == ([A], FAILED)
    assert isinstance(opening.error, ConnectError)
    assert opening.error.failures == ((str(A), "no end of the handshake"),)


def test_the_winner_of_a_race_is_whose_handshake_is_done():
    """The others are closed first, and only then is the opening ready."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    now = racing(opening, 0.0, 2)
    peer = Peer()
    opening.handle_connected(B, now)
    while exchange(opening, B, peer, now) and not opening.attempts[B].channel.established:
        assert opening.next_step(now) == WATCH
    assert closed_to_the_end(opening, now) == ([A], OPENED)
    assert opening.connection is not None
    assert opening.connection.grant is None
    assert sorted(ledger(pool).told()) == ["abandon", "settle"]


@pytest.mark.parametrize("round_trip", [0.05, 0.3, 1.0])
def test_the_round_trip_is_that_of_tcp(round_trip):
    """A first byte over TLS takes two round trips; the delay of an address goes by one."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_connected(A, round_trip)
    exchange(opening, A, Peer(), 2 * round_trip)
    assert pool.addresses.delay(A) == max(0.25, 2.5 * round_trip)


def test_a_certificate_of_another_name_at_every_address_ends_all():
    """It is permanent: the error is the certificate's, and everybody's."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    waiter, bell = joined(pool)
    opening = dialled(pool)
    now = racing(opening, 0.0, 2)
    for address, step in ((A, WATCH), (B, FAILED)):
        opening.handle_connected(address, now)
        exchange(opening, address, Peer("other.test"), now)
        assert (opening.next_step(now), opening.address) == (CLOSE, address)
        assert opening.bytes_to_close()  # the alert that says why
        assert closed_to_the_end(opening, now) == ([address], step)
        assert pool.addresses.first is None
    assert isinstance(opening.error, CertificateError)
    assert opening.error.permanent
    pool.failed(opening, opening.error)
    assert waiter.error is opening.error
    assert bell.rung


def test_one_address_with_a_bad_certificate_is_passed_over():
    """The next one is tried at once, and it is the one that goes first from then on."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    assert opening.next_step(0.0) == CONNECT
    opening.handle_connected(A, 0.0)
    exchange(opening, A, Peer("other.test"), 0.0)
    assert closed_to_the_end(opening, 0.0) == ([A], CONNECT)
    assert (opening.address, pool.addresses.first) == (B, None)
    opening.handle_connected(B, 0.0)
    exchange(opening, B, Peer(), 0.0)
    assert opening.next_step(0.0) == OPENED
    assert pool.addresses.first == B


@pytest.mark.parametrize("last", [A, B])
def test_a_bad_certificate_beside_an_address_that_refuses_is_not_permanent(last):
    """Whichever came first: trying again may find the other one well."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    now = racing(opening, 0.0, 2)
    if last == A:
        opening.handle_failed(B, os_error(errno.ECONNREFUSED), now)
        assert closed_to_the_end(opening, now) == ([B], WATCH)
    opening.handle_connected(A, now)
    exchange(opening, A, Peer("other.test"), now)
    if last == B:
        assert closed_to_the_end(opening, now) == ([A], WATCH)
        opening.handle_failed(B, os_error(errno.ECONNREFUSED), now)
    assert closed_to_the_end(opening, now) == ([last], FAILED)
    assert isinstance(opening.error, ConnectError)
    assert not opening.error.permanent
    assert sorted(address for address, _ in opening.error.failures) == [str(A), str(B)]


def test_an_address_whose_handshake_breaks_after_its_first_answer_goes_first_no_more():
    """It has answered others before, and this one with half a handshake."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    assert opening.next_step(0.0) == CONNECT
    opening.handle_connected(A, 0.0)
    data = bytes(opening.attempts[A].channel.bytes_to_send())
    opening.handle_sent(A, len(data))
    opening.handle_data(A, Peer().receive(data)[:100], 0.0)
    assert pool.addresses.first == A
    opening.handle_end(A, 0.0)
    assert closed_to_the_end(opening, 0.0) == ([A], CONNECT)
    assert pool.addresses.first is None


def test_a_broken_handshake_is_the_last_addresss_own_error():
    """Bytes that are no TLS say so, where no address is left; before that the next one is tried."""
    pool = new_pool(addresses=[A, B], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    for address, step in ((A, CONNECT), (B, FAILED)):
        assert (opening.next_step(0.0) if address == A else CONNECT) == CONNECT
        opening.handle_connected(address, 0.0)
        opening.handle_data(address, b"HTTP/1.1 400 Bad Request\r\n\r\n", 0.0)
        assert closed_to_the_end(opening, 0.0) == ([address], step)
    assert isinstance(opening.error, TLSError)


def test_an_end_within_the_handshake_is_not_permanent():
    """The server closed: another attempt may pass."""
    pool = new_pool(tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.handle_connected(A, 0.0)
    opening.handle_end(A, 0.1)
    assert closed_to_the_end(opening, 0.1) == ([A], FAILED)
    assert isinstance(opening.error, NetworkError)
    assert not opening.error.permanent


def test_nothing_is_said_at_the_close_of_an_address_that_never_connected():
    """close_notify is for sessions; a socket still connecting gets no bytes."""
    pool = new_pool(addresses=[A], tls=client_tls())
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    opening.abandon(0.1)
    assert opening.next_step(0.1) == CLOSE
    assert opening.bytes_to_close() == b""


def test_the_attempts_of_an_opening_are_there_to_be_watched():
    """A runtime learns from ``attempts`` what to wait for on each socket."""
    pool = new_pool(Pacing(spacing=0.0))
    joined(pool)
    opening = dialled(pool)
    racing(opening, 0.0, 1)
    attempt = opening.attempts[A]
    assert isinstance(attempt, Attempt)
    assert (attempt.is_connected, attempt.answered, attempt.started_at, attempt.due_at) == (False, False, 0.0, 0.25)
