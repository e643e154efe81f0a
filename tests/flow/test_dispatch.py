"""One call from queue to verdict: each step in its order, and what becomes of the call when it fails there."""

from __future__ import annotations

import errno

import pytest

from smswire.errors import (
    CertificateError,
    Closed,
    ConnectionEnded,
    PoolFull,
    ProtocolError,
    ResolutionError,
    Sent,
    Timeout,
)
from smswire.flow import dialing
from smswire.flow.dispatch import BLOCKED, CLOSE, DIAL, DONE, DRAIN, LOOKUP, MAX_ATTEMPTS, PROBE, READ, WAIT, WRITE
from smswire.flow.pool import Pool

from .calls import (
    BROKEN_PIPE,
    BUSY,
    DEADLINE,
    OK,
    PLACES,
    Call,
    to_blocked_write,
    to_connect,
    to_drain,
    to_grant,
    to_maybe_backoff,
    to_partial_drain,
    to_partial_write,
    to_probe,
    to_queue,
    to_read,
    to_sending,
    to_write,
)
from .kit import A, Bell, Peer, client_tls, connection_of, exchange, joined, ledger, new_pool

RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


def idle_pool(count: int = 1, *, requests: int = 1) -> Pool:
    """A pool with idle connections that have carried ``requests`` each."""
    pool = new_pool()
    connections = [connection_of(pool) for _ in range(count)]
    for connection in connections:
        connection.requests = requests
        pool.give(connection, 0.0)
    return pool


# The order of steps


def test_a_call_dials_probes_writes_reads_and_is_done():
    """The connection is idle again afterwards, and its grant settled at the first byte of the answer."""
    call = Call(new_pool())
    assert call.step == DIAL
    assert call.dial(0.0) == PROBE
    assert call.would_block(0.0) == WRITE
    assert call.send(0.0, 5) == WRITE
    assert call.send(0.0) == READ
    assert call.next(1.0) == READ
    assert call.dispatch.wait_until == DEADLINE
    assert ledger(call.pool).told() == []
    assert call.receive(OK[:20], 1.0) == READ
    assert ledger(call.pool).told() == ["settle"]
    assert call.receive(OK[20:], 1.0) == DONE
    assert call.dispatch.response is not None
    assert call.dispatch.response.body == b"100"
    assert (call.dispatch.error, call.dispatch.connection) == (None, None)
    assert (call.outcome.sent, call.outcome.attempts, call.outcome.status) == (Sent.YES, 1, 200)
    assert call.pool.stats().idle == 1


def test_an_idle_connection_is_probed_before_it_is_used():
    """The probe comes before every request, the first on a connection included."""
    call = Call(idle_pool())
    assert call.step == PROBE
    assert call.would_block(0.0) == WRITE


def test_a_lookup_comes_before_the_dial_and_its_failure_is_an_attempt():
    """A name that does not exist ends the call; DNS trouble is tried again."""
    for permanent in (True, False):
        call = Call(new_pool(addresses=[]))
        assert call.step == LOOKUP
        assert call.next(0.0) == WAIT
        assert call.dispatch.lookup is not None
        call.pool.lookup_failed(call.dispatch.lookup, ResolutionError("x", permanent=permanent))
        assert call.bell.rung
        assert call.next(0.0) == (DONE if permanent else WAIT)
        assert call.outcome.attempts == 1
    assert call.next(call.dispatch.wait_until) == LOOKUP
    assert call.dispatch.lookup is not None
    call.pool.looked_up(call.dispatch.lookup, [A], 1.0)
    assert call.next(1.0) == DIAL


def test_a_call_that_does_not_dial_waits_for_its_pool():
    """Where the pool has a dialer the call asks for nothing, and is woken with what the pool opened."""
    pool = new_pool()
    dialer = Bell()
    pool.dialer = dialer.wake
    call = Call(pool)
    assert dialer.rung
    assert (call.step, call.dispatch.wait_until) == (WAIT, DEADLINE)
    assert call.next(0.0) == WAIT
    opening = pool.dial(0.0)
    assert isinstance(opening, dialing.Opening)
    opening.next_step(0.0)
    opening.handle_connected(A, 0.0)
    assert opening.next_step(0.0) == dialing.OPENED
    assert opening.connection is not None
    assert pool.opened(opening, opening.connection, 0.0) is None
    assert call.bell.rung
    assert call.next(0.0) == PROBE


