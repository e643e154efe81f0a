"""What one call sends: endpoint, parameters, key and ``SentWith`` in, one HTTP request out. Sans-IO.

===========  =====================================================  ==================================================
``send_as``  what is sent                                           note
===========  =====================================================  ==================================================
``form``     ``application/x-www-form-urlencoded`` in the body      booleans as 1 and 0, as every client sends them
``json``     ``application/json`` in the body                       booleans and numbers keep their types
``query``    the parameters in the URL, and an empty body           shows the text in URLs, and so in logs on the way
===========  =====================================================  ==================================================

GET and DELETE carry their parameters in the URL whatever ``send_as`` says, since a body means nothing there
(RFC 9110 9.3.1, 9.3.5). The key is put into a URL in one case only, ``auth="p"`` with ``send_as="query"``; a GET with
``auth="p"`` otherwise is refused. Every call asks for JSON.

Whoever has a transport of their own builds requests here and reads the answers with ``answer``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, get_args

from ..codec import form, json, percent
from ..errors import ConfigurationError, EncodeError, InvalidParameter, InvalidRequest
from ..wire.message import Request
from .auth import Auth

SendAs = Literal["form", "json", "query"]
SEND_AS: Final[tuple[str, ...]] = get_args(SendAs)
METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

Parameters = Mapping[str, Any] | Iterable[tuple[str, Any]]

_URL = re.compile(r"(https?)://([^/?#@\\\s]+)(/[^?#\s\\]*)?", re.ASCII | re.IGNORECASE)
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_SEGMENT = re.compile(r"[A-Za-z0-9._~+@-]+")
_SUFFIX = re.compile(r"[.;].*", re.DOTALL)
_SENT_WITH = re.compile(r"[!-~]+(?: [!-~]+)*")

#: Segments of a path below which calls send each time they are made; and the two places where they only name what is
#: asked about.
_SENDING: Final = frozenset({"sms", "voice", "rcs", "waba"})
_ASKING: Final = frozenset({("journal", "voice"), ("lookup", "rcs")})


class BaseURL(NamedTuple):
    """Where the gateway's interface lives: ``origin`` (scheme, host, port) and ``path`` (no slash at its end)."""

    origin: str
    path: str


def parse_base_url(url: str) -> BaseURL:
    """Splits an http or https URL into origin and path.

    Raises:
        ConfigurationError: not such a URL, or one with userinfo, query or fragment; the URL is not shown, since
            what does not belong there may be a secret.

    >>> parse_base_url("https://gateway.sms77.io/api/")
    BaseURL(origin='https://gateway.sms77.io', path='/api')
    """
    match = _URL.fullmatch(url) if isinstance(url, str) else None
    if match is None:
        raise ConfigurationError(
            "base_url must be an http or https URL without user name, query and fragment, such as https://127.0.0.1/api"
        )
    scheme, authority, path = match.groups()
    segments = (path or "").rstrip("/").split("/")[1:]
    if not all(_PATH.fullmatch(segment) and segment not in (".", "..") for segment in segments):
        raise ConfigurationError("base_url has a path with empty or dot segments, or characters no path may have")
    return BaseURL(f"{scheme.lower()}://{authority}", "".join(f"/{segment}" for segment in segments))


def sends(endpoint: str, method: str = "POST", path: str = "") -> bool:
    """Whether a call sends something each time it is made, so that nothing may ever repeat it by itself.

    Every segment counts, those of the base URL's ``path`` too: which of them is the endpoint, only the gateway knows.
    A GET proves nothing: ``GET /sms`` sends. A DELETE takes back what is not sent yet, and may be repeated.

    >>> sends("sms"), sends("api/sms.php", "GET"), sends("journal/voice")
    (True, True, False)
    """
    segments = percent.decode(f"{path}/{endpoint}", malformed="keep").decode("utf-8", "replace").lower().split("/")
    names = [_SUFFIX.sub("", segment) for segment in segments]
    return method != "DELETE" and any(
        name in _SENDING and (before, name) not in _ASKING for before, name in pairwise(["", *names])
    )


def build(
    endpoint: str,
    params: Parameters = (),
    *,
    auth: Auth,
    path: str = "/api",
    method: str = "POST",
    send_as: SendAs = "form",
    sent_with: str = "smswire",
) -> Request:
    """The request of one call.

    Args:
        endpoint (str): below the base, such as ``"sms"`` or ``"journal/outbound"``.
        params (mapping or iterable of pairs): in this order; None leaves one out, a list of mappings becomes
            ``files[0][name]`` in a form and stays what it is in JSON.
        auth (Auth): the key and how it is shown.
        path (str): the path of the base URL.
        method (str): GET, POST, PUT, PATCH or DELETE.
        send_as (str): ``"form"``, ``"json"`` or ``"query"``.
        sent_with (str): the name of the program, for the header ``SentWith``.

    Raises:
        InvalidRequest: an endpoint or method that cannot be, or one that would put the key into a URL.
        InvalidParameter: ``p`` among the parameters, or a name twice in JSON.
        EncodeError: a value that the encoding cannot carry.

    >>> request = build("sms", {"to": "+491716992343", "text": "Hi"}, auth=Auth("secret"))
    >>> request.method, request.target, request.body
    ('POST', '/api/sms', b'to=%2B491716992343&text=Hi')
    """
    return fill(blank(endpoint, auth=auth, path=path, method=method, send_as=send_as, sent_with=sent_with), params)


