"""The table of what an outcome means, row by row, and how long to wait before the next attempt."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.errors import (
    CertificateError,
    Closed,
    ConfigurationError,
    ConnectError,
    ConnectionEnded,
    EncodeError,
    InvalidParameter,
    InvalidRequest,
    NetworkError,
    PoolFull,
    ProtocolError,
    ResolutionError,
    Sent,
    Timeout,
    TLSError,
)
from smswire.flow.retry import Outcome, Verdict, backoff, judge_failure, judge_response, judge_status, retry_after
from smswire.wire.message import Headers, Response

BOOLS = (False, True)

# Would not fail in the same way a second time, so far as anybody can tell.
MAY_PASS = [
    NetworkError("x"),
    ConnectError("x"),
    ConnectionEnded("x"),
    ResolutionError("x"),
    TLSError("x"),
    PoolFull("x"),
    ProtocolError("x"),
]
FAIL_AGAIN = [
    CertificateError("x", permanent=True),
    ResolutionError("x", permanent=True),
    TLSError("x", permanent=True),
    NetworkError("x", permanent=True),
    ConfigurationError("x"),
    InvalidRequest("x"),
    InvalidParameter("x"),
    EncodeError("x"),
    Closed("x"),
    Timeout("x"),
]


def expected_of_status(status: int, *, reusable: bool, repeatable: bool) -> tuple[Sent, bool]:
    """The rows of the table that speak of a complete final response."""
    if 200 <= status <= 299:
        return Sent.YES, False
    if status in (421, 425, 429):
        return Sent.NO, True
    if status == 408:
        return Sent.NO, not reusable
    if 400 <= status <= 499:
        return Sent.NO, False
    # A 3xx is MAYBE too, but the same request would be redirected in the same way.
    return Sent.MAYBE, repeatable and status >= 500


@pytest.mark.parametrize(("reusable", "repeatable"), list(product(BOOLS, BOOLS)))
def test_every_status_has_its_row(reusable, repeatable):
    """Status, whether the server keeps the connection, and the caller's word decide: nothing else does."""
    for status in range(100, 600):
        verdict = judge_response(Response(status), reusable=reusable, repeatable=repeatable)
        expected = expected_of_status(status, reusable=reusable, repeatable=repeatable)
        assert (verdict.sent, verdict.again) == expected, status
        assert verdict.delay is None


@pytest.mark.parametrize("status", range(100, 600))
def test_an_answer_that_may_have_been_acted_on_is_never_tried_again_unasked(status):
    """Without the caller's word only a status that says NO leads to another attempt."""
    verdict = judge_response(Response(status), reusable=True, repeatable=False)
    assert verdict.sent is judge_status(status)
    assert not verdict.again or verdict.sent is Sent.NO


@pytest.mark.parametrize(("status", "asked"), [(429, True), (503, False), (421, True), (404, False), (200, False)])
def test_retry_after_counts_only_where_there_is_another_attempt(status, asked):
    """A 503 with Retry-After is no refusal: caches put it on a back end that was slow."""
    verdict = judge_response(Response(status, [("Retry-After", "7")]), reusable=True, repeatable=False)
    assert verdict.delay == (7.0 if asked else None)
    assert verdict.again is asked


def test_a_repeatable_503_waits_as_long_as_it_asks():
    """With the caller's word a 503 is tried again, and its Retry-After is minded."""
    response = Response(503, [("retry-after", "3")])
    assert judge_response(response, reusable=False, repeatable=True) == Verdict(Sent.MAYBE, True, 3.0)


@pytest.mark.parametrize("repeatable", BOOLS)
@pytest.mark.parametrize("error", MAY_PASS, ids=lambda error: type(error).__name__)
def test_what_handed_nothing_is_tried_again(error, repeatable):
    """Nothing left: it is NO, whatever the error's class is otherwise taken for, and another attempt may pass."""
    assert judge_failure(error, handed=False, repeatable=repeatable) == Verdict(Sent.NO, True)


@pytest.mark.parametrize("repeatable", BOOLS)
@pytest.mark.parametrize("error", MAY_PASS, ids=lambda error: type(error).__name__)
def test_what_handed_a_byte_is_tried_again_only_on_the_callers_word(error, repeatable):
    """A byte left and no complete answer came: it is MAYBE."""
    assert judge_failure(error, handed=True, repeatable=repeatable) == Verdict(Sent.MAYBE, repeatable)


@pytest.mark.parametrize(("handed", "repeatable"), list(product(BOOLS, BOOLS)))
@pytest.mark.parametrize("error", FAIL_AGAIN, ids=lambda error: f"{type(error).__name__}")
def test_what_would_fail_again_is_never_tried_again(error, handed, repeatable):
    """The caller's word does not mend a certificate, a name, a request, a closed client or a deadline."""
    verdict = judge_failure(error, handed=handed, repeatable=repeatable)
    assert verdict == Verdict(Sent.MAYBE if handed else Sent.NO, False)


@given(st.integers(1, 12), st.floats(0, 1, exclude_max=True))
def test_backoff_doubles_and_is_spread_over_half_of_its_span(attempt, draw):
    """After failed attempt n it is between 2**n sixteenths and eighths of a second."""
    span = 0.25 * 2 ** (attempt - 1)
    assert span / 2 <= backoff(attempt, draw) <= span
    assert backoff(attempt, 0.0) == span / 2
    assert backoff(attempt + 1, draw) == 2 * backoff(attempt, draw)


@given(st.integers(0, 999_999))
def test_retry_after_is_whole_seconds(seconds):
    """A number of seconds is taken as it is, under any spelling of the field's name."""
    assert retry_after(Headers([("RETRY-after", str(seconds))])) == float(seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "1_0",
        "0x10",
        "1 2",
        "1,2",
        "1000000",
        "9" * 400,
        "\u0661",
        "\u00b2",
        "inf",
        "nan",
        "Fri, 31 Dec 1999 23:59:59 GMT",
    ],
)
def test_a_retry_after_that_is_no_count_of_seconds_is_as_none(value):
    """Dates, signs, fractions, other digits and absurd lengths leave the wait to the backoff."""
    assert retry_after(Headers([("Retry-After", value)])) is None


@given(st.text(max_size=12))
@example("\u00b9")
def test_no_text_makes_retry_after_fail(text):
    """Whatever the server writes there, it is either a wait in [0, 999999] or nothing."""
    seconds = retry_after(Headers([("Retry-After", text)]))
    assert seconds is None or (0 <= seconds <= 999_999 and seconds == int(text))


def test_no_retry_after_is_none():
    """Without the field nothing is asked for."""
    assert retry_after(Headers([("Date", "7")])) is None


def test_an_outcome_says_how_the_call_stood():
    """It starts at NO with nothing tried, and its repr names all three of its parts."""
    outcome = Outcome()
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.NO, 0, None)
    assert repr(outcome) == "<Outcome sent=NO attempts=0 status=None>"
