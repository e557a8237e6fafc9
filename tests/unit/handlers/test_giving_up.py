"""What cannot be told has a definite end: after about a day somebody else hears that it could not be told."""

from datetime import timedelta

import orjson
import pytest

from remediation.attention import Attention
from remediation.ports import MOST_NOTICE_ATTEMPTS, notice_wait
from tests.databases import stores_in_memory
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import House
from tests.unit.handlers.test_exceptions import tell

NOWHERE = "C0NOWHERE"


def given_up(house: House) -> list[str]:
    events = [orjson.loads(entry.body) for entry in house.stores.trail.stream()]
    return [event["detail"]["notice"] for event in events if event["kind"] == "notice.given_up"]


def undecided(make_house: MakeHouse, place: str = "C0SECURITY") -> House:
    """Return a house where nobody decided in time, and a place is to hear of it."""
    house: House = make_house(
        attention=Attention(escalate_to=(place,)), channel="C0GENERAL", stores=stores_in_memory()
    )
    house.ask()
    house.now += timedelta(hours=25)
    house.services.remediation.expire(house.execution())
    house.work_off()
    return house


def try_until_the_end(house: House, *, attempts: int = MOST_NOTICE_ATTEMPTS) -> None:
    for number in range(1, attempts + 1):
        tell(house)
        house.now += notice_wait(number)


def test_after_a_day_somebody_else_hears_of_it_and_it_is_on_the_trail(make_house: MakeHouse) -> None:
    house = undecided(make_house)
    house.slack.faults.add("chat.postMessage", times=MOST_NOTICE_ATTEMPTS, status=503)
    began = house.now
    try_until_the_end(house)
    assert not house.slack.faults.are_open, "it was tried each time"
    assert timedelta(hours=20) < house.now - began < timedelta(hours=48)
    assert given_up(house) == []
    assert house.services.herald.due(house.now), "not given up yet, and not forgotten"

    tell(house)
    (name,) = given_up(house)
    assert name.startswith("escalation:")
    assert name.endswith("C0SECURITY")
    assert "could not be told in <#C0SECURITY>" in house.cards("#general")[-1].text
    assert "could not be told" in house.slack.messages("@ana")[-1].text
    assert house.services.herald.due(house.now) == []
    house.now += timedelta(hours=2)
    tell(house)
    assert len(given_up(house)) == 1


def test_where_slack_refuses_somebody_else_hears_of_it_at_once_and_what_it_was(make_house: MakeHouse) -> None:
    house = undecided(make_house, NOWHERE)
    tell(house)
    (name,) = given_up(house)
    assert name.endswith(NOWHERE)
    told = house.cards("#general")[-1].text
    assert "could not be told in <#C0NOWHERE>: I cannot see this channel" in told
    assert "Nobody decided in time on Close the door" in told
    assert "could not be told" in house.slack.messages("@ana")[-1].text
    assert house.services.herald.due(house.now) == []


def test_where_slack_is_away_for_that_too_it_is_said_later_and_once(make_house: MakeHouse) -> None:
    house = undecided(make_house, NOWHERE)
    before = len(house.cards("#general"))
    house.slack.faults.add("chat.postMessage", times=1, error="channel_not_found")
    house.slack.faults.add("chat.postMessage", times=2, status=503)
    tell(house)
    assert not house.slack.faults.are_open
    assert given_up(house) == []
    house.now += notice_wait(1)
    tell(house)
    assert len(given_up(house)) == 1
    assert len(house.cards("#general")) == before + 1


def test_what_breaks_in_our_own_hands_ends_too(make_house: MakeHouse) -> None:
    """A notice about something that is gone cannot even be worded."""
    house = make_house(channel="C0GENERAL", stores=stores_in_memory())
    notice = "escalation:x-gone:C0SECURITY"
    for number in range(1, MOST_NOTICE_ATTEMPTS + 1):
        with pytest.raises(Exception, match="no execution"):
            house.do("notice", notice)
        house.now += notice_wait(number)
    house.do("notice", notice)
    assert given_up(house) == [notice]
    assert house.stores.notices.untold([notice]) == []
    assert "x-gone" in house.cards("#general")[-1].text


def test_a_slack_that_is_away_for_hours_loses_nothing(make_house: MakeHouse) -> None:
    house = undecided(make_house)
    house.slack.faults.add("chat.postMessage", times=8, status=503)
    try_until_the_end(house, attempts=8)
    assert not house.slack.faults.are_open
    assert given_up(house) == []
    assert house.services.herald.due(house.now)
