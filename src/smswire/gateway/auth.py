"""The API key, and the four ways to show it to the gateway.

=============  ============================================  ==========================================
style          what is sent                                  note
=============  ============================================  ==========================================
``basic``      ``Authorization: basic KEY``                  the default; the key as it is, no base64
``x_api_key``  ``X-Api-Key: KEY``
``bearer``     ``Authorization: Bearer KEY``                 for OAuth2 access tokens
``p``          the parameter ``p=KEY``                       deprecated by the gateway; in the body, or,
                                                             with ``send_as="query"`` only, in the URL
=============  ============================================  ==========================================

The key lives in this one object and is read out of it only to build a request. The object shows it in no ``repr``
and ``str``, and refuses to be pickled: a pickle travels further than a secret may.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NoReturn, get_args

from ..errors import ConfigurationError

Style = Literal["basic", "x_api_key", "bearer", "p"]
STYLES: Final[tuple[str, ...]] = get_args(Style)

#: Visible ASCII: what a header value can carry without quoting, and what no key in use lies outside of.
_KEY = re.compile(r"[!-~]+")


class Auth:
    """An API key and the style in which it is shown.

    Args:
        key (str): the API key or access token: visible ASCII, no spaces, not empty.
        style (str): ``"basic"``, ``"x_api_key"``, ``"bearer"`` or ``"p"``.

    Raises:
        ConfigurationError: the key or the style cannot be used; the key is not shown.

    >>> Auth("secret")
    Auth('***', style='basic')
    """

    __slots__ = ("_key", "style")

    def __init__(self, key: str, style: Style = "basic") -> None:
        if not isinstance(key, str):
            raise ConfigurationError(f"the API key must be a str, not {type(key).__name__}")
        if not _KEY.fullmatch(key):
            raise ConfigurationError("the API key must be visible ASCII characters without spaces, at least one")
        if style not in STYLES:
            raise ConfigurationError(f"auth must be one of {', '.join(STYLES)}")
        self._key = key
        self.style: Style = style

    def __repr__(self) -> str:
        return f"Auth('***', style={self.style!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not pickled or copied")

    def headers(self) -> list[tuple[str, str]]:
        """The header fields that show the key: one, or none with style ``p``."""
        if self.style == "basic":
            return [("Authorization", f"basic {self._key}")]
        if self.style == "bearer":
            return [("Authorization", f"Bearer {self._key}")]
        if self.style == "x_api_key":
            return [("X-Api-Key", self._key)]
        return []

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters that show the key: ``p`` with style ``p``, otherwise none."""
        return [("p", self._key)] if self.style == "p" else []