def test_a_wake_before_the_wait_counts():
    """The signal is armed before anybody can know of the call, and what was granted since shows at the next step."""
    call = to_grant()
    assert call.next(0.0) == PROBE


def test_one_past_connection_is_closed_on_the_way_out():
    """A call that gave its connection back closes the one that was idle for longest, if that is past its time."""
    pool = new_pool(idle_timeout=1.0)
    old, young = connection_of(pool), connection_of(pool)
    pool.give(old, 0.0)
    pool.give(young, 0.9)
    call = Call(pool, now=0.9)
    call.send(0.9)
    assert call.receive(OK, 1.5) == CLOSE
    assert call.connection is old
    assert call.closed(1.5) == DONE
    assert (call.outcome.sent, pool.stats().idle, pool.stats().retired) == (Sent.YES, 1, 1)


@pytest.mark.parametrize("left", [1, 2])
def test_a_connection_is_closed_after_its_last_request(left):
    """It is retired in good order; before that it is idle again."""
    call = to_probe()
    call.connection.requests_left = left
    call.send(0.0)
    assert call.receive(OK, 0.0) == (CLOSE if left == 1 else DONE)
    assert call.outcome.sent is Sent.YES or call.closed(0.0) == DONE


# Stale connections


@pytest.mark.parametrize("news", ["end", "reset", "bytes"])
def test_stale_connections_are_taken_one_after_the_other(news):
    """After a restart of the gateway all are dead: no attempt, no backoff, then a dial of its own."""
    pool = idle_pool(3)
    call = Call(pool)
    for _ in range(3):
        assert call.step == PROBE
        step = call.error(RESET, 0.0) if news == "reset" else call.receive(b"" if news == "end" else OK, 0.0)
        assert step == CLOSE
        assert call.outcome.attempts == 0
        call.closed(0.0)
    assert call.step == DIAL
    call.send(0.0)
    assert call.receive(OK, 0.0) == DONE
    assert (call.outcome.attempts, call.outcome.sent) == (1, Sent.YES)


def test_a_connection_past_its_time_is_closed_unprobed_and_is_no_attempt():
    """``take`` may lease one: the call closes it and takes the next."""
    pool = idle_pool(2)
    call = Call(pool, now=10.0)
    assert (call.step, call.closed(10.0), call.closed(10.0)) == (CLOSE, CLOSE, DIAL)
    assert (call.outcome.attempts, pool.stats().retired + pool.stats().dead) == (0, 2)


def test_a_call_with_a_stale_connection_goes_back_to_the_head():
    """It had waited before the others did."""
    pool = new_pool(max_connections=2)
    stale, other = connection_of(pool), connection_of(pool)
    stale.requests = 1
    call = Call(pool)
    assert call.step == WAIT
    later, _ = joined(pool)
    pool.give(stale, 0.0)
    assert call.next(0.0) == PROBE
    call.receive(b"", 0.0)
    connection_of_nobody = pool.dial(0.0, later)
    assert isinstance(connection_of_nobody, float)
    call.closed(0.0)
    assert call.step == DIAL
    pool.give(other, 0.0)
    assert later.connection is other


def test_a_new_connection_that_is_dead_is_a_failed_attempt():
    """Else a server that accepts and closes would be dialled without end."""
    call = to_probe()
    assert call.receive(b"", 0.0) == CLOSE
    assert call.closed(0.0) == WAIT
    assert (call.outcome.attempts, call.outcome.sent) == (1, Sent.NO)


