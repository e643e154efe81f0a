"""``application/x-www-form-urlencoded``: WHATWG URL, section 5, the serializer and the parser to the letter.

A form is an ordered list of (name, value) pairs; names may repeat, be empty, hold anything. Letters, digits and
``*-._`` stand for themselves, a space is ``+``, any other byte of the UTF-8 text is ``%XX``. The parser takes all
input: empty pieces between ``&`` are no pairs, a malformed ``%`` stays, bytes that are not UTF-8 become U+FFFD. With
``errors="strict"`` it refuses the last two. ``decode(encode(pairs)) == pairs`` for every list of pairs of text.

``encode`` also takes what the gateway's own client libraries turn into text before they send: ``True`` and ``False``
are ``1`` and ``0``, ``None`` leaves the field out, a list or tuple repeats it, an ``int`` or ``Decimal`` is written
out in digits; ``bracketed`` gives nested values names such as ``files[0][name]``. What has no one obvious text (a
``float``, a date, a set) is refused. A value may be a secret: no error quotes one.
"""

from .brackets import bracketed
from .parser import MAX_BYTES, MAX_FIELDS, decode
from .serializer import encode

__all__ = ["MAX_BYTES", "MAX_FIELDS", "bracketed", "decode", "encode"]
