"""Connections that end: before, within and behind the answer, and between two calls."""

from __future__ import annotations

from collections.abc import Sequence

from .case import (
    BODY,
    CHUNKED,
    OK,
    STOP,
    THREE,
    Case,
    Peer,
    Sent,
    answer,
    errors,
    finish,
    first,
    notify,
    reset,
    response,
)  # fmt: skip

SPLIT = response(CHUNKED, b"X: y", body=THREE[:-2] + b"Z: a\r\n\r\n")


def reset_within(peer: Peer) -> None:
    """Reads the beginning of a request and ends."""
    peer.read_some()
    peer.reset()


def early_answer(peer: Peer) -> None:
    """Answers the beginning of a request, and ends without an RST that would destroy the answer."""
    peer.read_some()
    peer.send(OK)
    peer.finish()
    peer.read_to_end()


def half_closed(peer: Peer) -> object:
    """FIN behind a whole answer; what the client sends would still be read."""
    peer.finish()
    return STOP


def stays(peer: Peer) -> object:
    """Never ends by itself: returns once the client has ended."""
    assert peer.read_to_end() == b""
    return STOP


def cuts(data: bytes, step: int) -> Sequence[int]:
    return range(0, len(data), step)


CASES: Sequence[Case] = [
    *(
        Case(f"an end after byte {k} of an answer with a length", [48, 60], answer(OK[:k], finish),
             error=errors.ConnectionEnded)
        for k in cuts(OK, 7)
    ),
    *(
        Case(f"an end after byte {k} of a chunked answer", [48, 60], answer(SPLIT[:k], finish),
             error=errors.ConnectionEnded)
        for k in cuts(SPLIT, 11)
    ),
    *(
        Case(f"a reset after byte {k} of an answer", [49], answer(OK[:k], reset), error=errors.ConnectionEnded)
        for k in cuts(OK, 11)
    ),
    Case("close_notify in place of an answer", [48], answer(notify), error=errors.ConnectionEnded),
    Case("an end in place of an answer, in plain", [48], answer(finish), tls=False, error=errors.ConnectionEnded),
    Case("a whole answer with half a close behind it", [50], idle=half_closed, sent=Sent.YES, kept=True),
    Case("a reset before anything is read", [51], first(reset, 3), tls=False, error=errors.NetworkError, sent=None,
         attempts=None, seen=0),
    Case("a reset within a large body", [52], first(reset_within), call={"body": BODY + b"x" * 5_000_000},
         error=errors.ConnectionEnded, seen=0),
    Case("an answer before the body is read, then an end", [51], first(early_answer), tls=False,
         call={"body": BODY + b"x" * 5_000_000}, sent=Sent.YES, seen=0, kept=None,
         goes_on=False),
    Case("Connection: close, and the server stays", [55],
         answer(response(b"Content-Length: 3", b"Connection: close"), stays), sent=Sent.YES),
    Case("FIN while idle", [38, 58], sent=Sent.YES, idle=finish, kept=True),
    Case("close_notify while idle", [38], sent=Sent.YES, idle=notify, kept=True),
    Case("RST while idle", [57], sent=Sent.YES, idle=reset, kept=True),
    Case("FIN while idle, in plain", [58], sent=Sent.YES, idle=finish, kept=True, tls=False),
    Case("RST while idle, in plain", [57], sent=Sent.YES, idle=reset, kept=True, tls=False),
]  # fmt: skip