class Blank(NamedTuple):
    """What all calls to one endpoint have in common, to be filled in with their parameters."""

    request: Request
    """Without parameters: method, path and header fields, checked once."""
    send_as: SendAs
    auth: Auth | None
    """Who adds the API key to the parameters, if that is its way."""


def blank(endpoint: str, *, auth: Auth, path: str, method: str, send_as: SendAs, sent_with: str) -> Blank:
    """The part of ``build`` that does not depend on parameters; raises what it does."""
    if not isinstance(method, str) or method not in METHODS:
        raise InvalidRequest(f"method must be one of {', '.join(sorted(METHODS))}")
    target = f"{path}/{_checked_endpoint(endpoint)}"
    in_url = send_as == "query" or method in ("GET", "DELETE")
    if in_url and auth.style == "p" and send_as != "query":
        raise InvalidRequest(
            f"a {method} with auth='p' would put the API key into the URL: use POST, another auth, or send_as='query'"
        )
    headers = [*auth.headers(), ("Accept", "application/json"), ("SentWith", sent_with)]
    if not in_url:
        kind = "application/json" if send_as == "json" else "application/x-www-form-urlencoded"
        headers.append(("Content-Type", kind))
    return Blank(Request(method, target, headers), "query" if in_url else send_as, auth if auth.parameters() else None)


def fill(blank: Blank, params: Parameters) -> Request:
    """The request of one call; see ``build``."""
    return fill_checked(blank, _pairs(params))


def fill_checked(blank: Blank, pairs: list[tuple[str, Any]]) -> Request:
    """The request of one call, of pairs that are known to have names and no ``p``, and values that are not None."""
    request = blank.request
    # The key joins what is known to have a text: no frame that raises holds it.
    if blank.send_as == "json":
        body = json.encode(_as_object(pairs))
        if blank.auth is not None:
            body = json.encode(_as_object([*pairs, *blank.auth.parameters()]))
        return request.with_body(body)
    body = _form(pairs)
    if blank.auth is not None:
        body = b"&".join(filter(None, (body, form.encode(blank.auth.parameters()))))
    if blank.send_as == "form":
        return request.with_body(body)
    return Request(request.method, f"{request.target}?{body.decode('ascii')}", request.headers) if body else request


def _form(pairs: list[tuple[str, Any]]) -> bytes:
    try:
        return form.encode(pairs)
    except EncodeError:
        pass  # most often nested; what is not fails again, outside the handler, or the error would have this one behind
    return form.encode(form.bracketed(pairs))


def check_settings(send_as: str, sent_with: str) -> None:
    """Raises ``ConfigurationError`` for what would fail at every call: no such ``send_as``, no name ``sent_with``."""
    if send_as not in SEND_AS:
        raise ConfigurationError(f"send_as must be one of {', '.join(SEND_AS)}")
    if not isinstance(sent_with, str) or not _SENT_WITH.fullmatch(sent_with):
        raise ConfigurationError("sent_with must be a name in visible ASCII, such as a program's name and version")


def _checked_endpoint(endpoint: str) -> str:
    segments = endpoint.split("/") if isinstance(endpoint, str) else [""]
    if not all(_SEGMENT.fullmatch(segment) and segment not in (".", "..") for segment in segments):
        raise InvalidRequest("endpoint must be one or more path segments, such as sms or journal/outbound")
    return endpoint


def _pairs(params: Parameters) -> list[tuple[str, Any]]:
    if isinstance(params, str | bytes | bytearray) or not isinstance(params, Iterable):
        raise InvalidRequest(f"params must be a mapping or pairs of name and value, not {type(params).__name__}")
    pairs = list(params.items() if isinstance(params, Mapping) else params)
    for pair in pairs:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise InvalidRequest("every parameter must be a pair of name and value")
        name = pair[0]
        if not isinstance(name, str) or not name:
            raise InvalidRequest("every parameter must have a name, which is a str")
        if name == "p":
            raise InvalidParameter("p: the API key is given once, to the gateway object", parameter="p")
    return [(name, value) for name, value in pairs if value is not None]


def _as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise InvalidParameter("a parameter is named twice, which a JSON object cannot carry; give it a list")
    return named
