"""How a text travels, and in how many parts it is billed.

A text whose characters all stand in the GSM 03.38 alphabet goes in 7-bit septets: 160 in one part, else 153 each;
characters of the extension table take two septets. Any other text goes as UCS-2: 70 UTF-16 units in one part, else 67
each. A pair (escape and character, or two surrogates) is never torn between parts.
"""

from __future__ import annotations

GSM = "gsm"
UCS2 = "ucs2"

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENSION


def encoding_of(text: str) -> str:
    """``"gsm"`` or ``"ucs2"``.

    >>> encoding_of("Grüße für 5 €"), encoding_of("你好")
    ('gsm', 'ucs2')
    """
    return GSM if _GSM.issuperset(text) else UCS2


def parts_of(text: str, encoding: str) -> int:
    """How many parts ``text`` takes.

    >>> [parts_of(text, "gsm") for text in ("x" * 160, "x" * 161, "x" * 159 + "€")], parts_of("😀" * 36, "ucs2")
    ([1, 2, 2], 2)
    """
    single, each = (160, 153) if encoding == GSM else (70, 67)
    if 2 * len(text) <= single:
        return 1
    if encoding == GSM and _EXTENSION.isdisjoint(text):
        return 1 if len(text) <= single else -(-len(text) // each)
    widths = [2 if (c in _EXTENSION if encoding == GSM else c > "\uffff") else 1 for c in text]
    if sum(widths) <= single:
        return 1
    parts, room = 1, each
    for width in widths:
        if width > room:
            parts, room = parts + 1, each
        room -= width
    return parts
