"""`/playbook pending | history | status | approve | reject | rollback`: the words, and what their buttons do."""

from dataclasses import replace

import pytest

from bot.sandbox import Message
from remediation.plan import ActionPlan
from remediation.states import PlaybookStatus
from tests.unit.handlers.house import DOOR, House


def asked(house: House) -> str:
    """Ask for the door to be closed; return the beginning of the execution's id."""
    house.ask()
    return house.execution().execution_id[:6]


def offered(house: House, user: str, text: str) -> Message:
    house.command(user, text)
    return house.whisper(user)


@pytest.mark.parametrize("text", ["pending", "history", "history CLOSE-DOOR", f"history {DOOR.handle}"])
def test_lists_name_the_execution_and_who_asked(house: House, text: str) -> None:
    asked(house)
    house.command("otto", f"/playbook {text}")
    said = house.whisper("otto").words
    assert house.execution().execution_id in said
    assert "<@U0ANA>" in said
    assert DOOR.handle in said


def test_lists_of_nothing_say_so(house: House) -> None:
    house.ingest()
    for text, says in (
        ("pending", "Nothing waits"),
        ("history", "Nothing was ever"),
        (f"history {DOOR.handle}", "for"),
    ):
        house.command("ana", f"/playbook {text}")
        assert says in house.whisper("ana").text


def test_the_history_of_a_finding_outlives_its_report(house: House) -> None:
    asked(house)
    gone = replace(house.execution(), finding=replace(DOOR, id="F-77"))
    house.stores.executions.by_id[gone.execution_id] = gone
    house.command("ana", "/playbook history F-77")
    assert house.execution().execution_id in house.whisper("ana").words


def test_the_history_of_what_nobody_knows(house: House) -> None:
    asked(house)
    house.command("ana", "/playbook history <!channel>")
    assert "no finding goes by" in house.whisper("ana").text.lower()


def test_status_shows_each_step_and_has_no_button(house: House) -> None:
    name = asked(house)
    house.click("omar", house.card(), "approve")
    said = offered(house, "otto", f"/playbook status {name}")
    assert said.action_ids == ()
    assert "<@U0OMAR> approved" in said.words
    assert "close_door" in said.words


def test_a_name_that_is_none_is_said(house: House) -> None:
    asked(house)
    for word in ("status", "approve", "rollback"):
        assert "no execution" in offered(house, "omar", f"/playbook {word} x-zz").text


def test_a_typed_approval_signs_nothing_by_itself(house: House) -> None:
    name = asked(house)
    plan = offered(house, "omar", f"/playbook approve {name}")
    assert house.execution().decisions == ()
    assert house.execution().plan is not None
    assert house.execution().plan.digest in plan.words  # type: ignore[union-attr]
    assert "open → closed" in plan.words
    assert plan.action_ids == ("approve_here",)


def test_its_button_signs_and_goes_away(house: House) -> None:
    name = asked(house)
    plan = offered(house, "omar", f"/playbook approve {name}")
    house.click("omar", plan, "approve_here")
    assert house.execution().status is PlaybookStatus.COMPLETED
    after = house.whisper("omar")
    assert after.ts == plan.ts, "the plan gave way to the answer"
    assert after.action_ids == ()
    assert "signature" in after.text


@pytest.mark.parametrize(("user", "says"), [("ana", "somebody else"), ("otto", "not among the approvers")])
def test_its_button_refuses_whom_the_card_refuses(house: House, user: str, says: str) -> None:
    name = asked(house)
    plan = offered(house, user, f"/playbook approve {name}")
    house.click(user, plan, "approve_here")
    assert says in house.whisper(user).text
    assert house.execution().decisions == ()


def test_its_button_signs_no_newer_plan_than_was_shown(house: House) -> None:
    name = asked(house)
    plan = offered(house, "omar", f"/playbook approve {name}")
    house.board.switches["door"] = "half"
    house.click("priya", house.card(), "approve")  # the run finds the drift, and asks anew
    assert house.execution().revision == 2
    house.click("omar", plan, "approve_here")
    assert "out of date" in house.whisper("omar").text
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_plan_that_cannot_be_shown_whole_has_no_button(house: House) -> None:
    name = asked(house)
    execution = house.execution()
    assert execution.plan is not None
    huge: ActionPlan = replace(execution.plan.actions[0], after={"door": "x" * 20_000})
    house.stores.executions.by_id[execution.execution_id] = replace(
        execution, plan=replace(execution.plan, actions=(huge,))
    )
    plan = offered(house, "omar", f"/playbook approve {name}")
    assert plan.action_ids == ()
    assert "too large" in plan.words


def test_what_is_decided_is_not_offered_again(house: House) -> None:
    name = asked(house)
    house.click("omar", house.card(), "approve")
    assert "already ran" in offered(house, "priya", f"/playbook approve {name}").text


def test_a_rejection_takes_the_rest_as_its_reason(house: House) -> None:
    name = asked(house)
    said = offered(house, "omar", f"/playbook reject {name} The website needs it <!channel> until Friday")
    assert house.execution().status is PlaybookStatus.REJECTED
    assert house.execution().decisions[-1].reason == "The website needs it <!channel> until Friday"
    assert "Nothing was changed" in said.text


@pytest.mark.parametrize(
    ("user", "rest", "says"),
    [
        ("omar", "", "is followed by"),
        ("omar", "no", "at least 3 characters"),
        ("otto", "because I can", "not among the approvers"),
    ],
)
def test_a_rejection_that_does_not_count_says_why(house: House, user: str, rest: str, says: str) -> None:
    name = asked(house)
    assert says in offered(house, user, f"/playbook reject {name} {rest}").words
    assert house.execution().status is PlaybookStatus.PENDING


def test_a_rollback_is_offered_and_ordered_by_its_button(house: House) -> None:
    name = asked(house)
    assert "nothing to roll back" in offered(house, "omar", f"/playbook rollback {name}").text
    house.click("omar", house.card(), "approve")
    offer = offered(house, "omar", f"/playbook rollback {name}")
    assert house.board.switches["door"] == "closed"
    house.click("omar", offer, "rollback_here")
    assert house.board.switches["door"] == "open"
    assert house.execution().status is PlaybookStatus.ROLLED_BACK
    assert house.whisper("omar").action_ids == ()


def test_a_rollback_is_refused_to_whom_the_card_refuses_it(house: House) -> None:
    name = asked(house)
    house.click("omar", house.card(), "approve")
    house.click("otto", offered(house, "otto", f"/playbook rollback {name}"), "rollback_here")
    assert "not among the approvers" in house.whisper("otto").text
    assert house.board.switches["door"] == "closed"