# Failures of the exchange


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize("news", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"])
def test_no_complete_answer_is_maybe_and_tried_again_only_on_the_callers_word(news, repeatable):
    """An end and an answer that can be read in two ways alike."""
    call = Call(new_pool(), repeatable=repeatable)
    call.send(0.0)
    assert call.receive(news, 0.0) == CLOSE
    assert call.closed(0.0) == (WAIT if repeatable else DONE)
    assert (call.outcome.sent, call.outcome.attempts) == (Sent.MAYBE, 1)
    if not repeatable:
        assert isinstance(call.dispatch.error, ConnectionEnded if news == b"" else ProtocolError)
        assert (call.dispatch.error.sent, call.dispatch.error.attempts) == (Sent.MAYBE, 1)
        assert call.pool.stats().dead == 1


@pytest.mark.parametrize("place", [to_blocked_write, to_partial_write])
def test_a_write_error_is_followed_by_one_more_read(place):
    """Servers answer and close; the answer stands, and the first error is what happened if there is none."""
    for news, step in ((OK, CLOSE), (b"", CLOSE), (None, CLOSE)):
        call = place()
        handed = call.connection.channel.handed
        assert call.error(BROKEN_PIPE, 0.0) == DRAIN
        answered = news == OK and handed > 0
        assert (call.would_block(0.0) if news is None else call.receive(news, 0.0)) == step
        call.closed(0.0)
        if answered:
            assert call.dispatch.response is not None
            assert call.outcome.sent is Sent.YES
        else:
            assert call.outcome.sent is (Sent.MAYBE if handed else Sent.NO)
            assert call.step == (DONE if handed else WAIT)
            if handed:
                assert "Broken pipe" in str(call.dispatch.error)


def test_a_refusal_before_the_whole_request_was_taken_stands():
    """A 413 while writing ends the exchange, and the connection with it."""
    call = to_partial_write()
    assert call.receive(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 0.0) == CLOSE
    assert call.closed(0.0) == DONE
    assert (call.outcome.sent, call.outcome.status) == (Sent.NO, 413)


def test_an_interim_answer_while_writing_does_not_stop_the_writing():
    """A 100 is no answer."""
    call = to_partial_write()
    assert call.receive(b"HTTP/1.1 100 Continue\r\n\r\n", 0.0) == WRITE
    assert call.send(0.0) == READ


@pytest.mark.parametrize("reach", [to_read, to_partial_drain])
def test_an_end_completes_an_answer_without_a_length(reach):
    """It stands, also after a write error, and the connection goes."""
    call = reach()
    before = call.step
    assert call.receive(b"HTTP/1.0 200 OK\r\n\r\n100", 0.0) == before
    assert call.receive(b"", 0.0) == CLOSE
    assert call.closed(0.0) == DONE
    assert call.dispatch.response is not None
    assert (call.dispatch.response.body, call.dispatch.error, call.outcome.sent) == (b"100", None, Sent.YES)


def test_a_close_notify_at_the_probe_is_an_end():
    """Over TLS the end may be said within the stream: nothing is sent on that connection."""
    call = Call(new_pool(tls=client_tls()))
    opening, peer = call.dispatch.opening, Peer()
    assert opening is not None
    opening.next_step(0.0)
    opening.handle_connected(A, 0.0)
    while opening.next_step(0.0) != dialing.OPENED:
        exchange(opening, A, peer, 0.0)
    assert opening.connection is not None
    assert call.dispatch.handle_opened(opening.connection, 0.0) == PROBE
    last_flight = bytes(call.connection.channel.bytes_to_send())
    call.connection.channel.handed_over(len(last_flight))
    tickets = peer.receive(last_flight)
    assert call.receive(tickets, 0.0) == PROBE
    assert call.receive(peer.close_notify(), 0.0) == CLOSE
    assert (call.outcome.sent, call.outcome.attempts) == (Sent.NO, 1)


def test_a_reset_while_reading_is_maybe_and_settles():
    """It is the far end's word about the connection, not about the request."""
    call = to_read()
    assert call.error(RESET, 0.0) == CLOSE
    assert call.closed(0.0) == DONE
    assert call.outcome.sent is Sent.MAYBE
    assert ledger(call.pool).told() == ["settle"]


@pytest.mark.parametrize("reach", [to_probe, to_read, to_drain])
def test_an_end_is_the_far_ends_word_and_settles(reach):
    """Whether it comes before the request, instead of an answer or after a write error: the server had accepted."""
    call = reach()
    call.receive(b"", 0.0)
    assert ledger(call.pool).told() == ["settle"]


def test_an_error_of_this_side_abandons_the_grant():
    """A connection that timed out in the kernel was never heard of."""
    call = to_read()
    call.error(TimeoutError(errno.ETIMEDOUT, "timed out"), 0.0)
    call.closed(0.0)
    assert ledger(call.pool).told() == ["abandon"]


# Attempts


def test_a_refused_request_is_tried_three_times_with_growing_waits():
    """Then its last answer is the result: NO, with its status."""
    call = to_read()
    now, waits = 0.0, []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        if attempt > 1:
            assert call.next(now) == PROBE
            call.send(now)
        step = call.receive(BUSY, now)
        if attempt < MAX_ATTEMPTS:
            assert step == WAIT
            waits.append(call.dispatch.wait_until - now)
            assert call.next(now) == WAIT
            now = call.dispatch.wait_until
    assert step == DONE
    assert waits == pytest.approx([0.125, 0.25])
    assert call.dispatch.response is not None
    assert (call.outcome.sent, call.outcome.attempts, call.outcome.status) == (Sent.NO, 3, 429)
    assert call.dispatch.error is None


@pytest.mark.parametrize(("seconds", "step"), [(29, WAIT), (30, DONE), (31, DONE)])
def test_retry_after_is_minded_within_the_deadline(seconds, step):
    """Who asks for more time than the call has gets the answer returned at once."""
    call = Call(new_pool())
    call.send(0.0)
    data = f"HTTP/1.1 429 Busy\r\nRetry-After: {seconds}\r\nContent-Length: 0\r\n\r\n".encode()
    assert call.receive(data, 0.0) == step
    assert call.dispatch.wait_until == (float(seconds) if step == WAIT else DEADLINE)


@pytest.mark.parametrize("closes", [False, True])
def test_a_408_is_tried_again_only_if_the_server_closes(closes):
    """Without the close it is like any other 4xx."""
    call = to_read()
    close = "Connection: close\r\n" if closes else ""
    step = call.receive(f"HTTP/1.1 408 Request Timeout\r\n{close}Content-Length: 0\r\n\r\n".encode(), 0.0)
    assert step == (CLOSE if closes else DONE)
    assert not closes or call.closed(0.0) == WAIT
    assert call.outcome.sent is Sent.NO


def test_maybe_stays_unless_a_later_answer_is_a_success():
    """A 404 to the second attempt says nothing of the first; a 200 does."""
    for status, sent in ((404, Sent.MAYBE), (200, Sent.YES)):
        call = Call(new_pool(), repeatable=True)
        call.send(0.0)
        call.receive(b"", 0.0)
        assert call.closed(0.0) == WAIT
        assert call.next(1.0) == DIAL
        call.send(1.0)
        assert call.receive(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode(), 1.0) == DONE
        assert (call.outcome.sent, call.outcome.status, call.outcome.attempts) == (sent, status, 2)


def test_maybe_stays_when_the_next_attempt_never_leaves():
    """The error is the last one's; its ``sent`` is the call's."""
    call = Call(new_pool(), repeatable=True)
    call.send(0.0)
    call.receive(b"", 0.0)
    call.closed(0.0)
    call.pool.close()
    assert call.next(1.0) == DONE
    assert isinstance(call.dispatch.error, Closed)
    assert call.dispatch.error.sent is call.outcome.sent is Sent.MAYBE


def test_a_failed_dial_is_tried_again_and_a_bad_certificate_is_not():
    """A refusal may pass."""
    call = to_connect()
    opening = call.dispatch.opening
    assert opening is not None
    opening.handle_failed(A, ConnectionRefusedError(errno.ECONNREFUSED, "refused"), 0.1)
    assert opening.next_step(0.1) == dialing.CLOSE
    opening.handle_closed(A, 0.1)
    assert opening.next_step(0.1) == dialing.FAILED
    assert call.dispatch.handle_not_opened(0.1) == WAIT
    assert call.outcome.attempts == 1
    call = to_queue()
    assert call.dispatch._waiter is not None
    other, _ = joined(call.pool)
    shared = CertificateError("no", permanent=True)
    call.pool._charge(shared, [])
    call.pool._fire()
    assert call.next(0.1) == DONE
    assert isinstance(call.dispatch.error, CertificateError)
    assert call.dispatch.error is not shared
    assert other.error is shared


def test_a_full_pool_is_asked_three_times():
    """Every attempt counts, so that it ends; nothing was sent."""
    pool = new_pool(max_connections=1, max_waiters=1)
    connection_of(pool)
    joined(pool)
    call = Call(pool)
    for _ in range(MAX_ATTEMPTS - 1):
        assert call.step == WAIT
        call.next(call.dispatch.wait_until)
    assert call.step == DONE
    assert isinstance(call.dispatch.error, PoolFull)
    assert (call.outcome.attempts, call.outcome.sent) == (MAX_ATTEMPTS, Sent.NO)


def test_a_closed_pool_ends_the_call_at_once():
    """Before it began, and while it waits."""
    call = to_queue()
    call.pool.close()
    assert call.bell.rung
    late = Call(call.pool)
    assert (call.next(0.0), late.step) == (DONE, DONE)
    for each in (call, late):
        assert isinstance(each.dispatch.error, Closed)
        assert each.outcome.sent is Sent.NO


# Giving up


@pytest.mark.parametrize("place", PLACES)
def test_a_call_given_up_at_any_step_ends_and_says_how_it_stood(place):
    """It asks for nothing but to close; nothing of it is left in the pool, and no grant unsettled."""
    reach, sent = PLACES[place]
    call = reach()
    busy = call.pool.stats().busy - (call.dispatch.connection is not None) - (place == "grant")
    call.step = call.dispatch.abandon(1.0)
    again = call.dispatch.abandon(1.0) if call.step != DONE else DONE
    assert call.step in (CLOSE, DIAL, DONE)
    assert again == call.step
    call.finish(1.0)
    assert call.outcome.sent is sent
    assert call.dispatch.connection is None
    stats = call.pool.stats()
    assert (stats.busy, stats.dialling, stats.waiting) == (busy, 0, 0)
    assert ledger(call.pool).stats(1.0).unsettled == busy + (place == "grant")


@pytest.mark.parametrize("place", PLACES)
def test_the_outcome_is_never_behind(place):
    """Where giving up would say that it may have been sent, ``outcome`` says so already: nobody may come to give up."""
    reach, sent = PLACES[place]
    assert (reach().outcome.sent is Sent.NO) == (sent is Sent.NO)


def test_a_request_under_way_changes_nothing_that_is_known():
    """What an earlier attempt came to stays; without one, only what is under way is MAYBE, and a refusal ends that."""
    call = to_maybe_backoff()
    assert call.next(call.dispatch.wait_until) in (DIAL, PROBE)
    call.send(1.0, 0)
    assert call.would_block(1.0) == BLOCKED
    assert call.outcome.sent is Sent.MAYBE
    call = to_write()
    for count, sent in ((0, Sent.NO), (10, Sent.MAYBE), (None, Sent.MAYBE)):
        call.send(0.0, len(call.dispatch.bytes_to_send()) if count is None else count)
        assert call.outcome.sent is sent
    assert call.receive(BUSY, 0.0) == WAIT
    assert call.outcome.sent is Sent.NO


@pytest.mark.parametrize("place", PLACES)
def test_a_call_ended_with_an_error_carries_it(place):
    """What closes the client says so in the call's own error, with how it stood; an answer that is there stays."""
    reach, sent = PLACES[place]
    call = reach()
    call.step = call.dispatch.abandon(1.0, Closed("the client was closed"))
    call.finish(1.0)
    assert call.outcome.sent is sent
    if place in ("answered close", "done"):
        assert call.dispatch.response is not None
        assert call.dispatch.error is None
    else:
        error = call.dispatch.error
        assert isinstance(error, ConnectionEnded if place == "broken close" else Closed)
        assert error.sent is sent


# The deadline


@pytest.mark.parametrize(
    ("reach", "phase", "sent"),
    [
        (to_queue, "waiting for a connection", Sent.NO),
        (to_blocked_write, "sending the request", Sent.NO),
        (to_partial_write, "sending the request", Sent.MAYBE),
        (to_read, "waiting for the answer", Sent.MAYBE),
    ],
)
def test_the_deadline_ends_a_wait_with_its_phase(reach, phase, sent):
    """At the deadline, not before it; and no other attempt follows."""
    call = reach()
    before = WRITE if call.step == BLOCKED else call.step
    assert call.next(DEADLINE - 0.001) == before
    if call.next(DEADLINE) == CLOSE:
        call.closed(DEADLINE)
    assert call.step == DONE
    assert isinstance(call.dispatch.error, Timeout)
    assert (call.dispatch.error.phase, call.dispatch.error.sent, call.outcome.sent) == (phase, sent, sent)


def test_the_deadline_ends_a_dial():
    """The opening ends with the call, and the call says that it was connecting."""
    pool = new_pool(connect_timeout=100.0)
    call = Call(pool)
    opening = call.dispatch.opening
    assert opening is not None
    opening.next_step(0.0)
    opening.next_step(1.0)
    opening.next_step(1.0)
    assert opening.wait_until == DEADLINE
    call.finish(DEADLINE)
    assert isinstance(call.dispatch.error, Timeout)
    assert (call.dispatch.error.phase, call.outcome.sent, call.outcome.attempts) == ("connecting", Sent.NO, 1)


@pytest.mark.parametrize("reach", [to_grant, to_probe])
def test_a_connection_that_comes_after_the_deadline_is_not_lost(reach):
    """The call fails as timed out, sends nothing, and the next one has the connection."""
    call = reach()
    if call.step == WAIT:
        call.next(DEADLINE)
    else:
        call.would_block(DEADLINE)
    if call.step == PROBE:
        call.would_block(DEADLINE)
    if call.step == CLOSE and reach is to_grant:
        call.closed(DEADLINE)
        assert call.pool.stats().retired == 1  # it had been idle for the whole time
    assert call.step == DONE
    assert isinstance(call.dispatch.error, Timeout)
    assert (call.outcome.sent, call.outcome.attempts) == (Sent.NO, 0)
    if reach is to_probe:
        assert call.pool.stats().idle == 1


def test_a_server_that_never_stops_sending_does_not_outlast_the_deadline():
    """Each piece is looked at, and when time is up no other is asked for."""
    call = to_read()
    assert call.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 1.0) == READ
    assert call.receive(b"x", DEADLINE - 0.001) == READ
    assert call.receive(b"x", DEADLINE) == CLOSE
    assert call.closed(DEADLINE) == DONE
    assert isinstance(call.dispatch.error, Timeout)
    assert call.outcome.sent is Sent.MAYBE


