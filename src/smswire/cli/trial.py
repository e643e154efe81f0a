"""What the demonstration sends, and how it judges what arrived. Pure: no file, no socket, no clock.

The texts are those that go wrong elsewhere: umlauts and emoji, everything that means something in a URL, a form, CSV
or JSON, line breaks of every kind, white space at the edges, and the longest text allowed. They are the same in every
run. A third of the messages share one text, so that bundles are sent too; no two have the same recipient, so that each
message can be told from every other. Recipients are written as the gateway itself writes numbers, digits with the
country code, so that they can be compared byte for byte with what it recorded.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

MAX_MESSAGES = 10_000_000
_LONGEST_TEXT = 1520
_LONG_ONE_IN = 97
_WINDOW_S = 1.0

_PIECES = (
    "Grüße aus Köln, spätere Änderung für Jürgen: ß und ẞ",
    "1 + 1 = 2 & 100 % von 5 + 5",
    "a=b&c=d&to=0&text=x#y?z",
    "%41%2B%zz%",
    'Er sagte: "Bis ""gleich""!"',
    "Zeile 1\nZeile 2\n\nZeile 4",
    "CRLF\r\nund CR\rallein",
    "eins;zwei,drei\tvier",
    "😀 👍🏽 🇩🇪 👩‍👩‍👧 \U0001f9ff",
    "€ ^ { } [ ~ ] | \\ \f",
    "你好 · שלום · नमस्ते · Ωμέγα",
    " \u00a0am Rand\u2028 ",
    "{\"a\": [null, '\\u0041']} </script>",
    "Z̸͙̾a̷l̵g̶o e\u0301 \ufeff \u200d",
)
SHARED_TEXT = "Für alle: " + " | ".join(_PIECES)


class Sent(NamedTuple):
    """One message: its recipient and its text."""

    to: str
    text: str


def messages(count: int) -> list[Sent]:
    """The first ``count`` messages; every third has ``SHARED_TEXT``, the other texts are all different."""
    return [Sent(f"49151{number:08d}", _text(number)) for number in range(count)]


def _text(number: int) -> str:
    if number % 3 == 0:
        return SHARED_TEXT
    first, second = number % len(_PIECES), number // len(_PIECES) % len(_PIECES)
    text = f"{_PIECES[first]} {number} {_PIECES[second]}"
    return text.ljust(_LONGEST_TEXT, "ü") if number % _LONG_ONE_IN == 1 else text


def table(sent: Iterable[Sent]) -> bytes:
    """The messages as a CSV file, the way spreadsheets write it: commas, CRLF, UTF-8 with a byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(Sent._fields)
    writer.writerows(sent)
    return out.getvalue().encode("utf-8-sig")


class Verdict(NamedTuple):
    """What the comparison found, in messages.

    Attributes:
        lost: in the file, not received, and not reported as not sent.
        duplicated: received again after the first time.
        altered: received with another text, or for a recipient that is not in the file.
        misreported: received, and reported as not sent.
    """

    lost: int
    duplicated: int
    altered: int
    misreported: int


def judge(sent: Sequence[Sent], received: Iterable[Sent], reported_not_sent: Collection[str]) -> Verdict:
    """Compares what was sent, each recipient once, with what was received; order does not matter.

    Args:
        sent: the messages of the file.
        received: the messages as the far end recorded them.
        reported_not_sent: the recipients of whom the sender says that nothing was sent.

    >>> judge([Sent("491", "a"), Sent("492", "b"), Sent("493", "c")], [Sent("491", "a"), Sent("491", "a")], {"492"})
    Verdict(lost=1, duplicated=1, altered=0, misreported=0)
    """
    texts = dict(sent)
    times: Counter[str] = Counter()
    altered = 0
    for to, text in received:
        times[to] += 1
        altered += texts.get(to) != text
    return Verdict(
        lost=sum(to not in times and to not in reported_not_sent for to in texts),
        duplicated=sum(count - 1 for count in times.values()),
        altered=altered,
        misreported=sum(to in times for to in set(reported_not_sent)),
    )


def peak(times: Iterable[float]) -> int:
    """The largest number of ``times`` (seconds) within any half-open second ``[t, t + 1)``.

    >>> peak([0.0, 0.5, 0.999, 1.0, 5.0])
    3
    """
    in_order = sorted(times)
    first = most = 0
    for last, time in enumerate(in_order):
        while time - in_order[first] >= _WINDOW_S:
            first += 1
        most = max(most, last - first + 1)
    return most
