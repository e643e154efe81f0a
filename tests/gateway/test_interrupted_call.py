"""An interrupt at every single point of a call: what the caller's ``Outcome`` says then is true."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from smswire import Gateway, Outcome, Sent, errors

from ..net.test_interrupts_everywhere import eager_pacer, interrupts
from .conftest import KEY, Scripted
from .test_client import TEXT, TO, http


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(("code", "sent"), [(b"100", Sent.YES), (b"900", Sent.NO)])
def test_an_interrupted_send_says_neither_more_nor_less_than_is_known(
    scripted: Callable[..., Scripted], code: bytes, sent: Sent
) -> None:
    """Never YES of what the code refuses, though its status is 200; never NO of what had arrived, but by the code."""
    server = scripted(http("200 OK", code))
    pacer = eager_pacer()
    seen = set()
    for interrupt in interrupts():
        with Gateway(KEY, base_url=server.url, pacer=pacer, max_connections=1) as gateway:
            outcome = Outcome()
            before = sum(map(bool, server.requests))

            def send(gateway: Gateway = gateway, outcome: Outcome = outcome) -> None:
                with suppress(errors.GatewayError):
                    gateway.sms(TO, TEXT, outcome=outcome)

            interrupt.run(send)
        arrived = sum(map(bool, server.requests)) > before
        seen.add(outcome.sent)
        assert outcome.sent in ((sent, Sent.MAYBE) if arrived else (Sent.NO, Sent.MAYBE)), interrupt.place
    assert {sent, Sent.MAYBE} <= seen