def test_neither_does_one_that_answers_a_broken_write_without_end():
    """What went wrong first is what happened."""
    call = to_partial_drain()
    assert call.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 1.0) == DRAIN
    assert call.receive(b"x", DEADLINE) == CLOSE
    assert call.closed(DEADLINE) == DONE
    assert isinstance(call.dispatch.error, ConnectionEnded)
    assert call.outcome.sent is Sent.MAYBE


def test_an_answer_that_is_complete_at_the_deadline_stands():
    """It is known what became of the request: nothing is gained by hiding that."""
    call = to_read()
    assert call.receive(OK, DEADLINE + 1.0) == DONE
    assert call.dispatch.response is not None


@pytest.mark.parametrize(("reach", "sent"), [(to_drain, Sent.NO), (to_partial_drain, Sent.MAYBE)])
def test_no_attempt_begins_that_the_deadline_leaves_no_time_for(reach, sent):
    """The error is what happened, not the time."""
    call = reach()
    assert call.would_block(DEADLINE - 0.01) == CLOSE
    assert call.closed(DEADLINE - 0.01) == DONE
    assert isinstance(call.dispatch.error, ConnectionEnded)
    assert call.outcome.sent is sent


@pytest.mark.parametrize("reach", [to_sending, to_partial_write])
def test_what_the_system_took_counts_from_the_moment_it_may_have(reach):
    """From ``bytes_to_send`` until the runtime reports, bytes count as gone: at the second time of sending, too."""
    call = reach()
    for _ in range(2):
        assert call.would_block(0.0) == BLOCKED
        assert call.next(0.0) == WRITE
    call.dispatch.bytes_to_send()
    call.step = call.dispatch.abandon(0.0)
    call.finish(0.0)
    assert call.outcome.sent is Sent.MAYBE


