"""The demonstration's material and its judge."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smswire.cli.columns import COLUMNS
from smswire.cli.trial import SHARED_TEXT, Sent, judge, messages, peak, table

from .reading import read

TIMES = st.lists(st.integers(0, 40).map(lambda n: n / 8), max_size=30)


@given(TIMES)
def test_the_peak_is_that_of_the_fullest_half_open_second(times):
    """No second that begins at any of the times holds more, whatever the order they come in."""
    assert peak(times) == max((sum(start <= time < start + 1 for time in times) for start in times), default=0)


def test_a_second_is_half_open():
    """What happens exactly one second later is in the next second."""
    assert peak([0.0, 1.0, 2.0]) == 1
    assert peak([0.0, 0.999, 1.0]) == 2


def test_the_material_is_what_it_says():
    """Always the same; recipients all different; a third shares one text and the other texts are all different."""
    sent = messages(3000)
    assert sent == messages(3000)
    assert len({message.to for message in sent}) == 3000
    assert sum(message.text == SHARED_TEXT for message in sent) == 1000
    assert len({message.text for message in sent}) == 2001
    assert max(len(message.text) for message in sent) == 1520
    everything = "".join(message.text for message in sent)
    assert all(awkward in everything for awkward in "äöüß😀+&=%\n\r\"';,\t")


def test_the_file_reads_back_exactly():
    """The table written is the messages, to the last byte."""
    sent = messages(500)
    assert [Sent(**row.cells) for row in read(table(sent), COLUMNS)] == sent


@st.composite
def runs(draw):
    """What was sent and received, and the verdict that must come of it."""
    sent = [Sent(str(number), "text") for number in range(draw(st.integers(0, 12)))]
    received, not_sent = [], set()
    lost = duplicated = altered = misreported = 0
    for message in sent:
        times = draw(st.integers(0, 3))
        said_not_sent = draw(st.booleans())
        if said_not_sent:
            not_sent.add(message.to)
        lost += times == 0 and not said_not_sent
        misreported += times > 0 and said_not_sent
        duplicated += max(0, times - 1)
        for _ in range(times):
            changed = draw(st.booleans())
            altered += changed
            received.append(message._replace(text="other") if changed else message)
    for number in range(draw(st.integers(0, 3))):
        altered += 1
        received.append(Sent(f"stranger {number}", "text"))
    return sent, draw(st.permutations(received)), not_sent, (lost, duplicated, altered, misreported)


@given(runs())
def test_the_judge_counts_every_kind_of_fault(run):
    """Lost, twice, altered, misreported: each is counted for itself, in any order of arrival."""
    sent, received, not_sent, verdict = run
    assert judge(sent, received, not_sent) == verdict
