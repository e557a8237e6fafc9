"""Whoever asked is told what came of it, once, in our conversation with them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk import WebClient

from audit.actor import Actor
from bot.sandbox import Message
from handlers.blocks.outcome import build_outcome
from handlers.outcomes import TRY_AGAIN_AFTER
from remediation.audience import OUTCOMES
from remediation.states import PlaybookStatus
from tests.unit.handlers import cards
from tests.unit.handlers.golden import check_golden
from tests.unit.handlers.house import House


@pytest.mark.parametrize(
    "status", sorted(OUTCOMES, key=lambda each: each.value), ids=lambda status: status.value.lower()
)
def test_on_file(status: PlaybookStatus) -> None:
    check_golden(f"outcome_{status.value.lower()}", build_outcome(cards.in_state(status)))


def told(house: House, user: str = "ana") -> list[Message]:
    return list(house.slack.messages(f"@{user}"))


def test_once_however_often_it_is_drawn(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    assert len(told(house)) == 1
    assert "Fixed: Close the door" in told(house)[0].text
    assert "<@U0OMAR>" in told(house)[0].words
    for _ in range(3):
        house.services.remediation.notifier.changed(house.execution().execution_id)
        house.work()
    assert len(told(house)) == 1


def test_nothing_while_it_is_under_way(house: House) -> None:
    house.ask()
    assert told(house) == []


def test_each_outcome_for_itself(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    house.click("omar", house.card(), "rollback")
    assert [message.text.split(":")[0] for message in told(house)] == ["Fixed", "Rolled back"]


def test_a_rejection_with_its_reason_escaped(house: House) -> None:
    house.ask()
    name = house.execution().execution_id
    house.command("omar", f"/playbook reject {name} ask <!channel> first")
    assert "ask &lt;!channel&gt; first" in told(house)[0].words


def test_not_those_who_ended_it_themselves(house: House) -> None:
    house.ask()
    house.command("ana", f"/playbook reject {house.execution().execution_id} my mistake")
    assert told(house) == []


def test_not_somebody_at_a_shell(house: House) -> None:
    house.ask()
    one = replace(house.execution(), requester=Actor(email="a@b.example", origin="cli"))
    house.stores.executions.by_id[one.execution_id] = one
    house.click("omar", house.card(), "approve")
    assert house.slack.calls_of("chat.postMessage")
    assert told(house) == []


def test_what_needed_no_change_was_answered_at_once(house: House) -> None:
    house.board.switches["door"] = "closed"
    house.ingest()
    house.command("ana", "/playbook run CLOSE-DOOR F-1")
    assert house.execution().status is PlaybookStatus.COMPLETED
    assert told(house) == []


def finished_while(house: House, fault: str, **how: object) -> None:
    """Let the fix run, and let Slack refuse the message to the requester alone."""
    card = house.ask()
    assert house.slack.click("omar", card, "approve").ok
    house.work_but("tell")
    house.slack.faults.add("chat.postMessage", **({"error": fault} if fault else how))  # type: ignore[arg-type]
    house.do("tell", house.execution().execution_id)


@pytest.mark.parametrize(
    "how",
    [
        {"error": "internal_error"},
        {"error": "token_revoked"},
        {"status": 503},
        {"status": 502, "page": "<html>Bad Gateway</html>"},
    ],
    ids=str,
)
def test_what_slack_certainly_did_not_take_is_told_later(house: House, how: dict[str, object]) -> None:
    finished_while(house, "", **how)
    name = house.execution().execution_id
    assert house.stores.outcomes.untold(house.now) == []
    house.now += TRY_AGAIN_AFTER
    assert house.stores.outcomes.untold(house.now) == [name]
    house.do("tell", name)
    assert len(told(house)) == 1
    assert house.stores.outcomes.untold(house.now + timedelta(days=1)) == []


def test_what_never_left_this_machine_is_told_later(house: House) -> None:
    card = house.ask()
    assert house.slack.click("omar", card, "approve").ok
    house.work_but("tell")
    name, client = house.execution().execution_id, house.services.client
    nowhere = WebClient(client.token, base_url="http://slack.invalid/api/", timeout=5, retry_handlers=[])
    house.services = replace(house.services, client=nowhere)
    house.do("tell", name)
    house.services = replace(house.services, client=client)
    house.now += TRY_AGAIN_AFTER
    assert house.stores.outcomes.untold(house.now) == [name]
    house.do("tell", name)
    assert len(told(house)) == 1


def test_what_may_have_arrived_is_not_told_twice(house: House) -> None:
    finished_while(house, "", drop_after=True)
    house.now += TRY_AGAIN_AFTER
    assert house.stores.outcomes.untold(house.now) == []
    house.do("tell", house.execution().execution_id)
    assert len(told(house)) == 1
