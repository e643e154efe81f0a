"""The gateway's codes: what each means in words, what to do about it, and whether an SMS may have left.

The gateway answers nearly everything with HTTP 200 and tells success from failure by a number in the body. What the
number says about the SMS is this module's one table. Three rules made it:

- validation, lock, limit, credit and authentication are checked before anything is passed on, so their codes mean
  ``Sent.NO``;
- 11, 600 and 700 come from behind the gateway, where the SMS may already have gone on: ``Sent.MAYBE``; so does every
  number that is not in the table, since a code nobody documented proves nothing;
- 101 says only that the recipients differ: each has its own result, and without one it is ``Sent.MAYBE``.

Published tables disagree about the words for 302 to 305, 400 to 403, 802 and 901 (an older one that five clients
share, and one of 2026). They agree that nothing was sent, which is all that is decided by; the words are the older
table's, and name the other reading where the two are far apart.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import Sent

ACCEPTED = 100
PARTIAL = 101

#: The codes that any endpoint may answer in place of its own answer, as a bare or quoted number.
ANY_ENDPOINT = frozenset({600, 900, 901, 902, 903})

#: The codes that speak of the key or of this machine and not of a message: other calls will hardly fare better.
KEY_REFUSED = frozenset({300, 900, 902, 903})

#: What to do when nobody on this side can know whether an SMS went out.
LOOK_FIRST = "look it up in the gateway's journal before sending again, or it may be sent twice"


class Code(NamedTuple):
    """One code of the gateway.

    Attributes:
        meaning (str): what it says, in words.
        sent (Sent): whether an SMS may have left, where this is the answer to a send.
        advice (str | None): what to do about it.
    """

    meaning: str
    sent: Sent
    advice: str | None = None


_NO, _MAYBE, _YES = Sent.NO, Sent.MAYBE, Sent.YES

CODES: dict[int, Code] = {
    11: Code("the carrier cannot be reached at the moment", _MAYBE, LOOK_FIRST),
    100: Code("accepted", _YES),
    101: Code("at least one recipient was not accepted", _MAYBE, "read each recipient's own result"),
    201: Code("the sender is not valid", _NO, "use at most 11 letters and digits, or at most 16 digits"),
    202: Code("the recipient is not valid", _NO, "check the number, with its country code"),
    300: Code("the call carried no API key", _NO, "check the auth style"),
    301: Code("the recipient is missing", _NO),
    302: Code("the text is not valid", _NO),
    303: Code("the text is too long", _NO, "the limit is 1,520 characters"),
    304: Code("the type of SMS is missing, or there is no route to the recipient", _NO),
    305: Code("the text is missing, or flash SMS are not available", _NO),
    306: Code("the sender's number is not valid", _NO),
    307: Code("the URL is missing", _NO),
    400: Code("the type of SMS is not valid", _NO),
    401: Code("the text is too long", _NO, "the limit is 1,520 characters"),
    402: Code(
        "the same text went to the same recipient within the last 180 seconds",
        _NO,
        "an earlier send was accepted; to send again all the same, wait or give no_reload=True",
    ),
    403: Code("the daily limit for this number is reached", _NO, "send again tomorrow"),
    500: Code("the account has not enough credit", _NO, "top it up"),
    600: Code("the carrier failed to deliver", _MAYBE, LOOK_FIRST),
    700: Code("an error the gateway does not name", _MAYBE, LOOK_FIRST),
    801: Code("the logo file is missing", _NO),
    802: Code("the logo file does not exist, or the label is not valid", _NO),
    803: Code("the ringtone is missing", _NO),
    900: Code("the API key is wrong", _NO, "check the key, and that it belongs to this gateway"),
    901: Code("the signature or the message id is not valid", _NO, "check the account's signing settings"),
    902: Code("this API key may not use this interface", _NO, "check the key's rights in the account's settings"),
    903: Code("this machine's address is not on the account's list", _NO, "add it in the account's IP whitelist"),
}

#: What a status other than 2xx is most often about. Whether anything was sent is ``flow.retry.judge_status``.
_STATUS_ADVICE = {
    401: "check the API key and the auth style",
    403: "check the API key's rights and the account's IP whitelist",
    404: "check base_url and the endpoint",
    405: "check the method",
    413: "send less in one call",
    429: "send more slowly",
}


def sent_by(code: int) -> Sent:
    """Whether an SMS may have left, by the code of a complete 2xx answer alone; unknown codes are ``MAYBE``.

    >>> sent_by(100), sent_by(900), sent_by(4711)
    (<Sent.YES: 'yes'>, <Sent.NO: 'no'>, <Sent.MAYBE: 'maybe'>)
    """
    known = CODES.get(code)
    return known.sent if known else Sent.MAYBE


def explain(code: int) -> tuple[str, str | None]:
    """A sentence for people that says what the code means, and the advice that goes with it.

    >>> explain(900)[0]
    'the gateway answered 900: the API key is wrong'
    """
    known = CODES.get(code)
    if known is None:
        return f"the gateway answered {code}, a code that is not documented", LOOK_FIRST
    return f"the gateway answered {code}: {known.meaning}", known.advice


def advise_on_status(status: int) -> str | None:
    """What to do about an HTTP status other than 2xx, or None where there is nothing useful to say."""
    if 300 <= status < 400:
        return "redirects are not followed; check base_url"
    return _STATUS_ADVICE.get(status)
