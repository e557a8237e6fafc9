"""`/playbook status | approve | reject | rollback | history` with the id of a batch."""

from dataclasses import replace

import pytest

from bot.sandbox import Message
from handlers.requests import action_request
from tests.unit.handlers.batch_house import DOORS, ask, batch_id_of, card_of, furnish, states
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, House


@pytest.fixture
def card(hall: House) -> Message:
    return ask(hall, *DOORS[:3])


def offered(hall: House, user: str, text: str) -> Message:
    hall.command(user, text)
    return hall.whisper(user)


def shortened(card: Message) -> str:
    return batch_id_of(card)[:6].upper()


def fixed(hall: House, card: Message) -> None:
    hall.click("omar", card, "batch_approve")
    assert states(hall) == ["COMPLETED"] * 3


def test_status_shows_each_item_and_has_no_button(hall: House, card: Message) -> None:
    waiting = offered(hall, "otto", f"/playbook status {shortened(card)}")
    assert waiting.action_ids == ()
    fixed(hall, card)
    said = offered(hall, "otto", f"/playbook status {batch_id_of(card)}")
    assert said.action_ids == ()
    assert "3 fixed" in said.words
    assert "Approved by <@U0OMAR>" in said.words
    assert "close_door" in said.words
    assert all(door.resource in said.words for door in DOORS[:3])


@pytest.mark.parametrize("words", ["status b-zz", "approve b-zz", "rollback b-zz", "reject b-zz because"])
def test_a_batch_that_is_none_is_said(hall: House, card: Message, words: str) -> None:
    assert "no batch" in offered(hall, "omar", f"/playbook {words}").text


def test_history_lists_its_items(hall: House, card: Message) -> None:
    said = offered(hall, "otto", f"/playbook history {shortened(card)}").words
    assert all(each.execution_id in said for each in hall.services.executions.history(limit=9))


def test_a_typed_approval_shows_the_set_and_signs_nothing(hall: House, card: Message) -> None:
    shown = offered(hall, "omar", f"/playbook approve {shortened(card)}")
    assert states(hall) == ["PENDING"] * 3
    assert not any(each.decisions for each in hall.services.executions.history(limit=9))
    assert shown.action_ids == ("batch_approve_here", "batch_changes")
    assert "open → closed" in shown.words
    assert "Set digest" in shown.words


def test_its_button_signs_exactly_that_set_and_goes_away(hall: House, card: Message) -> None:
    shown = offered(hall, "omar", f"/playbook approve {shortened(card)}")
    hall.click("omar", shown, "batch_approve_here")
    assert states(hall) == ["COMPLETED"] * 3
    after = hall.whisper("omar")
    assert after.ts == shown.ts, "the set gave way to the answer"
    assert after.action_ids == ()
    assert "signature on 3 fixes" in after.text
    assert "3 fixed" in card_of(hall, card).words


@pytest.mark.parametrize(("user", "says"), [("ana", "somebody else"), ("otto", "not among the approvers")])
def test_its_button_refuses_whom_the_card_refuses(hall: House, card: Message, user: str, says: str) -> None:
    shown = offered(hall, user, f"/playbook approve {shortened(card)}")
    hall.click(user, shown, "batch_approve_here")
    assert says in hall.whisper(user).text
    assert states(hall) == ["PENDING"] * 3


def test_its_button_signs_no_other_set(hall: House, card: Message) -> None:
    shown = offered(hall, "omar", f"/playbook approve {shortened(card)}")
    first = hall.services.batches.members(batch_id_of(card)).executions[0]
    hall.command("priya", f"/playbook reject {first.execution_id} not this one")
    hall.click("omar", shown, "batch_approve_here")
    assert "changed since" in hall.whisper("omar").text
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]


def test_what_was_decided_or_is_out_of_time_cannot_be_approved(hall: House, card: Message) -> None:
    name = shortened(card)
    end = max(each.expires_at for each in hall.services.batches.members(batch_id_of(card)).executions)
    began, hall.now = hall.now, end
    assert "time to decide is over" in offered(hall, "omar", f"/playbook approve {name}").text
    hall.now = began
    fixed(hall, card)
    assert "Too late" in offered(hall, "priya", f"/playbook approve {name}").text


