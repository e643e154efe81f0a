"""One call to the gateway: what to send, what its answer means, and what is known of it at any moment. Sans-IO.

An ``Errand`` holds the request and how to send it; ``read`` makes the answer of the response, or raises the error with
the place where it happened. A runtime does nothing but carry the one to the far end and the other back::

    try:
        return errand.read(client.request(..., outcome=errand.exchange))
    except SmswireError as error:
        errand.advise(error)
        raise

The caller's ``Outcome`` is kept true on the way, not at the end, so that no exception finds it behind: ``exchange``
passes on what the client notes in the moment in which it notes it. Two things the client cannot know are added:

- by its status a 2xx is ``YES``, but the code in it decides: until that is read, it is ``MAYBE``;
- an earlier attempt that may have arrived stays ``MAYBE`` whatever refused a later one: only success outranks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from ..errors import GatewayError, Sent, SmswireError
from ..flow.retry import Outcome
from ..wire.message import Request, Response
from .bundle import Bundle, SmsOutcome, read_error
from .codes import LOOK_FIRST

_A = TypeVar("_A")


class Place(NamedTuple):
    """Where an error happened: ``call`` (method and path, no query) and ``host``; and whether that call ``sends``."""

    call: str
    host: str
    sends: bool


class Exchange(Outcome):
    """What the client notes of one call, told on to the caller's ``Outcome`` at once.

    ``MAYBE`` is also what a request is while it is under way. What an attempt came to is what stands when the next one
    is counted: so ``may_have_arrived`` says of those before the last.
    """

    __slots__ = ("_attempts", "_sent", "_status", "may_have_arrived", "told")

    def __init__(self, told: Outcome) -> None:
        self.told = told
        super().__init__()

    @property
    def sent(self) -> Sent:
        return self._sent

    @sent.setter
    def sent(self, sent: Sent) -> None:
        self._sent = sent
        self.told.sent = Sent.MAYBE if sent is Sent.YES else sent

    @property
    def attempts(self) -> int:
        return self._attempts

    @attempts.setter
    def attempts(self, attempts: int) -> None:
        self.may_have_arrived = self._sent is Sent.MAYBE
        self._attempts = self.told.attempts = attempts

    @property
    def status(self) -> int | None:
        return self._status

    @status.setter
    def status(self, status: int | None) -> None:
        self._status = self.told.status = status

    @property
    def call_id(self) -> int | None:
        return self.told.call_id

    @call_id.setter
    def call_id(self, call_id: int | None) -> None:
        self.told.call_id = call_id


class Errand(Generic[_A]):
    """One call. Calling order: send ``request``, then ``read`` its response, or ``advise`` the error that came instead.

    Args:
        request: what to send.
        read_body: makes the answer of status and body, or raises a ``GatewayError``.
        place: where it goes.
        timeout: seconds for the whole call.
        repeatable: whether twice does no harm.
        told: the caller's ``Outcome``, if there is one.

    Attributes:
        exchange (Outcome): the ``outcome`` to give to the client.
    """

    __slots__ = ("_place", "_read_body", "exchange", "repeatable", "request", "timeout")

    def __init__(
        self,
        request: Request,
        read_body: Callable[[int, bytes], _A],
        place: Place,
        *,
        timeout: float,
        repeatable: bool,
        told: Outcome | None,
    ) -> None:
        self.request = request
        self.timeout = timeout
        self.repeatable = repeatable
        # Where nobody looks on, and only a call that ends may have arrived, there is nothing to be told on.
        self.exchange = Outcome() if told is None and not repeatable else Exchange(told or Outcome())
        self._read_body = read_body
        self._place = place

    def read(self, response: Response) -> _A:
        """The answer.

        Raises:
            GatewayError: it is no success.
        """
        exchange = self.exchange
        try:
            answer = self._read_body(response.status, response.body)
        except GatewayError as error:
            self.place(error)
            if type(exchange) is Exchange:
                if error.sent is Sent.NO and exchange.may_have_arrived:
                    error.sent = Sent.MAYBE
                exchange.told.sent = error.sent
            raise
        if type(exchange) is Exchange:
            exchange.told.sent = Sent.YES
        return answer

    def place(self, error: SmswireError) -> None:
        """Writes into an error that speaks of the answer where it happened, and after how many attempts."""
        error.call, error.host, _ = self._place
        error.attempts = self.exchange.attempts

    def advise(self, error: SmswireError) -> None:
        """Writes into an error what to do about an SMS that may have left, behind what else it advises."""
        advice = error.advice or ""
        if error.sent is Sent.MAYBE and self._place.sends and LOOK_FIRST not in advice:
            error.advice = f"{advice}; {LOOK_FIRST}" if advice else LOOK_FIRST


class BundleErrand(Errand[list[SmsOutcome]]):
    """The call of one bundle, whose answer is an outcome for every recipient."""

    __slots__ = ()

    def read(self, response: Response) -> list[SmsOutcome]:
        """The outcomes; an error in one says where it happened, too."""
        outcomes = super().read(response)
        for outcome in outcomes:
            if outcome.error is not None:
                self.place(outcome.error)
        return outcomes


def failed(bundle: Bundle, error: BaseException, told: Outcome) -> list[SmsOutcome]:
    """The outcomes of a bundle whose call ended with an exception: ours, a fault of ours, or a cancellation."""
    if isinstance(error, SmswireError):
        return read_error(bundle.recipients, error)
    if isinstance(error, Exception):
        fault = SmswireError(f"{type(error).__name__} in the call", sent=Sent.MAYBE, advice=LOOK_FIRST)
        fault.__cause__ = error
        return read_error(bundle.recipients, fault)
    return given_up(bundle, told.sent)


def given_up(bundle: Bundle, sent: Sent) -> list[SmsOutcome]:
    """The outcomes of a call that was not waited for to its end."""
    advice = LOOK_FIRST if sent is Sent.MAYBE else None
    error = SmswireError("given up while the call was under way", sent=sent, advice=advice)
    return read_error(bundle.recipients, error)
