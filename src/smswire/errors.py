"""One tree of errors; each says what happened, to which host and call, whether an SMS may have left, and what to do.

::

    SmswireError
    ├── ConfigurationError (ValueError)   what the program was set up with cannot work: origin, trust, options
    ├── InvalidRequest (ValueError)       the request breaks a rule; nothing was sent
    │   └── InvalidParameter              a parameter of the gateway breaks a documented rule
    ├── CodecError (ValueError)           text or bytes that a standard does not allow
    │   ├── EncodeError
    │   └── DecodeError
    ├── Closed                            the client was closed, or is used where it must not be
    ├── PoolFull                          more calls wait for a connection than may
    ├── Timeout (TimeoutError)            the call's deadline passed
    ├── NetworkError                      no connection, or one that broke
    │   ├── ResolutionError               the host name gave no address
    │   ├── ConnectError                  no address could be connected to
    │   ├── TLSError                      the TLS session failed
    │   │   └── CertificateError          the certificate or its host name is not trusted
    │   └── ConnectionEnded               the connection ended while a request was under way
    ├── ProtocolError                     the answer could be read in two ways, or passes a limit
    └── GatewayError                      the gateway answered, and not with success
        ├── StatusError                   an HTTP status other than 2xx
        └── AnswerError                   a 2xx whose body cannot be read

``error.sent`` answers one question: may the far end have acted on the request? ``Sent.NO``: it has not, sending
again is safe. ``Sent.YES``: it has. ``Sent.MAYBE``: nobody on this side can know; sending again may send twice.

Errors carry data in attributes and build the sentence in ``str()``; all pickle; none ever holds the API key.
"""

from __future__ import annotations

import enum
from typing import Any


class Sent(enum.Enum):
    """May the far end have acted on the request? ``NO``, ``MAYBE`` or ``YES``."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


_IN_WORDS = {Sent.NO: "not sent", Sent.MAYBE: "may have been sent", Sent.YES: "sent"}


class SmswireError(Exception):
    """Base of every error smswire raises.

    Attributes:
        message (str): what happened, in one sentence.
        sent (Sent): may the far end have acted on the request?
        host (str | None): ``host:port`` of the origin.
        call (str | None): method and path, without the query.
        attempts (int | None): how many attempts the call made.
        advice (str | None): what to do about it.
    """

    default_sent = Sent.NO

    def __init__(
        self,
        message: str = "",
        *,
        sent: Sent | None = None,
        host: str | None = None,
        call: str | None = None,
        attempts: int | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sent = self.default_sent if sent is None else sent
        self.host = host
        self.call = call
        self.attempts = attempts
        self.advice = advice

    def __str__(self) -> str:
        where = " to ".join(part for part in (self.call, self.host) if part)
        tried = f", {self.attempts} attempts" if self.attempts and self.attempts > 1 else ""
        context = f" ({where}; {_IN_WORDS[self.sent]}{tried})" if where else ""
        advice = f": {self.advice}" if self.advice else ""
        return f"{self.message}{context}{advice}"


class ConfigurationError(SmswireError, ValueError):
    """What the program was set up with cannot work: an origin, a trust file, an option out of range."""


class InvalidRequest(SmswireError, ValueError):
    """The request breaks a rule of HTTP; it was refused before any byte left."""


class InvalidParameter(InvalidRequest):
    """A parameter breaks a rule the gateway documents; it was refused before any byte left.

    Attributes:
        parameter (str | None): its name, as the gateway spells it.
        rule (str | None): the rule, in words.
        length (int | None): the length of the value given, where the rule is about length.
    """

    def __init__(
        self,
        message: str = "",
        *,
        parameter: str | None = None,
        rule: str | None = None,
        length: int | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.parameter = parameter
        self.rule = rule
        self.length = length


class CodecError(SmswireError, ValueError):
    """Text or bytes that a standard does not allow."""


class EncodeError(CodecError):
    """A value that cannot be encoded.

    Attributes:
        path (str | None): where in the value, e.g. ``$.messages[3].price`` or the name of the field.
    """

    def __init__(self, message: str = "", *, path: str | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.path = path

    def __str__(self) -> str:
        return super().__str__() + (f" at {self.path}" if self.path else "")


class DecodeError(CodecError):
    """Bytes that are not in the standard's grammar, or pass a limit.

    Attributes:
        offset (int | None): index of the first byte (of the first character, for ``str`` input) at fault, from 0.
        line, column (int | None): the same place counted in lines and characters, from 1.
        path (str | None): where in the value, e.g. ``$.messages[3].price``.
    """

    def __init__(
        self,
        message: str = "",
        *,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
        path: str | None = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.offset = offset
        self.line = line
        self.column = column
        self.path = path

    def __str__(self) -> str:
        if self.line is not None:
            place = f" at line {self.line}, column {self.column}"
        else:
            place = f" at offset {self.offset}" if self.offset is not None else ""
        return super().__str__() + place + (f" ({self.path})" if self.path else "")


class Closed(SmswireError):
    """The client was closed before or during the call."""


class PoolFull(SmswireError):
    """As many calls wait for a connection as may (``max_waiters``)."""


class Timeout(SmswireError, TimeoutError):
    """The call's deadline passed.

    Attributes:
        phase (str | None): what it was waiting for.
    """

    def __init__(self, message: str = "", *, phase: str | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.phase = phase


class NetworkError(SmswireError):
    """No connection could be had, or one broke.

    Attributes:
        permanent (bool): trying again would fail in the same way.
    """

    def __init__(self, message: str = "", *, permanent: bool = False, **context: Any) -> None:
        super().__init__(message, **context)
        self.permanent = permanent


class ResolutionError(NetworkError):
    """The host name gave no address; ``permanent`` where the name does not exist."""


class ConnectError(NetworkError):
    """No address of the host could be connected to.

    Attributes:
        failures (tuple[tuple[str, str], ...]): each address tried, and what came of it.
    """

    def __init__(self, message: str = "", *, failures: tuple[tuple[str, str], ...] = (), **context: Any) -> None:
        super().__init__(message, **context)
        self.failures = failures

    def __str__(self) -> str:
        tried = "; ".join(f"{address}: {reason}" for address, reason in self.failures)
        return super().__str__() + (f" [{tried}]" if tried else "")


class TLSError(NetworkError):
    """The TLS session could not be set up, or broke."""


class CertificateError(TLSError):
    """The server's certificate, or the name in it, is not trusted; ``permanent``."""


class ConnectionEnded(NetworkError):
    """The connection ended (closed, reset) while a request was under way."""


class ProtocolError(SmswireError):
    """The answer could be read in two ways, breaks HTTP/1.1 framing, or passes a limit."""

    default_sent = Sent.MAYBE


class GatewayError(SmswireError):
    """The gateway answered, and not with success.

    Attributes:
        code (int | None): the gateway's code (see ``smswire.gateway.answer``).
        status (int | None): the HTTP status.
        body (bytes | None): the answer as it came.
        answer (object | None): the typed answer, where the body could be read as one.
    """

    default_sent = Sent.MAYBE

    def __init__(
        self,
        message: str = "",
        *,
        code: int | None = None,
        status: int | None = None,
        body: bytes | None = None,
        answer: Any = None,
        **context: Any,
    ) -> None:
        super().__init__(message, **context)
        self.code = code
        self.status = status
        self.body = body
        self.answer = answer


class StatusError(GatewayError):
    """The gateway answered with an HTTP status other than 2xx."""


class AnswerError(GatewayError):
    """The gateway answered 2xx, and the body cannot be read: whether it accepted is not known."""
