"""Slack refuses, stalls, breaks or is late at each call of a batch's life: the state is right all the same, and its card and thread catch up."""

from functools import partial

import pytest

from bot.sandbox import SlackStandIn
from tests.unit.handlers.batch_house import DOORS, batch_id_of, furnish, states
from tests.unit.handlers.house import House
from tests.unit.handlers.slack_lives import Life, check, play, play_broken

ITEMS = DOORS[:2]
BUTTONS = ("batch_approve", "batch_changes", "batch_choose", "batch_reject")


def live(house: House) -> None:
    """Ask, approve and put back; after each the card has caught up, whatever Slack did in between."""
    furnish(house, len(ITEMS))
    names = " ".join(door.handle for door in ITEMS)
    assert house.slack.command(user="ana", channel="#security", text=f"/playbook run CLOSE-DOORS {names}").ok
    house.work()
    look(house, "PENDING", "open", BUTTONS)
    assert house.slack.click("omar", house.card(), "batch_approve").ok
    house.work()
    look(house, "COMPLETED", "closed", ("batch_changes", "batch_rollback"))
    assert house.slack.click("priya", house.card(), "batch_rollback").ok
    house.work()
    look(house, "ROLLED_BACK", "open", ("batch_changes",))


def look(house: House, status: str, door: str, buttons: tuple[str, ...]) -> None:
    check(house, partial(hold, house, status, door), buttons)
    assert len(house.cards()) == 1
    assert len(house.replies(house.card())) == (status != "PENDING")
    batch_id = batch_id_of(house.card())
    assert house.services.batches.card(batch_id).drawn_total == house.services.batches.members(batch_id).total


def hold(house: House, status: str, door: str) -> None:
    assert states(house) == [status] * len(ITEMS)
    assert {house.board.switches[each.resource] for each in ITEMS} == {door}
    assert house.open_requests() == []


def outcomes(house: House) -> list[str]:
    """Return what whoever asked was told of the end, in order."""
    said = [message.words for message in house.slack.messages("@ana")]
    return [
        word for words in said for word in ("2 fixed", "2 rolled back") if word in words and "card" in words
    ]


# Card and thread, and what came of it told twice (over, back); each edit; the look before the first reply.
LIFE = Life(live, (4, 3, 0, 1))


def test_the_life_of_a_batch(slack: SlackStandIn) -> None:
    assert outcomes(play(slack, LIFE)) == ["2 fixed", "2 rolled back"]


@pytest.mark.slow
@pytest.mark.parametrize(("life", "method", "number", "fault"), LIFE.cases("batch"))
def test_slack_fails_at(slack: SlackStandIn, life: Life, method: str, number: int, fault: str) -> None:
    told = outcomes(play_broken(slack, life, fault, at=(method, number)))
    assert len(told) == len(set(told)), "told twice"
