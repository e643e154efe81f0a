"""Which recipients share a call, and what one answer says about each of them. Sans-IO.

The plan: every recipient of every message stands in exactly one bundle, and a bundle is one call. ``plan(messages)`` is
that of a whole input, a ``Planner`` that of one which is longer than what memory holds.

- Recipients with the same text and options share a bundle, up to ``recipients_per_call``.
- A number stands in a bundle once, however it is spelt: named again, it goes into a later bundle.
- A name (of a contact or a group) has a bundle to itself: nobody here knows how many numbers it expands to, and among
  others its results could not be told from theirs.
- Bundles, and recipients in them, keep the order of first appearance.

Reading back, ``read_answer`` or ``read_error``: one ``SmsOutcome`` a recipient, in the bundle's order, whatever came.

=========================================================  ===================================================
what came                                                  each recipient's outcome
=========================================================  ===================================================
an error instead of an answer                              the error, and its ``sent``
an answer in which no entry speaks of a recipient          by the answer's code; ids in order, if as many
an entry with the recipient's number                       that entry's own result
further entries with a number that had one already         belong to the same recipient
the rest of the recipients, as many entries as they        paired in order (``recipient`` null, an odd spelling)
the one recipient of a bundle (a name, say)                all entries are its
the rest of the recipients, more or fewer entries          ``MAYBE``: which entry is whose cannot be known
entries left when every recipient has its own              nobody's; they stay in the answer
=========================================================  ===================================================

Several entries of one recipient: ``sent`` is the strongest of them, and ``error`` says if any was not accepted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from ..errors import GatewayError, Sent, SmswireError
from .answer import MessageResult, SmsAnswer, refusal, strongest
from .codes import ACCEPTED, LOOK_FIRST, PARTIAL, sent_by
from .sms import Message, canonical, parameters

LOOK_AHEAD = 1000  #: ten full calls of one text may stand open side by side, and a million rows need no more memory
RECIPIENTS_PER_CALL = 100  #: no limit is documented; this keeps a failed call small and a form below 10 KiB

_YES = Sent.YES


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of the plan.

    Attributes:
        place (int): its position among all recipients, which is that of its outcome.
        index (int): the position of its message in the input.
        to (str): as it was given.
        number (str | None): its canonical digits; None for a name.
    """

    place: int
    index: int
    to: str
    number: str | None


@dataclass(slots=True)
class Bundle:
    """One call: a text, its options, and the recipients who get it."""

    text: str
    options: tuple[tuple[str, Any], ...]
    recipients: list[Recipient]

    def parameters(self) -> list[tuple[str, Any]]:
        """The parameters of the call."""
        return parameters((recipient.to for recipient in self.recipients), self.text, self.options)


@dataclass(frozen=True, slots=True)
class SmsOutcome:
    """What became of one recipient of ``sms_many``.

    Attributes:
        index (int): the position of its message in the input.
        to (str): the recipient as it was given.
        sent (Sent): whether the SMS may have left.
        code (int | None): the gateway's code for this recipient; None where no answer came.
        messages (tuple[MessageResult, ...]): its entries in the answer; several for a group.
        error (SmswireError | None): why it was not accepted; None if it was.
    """

    index: int
    to: str
    sent: Sent
    code: int | None = None
    messages: tuple[MessageResult, ...] = ()
    error: SmswireError | None = None

    @property
    def accepted(self) -> bool:
        """Whether the gateway took it, for every number behind the recipient."""
        return self.sent is Sent.YES and self.error is None


