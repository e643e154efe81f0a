"""The gateway's answer codes, as its documents and SDKs name them.

Where sources disagree on a number the older table stands: it is the same in all SDKs but the newest PHP one. Codes
travel with HTTP status 200.
"""

from __future__ import annotations

CARRIER_UNAVAILABLE = 11
ACCEPTED = 100
SOME_FAILED = 101
SENDER_INVALID = 201
RECIPIENT_INVALID = 202
NO_AUTHENTICATION = 300
TO_MISSING = 301
TEXT_MISSING = 305
SENDER_NUMBER_INVALID = 306
TYPE_INVALID = 400
TEXT_TOO_LONG = 401
RELOAD_LOCK = 402
DAILY_LIMIT = 403
NO_CREDIT = 500
LABEL_INVALID = 802
WRONG_KEY = 900
ADDRESS_NOT_ALLOWED = 903

MEANINGS = {
    CARRIER_UNAVAILABLE: "The carrier is temporarily unavailable.",
    ACCEPTED: "Accepted.",
    SOME_FAILED: "Sending to at least one recipient failed.",
    SENDER_INVALID: "The sender is invalid: at most 11 alphanumeric or 16 numeric characters.",
    RECIPIENT_INVALID: "The recipient is invalid.",
    NO_AUTHENTICATION: "Authentication is missing.",
    TO_MISSING: "The parameter to is missing.",
    TEXT_MISSING: "The parameter text is missing.",
    SENDER_NUMBER_INVALID: "The sender number is invalid.",
    TYPE_INVALID: "The parameter type is invalid.",
    TEXT_TOO_LONG: "The text is too long.",
    RELOAD_LOCK: "The same SMS was sent to this recipient a short while ago.",
    DAILY_LIMIT: "The daily limit for this number is reached.",
    NO_CREDIT: "The credit does not suffice.",
    600: "The carrier did not take the message.",
    700: "Unknown error.",
    LABEL_INVALID: "The label is invalid.",
    WRONG_KEY: "The API key is wrong.",
    902: "The HTTP API is disabled for this key.",
    ADDRESS_NOT_ALLOWED: "This address is not allowed to use the API key.",
}


def meaning(code: int) -> str:
    """One sentence on ``code``; a plain one for a number that no document names."""
    return MEANINGS.get(code, f"Error {code}.")