def test_the_outcome_is_maybe_as_long_as_the_request_may_be_away():
    """Whoever looks while the call is under way, or after a loop that was closed with it, is not told NO."""
    call = to_probe()
    assert (call.would_block(0.0), call.outcome.sent) == (WRITE, Sent.NO)
    request = call.dispatch.bytes_to_send()
    assert call.outcome.sent is Sent.MAYBE
    assert (call.would_block(0.0), call.outcome.sent) == (BLOCKED, Sent.NO)
    for count in (1, len(request) - 1):
        call.dispatch.bytes_to_send()
        call.step = call.dispatch.handle_sent(count, 0.0)
        assert call.outcome.sent is Sent.MAYBE
    assert call.receive(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", 0.0) == DONE
    assert call.outcome.sent is Sent.NO


@pytest.mark.parametrize("reach", [to_blocked_write, to_read])
def test_a_socket_that_is_ready_without_news_does_not_outlast_the_deadline(reach):
    """``poll`` may say so of one that then has nothing: each report of nothing is a look at the deadline."""
    call = reach()
    before = call.step
    assert call.would_block(DEADLINE - 0.001) == before
    assert call.would_block(DEADLINE) == CLOSE
    assert call.closed(DEADLINE) == DONE
    assert isinstance(call.dispatch.error, Timeout)


@pytest.mark.parametrize("news", ["end", "reset", "would block", "nothing"])
@pytest.mark.parametrize("place", sorted(set(PLACES) - {"queue", "grant", "lookup", "dial", "connect"}))
def test_after_the_end_of_the_pool_sockets_are_no_evidence(place, news):
    """Whatever they say is this side's own doing: no grant settles by it, and the call ends as Closed at that step."""
    reach, sent = PLACES[place]
    call = reach()
    told = ledger(call.pool).told()
    for connection in call.pool.close():
        call.pool.drop(connection, 0.0, dead=False)
    call.pool.end()
    if place in ("backoff", "maybe backoff") or place.endswith(("close", "done")):
        call.next(0.0)
    elif news == "end":
        call.receive(b"", 0.0)
    elif news == "reset":
        call.error(RESET, 0.0)
    else:
        step = call.would_block(0.0) if news == "would block" else call.next(0.0)
        assert step in (CLOSE, DONE)
    call.finish(0.0)
    assert "settle" not in ledger(call.pool).told()[len(told) :]
    # What the system took stays unknown only where it was never said.
    assert call.outcome.sent is (Sent.NO if place == "sending" and news in ("reset", "would block") else sent)
    if sent is not Sent.YES and place != "broken close":
        assert isinstance(call.dispatch.error, Closed)
    assert call.pool.is_at_rest


@pytest.mark.parametrize("news", ["end", "reset", "nothing"])
def test_an_opening_ends_with_the_pool_as_closed(news):
    """Its socket's end is no word of the far end, and the call is not tried again."""
    call = to_connect()
    opening = call.dispatch.opening
    assert opening is not None
    call.pool.close()
    call.pool.end()
    if news == "end":
        opening.handle_end(A, 0.0)
    elif news == "reset":
        opening.handle_failed(A, RESET, 0.0)
    call.finish(0.0)
    assert isinstance(call.dispatch.error, Closed)
    assert ledger(call.pool).told() == ["abandon"]
    assert (call.outcome.sent, call.outcome.attempts, call.pool.is_at_rest) == (Sent.NO, 1, True)
