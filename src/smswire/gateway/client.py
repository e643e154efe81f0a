"""``Gateway``: the gateway's calls over a pool of connections, blocking.

Nothing here decides what a call sends or what its answer means (``setup``, ``errand``), which of many goes next
(``batch``), nor when and where it goes (``net``). What is left is to carry errands by a ``Client``, and to have as many
threads as there may be connections (``threads``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..errors import SmswireError
from ..flow.retry import Outcome
from ..net.blocking import Client
from ..net.pacers import Pacer
from ..net.trust import Trust
from .answer import Answer, Balance, SmsAnswer
from .auth import Style
from .bundle import LOOK_AHEAD, RECIPIENTS_PER_CALL, SmsOutcome
from .call import Parameters, SendAs
from .errand import Errand
from .setup import DEFAULT_BASE_URL, OnOutcome, Setup, check_on_outcome
from .sms import Message, check_messages
from .threads import Send, SmsStream, send_all

if TYPE_CHECKING:
    from ..events import OnEvent

_A = TypeVar("_A")


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
        on_event: told what happens (``smswire.events``, ``Client``). A client that is given has its own, and both
            together are refused.

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
        on_event: OnEvent | None = None,
    ) -> None:
        self._setup = setup = Setup(
            api_key,
            base_url=base_url,
            auth=auth,
            send_as=send_as,
            sent_with=sent_with,
            timeout=timeout,
            recipients_per_call=recipients_per_call,
        )
        self._owns_client = client is None
        self._client = (
            Client(setup.origin, trust=trust, max_connections=max_connections, pacer=pacer, on_event=on_event)
            if client is None
            else setup.check_client(client, Client, on_event)
        )
        self._setup = setup.observed(self._client._observer)

    def __repr__(self) -> str:
        return self._setup.describe(type(self).__name__)

    def __enter__(self) -> Self:
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
        return self._run(self._setup.sms(to, text, options, timeout=timeout, outcome=outcome))

    def sms_many(
        self,
        messages: Iterable[Message | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        on_outcome: OnOutcome | None = None,
    ) -> list[SmsOutcome]:
        """Sends many SMS, recipients of the same text and options in one call, as many calls at once as connections.

        Args:
            messages (iterable of Message or mapping): any, a generator too; mappings have ``to``, ``text`` and any
                options. All are read, kept, and checked before anything is sent.
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

        >>> from smswire.sandbox import Sandbox
        >>> rows = ({"to": f"+4917100000{n:02}", "text": "Sale!"} for n in range(30))
        >>> with Sandbox() as sandbox, Gateway("sandbox-key", base_url=sandbox.url, trust=sandbox.ca_file) as gateway:
        ...     outcomes = gateway.sms_many(rows)
        >>> [outcome.index for outcome in outcomes if outcome.accepted] == list(range(30))
        True
        """
        check_messages(messages)
        check_on_outcome(on_outcome)
        send = self._sender(timeout)
        batch = self._setup.batch(self._client.max_connections)
        rows = iter(messages)
        while batch.wants_row:
            batch.pull(rows)
        batch.check_input()
        return send_all(batch, send, on_outcome)

    def sms_stream(
        self,
        messages: Iterable[Message | Mapping[str, Any]],
        *,
        timeout: float | None = None,
        look_ahead: int = LOOK_AHEAD,
    ) -> SmsStream:
        """Sends any number of SMS from an input that is read as they go, and gives each outcome as it comes.

        For inputs that are long, or come bit by bit: memory does not grow with them. ``sms_many`` is for what fits into
        memory and must be checked to its end before anything is sent, and gives the outcomes in order.

        The input is read in the thread that takes the outcomes, and only as far as ``look_ahead`` recipients and the
        calls under way need; who stops taking stops the sending, after at most twice as many calls as there may be
        connections. While the input keeps that thread waiting, no outcome comes. They come in the order in which the
        calls end, each with the ``index`` of its message.

        How it ends:

        - The input ends: when every outcome has been given.
        - The input raises: what it gave before is sent and its outcomes are given, then its exception is raised.
        - A message breaks a rule: it has one outcome, ``NO`` with the ``InvalidParameter``, and the stream goes on.
        - The caller leaves early, by ``stop``, ``close``, ``with``, an interrupt, or by dropping the stream: nothing
          new begins, and calls under way end, at the latest at their deadlines. ``close`` waits for them; an interrupt
          of that gives up waiting, as ``give_up`` does, and they are ``MAYBE``.

        After that, outcomes that had not been taken still can be, by iterating on. When that has come to its end, a
        recipient whose outcome never came was not sent to.

        Args:
            messages (iterable of Message or mapping): mappings have ``to``, ``text`` and any options.
            timeout (float | None): seconds for each call, from its own start; None for the gateway object's.
            look_ahead (int): how many recipients are held back so that those of the same text share a call. With 1 each
                goes at once, which is for inputs that keep one waiting.

        Raises:
            InvalidParameter: ``messages`` cannot be iterated, or is a single message.
            ConfigurationError: another argument cannot work.

        >>> from smswire.sandbox import Sandbox
        >>> rows = ({"to": f"+4917100000{n:02}", "text": "Sale!"} for n in range(30))
        >>> with Sandbox() as sandbox, Gateway("sandbox-key", base_url=sandbox.url, trust=sandbox.ca_file) as gateway:
        ...     with gateway.sms_stream(rows) as outcomes:
        ...         sum(outcome.accepted for outcome in outcomes)
        30
        """
        check_messages(messages)
        send = self._sender(timeout)
        return SmsStream(self._setup.stream(look_ahead, self._client.max_connections), send, messages)

    def balance(self, *, timeout: float | None = None) -> Balance:
        """The account's credit. Asks again by itself where that may help: it does no harm.

        Raises:
            GatewayError: a code instead of an answer, such as 900.
            SmswireError: the call failed on the way.
        """
        return self._run(self._setup.balance(timeout=timeout))

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
        return self._run(self._setup.call(endpoint, params, method=method, timeout=timeout, repeatable=repeatable))

    # ---- one errand, and many

    def _run(self, errand: Errand[_A]) -> _A:
        try:
            response = self._client.send(
                errand.request, timeout=errand.timeout, repeatable=errand.repeatable, outcome=errand.exchange
            )
            return errand.read(response)
        except SmswireError as error:
            errand.advise(error)
            raise

    def _sender(self, timeout: float | None) -> Send:
        new_errand = self._setup.bundle_errands(timeout)
        return lambda bundle, told: self._run(new_errand(bundle, told))