class _Group:
    """The open bundles of one text with one set of options, numbered in the order in which they were begun."""

    def __init__(self, recipients_per_call: int) -> None:
        self.recipients_per_call = recipients_per_call
        self.bundles: dict[int, Bundle] = {}
        self.first = 0
        self.first_with_room = 0
        self.next_by_number: dict[str, int] = {}

    def place_for(self, number: str) -> int:
        """Which bundle: the first with room, behind those that hold this number; one past the last for a new one."""
        at = max(self.next_by_number.get(number, 0), self.first_with_room)
        while self._is_full(at):
            at += 1
        self.next_by_number[number] = at + 1
        return at

    def note_added(self) -> None:
        """Moves on past full bundles, so that no search starts at them again."""
        while self._is_full(self.first_with_room):
            self.first_with_room += 1

    def close_first(self) -> None:
        """Nobody is added to its first bundle any more. What only that one held is forgotten."""
        closed = self.bundles.pop(self.first)
        self.first += 1
        self.first_with_room = max(self.first_with_room, self.first)
        for recipient in closed.recipients:
            assert recipient.number is not None
            if self.next_by_number.get(recipient.number) == self.first:
                del self.next_by_number[recipient.number]

    def _is_full(self, at: int) -> bool:
        return at in self.bundles and len(self.bundles[at].recipients) >= self.recipients_per_call


class Planner:
    """The plan of an input of any length: it holds a window of recipients, and bundles what stands in it together.

    Calling order: ``add`` while ``has_room``, ``next_bundle`` until it is None, and so on; ``end`` when there is no
    more to add. A bundle comes out, the oldest first, when nothing could be added to it, when the window is full, or
    when the input has ended. So with a window that covers the whole input the bundles are those of ``plan``.

    Args:
        recipients_per_call: the most recipients in one bundle.
        window: how many recipients it holds before it lets the oldest bundle go. One message may exceed it.

    Attributes:
        held (int): how many recipients stand in it.
    """

    def __init__(self, recipients_per_call: int = RECIPIENTS_PER_CALL, window: float = inf) -> None:
        self.held = 0
        self._recipients_per_call = recipients_per_call
        self._window = window
        self._has_ended = False
        self._place = 0
        self._bundles: deque[Bundle] = deque()
        self._groups: dict[tuple[Any, ...], _Group] = {}

    @property
    def has_room(self) -> bool:
        """Whether another message may be added."""
        return not self._has_ended and self.held < self._window

    def add(self, index: int, message: Message) -> None:
        """Takes in the recipients of the message at this place of the input."""
        for to in message.recipients:
            recipient = Recipient(self._place, index, to, canonical(to))
            self._place += 1
            self.held += 1
            if recipient.number is None:
                self._bundles.append(Bundle(message.text, message.options, [recipient]))
            else:
                self._add_number(message, recipient, recipient.number)

    def end(self) -> None:
        """The input has ended."""
        self._has_ended = True

    def next_bundle(self) -> Bundle | None:
        """The oldest bundle, if it may go."""
        if not self._bundles or not (self._has_ended or self.held >= self._window or self._is_closed(self._bundles[0])):
            return None
        bundle = self._bundles.popleft()
        self.held -= len(bundle.recipients)
        if bundle.recipients[0].number is not None:
            key = (bundle.text, bundle.options)
            group = self._groups[key]
            group.close_first()
            if not group.bundles:
                del self._groups[key]
        return bundle

    def _add_number(self, message: Message, recipient: Recipient, number: str) -> None:
        key = (message.text, message.options)
        group = self._groups.get(key) or self._groups.setdefault(key, _Group(self._recipients_per_call))
        at = group.place_for(number)
        if at in group.bundles:
            group.bundles[at].recipients.append(recipient)
        else:
            group.bundles[at] = Bundle(message.text, message.options, [recipient])
            self._bundles.append(group.bundles[at])
        group.note_added()

    def _is_closed(self, bundle: Bundle) -> bool:
        return bundle.recipients[0].number is None or len(bundle.recipients) >= self._recipients_per_call


def plan(messages: Iterable[Message], recipients_per_call: int = RECIPIENTS_PER_CALL) -> list[Bundle]:
    """The bundles of these messages, in order of first appearance.

    >>> [[r.to for r in b.recipients] for b in plan([Message(["+49171", "0171", "+49172"], "Hi")])]
    [['+49171', '+49172'], ['0171']]
    """
    planner = Planner(recipients_per_call)
    for index, message in enumerate(messages):
        planner.add(index, message)
    planner.end()
    return list(iter(planner.next_bundle, None))


