"""What a gateway object was set up with, and the errands it makes: which call, by which method, read how. Sans-IO.

Both twins are thin over this: they make the client, carry errands, and drive batches. Arguments are checked here, in
an order that lets nothing be sent, or an old ``Outcome`` stand, when one of them cannot work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..errors import ConfigurationError, InvalidParameter, InvalidRequest
from ..flow.retry import Outcome
from ..net.origin import Origin, parse
from ..net.settings import begun, check_hook, checked_timeout
from .answer import Answer, Balance, SmsAnswer, read, read_balance, read_sms
from .auth import Auth, Style
from .batch import Batch
from .bundle import Bundle, Planner, SmsOutcome, read_answer, refused
from .call import Blank, Parameters, SendAs, blank, check_settings, fill, fill_checked, parse_base_url, sends
from .errand import BundleErrand, Errand, Place
from .sms import Message, check_no_number_twice

if TYPE_CHECKING:
    from ..events import OnEvent
    from ..flow.observed import Observer

DEFAULT_BASE_URL: Final = "https://gateway.sms77.io/api"

# Endpoints whose requests are remembered but for their parameters: more than the gateway has.
MAX_KNOWN: Final = 64

OnOutcome = Callable[[SmsOutcome], object]

_A = TypeVar("_A")
_C = TypeVar("_C")


class Setup:
    """The arguments of a gateway object; see ``Gateway``.

    Raises:
        ConfigurationError: an argument that cannot work. The key is not shown.

    Attributes:
        origin (str): scheme, host and port, for the client.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str,
        auth: Style,
        send_as: SendAs,
        sent_with: str,
        timeout: float,
        recipients_per_call: int,
    ) -> None:
        self._auth = Auth(api_key, auth)
        base = parse_base_url(base_url)
        check_settings(send_as, sent_with)
        _check_count("recipients_per_call", recipients_per_call)
        self._send_as: SendAs = send_as
        self._sent_with = sent_with
        self._timeout = checked_timeout(timeout)
        self._recipients_per_call = recipients_per_call
        self.origin = base.origin
        self._path = base.path
        self._parsed: Origin = parse(base.origin)
        self._known: dict[tuple[str, str], tuple[Blank, Place]] = {}

    def describe(self, kind: str) -> str:
        """The ``repr`` of a gateway object."""
        return f"<{kind} {self.origin}{self._path} auth={self._auth.style}>"

    def check_client(self, client: _C, kind: type[_C], on_event: OnEvent | None) -> _C:
        """The client that was given, if it can be used.

        Raises:
            ConfigurationError: it is no such client, or one for another origin; or events are asked for, which are its.
        """
        if on_event is not None:
            raise ConfigurationError("on_event belongs to the client: give it to the one that is given here")
        if not isinstance(client, kind):
            raise ConfigurationError(f"client must be of the class {kind.__name__}, not {type(client).__name__}")
        if client.origin != self._parsed:  # type: ignore[attr-defined]
            raise ConfigurationError("base_url and the client given have different origins")
        return client

    def observed(self, observer: Observer | None) -> Setup:
        """The same, with errands that note what the gateway answered if the client has somebody to tell."""
        if observer is None:
            return self
        from .observed import ObservedSetup

        return ObservedSetup(self, observer)

    # ---- one call

    def sms(
        self,
        to: str | Iterable[str],
        text: str,
        options: Mapping[str, object],
        *,
        timeout: float | None,
        outcome: Outcome | None,
    ) -> Errand[SmsAnswer]:
        """One SMS, whose answer is read only if every recipient was accepted."""
        told = None if outcome is None else begun(outcome)
        if "repeatable" in options:
            raise InvalidParameter("repeatable: a send is never repeated by itself", parameter="repeatable")
        message = Message(to, text, **options)
        check_no_number_twice(message)
        seconds = self._seconds(timeout)
        empty, place = self._blank("sms", "POST")
        request = fill_checked(empty, message.parameters())
        read_body = partial(_read_accepted, len(message.recipients))
        return Errand(request, read_body, place, timeout=seconds, repeatable=False, told=told)

    def balance(self, *, timeout: float | None) -> Errand[Balance]:
        """The account's credit, which may be asked for twice."""
        # The parameter p must not stand in a URL, where a GET would put it.
        method = "POST" if self._auth.style == "p" and self._send_as != "query" else "GET"
        return self._errand("balance", (), method, read_balance, self._seconds(timeout), repeatable=True)

    def call(
        self, endpoint: str, params: Parameters, *, method: str, timeout: float | None, repeatable: bool
    ) -> Errand[Answer]:
        """Any endpoint."""
        errand = self._errand(endpoint, params, method, read, self._seconds(timeout), repeatable=repeatable)
        if repeatable and sends(endpoint, method, self._path):
            raise InvalidRequest("a call that sends is never repeated by itself: leave repeatable out")
        return errand

    # ---- many

    def batch(self, workers: int) -> Batch:
        """The batch of ``sms_many``: its input is read before it begins, and nothing holds its calls back."""
        return Batch(Planner(self._recipients_per_call), workers, is_open=True, is_strict=True)

    def stream(self, look_ahead: int, workers: int) -> Batch:
        """The batch of ``sms_stream``: a window of the plan, and as many calls untold as there are under way."""
        _check_count("look_ahead", look_ahead)
        return Batch(Planner(self._recipients_per_call, look_ahead), workers, ahead=2 * workers, is_open=True)

    def bundle_errands(self, timeout: float | None) -> Callable[[Bundle, Outcome], Errand[list[SmsOutcome]]]:
        """Makes the errand of each bundle, with ``timeout`` seconds of its own."""
        seconds = self._seconds(timeout)

        def new_errand(bundle: Bundle, told: Outcome) -> Errand[list[SmsOutcome]]:
            empty, place = self._blank("sms", "POST")
            request = fill_checked(empty, bundle.parameters())
            read_body = partial(_read_bundle, bundle)
            return BundleErrand(request, read_body, place, timeout=seconds, repeatable=False, told=told)

        return new_errand

    def _blank(self, endpoint: str, method: str) -> tuple[Blank, Place]:
        known = self._known.get((endpoint, method)) if isinstance(endpoint, str) and isinstance(method, str) else None
        if known is None:
            empty = blank(
                endpoint,
                auth=self._auth,
                path=self._path,
                method=method,
                send_as=self._send_as,
                sent_with=self._sent_with,
            )
            place = Place(empty.request.call, self._parsed.authority, sends(endpoint, method, self._path))
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[endpoint, method] = empty, place
        return known

    def _errand(
        self,
        endpoint: str,
        params: Parameters,
        method: str,
        read_body: Callable[[int, bytes], _A],
        seconds: float,
        *,
        repeatable: bool = False,
    ) -> Errand[_A]:
        empty, place = self._blank(endpoint, method)
        return Errand(fill(empty, params), read_body, place, timeout=seconds, repeatable=repeatable, told=None)

    def _seconds(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else checked_timeout(timeout)


def check_on_outcome(on_outcome: OnOutcome | None) -> None:
    """Raises ``ConfigurationError`` for what cannot be called with an outcome, or would have to be awaited."""
    if on_outcome is not None:
        check_hook("on_outcome", on_outcome, "outcome")


def _check_count(name: str, count: int) -> None:
    if type(count) is not int or count < 1:
        raise ConfigurationError(f"{name} must be a whole number, at least 1")


def recipients_of(read_body: Callable[[int, bytes], Any]) -> int | None:
    """Of how many recipients an errand's answer speaks; None for a call that has none."""
    if not isinstance(read_body, partial):
        return None
    known: int | Bundle = read_body.args[0]
    return known if isinstance(known, int) else len(known.recipients)


def _read_bundle(bundle: Bundle, status: int, body: bytes) -> list[SmsOutcome]:
    """The outcome of each recipient of a bundle's answer."""
    return read_answer(bundle.recipients, read_sms(status, body))


def _read_accepted(recipients: int, status: int, body: bytes) -> SmsAnswer:
    """The answer to a send to so many recipients, if all were accepted."""
    answer = read_sms(status, body)
    error = refused(recipients, answer)
    if error is not None:
        raise error
    return answer
