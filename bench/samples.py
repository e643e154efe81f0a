"""What the gateway is sent and what it answers, made up by a seeded draw: same shapes, ever new values."""

from __future__ import annotations

import json
from random import Random
from typing import Any

SENTENCES = [
    "Your code is 482913, it is valid for ten minutes.",
    "Ihr Termin: Dienstag, 14:30 Uhr, Größe & Übergabe am Schalter 3!",
    "Votre colis arrive aujourd'hui entre 9 h et 11 h – à bientôt.",
    "Η παραγγελία σας είναι έτοιμη.",
    "Ваш заказ № 7712 готов к выдаче.",
    "رمز التحقق الخاص بك هو ٤٨٢٩١٣.",
    "ההזמנה שלך מוכנה לאיסוף.",
    "आपका ऑर्डर भेज दिया गया है।",
    "พัสดุของคุณจะถึงวันนี้",
    "您的验证码是 482913，请勿告诉他人。",
    "ご注文の商品を発送しました。",
    "주문하신 상품이 발송되었습니다.",
    "See you at 8 😀🎉 50 % off + free delivery",
]
_LATIN = SENTENCES[:3]
_MEGABYTE = 1_000_000


def number(draw: Random) -> str:
    return f"4917{draw.randrange(10**8, 10**9)}"


def send(draw: Random) -> dict[str, Any]:
    """The nine fields of a send."""
    return {
        "to": f"+{number(draw)}",
        "text": f"{draw.choice(_LATIN)} #{draw.randrange(10**6)}",
        "from": "smswire",
        "flash": False,
        "label": f"campaign-{draw.randrange(1000)}",
        "foreign_id": f"{draw.randrange(16**12):012x}",
        "performance_tracking": True,
        "ttl": draw.choice([60, 1440, 2880]),
        "delay": f"2026-{draw.randrange(1, 13):02}-24 {draw.randrange(24):02}:{draw.randrange(60):02}",
    }


def long_text(draw: Random) -> dict[str, Any]:
    """One field of a megabyte, in many scripts."""
    sentences: list[str] = []
    size = 0
    while size < _MEGABYTE:
        sentences.append(draw.choice(SENTENCES))
        size += len(sentences[-1].encode()) + 1
    return {"text": "\n".join(sentences)}


def many_recipients(draw: Random) -> dict[str, Any]:
    """A megabyte of numbers, joined by commas as the gateway takes them."""
    return {"to": ",".join(f"+{number(draw)}" for _ in range(70_000)), "text": draw.choice(SENTENCES)}


def message(draw: Random, text: str) -> dict[str, Any]:
    parts = draw.randrange(1, 4)
    return {
        "id": str(draw.randrange(10**10, 10**11)),
        "sender": "smswire",
        "recipient": number(draw),
        "text": text,
        "encoding": "gsm" if text.isascii() else "ucs2",
        "label": None,
        "parts": parts,
        "udh": None,
        "is_binary": False,
        "price": round(0.075 * parts, 3),
        "success": True,
        "error": None,
        "error_text": None,
    }


def answer(draw: Random, messages: int, text_length: int) -> dict[str, Any]:
    """What a send is answered."""
    texts = (" ".join(draw.choices(_LATIN, k=1 + text_length // 60))[:text_length] for _ in range(messages))
    sent = [message(draw, text) for text in texts]
    return {
        "success": "100",
        "total_price": round(sum(one["price"] for one in sent), 3),
        "balance": round(draw.uniform(1, 1000), 3),
        "debug": "false",
        "sms_type": "direct",
        "messages": sent,
    }


def answer_of_400_bytes(draw: Random) -> bytes:
    return json.dumps(answer(draw, 1, 72), ensure_ascii=False, separators=(",", ":")).encode()


def answer_of_a_megabyte(draw: Random) -> dict[str, Any]:
    return answer(draw, 2500, 164)


def numbers(draw: Random) -> list[Any]:
    """An array of integers and one of fractions."""
    return [[draw.randrange(10**6) for _ in range(10_000)], [draw.random() for _ in range(10_000)]]


def points(draw: Random) -> list[Any]:
    """Small objects that hold numbers only."""
    return [{"at": draw.randrange(10**6), "value": round(draw.uniform(0, 100), 2)} for _ in range(7000)]


def rows(draw: Random) -> list[Any]:
    """Short arrays of numbers and words in turn."""
    return [[draw.randrange(1000), draw.choice([True, False, None]), -draw.random()] for _ in range(7000)]


def empties(draw: Random) -> list[Any]:
    """Nothing but brackets."""
    return [draw.choice([[], {}, [[]]]) for _ in range(20_000)]


def escaped_answer_of_400_bytes(draw: Random) -> bytes:
    """As a careful PHP writes it: escapes for all but ASCII, and white space."""
    fields = answer(draw, 1, 0)
    first = fields["messages"][0]
    first["text"] = f"Größe & Übergabe\nam Schalter {draw.randrange(10)}\n\u201eok\u201c"
    for name in ("label", "udh", "error", "encoding"):
        del first[name]
    return json.dumps(fields, indent=1).encode()
