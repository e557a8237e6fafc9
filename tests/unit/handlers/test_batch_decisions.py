"""Deciding about a batch on a real Bolt app: its card, its windows, and who hears no."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.decisions import answer_decision
from remediation.rules import BreakGlass
from tests.unit.handlers.batch_house import (
    DOORS,
    actor_of,
    ask,
    batch_id_of,
    card_of,
    furnish,
    replay,
    states,
    view,
)
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, House


def test_who_may_not_hears_why_and_nothing_runs(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    for user, words in (("ana", "somebody else"), ("otto", "not among the approvers")):
        hall.click(user, card, "batch_approve")
        assert words in hall.whisper(user).words
    assert states(hall) == ["PENDING"] * 2


def test_an_outdated_card_approves_nothing_and_is_drawn_anew(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    first = hall.services.batches.members(batch_id_of(card)).executions[0]
    hall.services.remediation.reject(first.execution_id, actor_of("U0OMAR"), reason="not this one")
    hall.click("priya", card, "batch_approve")
    assert "changed since" in hall.whisper("priya").words
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    now = card_of(hall, card)
    assert "not this one" in now.words
    hall.click("priya", now, "batch_approve")
    assert states(hall) == ["REJECTED", "COMPLETED", "COMPLETED"]


def test_what_loses_its_tick_is_taken_out_with_a_reason(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(batch_id_of(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    refused = hall.slack.submit_view("omar", form, {"reason": "needed"})
    assert "kept_0" in refused.errors
    refused = hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": " x "})
    assert "reason" in refused.errors
    assert hall.slack.submit_view(
        "omar", form, {"kept_0": names[1:], "reason": "needed until Friday"}
    ).accepted
    hall.work()
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    now = card_of(hall, card)
    assert "needed until Friday" in now.words
    assert "2 at once" in now.words


def test_of_an_approval_and_a_choice_at_once_one_wins(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(batch_id_of(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    assert hall.slack.click("priya", card, "batch_approve").ok
    assert hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": "needed"}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 3
    assert "Too late" in hall.whisper("omar").words


def test_a_no_to_all_of_it(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    form = view(hall, "omar", card, "batch_reject")
    assert hall.slack.submit_view("omar", form, {"reason": "Not before the audit"}).accepted
    hall.work()
    assert states(hall) == ["REJECTED"] * 2
    now = card_of(hall, card)
    assert now.words.count("Not before the audit") >= 1
    assert "batch_approve" not in now.action_ids


def test_a_window_shows_every_change_and_approves_the_set_it_shows(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    window = view(hall, "omar", card, "batch_changes")
    words = str(window.blocks)
    assert all(door.resource in words and door.title in words for door in DOORS[:3])
    assert hall.slack.submit_view("omar", window, {}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 3


def test_what_does_not_fit_on_the_card_is_approved_where_it_can_be_seen(hall: House) -> None:
    for number, door in enumerate(DOORS):
        hall.board.switches[door.resource] = f"open by {number} " + "degrees " * 40
    card = ask(hall, *DOORS)
    assert "batch_approve" not in card.action_ids
    assert "Review and approve" in str(card.blocks)
    window = view(hall, "omar", card, "batch_changes")
    assert all(f"open by {number} " in str(window.blocks) for number in range(12))
    assert hall.slack.submit_view("omar", window, {}).accepted
    hall.work()
    assert states(hall) == ["COMPLETED"] * 12


def test_what_fits_nowhere_cannot_be_approved(hall: House) -> None:
    hall.board.switches[DOORS[0].resource] = "x" * 4000
    card = ask(hall, *DOORS[:2])
    assert "batch_approve" not in card.action_ids
    assert "cannot be approved" in card.words
    window = view(hall, "omar", card, "batch_changes")
    assert window.payload["callback_id"] == "details"


def test_one_that_drifted_gets_a_card_of_its_own_and_the_others_go_on(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.board.switches[DOORS[1].resource] = "ajar"
    hall.click("omar", card, "batch_approve")
    assert states(hall) == ["COMPLETED", "PENDING", "COMPLETED"]
    own = hall.cards()[-1]
    assert own.ts != card.ts
    assert DOORS[1].resource in own.words
    assert "approve" in own.action_ids
    now = card_of(hall, card)
    assert "card of its own" in now.words
    assert "batch_approve" not in now.action_ids
    hall.click("priya", own, "approve")
    assert states(hall) == ["COMPLETED"] * 3


def test_a_choice_that_was_cut_off_never_says_that_nothing_was_done(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(batch_id_of(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    assert hall.slack.submit_view("omar", form, {"kept_0": names[1:], "reason": "needed"}).accepted
    kind, request_id = hall.hands.next(timeout_s=5) or ("", "")
    assert kind == "click"
    request = hall.services.inbox.begin(request_id, owner=hall.services.runner.journal.owner, now=hall.now)
    assert request
    answer_decision(hall.services, request)  # and the process dies before it is noted as answered
    replay(hall)
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    assert "cut off in the middle" in hall.whisper("omar").words
    assert "othing was" not in hall.whisper("omar").words


@pytest.mark.parametrize("value", ["", "b-1", "b-1:xyz", "x-1:1", f"b-none:{'0' * 64}"])
def test_a_button_that_is_none_of_ours_gets_an_answer(hall: House, value: str) -> None:
    from handlers.requests import action_request

    for name in ("batch_approve", "batch_rollback", "batch_refuse_rollback"):
        body = {
            "user": {"id": "U0OMAR", "team_id": "T0DEMO"},
            "channel": {"id": hall.slack.channel_id(CHANNEL)},
            "trigger_id": f"{name}{value}",
            "actions": [{"action_id": name, "value": value}],
        }
        request = action_request(body, now=hall.now)
        hall.services.inbox.put(request)
        hall.do("request", request.request_id)
        assert re.search("not one of ours|no batch", hall.whisper("omar").words)


def test_a_no_to_all_may_leave_the_findings_as_they_are(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    form = view(hall, "omar", card, "batch_reject")
    until = (hall.now + timedelta(days=9)).date().isoformat()
    filled = {"reason": "Not before spring", "exception_until": until, "exception_owner": "U0PRIYA"}
    assert hall.slack.submit_view("omar", form, filled).accepted
    hall.work()
    assert states(hall) == ["REJECTED"] * 2
    assert {each.owner.slack_id for each in hall.stores.exceptions.open()} == {"U0PRIYA"}
    hall.command("ana", f"/playbook run CLOSE-DOORS {DOORS[0].handle} {DOORS[1].handle}")
    assert "Not before spring" in hall.whisper("ana").words


def test_what_is_taken_out_may_be_left_as_it_is(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    names = [each.execution_id for each in hall.services.batches.members(batch_id_of(card)).executions]
    form = view(hall, "omar", card, "batch_choose")
    until = (hall.now + timedelta(days=9)).date().isoformat()
    filled = {"kept_0": names[1:], "reason": "needed until spring", "exception_until": until}
    assert hall.slack.submit_view("omar", form, filled).accepted
    hall.work()
    assert states(hall) == ["REJECTED", "PENDING", "PENDING"]
    assert [each.finding.id for each in hall.stores.exceptions.open()] == [DOORS[0].id]


def test_a_requester_who_wants_an_exception_is_told_and_nothing_is_decided(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    form = view(hall, "ana", card, "batch_reject")
    until = (hall.now + timedelta(days=9)).date().isoformat()
    assert hall.slack.submit_view("ana", form, {"reason": "Let it be", "exception_until": until}).accepted
    hall.work()
    assert states(hall) == ["PENDING"] * 2
    assert "not among the approvers" in hall.whisper("ana").words


def test_the_glass_is_broken_for_one_item_at_a_time(make_house: MakeHouse) -> None:
    glass = BreakGlass(people=frozenset({"U0PRIYA"}))
    hall = furnish(make_house(policy=replace(APPROVERS, required_approvals=2, break_glass=glass)))
    card = ask(hall, *DOORS[:3])
    assert "Nobody breaks the glass for several at once" in card.words
    assert "break_glass" not in card.action_ids
    window = view(hall, "omar", card, "batch_changes")
    item = hall.services.batches.members(batch_id_of(card)).executions[1]
    assert item.execution_id in str(window.blocks)
    hall.command("priya", f"/playbook approve {item.execution_id}")
    alone = hall.whisper("priya")
    assert alone.action_ids == ("approve_here", "break_glass")
    form = view(hall, "priya", alone, "break_glass")
    assert hall.slack.submit_view("priya", form, {"reason": "Thieves are in the house"}).accepted
    hall.work()
    assert states(hall) == ["PENDING", "COMPLETED", "PENDING"]
    own = hall.cards()[-1]
    assert own.ts != card.ts
    assert "Thieves are in the house" in own.words
    assert "reviewed" in own.action_ids
    assert "2 at once" in card_of(hall, card).words


def test_without_broken_glass_in_the_policy_nothing_speaks_of_it(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    assert "glass" not in card.words
    item = hall.services.batches.members(batch_id_of(card)).executions[0]
    hall.command("priya", f"/playbook approve {item.execution_id}")
    assert hall.whisper("priya").action_ids == ("approve_here",)
