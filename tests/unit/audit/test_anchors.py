"""Anchors show what a chain alone cannot: a tail that was cut, and a chain that was written anew."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.actor import Actor
from audit.anchors import Anchor, breaks_with_anchors, read_anchors
from audit.errors import InputError
from audit.trail import TrailEntry, TrailEvent, append, breaks

AT = datetime(2026, 2, 7, 10, 30, tzinfo=UTC)


def chain(length: int, *, word: str = "a") -> list[TrailEntry]:
    entries: list[TrailEntry] = []
    for number in range(length):
        event = TrailEvent(kind="test", actor=Actor(email=word), at=AT, subject=str(number))
        entries.append(append(entries[-1] if entries else None, event))
    return entries


@given(st.integers(1, 12), st.data())
def test_every_cut_before_an_anchor_shows_and_the_chain_alone_does_not_see_it(
    length: int, data: st.DataObject
) -> None:
    entries = chain(length)
    anchored = data.draw(st.integers(1, length))
    kept = data.draw(st.integers(0, length))
    found = list(breaks_with_anchors(entries[:kept], [Anchor.of(entries[anchored - 1])]))
    assert list(breaks(entries[:kept])) == []
    assert bool(found) == (kept < anchored)
    assert all("cut" in each.reason and each.seq == anchored for each in found)


def test_a_chain_written_anew_shows() -> None:
    anchors = [Anchor.of(entry) for entry in chain(5)]
    found = list(breaks_with_anchors(chain(5, word="b"), anchors[2:]))
    assert [each.seq for each in found] == [3, 4, 5]
    assert all("rewritten" in each.reason for each in found)


def test_two_anchors_of_one_place_cannot_both_hold() -> None:
    anchors = [Anchor.of(chain(3)[2]), Anchor.of(chain(3, word="b")[2])]
    assert [each.seq for each in breaks_with_anchors(chain(3), anchors)] == [3]


def test_a_break_and_an_anchor_are_both_told() -> None:
    entries = chain(4)
    del entries[1]
    found = list(breaks_with_anchors(entries, [Anchor(9, bytes(32))]))
    assert {each.seq for each in found} == {3, 9}


def test_anchors_are_read_from_our_file_a_message_or_as_they_are() -> None:
    anchor = Anchor.of(chain(1)[0])
    for text in (anchor.to_line(AT), f"Trail head `{anchor}` noted", str(anchor)):
        assert read_anchors(text) == [anchor]


@pytest.mark.parametrize("text", ["", "12:abc", "head: 7", f"1:{'g' * 64}"])
def test_a_text_without_an_anchor_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no anchor"):
        read_anchors(text)
