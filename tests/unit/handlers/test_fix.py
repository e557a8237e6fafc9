"""The fix, from the command to the rollback, through real signed requests."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler

from remediation.policy import Policy
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, DOOR, House


def test_from_request_to_rollback(house: House) -> None:
    card = house.ask()
    assert card.action_ids == ("approve", "reject")
    assert "<@U0ANA>" in card.words

    house.click("omar", card, "approve")
    assert house.board.switches == {"door": "closed"}
    assert [done.ts for done in house.cards()] == [card.ts], "updated in place"
    assert "Approved by <@U0OMAR>" in house.card().words
    assert house.card().action_ids == ("rollback",)
    assert ["Done and verified" in reply.words for reply in house.replies(card)] == [True]

    house.click("priya", house.card(), "rollback")
    assert house.board.switches == {"door": "open"}
    assert "Everything is as it was before" in house.card().words
    assert house.card().action_ids == ()
    assert len(house.replies(card)) == 1, "one reply, edited"


@pytest.mark.parametrize("call", ["read", "before write"])
def test_who_asks_again_during_a_run_is_told_where_its_card_is_and_the_card_ends_right(
    house: House, call: str
) -> None:
    card = house.ask()
    house.slack.click("omar", card, "approve")
    house.work_but("run")
    command = f"/playbook run CLOSE-DOOR {DOOR.handle}"

    def ask_again() -> None:
        if house.execution().status is PlaybookStatus.RUNNING:
            house.board.faults.clear()
            house.command("otto", command, channel="#general")

    house.board.faults[call] = ask_again
    house.do("run", house.execution().execution_id)
    house.work_off()
    assert "is under way" in house.whisper("otto", "#general").words
    assert "<#C0SECURITY>" in house.whisper("otto", "#general").words
    assert house.execution().status is PlaybookStatus.COMPLETED
    assert [each.ts for each in house.cards()] == [card.ts]
    assert house.card().action_ids == ("rollback",)
    assert ["Done and verified" in reply.words for reply in house.replies(card)] == [True]


def test_the_requester_may_not_approve_and_learns_why(house: House) -> None:
    card = house.ask()
    house.click("ana", card, "approve")
    assert "somebody else has to approve" in house.whisper("ana").text
    assert house.execution().status is PlaybookStatus.PENDING
    assert house.card().action_ids == ("approve", "reject")


def test_an_outsider_may_not_approve_and_sees_who_may(house: House) -> None:
    card = house.ask()
    house.click("otto", card, "approve")
    assert "<!subteam^S0SEC>" in house.whisper("otto").text
    assert house.execution().status is PlaybookStatus.PENDING


@pytest.mark.parametrize("person", ["gia", "stan"])
def test_guests_and_strangers_may_not_approve(make_house: MakeHouse, person: str) -> None:
    house = make_house(policy=Policy(anyone_else_may_approve=True))
    card = house.ask()
    house.click(person, card, "approve")
    assert "Only full members" in house.whisper(person).text
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_late_click_is_answered_privately(house: House) -> None:
    card = house.ask()
    house.click("omar", card, "approve")
    stale = replace(card, blocks=card.blocks)
    with house.slack.state.change():
        house.slack.state.messages.edit(stale.channel, stale.ts, blocks=stale.blocks)
    house.click("priya", stale, "approve")
    assert "already ran (decided by <@U0OMAR>)" in house.whisper("priya").text


def test_a_late_click_redraws_a_card_that_slack_had_not_taken(house: House) -> None:
    card = house.ask()
    house.slack.faults.add("chat.update", times=50, error="internal_error")
    house.click("omar", card, "approve")
    assert house.card().action_ids == ("approve", "reject"), "the card is behind"
    house.slack.faults.clear()
    house.click("priya", house.card(), "approve")
    assert house.card().action_ids == ("rollback",)


def test_a_rejection_needs_a_reason_that_stands_on_the_card(house: House) -> None:
    card = house.ask()
    house.slack.click("omar", card, "reject")
    form = house.window("omar")
    refused = house.slack.submit_view("omar", form, {"reason": "     "})
    assert "Say why" in refused.errors["reason"]
    assert house.slack.submit_view("omar", form, {"reason": "The shop is <open> & busy"}).accepted
    house.work()
    assert house.execution().status is PlaybookStatus.REJECTED
    assert "Rejected by <@U0OMAR>" in house.card().words
    assert "The shop is &lt;open&gt; &amp; busy" in house.card().words
    assert house.board.switches == {"door": "open"}


def test_an_outsiders_rejection_is_refused_privately(house: House) -> None:
    card = house.ask()
    house.slack.click("otto", card, "reject")
    house.slack.submit_view("otto", house.window("otto"), {"reason": "because"})
    house.work()
    assert "not among the approvers" in house.whisper("otto").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_form_slack_does_not_open_is_said(house: House) -> None:
    card = house.ask()
    house.slack.faults.add("views.open", error="expired_trigger_id")
    assert house.slack.click("omar", card, "reject").ok
    assert "Click once more" in house.told("omar").text


def test_drift_between_card_and_approval_runs_nothing(house: House) -> None:
    card = house.ask()
    house.board.switches["door"] = "ajar"
    house.click("omar", card, "approve")
    assert house.board.switches == {"door": "ajar"}
    old, new = house.cards()
    assert "A newer card shows what changed" in old.words
    assert old.action_ids == ()
    assert "open → ajar" in new.words
    assert new.action_ids == ("approve", "reject")
    assert [("nothing ran" in reply.words) for reply in house.replies(card)] in ([], [True])

    house.click("priya", new, "approve")
    assert house.board.switches == {"door": "closed"}


def test_a_click_on_a_superseded_card_is_refused(house: House) -> None:
    card = house.ask()
    house.board.switches["door"] = "ajar"
    house.click("omar", card, "approve")
    with house.slack.state.change():
        house.slack.state.messages.edit(card.channel, card.ts, blocks=card.blocks)
    house.click("priya", card, "approve")
    assert "newer card" in house.whisper("priya").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_rollback_over_somebodys_change_is_refused(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    house.board.switches["door"] = "locked"
    house.click("omar", house.card(), "rollback")
    assert "was open, we set closed, now locked" in house.whisper("omar").text
    assert house.board.switches == {"door": "locked"}


def test_an_outsider_may_not_roll_back(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    house.click("otto", house.card(), "rollback")
    assert "not among the approvers" in house.whisper("otto").text
    assert house.board.switches == {"door": "closed"}


def test_a_rollback_from_a_superseded_card_is_refused(house: House) -> None:
    old = house.ask()
    house.board.switches["door"] = "ajar"
    house.click("omar", old, "approve")
    house.click("omar", house.card(), "approve")
    done = house.card()
    value = f"{house.execution().execution_id}:1"
    blocks = json.loads(json.dumps(done.blocks).replace(value.replace(":1", ":2"), value))
    with house.slack.state.change():
        house.slack.state.messages.edit(old.channel, old.ts, blocks=tuple(blocks))
    house.click("omar", house.slack.message(CHANNEL, old.ts), "rollback")
    assert "out of date" in house.whisper("omar").text
    assert house.board.switches == {"door": "closed"}


def test_two_signatures_where_the_policy_asks_for_two(make_house: MakeHouse) -> None:
    house = make_house(policy=replace(APPROVERS, required_approvals=2))
    card = house.ask()
    house.click("omar", card, "approve")
    assert "1 of 2 approvals" in house.card().words
    assert house.board.switches == {"door": "open"}
    house.click("omar", house.card(), "approve")
    assert "already approved this" in house.whisper("omar").text
    house.click("priya", house.card(), "approve")
    assert house.board.switches == {"door": "closed"}


def test_a_directory_that_does_not_answer_decides_nothing(house: House) -> None:
    card = house.ask()
    house.slack.faults.add("users.info", error="internal_error")
    house.click("omar", card, "approve")
    assert "nothing was decided" in house.whisper("omar").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_forged_button_value_does_nothing(house: House) -> None:
    card = house.ask()
    forged = [dict(block) for block in card.blocks]
    for block in forged:
        if block["type"] == "actions":
            block["elements"] = [{**element, "value": "x-1:1; drop"} for element in block["elements"]]
    with house.slack.state.change():
        house.slack.state.messages.edit(card.channel, card.ts, blocks=tuple(forged))
    house.click("omar", card, "approve")
    assert "not one of ours" in house.whisper("omar").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_forty_clicks_at_once_run_once(house: House) -> None:
    card = house.ask()
    people = itertools.islice(itertools.cycle(["omar", "priya"]), 40)
    with ThreadPoolExecutor(20) as pool:
        acks = list(pool.map(lambda person: house.slack.click(person, card, "approve"), people))
    assert all(ack.ok for ack in acks)
    with ThreadPoolExecutor(8) as pool:
        while work := house.hands.next(timeout_s=0.5):
            pool.submit(house.do, *work)
    house.work_off()
    assert house.board.calls.count("before write") == 1
    assert len(house.execution().approvals) == 1
    assert len(house.cards()) == 1
    assert len(house.replies(card)) == 1


def test_a_command_delivered_twice_is_one_request(house: House) -> None:
    house.ingest()
    body = {"trigger_id": "13.37.abc", "text": f"run CLOSE-DOOR {DOOR.handle}", "channel_id": "C0SECURITY"}
    for _ in range(2):
        house.put_command("/playbook", body)
        house.work()
    assert len(house.services.executions.history()) == 1
    assert len(house.cards()) == 1


def test_a_retry_of_an_answer_that_a_crash_cut_off_finds_the_same_execution(house: House) -> None:
    house.ingest()
    body = {"trigger_id": "13.37.abc", "text": f"run CLOSE-DOOR {DOOR.handle}", "channel_id": "C0SECURITY"}
    request_id = house.put_command("/playbook", body)
    request = house.stores.inbox.by_id[request_id]
    house.work()
    house.stores.inbox.by_id[request_id] = request  # as if `done` had never been committed
    house.do("request", request_id)
    house.work_off()
    assert len(house.services.executions.history()) == 1
    assert len(house.cards()) == 1


def test_a_connection_cut_after_posting_does_not_post_twice(house: House) -> None:
    house.client.retry_handlers.append(ConnectionErrorRetryHandler(max_retry_count=3))
    house.slack.faults.add("chat.postMessage", drop_after=True)
    house.ingest()
    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert len(house.cards()) == 1
    later = house.now + timedelta(seconds=2)
    assert house.stores.postings.outdated(later) == [house.execution().execution_id]
    house.do("draw", house.execution().execution_id)
    assert len(house.cards()) == 1
    assert house.stores.postings.outdated(later) == []


class PowerCutError(Exception):
    """The process ends here."""


@pytest.mark.parametrize(
    ("button", "door", "ends"),
    [
        ("found_done", "half", PlaybookStatus.COMPLETED),
        ("found_not_done", "half", PlaybookStatus.FAILED),
        ("try_again", "open", PlaybookStatus.COMPLETED),
    ],
)
def test_an_approver_settles_what_was_interrupted(
    house: House, button: str, door: str, ends: PlaybookStatus
) -> None:
    card = house.ask()

    def cut() -> None:
        house.board.switches["door"] = "half"
        raise PowerCutError

    house.board.faults["after write"] = cut
    with pytest.raises(PowerCutError):
        house.click("omar", card, "approve")
    house.board.faults.clear()
    house.services.runner.recover(house.execution().execution_id)
    house.work_off()
    assert house.card().action_ids == ("found_done", "found_not_done", "try_again", "rollback")
    house.board.switches["door"] = door
    house.click("otto", house.card(), button)
    assert house.execution().status is PlaybookStatus.INTERRUPTED
    house.click("omar", house.card(), button)
    assert house.execution().status is ends
    assert house.card().action_ids == ("rollback",)


def test_the_card_names_who_may_approve_this_execution_and_how_many(make_house: MakeHouse) -> None:
    rule = Rule(
        severities=frozenset({DOOR.severity}),
        approvers=frozenset({"U0OMAR", "U0PRIYA"}),
        required_approvals=2,
    )
    house = make_house(policy=replace(APPROVERS, rules=(rule,)))
    card = house.ask()
    assert "0 of 2 approvals" in card.words
    assert "May approve: <@U0OMAR>, <@U0PRIYA>. By the rule for: high (policy.rules.0)." in card.words
    assert "S0SEC" not in card.words
    house.command("ana", "/playbook show CLOSE-DOOR")
    shown = house.whisper("ana").words
    assert "high: 2 of: <@U0OMAR>, <@U0PRIYA>; everything else: 1 of: <!subteam^S0SEC>" in shown
    house.click("omar", card, "approve")
    house.click("priya", house.card(), "approve")
    assert "May approve" not in house.card().words
    assert house.execution().status is PlaybookStatus.COMPLETED
