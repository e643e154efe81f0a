"""Bytes to values and back, each to the letter of its standard: ``percent``, ``form`` and ``json``.

Pure functions over ``bytes`` and ``str``. What a standard does not allow is a :class:`~smswire.errors.DecodeError` or
an :class:`~smswire.errors.EncodeError`, both ``ValueError``; an option that does not exist is a
:class:`~smswire.errors.ConfigurationError`. Nothing here knows the gateway, HTTP or the standard library's codecs.

>>> from smswire.codec import form, json, percent
>>> form.encode({"to": "+491716992343", "text": "5 < 6"})
b'to=%2B491716992343&text=5+%3C+6'
>>> json.decode(b'{"price": 0.075}')
{'price': 0.075}
>>> percent.encode("a/b")
'a%2Fb'
"""

from . import form, json, percent

__all__ = ["form", "json", "percent"]
