"""What calls were told against what reached the server: every call is accounted for, or it is said which is not.

YES: the server saw it exactly once. NO: not at all. MAYBE: once or not at all. And every call was told one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from smswire import Sent

UNTOLD: Final = 0
TOLD: Final = {Sent.YES: 1, Sent.NO: 2, Sent.MAYBE: 3}
NAMES: Final = ("nothing", *(sent.name for sent in TOLD))
_MAY_REACH: Final = ((), (1,), (0,), (0, 1))
"""How often the server may have seen a call, by what it was told."""

SHOWN: Final = 10


def serial_of(target: str) -> int | None:
    """The number at the end of a target; None where there is none.

    >>> serial_of("/length/17"), serial_of("-")
    (17, None)
    """
    end = target.rpartition("/")[2]
    return int(end) if end.isascii() and end.isdigit() else None


def seen(targets: Iterable[str], calls: int) -> tuple[bytearray, list[str]]:
    """How often each call reached the server (255 stands for more, too), and targets that are nobody's."""
    times = bytearray(calls)
    strange: list[str] = []
    for target in targets:
        serial = serial_of(target)
        if serial is None or serial >= calls:
            strange.append(target)
        else:
            times[serial] = min(255, times[serial] + 1)
    return times, strange


def judge(told: bytearray, times: bytearray) -> tuple[Counter[str], list[str]]:
    """How many calls there are of each kind, such as ``"MAYBE, seen 0"``, and a line for each that must not be."""
    kinds = Counter(zip(told, times, strict=True))
    bad = {kind for kind in kinds if kind[1] not in _MAY_REACH[kind[0]]}
    complaints: list[str] = []
    if bad:
        wrong = [serial for serial, kind in enumerate(zip(told, times, strict=True)) if kind in bad]
        complaints = [f"call {serial} was told {NAMES[told[serial]]}, seen {times[serial]}" for serial in wrong[:SHOWN]]
        complaints += [f"and {len(wrong) - SHOWN:,} more like these"] if len(wrong) > SHOWN else []
    counted = Counter({f"{NAMES[verdict]}, seen {count}": calls for (verdict, count), calls in sorted(kinds.items())})
    return counted, complaints
