"""``AsyncGateway``: the gateway's calls over a pool of connections, for asyncio. Twin of ``Gateway`` (``client``).

Nothing here decides what a call sends or what its answer means (``setup``, ``errand``), which of many goes next
(``batch``), nor when and where it goes (``net``). What is left is to carry errands by an ``AsyncClient``, and to have
as many tasks as there may be connections (``tasks``).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..errors import SmswireError
from ..flow.retry import Outcome
from ..net.aio import AsyncClient
from ..net.pacers import Pacer
from ..net.trust import Trust
from .answer import Answer, Balance, SmsAnswer
from .auth import Style
from .bundle import LOOK_AHEAD, RECIPIENTS_PER_CALL, SmsOutcome
from .call import Parameters, SendAs
from .errand import Errand
from .setup import DEFAULT_BASE_URL, OnOutcome, Setup, check_on_outcome
from .sms import Message
from .tasks import AsyncSmsStream, Input, Send, send_all

if TYPE_CHECKING:
    from ..events import OnEvent

Row = Message | Mapping[str, Any]
Messages = Iterable[Row] | AsyncIterable[Row]

_A = TypeVar("_A")


class AsyncGateway:
    """The SMS gateway, by its key and address, for asyncio. A context manager that closes what it opened.

    For any number of tasks of one event loop and process. A call that is cancelled leaves nothing behind.

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
        client (AsyncClient | None): a client to use instead of one of its own. It stays its owner's to close, and
            ``trust``, ``pacer`` and ``max_connections`` are then its own.
        on_event: told what happens (``smswire.events``, ``AsyncClient``). A client that is given has its own, and both
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
        client: AsyncClient | None = None,
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
            AsyncClient(setup.origin, trust=trust, max_connections=max_connections, pacer=pacer, on_event=on_event)
            if client is None
            else setup.check_client(client, AsyncClient, on_event)
        )
        self._setup = setup.observed(self._client._observer)

    def __repr__(self) -> str:
        return self._setup.describe(type(self).__name__)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self, drain: float = 5.0) -> None:
        """Closes the connections, waiting up to ``drain`` seconds for calls under way; not those of a given client."""
        if self._owns_client:
            await self._client.aclose(drain)

    # ---- calls

    async def sms(
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
            outcome (Outcome | None): keeps what is known even if the call is cancelled.
            options: the gateway's own, see ``Message``.

        Returns:
            The answer, only if every recipient was accepted.

        Raises:
            InvalidParameter: a documented rule is broken; nothing was sent.
            GatewayError: anything but full success, with ``.code``, ``.answer`` and ``.sent`` (the strongest over
                the recipients).
            SmswireError: the call failed on the way; ``.sent`` says whether the SMS may have left.
        """
        return await self._run(self._setup.sms(to, text, options, timeout=timeout, outcome=outcome))

    async def sms_many(
        self,
        messages: Messages,
        *,
        timeout: float | None = None,
        on_outcome: OnOutcome | None = None,
    ) -> list[SmsOutcome]:
        """Sends many SMS, recipients of the same text and options in one call, as many calls at once as connections.

        Args:
            messages (iterable, or asynchronous one, of Message or mapping): any, a generator too; mappings have ``to``,
                ``text`` and any options. All are read, kept, and checked before anything is sent; the loop has a turn
                every 1,000. An asynchronous generator is closed, however the call ends.
            timeout (float | None): seconds for each call, from its own start; None for the gateway object's.
            on_outcome: a plain function, called with each outcome as soon as it is known: in the calling task, one at a
                time, in the order in which the calls end.

        Returns:
            One outcome a recipient, in the order of the input. A failed call raises nothing: its recipients have its
            error.

        Raises:
            InvalidParameter: a message breaks a rule; the error says which; nothing was sent.
            ConfigurationError: ``on_outcome`` cannot be called.
            CancelledError: nothing new is sent, calls in flight are ended, and ``on_outcome`` hears of each: ``NO``
                where not a byte had left, ``MAYBE`` otherwise. A recipient it never heard of was not sent to. So, too,
                when it was not this task that was cancelled, but one of those that send.
            What ``on_outcome`` raises: nothing new is sent; calls in flight end, at the latest at their deadlines, and
                ``on_outcome`` hears of each; then it is raised again.

        >>> import asyncio
        >>> from smswire.sandbox import Sandbox
        >>> async def rows():
        ...     for number in range(30):
        ...         yield {"to": f"+4917100000{number:02}", "text": "Sale!"}
        >>> async def send(url, ca_file):
        ...     async with AsyncGateway("sandbox-key", base_url=url, trust=ca_file) as gateway:
        ...         return await gateway.sms_many(rows())
        >>> with Sandbox() as sandbox:
        ...     outcomes = asyncio.run(send(sandbox.url, sandbox.ca_file))
        >>> [outcome.index for outcome in outcomes if outcome.accepted] == list(range(30))
        True
        """
        check_on_outcome(on_outcome)
        send = self._sender(timeout)
        batch = self._setup.batch(self._client.max_connections)
        await Input(messages).read_all(batch)
        return await send_all(batch, send, on_outcome)

    def sms_stream(
        self,
        messages: Messages,
        *,
        timeout: float | None = None,
        look_ahead: int = LOOK_AHEAD,
    ) -> AsyncSmsStream:
        """Sends any number of SMS from an input that is read as they go, and gives each outcome as it comes.

        For inputs that are long, or come bit by bit: memory does not grow with them. ``sms_many`` is for what fits into
        memory and must be checked to its end before anything is sent, and gives the outcomes in order.

        The input is read only as far as ``look_ahead`` recipients and the calls under way need; who stops taking stops
        the sending, after at most twice as many calls as there may be connections. An asynchronous input is read in a
        task of its own, so that outcomes come while it keeps one waiting. They come in the order in which the calls
        end, each with the ``index`` of its message.

        How it ends:

        - The input ends: when every outcome has been given.
        - The input raises: what it gave before is sent and its outcomes are given, then its exception is raised, also a
          ``CancelledError`` of its own.
        - A message breaks a rule: it has one outcome, ``NO`` with the ``InvalidParameter``, and the stream goes on.
        - The caller leaves early, by ``stop``, ``aclose``, ``async with``, or by dropping the stream: nothing new
          begins, and calls under way end, at the latest at their deadlines. ``aclose`` waits for them; ``give_up`` ends
          them.
        - It is cancelled, in ``async for`` or in ``aclose``, or a task of its own is: calls under way are ended, and
          are ``NO`` where not a byte had left, ``MAYBE`` otherwise. No task is left behind.

        After both of the last, outcomes that had not been taken still can be, by iterating on. When that has come to
        its end, a recipient whose outcome never came was not sent to. An asynchronous generator that is the input is
        closed in each case but two: a stream that is dropped, or stopped and not iterated on, leaves it to Python.

        Args:
            messages (iterable, or asynchronous one, of Message or mapping): mappings have ``to``, ``text`` and any
                options.
            timeout (float | None): seconds for each call, from its own start; None for the gateway object's.
            look_ahead (int): how many recipients are held back so that those of the same text share a call. With 1 each
                goes at once, which is for inputs that keep one waiting.

        Raises:
            InvalidParameter: ``messages`` cannot be iterated, or is a single message.
            ConfigurationError: another argument cannot work.

        >>> import asyncio
        >>> from smswire.sandbox import Sandbox
        >>> async def rows():
        ...     for number in range(30):
        ...         yield {"to": f"+4917100000{number:02}", "text": "Sale!"}
        >>> async def send(url, ca_file):
        ...     async with AsyncGateway("sandbox-key", base_url=url, trust=ca_file) as gateway:
        ...         async with gateway.sms_stream(rows()) as outcomes:
        ...             return [outcome.accepted async for outcome in outcomes].count(True)
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(send(sandbox.url, sandbox.ca_file))
        30
        """
        send = self._sender(timeout)
        return AsyncSmsStream(self._setup.stream(look_ahead, self._client.max_connections), send, messages)

    async def balance(self, *, timeout: float | None = None) -> Balance:
        """The account's credit. Asks again by itself where that may help: it does no harm.

        Raises:
            GatewayError: a code instead of an answer, such as 900.
            SmswireError: the call failed on the way.
        """
        return await self._run(self._setup.balance(timeout=timeout))

    async def call(
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
        return await self._run(
            self._setup.call(endpoint, params, method=method, timeout=timeout, repeatable=repeatable)
        )

    # ---- one call

    async def _run(self, errand: Errand[_A]) -> _A:
        try:
            response = await self._client.send(
                errand.request, timeout=errand.timeout, repeatable=errand.repeatable, outcome=errand.exchange
            )
            return errand.read(response)
        except SmswireError as error:
            errand.advise(error)
            raise

    def _sender(self, timeout: float | None) -> Send:
        new_errand = self._setup.bundle_errands(timeout)
        return lambda bundle, told: self._run(new_errand(bundle, told))
