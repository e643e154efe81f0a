"""Errands that note what the gateway answered. Loaded only where a client has ``on_event``.

The status of an answer is not the gateway's word: a 200 with the code 900 is a ``NO``. So each errand whose answer was
read has one more event, behind its call's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ..errors import GatewayError, Sent
from ..events import GatewayAnswered
from ..flow.observed import Observer
from ..flow.retry import Outcome
from ..wire.message import Response
from .answer import Answer, Balance, SmsAnswer, read_sms, strongest
from .bundle import Bundle, SmsOutcome
from .call import Parameters
from .errand import Errand
from .setup import Setup, recipients_of

_A = TypeVar("_A")


class ObservedErrand(Errand[_A]):
    """An errand, and whom to tell of its answer."""

    __slots__ = ("_errand", "_observer", "_recipients")

    def __init__(self, errand: Errand[_A], observer: Observer) -> None:
        self.request = errand.request
        self.timeout = errand.timeout
        self.repeatable = errand.repeatable
        self.exchange = errand.exchange
        self._read_body = errand._read_body
        self._place = errand._place
        self._errand = errand
        self._observer = observer
        self._recipients = recipients_of(errand._read_body)

    def read(self, response: Response) -> _A:
        try:
            answer = self._errand.read(response)
        except GatewayError as error:
            self._note(error.sent, error.code, _accepted(error.answer))
            raise
        self._note(*self._verdict(answer, response))
        return answer

    def _verdict(self, answer: object, response: Response) -> tuple[Sent, int | None, int]:
        if isinstance(answer, list):
            sms = read_sms(response.status, response.body)
            return strongest(one.sent for one in answer), sms.code, sum(one.accepted for one in answer)
        if isinstance(answer, Answer) and self._place.sends:
            return _verdict_on_send(response)
        code = answer.code if isinstance(answer, SmsAnswer | Answer) else None
        return Sent.YES, code, self._recipients or 0

    def _note(self, sent: Sent, code: int | None, accepted: int) -> None:
        call_id = self.exchange.call_id
        assert call_id is not None
        recipients = self._recipients
        self._observer.note(
            GatewayAnswered(
                self._observer.clock(),
                call_id,
                self._place.call,
                sent,
                code,
                None if recipients is None else accepted,
                recipients,
            )
        )
        self._observer.tell()


class ObservedSetup(Setup):
    """A setup whose errands are observed."""

    def __init__(self, setup: Setup, observer: Observer) -> None:
        vars(self).update(vars(setup))
        self._observer = observer

    def sms(
        self,
        to: str | Iterable[str],
        text: str,
        options: Mapping[str, object],
        *,
        timeout: float | None,
        outcome: Outcome | None,
    ) -> Errand[SmsAnswer]:
        return ObservedErrand(super().sms(to, text, options, timeout=timeout, outcome=outcome), self._observer)

    def balance(self, *, timeout: float | None) -> Errand[Balance]:
        return ObservedErrand(super().balance(timeout=timeout), self._observer)

    def call(
        self, endpoint: str, params: Parameters, *, method: str, timeout: float | None, repeatable: bool
    ) -> Errand[Answer]:
        errand = super().call(endpoint, params, method=method, timeout=timeout, repeatable=repeatable)
        return ObservedErrand(errand, self._observer)

    def bundle_errands(self, timeout: float | None) -> Callable[[Bundle, Outcome], Errand[list[SmsOutcome]]]:
        new_errand = super().bundle_errands(timeout)
        return lambda bundle, told: ObservedErrand(new_errand(bundle, told), self._observer)


def _accepted(answer: Any) -> int:
    """How many recipients an answer that is no full success says were taken."""
    entries = answer.messages if isinstance(answer, SmsAnswer) else ()
    return sum(entry.speaks and entry.sent is Sent.YES for entry in entries)


def _verdict_on_send(response: Response) -> tuple[Sent, int | None, int]:
    """Of ``call`` with an endpoint that sends: it returns some answers that ``sms`` would raise."""
    try:
        sms = read_sms(response.status, response.body)
    except GatewayError as error:
        return error.sent, error.code, 0
    return sms.sent, sms.code, 0
