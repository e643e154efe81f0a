"""``Gateway``: the gateway's calls over a pool of connections, blocking.

Nothing here decides what a call sends or what its answer means (``call``, ``answer``, ``sms``, ``bundle``), nor when
and where it goes (``net``). What is left is this: one deadline a call, the caller's ``Outcome``, and for ``sms_many``
as many threads as there may be connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, TypeVar

from ..errors import ConfigurationError, GatewayError, InvalidParameter, InvalidRequest, Sent, SmswireError
from ..flow.retry import Outcome
from ..net.blocking import Client
from ..net.origin import parse
from ..net.pacers import Pacer
from ..net.settings import checked_timeout
from ..net.trust import Trust
from .answer import Answer, Balance, SmsAnswer, read, read_balance, read_sms
from .auth import Auth, Style
from .batch import Batch
from .bundle import RECIPIENTS_PER_CALL, Bundle, SmsOutcome, plan, read_answer, read_error, refused
from .call import Parameters, SendAs, build, check_settings, parse_base_url, sends
from .codes import LOOK_FIRST
from .sms import Message, canonical, refuse

DEFAULT_BASE_URL: Final = "https://gateway.sms77.io/api"

_A = TypeVar("_A")
_E = TypeVar("_E", bound=SmswireError)


class Gateway:
    """The SMS gateway, by its key and address. Thread-safe; a context manager that closes what it opened.

    Args:
        api_key (str): the API key, or an access token with ``auth="bearer"``.
        base_url (str): http or https, with the path below which the endpoints live.
        auth (str): ``"basic"``, ``"x_api_key"``, ``"bearer"`` or ``"p"`` (see ``gateway.auth``).
        send_as (str): ``"form"``, ``"json"`` or ``"query"`` (see ``gateway.call``; ``query`` shows texts in URLs).
        sent_with (str): the name of the program that sends, for the header ``SentWith``.
        timeout (float): seconds a call may take from first to last, waiting for a connection included.
        trust: whom to trust: a path, an ``SSLContext``, ``"system"``, or None for certifi.
        pacer (Pacer | None): another limit on new connections than the host's own.
        max_connections (int): the most connections open at any time.
        recipients_per_call (int): the most recipients ``sms_many`` puts into one call.
        client (Client | None): a client to use instead of one of its own. It stays its owner's to close, and
            ``trust``, ``pacer`` and ``max_connections`` are then its own.

    Raises:
        ConfigurationError: an argument that cannot work. The key is not shown.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str = DEFAULT_BASE_URL,
        auth: Style = "basic",
        send_as: SendAs = "form",
        sent_with: str = "smswire",
        timeout: float = 30.0,
        trust: Trust = None,
        pacer: Pacer | None = None,
        max_connections: int = 50,
        recipients_per_call: int = RECIPIENTS_PER_CALL,
        client: Client | None = None,
    ) -> None:
        self._auth = Auth(api_key, auth)
        self._base = parse_base_url(base_url)
        check_settings(send_as, sent_with)
        if type(recipients_per_call) is not int or recipients_per_call < 1:
            raise ConfigurationError("recipients_per_call must be a whole number, at least 1")
        self._send_as: SendAs = send_as
        self._sent_with = sent_with
        self._timeout = checked_timeout(timeout)
        self._recipients_per_call = recipients_per_call
        origin = parse(self._base.origin)
        self._host = origin.authority
        if client is not None and client.origin != origin:
            raise ConfigurationError("base_url and the client given have different origins")
        self._owns_client = client is None
        self._calls_at_once = max_connections if client is None else client.max_connections
        self._client = client or Client(self._base.origin, trust=trust, max_connections=max_connections, pacer=pacer)

    def __repr__(self) -> str:
        return f"<Gateway {self._base.origin}{self._base.path} auth={self._auth.style}>"

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self, drain: float = 5.0) -> None:
        """Closes the connections, waiting up to ``drain`` seconds for calls under way; not those of a given client."""
        if self._owns_client:
            self._client.close(drain)

    # ---- calls

    def sms(
        self,
        to: str | Iterable[str],
        text: str,
        *,
        timeout: float | None = None,
        outcome: Outcome | None = None,
        **options: object,
    ) -> SmsAnswer:
        """Sends one SMS to one or several recipients in one call.

        Args:
            to (str | iterable of str): recipients, without commas; no number twice.
            text (str): 1 to 1,520 characters.
            timeout (float | None): seconds for this call; None for the gateway object's.
            outcome (Outcome | None): keeps what is known even if the call ends with an exception that is not ours.
            options: the gateway's own, see ``Message``.

        Returns:
            The answer, only if every recipient was accepted.

        Raises:
            InvalidParameter: a documented rule is broken; nothing was sent.
            GatewayError: anything but full success, with ``.code``, ``.answer`` and ``.sent`` (the strongest over
                the recipients).
            SmswireError: the call failed on the way; ``.sent`` says whether the SMS may have left.
        """
        if "repeatable" in options:
            raise InvalidParameter("repeatable: a send is never repeated by itself", parameter="repeatable")
        message = Message(to, text, **options)
        _check_no_number_twice(message)
        outcome = outcome or Outcome()
        answer = self._send(message.parameters(), timeout, outcome)
        error = refused(len(message.recipients), answer)
        outcome.sent = error.sent if error else Sent.YES
        if error:
            raise self._placed(error, "sms", "POST", outcome)
        return answer

    def sms_many(
        self,
        messages: Iterable[Message | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        on_outcome: Callable[[SmsOutcome], object] | None = None,
    ) -> list[SmsOutcome]:
        """Sends many SMS, recipients of the same text and options in one call, as many calls at once as connections.

        Args:
            messages (iterable of Message or mapping): mappings have ``to``, ``text`` and any options. All are checked
                before anything is sent.
            timeout (float | None): seconds for each call, from its own start; None for the gateway object's.
            on_outcome: called with each outcome as soon as it is known: in the calling thread, one at a time, in the
                order in which the calls end.

        Returns:
            One outcome a recipient, in the order of the input. A failed call raises nothing: its recipients have its
            error.

        Raises:
            InvalidParameter: a message breaks a rule; the error says which; nothing was sent.
            ConfigurationError: ``on_outcome`` cannot be called.
            KeyboardInterrupt (or what ``on_outcome`` raises): nothing new is sent; calls in flight end, at the latest
                at their deadlines, and ``on_outcome`` hears of each; then it is raised again. A second one gives up
                waiting, and ``on_outcome`` hears ``MAYBE`` for those. A recipient it never heard of was not sent to.
                An interrupt within ``on_outcome`` makes it hear the same outcome again.
        """
        if on_outcome is not None and not callable(on_outcome):
            raise ConfigurationError("on_outcome must be a function of one outcome")
        checked = [_as_message(message, index) for index, message in enumerate(messages)]
        bundles = plan(checked, self._recipients_per_call)
        seconds = self._seconds(timeout)

        def send(bundle: Bundle) -> list[SmsOutcome]:
            outcome = Outcome()
            try:
                answer = self._send(bundle.parameters(), seconds, outcome)
            except SmswireError as error:
                return read_error(bundle.recipients, error)
            outcomes = read_answer(bundle.recipients, answer)
            for one in outcomes:
                if one.error is not None:
                    self._placed(one.error, "sms", "POST", outcome)
            return outcomes

        return Batch(bundles, send, self._calls_at_once, on_outcome).run()

    def balance(self, *, timeout: float | None = None) -> Balance:
        """The account's credit. Asks again by itself where that may help: it does no harm.

        Raises:
            GatewayError: a code instead of an answer, such as 900.
            SmswireError: the call failed on the way.
        """
        # The parameter p must not stand in a URL, where a GET would put it.
        method = "POST" if self._auth.style == "p" and self._send_as != "query" else "GET"
        return self._ask("balance", (), method, read_balance, timeout, Outcome(), repeatable=True)

    def call(
        self,
        endpoint: str,
        params: Parameters = (),
        *,
        method: str = "POST",
        timeout: float | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Any endpoint, with parameters that are not checked here.

        Args:
            endpoint (str): below the base URL, such as ``"journal/outbound"``.
            params (mapping or iterable of pairs): None leaves one out.
            method (str): GET, POST, PUT, PATCH or DELETE.
            timeout (float | None): seconds for this call; None for the gateway object's.
            repeatable (bool): the caller's word that twice does no harm; refused where a call sends.

        Raises:
            InvalidRequest: endpoint, method or parameters cannot be sent.
            GatewayError: an HTTP status other than 2xx, or a code that stands for a failure.
            SmswireError: the call failed on the way.
        """
        if repeatable and sends(endpoint, method):
            raise InvalidRequest("a call that sends is never repeated by itself: leave repeatable out")
        return self._ask(endpoint, params, method, read, timeout, Outcome(), repeatable=repeatable)

    # ---- one call

    def _send(self, params: Parameters, timeout: float | None, outcome: Outcome) -> SmsAnswer:
        return self._ask("sms", params, "POST", read_sms, timeout, outcome, repeatable=False)

    def _ask(
        self,
        endpoint: str,
        params: Parameters,
        method: str,
        read_body: Callable[[int, bytes], _A],
        timeout: float | None,
        outcome: Outcome,
        *,
        repeatable: bool,
    ) -> _A:
        request = build(
            endpoint,
            params,
            auth=self._auth,
            path=self._base.path,
            method=method,
            send_as=self._send_as,
            sent_with=self._sent_with,
        )
        exchange = Outcome()
        try:
            response = self._client.request(
                request.method,
                request.target,
                request.headers,
                request.body,
                timeout=self._seconds(timeout),
                repeatable=repeatable,
                outcome=exchange,
            )
            return read_body(response.status, response.body)
        except GatewayError as error:
            exchange.sent = error.sent
            raise self._placed(error, endpoint, method, exchange) from None
        except SmswireError as error:
            if error.sent is Sent.MAYBE and error.advice is None and sends(endpoint, method):
                error.advice = LOOK_FIRST
            raise
        finally:
            # By its status a 2xx is YES, but the code in it decides: until that is judged, an interrupt leaves MAYBE.
            outcome.sent = Sent.MAYBE if exchange.sent is Sent.YES else exchange.sent
            outcome.attempts, outcome.status = exchange.attempts, exchange.status

    def _seconds(self, timeout: float | None) -> float:
        return self._timeout if timeout is None else checked_timeout(timeout)

    def _placed(self, error: _E, endpoint: str, method: str, outcome: Outcome) -> _E:
        """The error with the place where it happened: method, path and host, no query; and after how many attempts."""
        error.call = f"{method} {self._base.path}/{endpoint}"
        error.host = self._host
        error.attempts = outcome.attempts
        return error


def _check_no_number_twice(message: Message) -> None:
    numbers = [number for number in map(canonical, message.recipients) if number]
    if len(set(numbers)) < len(numbers):
        refuse("to", "names the same number twice, and one call carries it once; sms_many sends it twice")


def _as_message(message: Message | Mapping[str, Any], index: int) -> Message:
    if isinstance(message, Message):
        return message
    try:
        if not isinstance(message, Mapping):
            refuse("messages", "must be Message objects or mappings", message)
        given = {str(name): value for name, value in message.items()}
        for name in ("to", "text"):
            if name not in given:
                refuse(name, "is missing")
        return Message(**given)
    except InvalidParameter as error:
        error.message = f"message {index}: {error.message}"
        raise
