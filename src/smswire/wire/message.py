"""Requests and responses as values: what may be said, before anybody thinks about how.

A `Request` is checked once, when it is made, and cannot be changed afterwards: whatever holds one may put it on the
wire without looking again. The rules are those of RFC 9110 and 9112, narrowed to what the toolkit speaks: a target in
origin form, text in ASCII, no field that says where a message ends or what becomes of the connection (those are
set where the bytes are made). A `Response` is what a peer said, after it was found to be unambiguous.

Nothing here knows a connection. No error text and no ``repr`` holds the value of a field, a query or a body: the API
key travels in them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NoReturn, overload

from ..errors import InvalidRequest

# RFC 9110 5.6.2 (token), 5.5 (field values: here without obs-text, and without the outer whitespace that is no part of
# a value), RFC 9112 3.2.1 (origin-form; "#" would start a fragment, which is never sent).
_is_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_is_value = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?").fullmatch
_is_target = re.compile(r"/[!\"$-~]*").fullmatch

SET_BY_US: Final = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    )
)
"""Fields a caller may not give: they decide framing, the connection's life, or how many answers there will be."""

# Their values are left out of every repr.
_SECRET: Final = frozenset(("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-signature"))


class _Frozen:
    """A value: its attributes are set once, by its own ``__init__``."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")


_set = object.__setattr__


class Headers:
    """Header fields: an immutable sequence of ``(name, value)``, in order, repeats and spelling kept.

    Names are looked up in any case (RFC 9110 5.1).

    >>> headers = Headers([("Content-Type", "text/plain"), ("Via", "a"), ("via", "b")])
    >>> headers["content-type"], headers.get("age"), headers.get_all("VIA"), len(headers), "age" in headers
    ('text/plain', None, ['a', 'b'], 3, False)
    """

    __slots__ = ("_first", "_lines", "_pairs")

    _lines: str
    _pairs: tuple[tuple[str, str], ...] | None
    _first: dict[str, str] | None

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = pairs.pairs if isinstance(pairs, Headers) else tuple([(name, value) for name, value in pairs])
        self._first = None

    @classmethod
    def of_lines(cls, lines: str) -> Headers:
        """Of a head's lines, CRLF before each and behind the last, each known to be a token, a colon and a value.

        Few answers are ever asked for their fields, so they are taken apart when somebody does.

        >>> Headers.of_lines("\\r\\nVia: a\\r\\nAge:\\t0 \\r\\n")
        Headers([('Via', 'a'), ('Age', '0')])
        """
        headers = cls.__new__(cls)
        headers._lines = lines
        headers._pairs = headers._first = None
        return headers

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All fields."""
        pairs = self._pairs
        if pairs is None:
            named = [line.partition(":") for line in self._lines.split("\r\n")[1:-1]]
            pairs = tuple([(name, value.strip(" \t")) for name, _, value in named])
            self._pairs = pairs
        return pairs

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the first field of that name, or ``default``."""
        first = self._first
        if first is None:
            if self._pairs is None and f"\r\n{name}:".lower() not in self._lines.lower():
                return default
            first = {}
            for known, value in self.pairs:
                first.setdefault(known.lower(), value)
            self._first = first
        return first.get(name.lower(), default)

    def get_all(self, name: str) -> list[str]:
        """The values of every field of that name, in order."""
        name = name.lower()
        return [value for known, value in self.pairs if known.lower() == name]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    @overload
    def __getitem__(self, key: str) -> str: ...
    @overload
    def __getitem__(self, key: int) -> tuple[str, str]: ...
    def __getitem__(self, key: str | int) -> str | tuple[str, str]:
        """The value of the first field of that name, or the pair at that place.

        Raises:
            KeyError: there is no field of that name.
            IndexError: there are fewer fields.
        """
        if not isinstance(key, str):
            return self.pairs[key]
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        """Whether there is a field of that name, or that pair."""
        return self.get(key) is not None if isinstance(key, str) else key in self.pairs

    def __eq__(self, other: object) -> bool:
        return self.pairs == other.pairs if isinstance(other, Headers) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __reduce__(self) -> tuple[Any, ...]:
        return Headers, (self.pairs,)

    def __repr__(self) -> str:
        shown = [(name, "…" if name.lower() in _SECRET else value) for name, value in self.pairs]
        return f"Headers({shown!r})"


class Request(_Frozen):
    """A request, checked when it is made.

    Args:
        method: a token, e.g. ``"POST"`` (RFC 9110 9.1); not ``CONNECT``.
        target: path and query in origin form (RFC 9112 3.2.1): starts with ``/``, printable ASCII, no fragment.
        headers: pairs of ``str``. Names are tokens, values printable ASCII with inner spaces and tabs. The fields in
            `SET_BY_US` are refused.
        body: ``bytes``, sent as they are.

    Raises:
        InvalidRequest: a rule is broken; the text names the rule and the place, never the value.

    >>> Request("POST", "/api/sms?to=49171", [("X-Api-Key", "secret")], b"text=hi")
    <Request POST /api/sms, 7 bytes>
    >>> Request("GET", "/a b")
    Traceback (most recent call last):
    ...
    smswire.errors.InvalidRequest: the target must be printable ASCII without spaces or a fragment
    """

    __slots__ = ("body", "headers", "method", "target")

    method: str
    target: str
    headers: Headers
    body: bytes

    def __init__(self, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> None:
        if not isinstance(method, str) or not _is_token(method) or method == "CONNECT":
            raise InvalidRequest("the method must be a token, and not CONNECT")
        if not isinstance(target, str) or target[:1] != "/":
            raise InvalidRequest("the target must be a path that starts with '/'")
        if not _is_target(target):
            raise InvalidRequest("the target must be printable ASCII without spaces or a fragment")
        if not isinstance(body, bytes):
            raise InvalidRequest(f"the body must be bytes, not {type(body).__name__}")
        _set(self, "method", method)
        _set(self, "target", target)
        _set(self, "headers", _checked(headers))
        _set(self, "body", body)

    def with_body(self, body: bytes) -> Request:
        """The same request with another body; what is in this one is not checked again.

        Raises:
            InvalidRequest: the body is not ``bytes``.
        """
        if type(body) is not bytes:
            raise InvalidRequest(f"the body must be bytes, not {type(body).__name__}")
        request = Request.__new__(Request)
        _set(request, "method", self.method)
        _set(request, "target", self.target)
        _set(request, "headers", self.headers)
        _set(request, "body", body)
        return request

    @property
    def call(self) -> str:
        """Method and path, without the query: how error texts and logs name this request."""
        return f"{self.method} {self.target.partition('?')[0]}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Request, (self.method, self.target, self.headers.pairs, self.body)

    def __repr__(self) -> str:
        return f"<Request {self.call}, {len(self.body)} bytes>"


class Response(_Frozen):
    """A complete final response.

    Attributes:
        status (int): 200 to 999; above 599 no standard gives it a meaning.
        headers (Headers): as they came (so ``Content-Length`` and ``Content-Encoding`` speak of the body on the wire).
        body (bytes): without transfer coding; gzip is inflated. Trailers are read and dropped (RFC 9110 6.5.1).
        reason (str): the reason phrase, which means nothing.
        http_version (str): ``"1.1"`` or ``"1.0"``.
    """

    __slots__ = ("body", "headers", "http_version", "reason", "status")

    status: int
    headers: Headers
    body: bytes
    reason: str
    http_version: str

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        reason: str = "",
        http_version: str = "1.1",
    ) -> None:
        _set(self, "status", status)
        _set(self, "headers", headers if type(headers) is Headers else Headers(headers))
        _set(self, "body", body)
        _set(self, "reason", reason)
        _set(self, "http_version", http_version)

    def __reduce__(self) -> tuple[Any, ...]:
        return Response, (self.status, self.headers.pairs, self.body, self.reason, self.http_version)

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


# A client says the same few names again and again; the bound is for one who makes them up.
@functools.lru_cache(maxsize=256)
def _fault_of(name: str) -> str | None:
    if not _is_token(name):
        return "the name is not a token"
    return f"{name} is not the caller's to set" if name.lower() in SET_BY_US else None


class _Fit(Headers):
    """Header fields found fit to be sent: a request made with those of another is not checked again."""

    __slots__ = ()


def _checked(fields: Iterable[tuple[str, str]]) -> Headers:
    """`Headers` fit to be sent, or `InvalidRequest` with the number of the field at fault, from 1."""
    if type(fields) is _Fit:
        return fields
    try:
        headers = _Fit(fields)
    except (TypeError, ValueError):
        raise InvalidRequest("headers must be pairs of name and value") from None
    for number, (name, value) in enumerate(headers.pairs, 1):
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidRequest(f"header field {number}: name and value must be str")
        fault = _fault_of(name)
        if fault is not None:
            raise InvalidRequest(f"header field {number}: {fault}")
        if not _is_value(value):
            raise InvalidRequest(
                f"header field {number}: the value of {name} must be printable ASCII without outer spaces"
            )
    return headers
