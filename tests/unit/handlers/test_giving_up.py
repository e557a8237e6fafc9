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


def undecided(make_house: MakeHouse, **parts: object) -> House:
    """Return a house where nobody decided in time, and the place that is to hear of it is none."""
    house: House = make_house(
        attention=Attention(escalate_to=(NOWHERE,)), channel="C0GENERAL", stores=stores_in_memory(), **parts
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
    began = house.now
    try_until_the_end(house)
    tried = [*house.slack.calls_of("chat.postMessage"), *house.slack.calls_of("conversations.history")]
    assert len([call for call in tried if call.args.get("channel") == NOWHERE]) == MOST_NOTICE_ATTEMPTS
    assert timedelta(hours=20) < house.now - began < timedelta(hours=48)
    assert given_up(house) == []
    assert house.services.herald.due(house.now), "not given up yet, and not forgotten"

    tell(house)
    (name,) = given_up(house)
    assert name.startswith("escalation:")
    assert name.endswith(NOWHERE)
    assert "could not be told in <#C0NOWHERE>" in house.cards("#general")[-1].text
    assert "could not be told" in house.slack.messages("@ana")[-1].text
    assert house.services.herald.due(house.now) == []
    house.now += timedelta(hours=2)
    tell(house)
    assert len(given_up(house)) == 1


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
    try_until_the_end(house, attempts=8)
    assert given_up(house) == []
    assert house.services.herald.due(house.now)
