"""Slack refuses, stalls or breaks at each call of a batch's life: the state is right all the same, and its card and thread catch up.

As for a single fix (`test_slack_faults`): a life is played once to learn its calls, then again for each of them and each way it can go wrong.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox import SlackStandIn
from tests.unit.handlers.batch_house import DOORS, batch_id_of, furnish, states
from tests.unit.handlers.house import House
from tests.unit.handlers.test_slack_faults import FAULTS, METHODS, a_house

ITEMS = DOORS[:2]
# Card and thread, and what came of it told twice (over, back); each edit; the look before the first reply.
CALLS = [
    ("chat.postMessage", 4),
    ("chat.update", 3),
    ("conversations.history", 0),
    ("conversations.replies", 1),
]
CASES = [(method, number) for method, times in CALLS for number in range(times)]
BUTTONS = ("batch_approve", "batch_changes", "batch_choose", "batch_reject")
REFUSED = {"error": "internal_error"}  # a plain `ok: false`


def live(house: House) -> None:
    """Ask, approve and put back; after each the card has caught up, whatever Slack did in between."""
    names = " ".join(door.handle for door in ITEMS)
    assert house.slack.command(user="ana", channel="#security", text=f"/playbook run CLOSE-DOORS {names}").ok
    house.work()
    check(house, "PENDING", "open", BUTTONS)
    assert house.slack.click("omar", house.card(), "batch_approve").ok
    house.work()
    check(house, "COMPLETED", "closed", ("batch_changes", "batch_rollback"))
    assert house.slack.click("priya", house.card(), "batch_rollback").ok
    house.work()
    check(house, "ROLLED_BACK", "open", ("batch_changes",))


def check(house: House, status: str, door: str, buttons: tuple[str, ...]) -> None:
    """Hold the state to what it would be without any fault, before and after Slack is back; then the one card and its thread to it."""
    assert_state(house, status, door)
    catch_up(house)
    if "could not be shown in full" in house.card().words and not house.slack.faults.are_open:
        redraw(house)  # words without buttons stand until the next change
    assert_state(house, status, door)
    assert len(house.cards()) == 1
    assert house.card().action_ids == buttons
    assert len(house.replies(house.card())) == (status != "PENDING")
    batch_id = batch_id_of(house.card())
    assert house.services.batches.card(batch_id).drawn_total == house.services.batches.members(batch_id).total
    assert house.services.batches.outdated(house.now) == []


def assert_state(house: House, status: str, door: str) -> None:
    assert states(house) == [status] * len(ITEMS)
    assert {house.board.switches[each.resource] for each in ITEMS} == {door}
    assert house.open_requests() == []


def catch_up(house: House) -> None:
    """Let a sweep draw what is behind, once all waits are over."""
    house.work_off()
    house.now += timedelta(hours=2)
    for batch_id in house.services.batches.outdated(house.now):
        house.hands.submit("batch", batch_id)
    house.work_off()


def redraw(house: House) -> None:
    """Let the next drawing happen that a change would bring."""
    card = house.services.batches.card(batch_id_of_only(house))
    house.services.batches.put_card(replace(card, drawn_total=0, attempted_total=0))
    catch_up(house)


def batch_id_of_only(house: House) -> str:
    (batch_id,) = {each.batch_id for each in house.services.executions.history(limit=9) if each.batch_id}
    return batch_id


def outcomes(house: House) -> list[str]:
    """Return what whoever asked was told of the end, in order."""
    said = [message.words for message in house.slack.messages("@ana")]
    return [
        word for words in said for word in ("2 fixed", "2 rolled back") if word in words and "card" in words
    ]


def test_the_life_of_a_batch(slack: SlackStandIn) -> None:
    with a_house(slack) as house:
        live(furnish(house, len(ITEMS)))
        assert outcomes(house) == ["2 fixed", "2 rolled back"]
    made = [call.method for call in slack.calls]
    assert [(method, made.count(method)) for method in METHODS] == CALLS


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*FAULTS, "ok false"])
@pytest.mark.parametrize(("method", "number"), CASES, ids=str)
def test_slack_fails_at(slack: SlackStandIn, fault: str, method: str, number: int) -> None:
    with a_house(slack) as house:
        furnish(house, len(ITEMS))
        slack.faults.add(method, after=number, **{"times": 1, **FAULTS.get(fault, REFUSED)})  # type: ignore[arg-type]
        live(house)
        assert not slack.faults.are_open, "nothing went wrong"
        told = outcomes(house)
        assert len(told) == len(set(told)), "told twice"
