"""TLS sessions that do not come about, or break."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import trustme

from ..wire.peer import authority as issuing_authority
from .case import OK, Case, Peer, Place, Sent, Stage, answer, errors, silence, trickle

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
LATER = datetime(2091, 1, 1, tzinfo=UTC)
TRUSTED = 0


def certified(*names: str, issuer: int = TRUSTED, change: Callable[[ssl.SSLContext], object] = id, **dates: Any) -> Any:
    """A server with a certificate of its own, and a client that trusts the first authority."""

    def place(stage: Stage) -> Place:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate = issuing_authority(issuer).issue_cert(
            *(names or ("127.0.0.1",)), key_type=trustme.KeyType.ECDSA, **dates
        )
        certificate.configure_cert(context)
        change(context)
        server = stage.serve(context=context)
        trust = ssl.create_default_context(cadata=issuing_authority(TRUSTED).cert_pem.bytes().decode())
        return Place(server, stage.make_client(server.origin, trust=trust))

    return place


def common_name_only(stage: Stage) -> Place:
    """A certificate without any name but the old common one."""

    place: Place = certified("other.example", common_name="127.0.0.1")(stage)
    return place


def only(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that these are no good is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version

    return change


def anonymous(context: ssl.SSLContext) -> None:
    """Nothing but ciphers that authenticate nobody."""
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")


def asking_for_a_certificate(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def change(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=issuing_authority(TRUSTED).cert_pem.bytes().decode())

    return change


def many_tickets(context: ssl.SSLContext) -> None:
    context.num_tickets = 8


def saying(data: bytes) -> Callable[[Peer], None]:
    """Answers each ClientHello with these bytes, and says no more."""

    def script(peer: Peer) -> None:
        peer.read_some()
        peer.send(data)
        peer.read_to_end()

    return script


def trickling(peer: Peer) -> None:
    """A ServerHello that never ends."""
    peer.read_some()
    trickle(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x00")(peer)


def alert(description: int) -> bytes:
    return bytes((0x15, 3, 3, 0, 2, 2, description))


BROKEN_RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)


def break_a_record(peer: Peer) -> None:
    peer.send_raw(BROKEN_RECORD)


def refused(name: str, number: int, place: Any, error: Any = errors.CertificateError, **more: Any) -> Case:
    """Nothing is sent, and nothing tried again that would fail again."""
    return Case(name, [number], place=place, error=error, sent=Sent.NO, seen=0, goes_on=False, **more)


def broken(name: str, number: int, script: Callable[[Peer], None], **more: Any) -> Case:
    """Nothing is sent; it may be better the next time."""
    return Case(
        name,
        [number],
        script,
        tls=False,
        client_tls=True,
        sent=Sent.NO,
        error=errors.TLSError,
        attempts=3,
        seen=0,
        goes_on=False,
        **more,
    )


CASES: Sequence[Case] = [
    refused("an expired certificate", 19, certified(not_before=PAST, not_after=datetime(2020, 2, 1, tzinfo=UTC))),
    refused("a certificate of the future", 20, certified(not_before=FUTURE, not_after=LATER)),
    refused("a certificate for another host", 21, certified("gateway.example")),
    refused("a certificate for another address", 44, certified("127.0.0.9")),
    refused("an unknown authority", 23, certified(issuer=1)),
    refused("a certificate with a common name only", 25, common_name_only),
    refused("TLS 1.1 at most", 27, certified(change=only(ssl.TLSVersion.TLSv1_1)), errors.TLSError, attempts=3),
    refused("ciphers that authenticate nobody", 28, certified(change=anonymous), errors.TLSError, attempts=3),
    Case("silence behind the ClientHello", [29], silence, tls=False, client_tls=True, settings={"connect_timeout": 0.1},  # type: ignore[arg-type]
         error=errors.ConnectError, sent=Sent.NO, attempts=3, seen=0, goes_on=False),
    Case("a handshake that trickles", [30], trickling, tls=False, client_tls=True, settings={"connect_timeout": 0.2},
         error=errors.ConnectError, sent=Sent.NO, attempts=3, seen=0, goes_on=False),
    broken("an alert in place of a handshake", 33, saying(alert(40))),
    broken("an alert that the name is not known", 34, saying(alert(112))),
    broken("plain HTTP in place of a handshake", 41, saying(OK)),
    broken("a broken record in the handshake", 41, saying(b"\x16\x03\x03\x00\x04\x63\x00\x00\x00")),
    refused("a certificate is asked of the client, in TLS 1.2", 36,
            certified(change=asking_for_a_certificate(ssl.TLSVersion.TLSv1_2)), errors.TLSError, attempts=3),
    Case("a certificate is asked of the client, in TLS 1.3", [36], error=errors.NetworkError, sent=None, attempts=None,
         seen=0, place=certified(change=asking_for_a_certificate(ssl.TLSVersion.TLSv1_3)), goes_on=False),
    Case("many tickets", [39], place=certified(change=many_tickets), sent=Sent.YES, kept=True),
    Case("a broken record in place of an answer", [40], answer(break_a_record, silence), error=errors.TLSError),
    Case("a broken record within an answer", [40], answer(OK[:20], break_a_record, silence), error=errors.TLSError),
    Case("a broken record while idle", [40], sent=Sent.YES, idle=break_a_record, kept=True),
    Case("an address that the certificate is for", [44], place=certified("127.0.0.1"), sent=Sent.YES, kept=True),
]  # fmt: skip
