"""The chain: whatever is edited, dropped, repeated or moved shows; the format stays as it was frozen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.actor import POLICY, Actor
from audit.errors import InputError
from audit.trail import GENESIS, TrailEntry, TrailEvent, append, breaks, link

AT = datetime(2026, 2, 7, 10, 30, tzinfo=UTC)
EVENTS = st.builds(
    TrailEvent,
    kind=st.sampled_from(["execution.approved", "report.ingested"]),
    actor=st.builds(Actor, slack_id=st.sampled_from(["U1", "U2"]), workspace=st.just("T1")),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    subject=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    detail=st.dictionaries(st.sampled_from(["reason", "digest"]), st.integers(0, 9) | st.booleans()),
)


def chain(events: list[TrailEvent]) -> list[TrailEntry]:
    entries: list[TrailEntry] = []
    for event in events:
        entries.append(append(entries[-1] if entries else None, event))
    return entries


CHAINS = st.lists(EVENTS, min_size=1, max_size=6).map(chain)
LONG_CHAINS = st.lists(EVENTS, min_size=2, max_size=6).map(chain)


@given(st.lists(EVENTS, max_size=6).map(chain))
def test_an_honest_chain_holds(entries: list[TrailEntry]) -> None:
    assert list(breaks(entries)) == []


@given(CHAINS, st.data())
def test_any_flipped_bit_shows(entries: list[TrailEntry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    parts = [entries[place].body, entries[place].previous_hash, entries[place].entry_hash]
    part = data.draw(st.integers(0, len(parts) - 1))
    content = bytearray(parts[part])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[part] = bytes(content)
    entries[place] = TrailEntry(entries[place].seq, *parts)
    assert list(breaks(entries))


@given(CHAINS, st.data())
def test_a_wrong_number_shows(entries: list[TrailEntry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    entries[place] = replace(
        entries[place], seq=data.draw(st.integers(-9, 99).filter(lambda n: n != place + 1))
    )
    assert list(breaks(entries))


@given(LONG_CHAINS, st.data())
def test_a_dropped_entry_shows_unless_it_was_the_last(entries: list[TrailEntry], data: st.DataObject) -> None:
    del entries[data.draw(st.integers(0, len(entries) - 2))]
    assert list(breaks(entries))


@given(LONG_CHAINS, st.data())
def test_another_order_shows(entries: list[TrailEntry], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(entries))
    assume(moved != entries)
    assert list(breaks(moved))


@given(CHAINS, st.data())
def test_a_repeated_entry_shows(entries: list[TrailEntry], data: st.DataObject) -> None:
    entries.insert(data.draw(st.integers(0, len(entries))), data.draw(st.sampled_from(entries)))
    assert list(breaks(entries))


@given(LONG_CHAINS, EVENTS, st.data())
def test_a_rewritten_entry_with_a_fitting_hash_shows_at_its_successor(
    entries: list[TrailEntry], event: TrailEvent, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    old = entries[place]
    assume(event.to_bytes() != old.body)
    body = event.to_bytes()
    entries[place] = TrailEntry(old.seq, body, old.previous_hash, link(old.previous_hash, body))
    assert [found.seq for found in breaks(entries)] == [old.seq + 1]


def test_a_gap_is_one_break_not_one_per_entry_after_it() -> None:
    entries = chain([event(f"E{n}") for n in range(6)])
    assert {found.seq for found in breaks(entries[:2] + entries[3:])} == {4}


def test_a_cut_at_the_end_is_left_to_the_anchor() -> None:
    assert list(breaks(chain([event("E1"), event("E2")])[:-1])) == []


def event(subject: str = "E1") -> TrailEvent:
    approver = Actor(workspace="T1", slack_id="U1", email="ann@example.com")
    return TrailEvent(kind="execution.approved", actor=approver, at=AT, subject=subject, detail={"n": 1})


def test_the_format_is_frozen() -> None:
    first, second = chain([event(), replace(event("E2"), actor=POLICY, detail={})])
    assert first.body == (
        b'{"actor":{"email":"ann@example.com","origin":"slack","slack_id":"U1","workspace":"T1"},'
        b'"at":"2026-02-07T10:30:00.000000+00:00","detail":{"n":1},"kind":"execution.approved","subject":"E1","v":1}'
    )
    assert (first.seq, first.previous_hash) == (1, GENESIS)
    assert first.entry_hash.hex() == "209b4a0c191cb5ba2234ab76b59120358f4387417bfb40148c4ca994c4110f3d"
    assert (second.seq, second.previous_hash) == (2, first.entry_hash)
    assert second.entry_hash.hex() == "5b7cbcbea06b98ac65a738d0c390a24bd946d3ea7afc1a81e4b4255fccf90210"


def test_each_link_names_the_one_before() -> None:
    entries = chain([event(f"E{n}") for n in range(5)])
    assert all(later.previous_hash == earlier.entry_hash for earlier, later in pairwise(entries))


def test_the_same_instant_has_the_same_bytes_in_every_zone() -> None:
    abroad = AT.astimezone(timezone(timedelta(hours=-7)))
    assert replace(event(), at=abroad).to_bytes() == event().to_bytes()


def test_a_detail_without_canonical_form_is_refused() -> None:
    with pytest.raises(InputError):
        replace(event(), detail={"share": 0.5}).to_bytes()


def test_an_event_without_a_zone_is_refused() -> None:
    event = TrailEvent(kind="x", actor=Actor(origin="cli"), at=datetime(2026, 11, 24), subject="s")  # noqa: DTZ001
    with pytest.raises(InputError, match="zone"):
        event.to_bytes()