def refused(recipients: int, answer: SmsAnswer) -> GatewayError | None:
    """The error for the answer to one call with so many recipients, or None if it is full success.

    Full success is the code 100 and no recipient whose own result says otherwise or is missing among others. The
    error's ``sent`` is the strongest over the recipients.

    >>> refused(1, SmsAnswer(code=100)) is None
    True
    """
    speaking = 0
    accepted = answer.code == ACCEPTED
    for entry in answer.messages:
        speaking += entry.speaks
        accepted = accepted and entry.sent is _YES
    missing = 0 < speaking < recipients
    if accepted and not missing:
        return None
    sent = strongest([answer.sent, Sent.MAYBE]) if missing else answer.sent
    return refusal(answer.code, answer, sent)


def read_error(recipients: Sequence[Recipient], error: SmswireError) -> list[SmsOutcome]:
    """The outcomes of a call that ended with an error: the same for each recipient."""
    code = error.code if isinstance(error, GatewayError) else None
    return [SmsOutcome(one.index, one.to, error.sent, code, (), error) for one in recipients]


def read_answer(recipients: Sequence[Recipient], answer: SmsAnswer) -> list[SmsOutcome]:
    """The outcome of each recipient of an answered call, in their order. See the table at the head of the module."""
    if not any(entry.speaks for entry in answer.messages):
        return _by_code(recipients, answer)
    own: dict[int, list[MessageResult]] = {}
    rest_of_entries = _match_numbers(recipients, answer.messages, own)
    rest = [one for one in recipients if one.place not in own]
    if len(recipients) == 1:
        own.setdefault(recipients[0].place, []).extend(rest_of_entries)
    elif len(rest) == len(rest_of_entries):
        own.update((one.place, [entry]) for one, entry in zip(rest, rest_of_entries, strict=True))
    return [_outcome(one, tuple(own.get(one.place, ())), answer) for one in recipients]


def _by_code(recipients: Sequence[Recipient], answer: SmsAnswer) -> list[SmsOutcome]:
    entries = [(entry,) for entry in answer.messages]
    shared: Sequence[tuple[MessageResult, ...]] = entries if len(entries) == len(recipients) else [()] * len(recipients)
    sent = sent_by(answer.code)
    error = None if sent is Sent.YES else refusal(answer.code, answer, sent)
    return [
        SmsOutcome(one.index, one.to, sent, answer.code, messages, error)
        for one, messages in zip(recipients, shared, strict=True)
    ]


def _match_numbers(
    recipients: Sequence[Recipient], entries: Sequence[MessageResult], own: dict[int, list[MessageResult]]
) -> list[MessageResult]:
    """Gives every entry whose number was asked for to its recipient; returns the others."""
    places = {one.number: one.place for one in recipients if one.number}
    rest = []
    for entry in entries:
        place = places.get(canonical(entry.recipient or "") or "")
        if place is None:
            rest.append(entry)
        else:
            own.setdefault(place, []).append(entry)
    return rest


def _outcome(recipient: Recipient, entries: tuple[MessageResult, ...], answer: SmsAnswer) -> SmsOutcome:
    if not entries:
        message = f"the gateway answered {answer.code}, and nothing that belongs to this recipient"
        error = GatewayError(message, code=answer.code, answer=answer, sent=Sent.MAYBE, advice=LOOK_FIRST)
        return SmsOutcome(recipient.index, recipient.to, Sent.MAYBE, answer.code, (), error)
    sent = strongest(entry.sent for entry in entries)
    failed = [entry for entry in entries if entry.sent is not Sent.YES]
    if not failed:
        return SmsOutcome(recipient.index, recipient.to, Sent.YES, ACCEPTED, entries)
    code = _code(failed[0], answer) if len(failed) == len(entries) else PARTIAL
    return SmsOutcome(recipient.index, recipient.to, sent, code, entries, refusal(code, answer, sent))


def _code(entry: MessageResult, answer: SmsAnswer) -> int:
    return entry.error if isinstance(entry.error, int) else answer.code
