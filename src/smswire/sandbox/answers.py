"""The bodies of the gateway's answers: text by default, JSON with ``json=1`` or ``Accept: application/json``.

The types are those of the documents' samples, however odd: ``success`` is a string of digits, ``debug`` the string
``"true"`` or ``"false"``, ids are strings, ``error`` is null or a number. A refusal for authentication's sake is the
bare code in text and the code as a JSON string in JSON (``"900"``, quotes included); any other refusal in JSON is the
object without messages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from . import codes
from .account import Delivery
from .rules import Order

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
CURRENCY = "EUR"

# In text mode a test message has this id in all SDKs' tests.
DEBUG_ID = "1234567890"

_AUTHENTICATION = frozenset({codes.NO_AUTHENTICATION, codes.WRONG_KEY, 901, 902, codes.ADDRESS_NOT_ALLOWED})


def refusal(code: int, is_json: bool, balance: Decimal, is_debug: bool) -> bytes:
    """The answer to a call of which nothing was sent."""
    if not is_json:
        return str(code).encode()
    if code in _AUTHENTICATION:
        return f'"{code}"'.encode()
    return _dump(_sms_object(code, Decimal(0), balance, is_debug, []))


def balance(amount: Decimal, is_json: bool) -> bytes:
    """The answer of ``/api/balance``: a number, or an object with amount and currency."""
    return _dump({"amount": _number(amount), "currency": CURRENCY}) if is_json else str(_number(amount)).encode()


def sms(code: int, order: Order, deliveries: Sequence[Delivery], credit: Decimal, is_json: bool) -> bytes:
    """The answer of ``/api/sms`` to an order that was carried out, in whole or in part."""
    total = sum((delivery.price for delivery in deliveries), Decimal(0))
    is_debug = order.switches["debug"]
    if is_json:
        messages = [_message(order, delivery) for delivery in deliveries]
        return _dump(_sms_object(code, total, credit, is_debug, messages))
    if code != codes.ACCEPTED:
        return str(code).encode()
    lines = [str(code)]
    if order.switches["return_msg_id"]:
        lines.append(",".join(delivery.id or DEBUG_ID for delivery in deliveries))
    if order.switches["details"]:
        lines += _details(order, total, credit)
    return "\n".join(lines).encode()


def _details(order: Order, total: Decimal, credit: Decimal) -> list[str]:
    return [
        f"Verbucht: {_number(total)}",
        f"Preis: {_number(total)}",
        f"Guthaben: {_number(credit)}",
        f"Text: {' '.join(order.text.splitlines())}",  # one line whatever the text, so that the answer keeps its ten
        "SMS-Typ: direct",
        f"Flash SMS: {_word(order.switches['flash'])}",
        f"Encoding: {order.encoding}",
        f"GSM0338: {_word(order.encoding == 'gsm')}",
        f"Debug: {_word(order.switches['debug'])}",
    ]


def _sms_object(code: int, total: Decimal, credit: Decimal, is_debug: bool, messages: list[Any]) -> dict[str, Any]:
    return {
        "success": str(code),
        "total_price": _number(total),
        "balance": _number(credit),
        "debug": _word(is_debug),
        "sms_type": "direct",
        "messages": messages,
    }


def _message(order: Order, delivery: Delivery) -> dict[str, Any]:
    is_accepted = delivery.code == codes.ACCEPTED
    return {
        "id": delivery.id,
        "sender": order.sender,
        "recipient": delivery.number,
        "text": order.text,
        "encoding": order.encoding,
        "label": order.label,
        "parts": order.parts,
        "udh": order.udh,
        "is_binary": order.is_binary,
        "price": _number(delivery.price),
        "success": is_accepted,
        "error": None if is_accepted else delivery.code,
        "error_text": None if is_accepted else codes.meaning(delivery.code),
    }


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
