"""One tree of errors: drawn in full; each answers whether it was sent, pickles, copies, and speaks to people."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator

import pytest

from smswire import errors
from smswire.errors import Sent, SmswireError


def all_below(kind: type[SmswireError]) -> Iterator[type[SmswireError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from all_below(below)


KINDS = sorted(
    {kind for kind in all_below(SmswireError) if kind.__module__ == errors.__name__}, key=lambda k: k.__name__
)
OWN = {
    "InvalidParameter": {"parameter": "text", "rule": "must not be empty", "length": 0},
    "EncodeError": {"path": "$.a"},
    "DecodeError": {"offset": 7, "line": 1, "column": 8, "path": "$"},
    "Timeout": {"phase": "connecting"},
    "NetworkError": {"permanent": True},
    "ConnectError": {"failures": (("127.0.0.1:80", "refused"),), "permanent": False},
    "GatewayError": {"code": 900, "status": 200, "body": b"900", "answer": None},
}


def specimen(kind: type[SmswireError]) -> SmswireError:
    """One with every attribute set."""
    own = next((OWN[base.__name__] for base in kind.__mro__ if base.__name__ in OWN), {})
    context = {"sent": Sent.MAYBE, "host": "127.0.0.1:8443", "call": "POST /api/sms", "attempts": 2, "advice": "look"}
    return kind("it broke", **context, **own)


def test_the_tree_is_drawn_as_it_is() -> None:
    """Every class stands in the module's docstring, below its base."""
    assert errors.__doc__ is not None
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.split("\n"):
        found = re.match(r"    ([│ ├└─]*)([A-Z]\w+)", line)
        if found:
            depth = len(found[1])
            above = [(d, name) for d, name in above if d < depth]
            drawn[found[2]] = above[-1][1] if above else "Exception"
            above.append((depth, found[2]))
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_a_pickle_and_a_copy(kind: type[SmswireError]) -> None:
    """With everything it knows: a job queue carries it to another process."""
    error = specimen(kind)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is kind
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_where_whether_sent_and_what_to_do(kind: type[SmswireError]) -> None:
    """In one line."""
    text = str(specimen(kind))
    for part in ("it broke", "POST /api/sms to 127.0.0.1:8443", "may have been sent", "2 attempts", "look"):
        assert part in text
    assert "\n" not in text


def test_a_failed_connect_says_what_came_of_each_address() -> None:
    """Whoever reads a log sees whether it was refused or silent."""
    error = errors.ConnectError("no address", failures=(("127.0.0.1:1", "refused"), ("127.0.0.2:1", "no answer")))
    assert str(error) == "no address [127.0.0.1:1: refused; 127.0.0.2:1: no answer]"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_without_context_is_its_message(kind: type[SmswireError]) -> None:
    """And says NO, but for those about an answer: something was sent if it was answered."""
    error = kind("it broke")
    assert str(error) == "it broke"
    answers = (errors.ProtocolError, errors.GatewayError)
    assert error.sent is (Sent.MAYBE if issubclass(kind, answers) else Sent.NO)


def test_errors_are_also_what_the_standard_library_calls_them() -> None:
    """A handler for ValueError or TimeoutError catches ours."""
    assert issubclass(errors.Timeout, TimeoutError)
    for kind in (errors.ConfigurationError, errors.InvalidRequest, errors.EncodeError, errors.DecodeError):
        assert issubclass(kind, ValueError)