def test_what_does_not_fit_is_approved_in_its_window(hall: House) -> None:
    for number, door in enumerate(DOORS):
        hall.board.switches[door.resource] = f"open by {number} " + "degrees " * 40
    card = ask(hall, *DOORS)
    shown = offered(hall, "omar", f"/playbook approve {batch_id_of(card)}")
    assert shown.action_ids == ("batch_changes",)
    hall.slack.click("omar", shown, "batch_changes")
    assert hall.slack.submit_view("omar", hall.window("omar"), {}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 12


def test_a_typed_no_rejects_all_that_waits_with_the_reason(hall: House, card: Message) -> None:
    said = offered(hall, "omar", f"/playbook reject {shortened(card)} Not before the audit")
    assert states(hall) == ["REJECTED"] * 3
    assert "3 fixes" in said.text
    assert "Not before the audit" in card_of(hall, card).words
    assert "Too late" in offered(hall, "priya", f"/playbook reject {shortened(card)} nor I").text


def test_a_typed_no_is_refused_to_whom_the_card_refuses(hall: House, card: Message) -> None:
    said = offered(hall, "otto", f"/playbook reject {shortened(card)} I do not like it")
    assert "not among the approvers" in said.text
    assert states(hall) == ["PENDING"] * 3


def test_a_rollback_is_shown_first_and_its_button_puts_all_back(hall: House, card: Message) -> None:
    fixed(hall, card)
    hall.board.switches[DOORS[1].resource] = "bricked up"
    shown = offered(hall, "priya", f"/playbook rollback {shortened(card)}")
    assert states(hall) == ["COMPLETED"] * 3
    assert "was `open`, we set `closed`, now `closed`: back to `open`" in shown.words
    assert "Stays as it is" in shown.words
    assert "bricked up" in shown.words
    assert shown.action_ids == ("batch_rollback_here",)
    hall.click("priya", shown, "batch_rollback_here")
    assert states(hall) == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert hall.board.switches[DOORS[1].resource] == "bricked up"
    after = hall.whisper("priya")
    assert after.ts == shown.ts
    assert after.action_ids == ()
    assert "2 went back" in after.text


def test_a_rollback_of_which_nothing_can_go_back_has_no_button(hall: House, card: Message) -> None:
    fixed(hall, card)
    for door in DOORS[:3]:
        hall.board.switches[door.resource] = "bricked up"
    said = offered(hall, "priya", f"/playbook rollback {shortened(card)}")
    assert "Nothing was put back" in said.text
    assert said.action_ids == ()


def test_while_something_waits_nothing_is_put_back_as_a_whole(hall: House, card: Message) -> None:
    said = offered(hall, "priya", f"/playbook rollback {shortened(card)}")
    assert "waits for a decision" in said.text


def test_the_second_signature_on_a_rollback_can_be_typed_for(make_house: MakeHouse) -> None:
    hall = furnish(make_house(policy=replace(APPROVERS, rollback_approvals=2)))
    card = ask(hall, *DOORS[:3])
    fixed(hall, card)
    first = offered(hall, "omar", f"/playbook rollback {batch_id_of(card)}")
    hall.click("omar", first, "batch_rollback_here")
    assert "waits for another" in hall.whisper("omar").text
    second = offered(hall, "priya", f"/playbook rollback {batch_id_of(card)}")
    assert second.action_ids == ("batch_rollback_here", "batch_refuse_rollback")
    hall.click("priya", second, "batch_rollback_here")
    assert states(hall) == ["ROLLED_BACK"] * 3


def test_a_private_button_that_is_none_of_ours_gets_an_answer(hall: House) -> None:
    for name in ("batch_approve_here", "batch_rollback_here"):
        body = {
            "user": {"id": "U0OMAR", "team_id": "T0DEMO"},
            "channel": {"id": hall.slack.channel_id(CHANNEL)},
            "trigger_id": name,
            "actions": [{"action_id": name, "value": "x-1:1"}],
        }
        request = action_request(body, now=hall.now)
        hall.services.inbox.put(request)
        hall.do("request", request.request_id)
        assert "not one of ours" in hall.whisper("omar").words
