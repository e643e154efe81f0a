"""The standards' own steps and grammars for percent-encoding and forms, byte by byte: witness of the fast ways."""

from __future__ import annotations

HEX_DIGITS = b"0123456789abcdefABCDEF"
FORM_SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._"


def encode_byte_by_byte(data: bytes, safe: str) -> str:
    """The plain twin: RFC 3986 section 2.1, one byte at a time."""
    return "".join(chr(byte) if byte in safe.encode() else f"%{byte:02X}" for byte in data)


def decode_byte_by_byte(data: bytes) -> bytes:
    """The plain twin of WHATWG's "percent-decode"."""
    out = bytearray()
    at = 0
    while at < len(data):
        if data[at] == 0x25 and at + 2 < len(data) and data[at + 1] in HEX_DIGITS and data[at + 2] in HEX_DIGITS:
            out.append(int(data[at + 1 : at + 3], 16))
            at += 3
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


def serialize_step_by_step(pairs: list[tuple[str, str]]) -> bytes:
    """WHATWG URL section 5.2, the serializer."""

    def escape(byte: int) -> bytes:
        if byte == 0x20:
            return b"+"
        return bytes((byte,)) if byte in FORM_SAFE else b"%%%02X" % byte

    def one(text: str) -> bytes:
        return b"".join(map(escape, text.encode()))

    return b"&".join(one(name) + b"=" + one(value) for name, value in pairs)


def parse_step_by_step(body: bytes) -> list[tuple[str, str]]:
    """WHATWG URL section 5.1, the parser."""

    def read(part: bytes) -> str:
        return decode_byte_by_byte(part.replace(b"+", b" ")).decode("utf-8", "replace")

    pairs = []
    for sequence in body.split(b"&"):
        if sequence:
            at = sequence.find(b"=")
            name, value = (sequence, b"") if at < 0 else (sequence[:at], sequence[at + 1 :])
            pairs.append((read(name), read(value)))
    return pairs


def in_percent_grammar(text: str, safe: str) -> bool:
    """RFC 3986 section 2.1: safe characters and pct-encoded = "%" HEXDIG HEXDIG, here in upper case, and never of a
    character that is safe."""
    at = 0
    while at < len(text):
        if text[at] == "%":
            digits = text[at + 1 : at + 3]
            if len(digits) < 2 or not set(digits) <= set("0123456789ABCDEF") or chr(int(digits, 16)) in safe:
                return False
            at += 3
        elif text[at] in safe:
            at += 1
        else:
            return False
    return True


def in_form_grammar(body: bytes) -> bool:
    """What WHATWG's serializer can write: its own characters, "+" for a space, no empty field, one "=" in each."""
    fields = body.decode("ascii").split("&") if body else []
    return all(
        field.count("=") == 1
        and all(in_percent_grammar(part.replace("+", ""), FORM_SAFE.decode()) for part in field.split("="))
        and "%20" not in field
        for field in fields
    )
