"""Rejections that leave a finding as it is for a while, through Slack's form; reminders and what follows them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sandbox import Message
from remediation.attention import Attention
from remediation.ending import ExceptionEnds
from remediation.states import PlaybookStatus
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, CHANNEL, DOOR, House

HOUR = Attention(remind_before=timedelta(hours=1), escalate_to=("C0ALERTS", "U0OTTO"))


def reject(house: House, user: str, card: Message, **values: str) -> None:
    assert house.slack.click(user, card, "reject").ok
    view = house.window(user)
    assert house.slack.submit_view(user, view, {"reason": "It moves in spring", **values}).accepted
    house.work()


def in_days(house: House, days: int) -> str:
    return (house.now + timedelta(days=days)).date().isoformat()


def kinds(house: House) -> list[str]:
    import orjson

    return [orjson.loads(entry.body)["kind"] for entry in house.stores.trail.stream()]


def tell(house: House) -> None:
    """Do what the sweep would find."""
    for notice_id in house.services.herald.due(house.now):
        house.do("notice", notice_id)


def test_an_approver_grants_an_exception_and_nobody_can_ask_again(house: House) -> None:
    reject(house, "omar", house.ask(), exception_until=in_days(house, 5), exception_owner="U0PRIYA")
    assert house.execution().status is PlaybookStatus.REJECTED
    (held,) = house.services.exceptions.open()
    assert (held.owner.slack_id, held.reason) == ("U0PRIYA", "It moves in spring")
    assert kinds(house)[-2:] == ["execution.rejected", "exception.granted"]

    house.command("ana", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    said = house.whisper("ana").words
    assert "<@U0PRIYA> answers for leaving" in said
    assert in_days(house, 6) in said, "the end of the last day"
    assert f"/playbook exceptions end {held.exception_id}" in said
    assert len(house.services.executions.history()) == 1
    house.command("otto", "/playbook exceptions")
    assert held.exception_id in house.whisper("otto").words


def test_what_asks_nobody_does_not_run_where_an_exception_came_while_it_was_planned(
    make_house: MakeHouse,
) -> None:
    house = make_house(policy=replace(APPROVERS, unattended_playbooks=frozenset({"CLOSE-DOOR"})))
    card = house.ask()
    house.services.playbooks["CLOSE-DOOR"].requires_approval = False

    def grant() -> None:
        house.board.faults.clear()
        reject(house, "omar", card, exception_until=in_days(house, 5))

    house.board.faults["read"] = grant
    house.command("otto", f"/playbook run CLOSE-DOOR {DOOR.handle}")
    assert "answers for leaving" in house.whisper("otto").words
    stored = {each.status for each in house.services.executions.history()}
    assert stored == {PlaybookStatus.REJECTED, PlaybookStatus.PENDING}
    assert house.board.switches == {"door": "open"}


def test_what_was_approved_does_not_run_where_an_exception_came_before_it_began(house: House) -> None:
    nameless = replace(DOOR, resource="", id="F-2")  # holds nothing, so two may wait side by side
    house.ingest(nameless)
    for _ in range(2):
        house.command("ana", f"/playbook run CLOSE-DOOR {nameless.handle}")
    first, second = house.cards()
    assert house.slack.click("omar", first, "approve").ok
    house.work_but("run")
    reject(house, "priya", second, exception_until=in_days(house, 5))
    (approved,) = house.services.executions.glimpses(PlaybookStatus.APPROVED)
    house.do("run", approved.execution_id)
    ended = house.services.executions.get(approved.execution_id)
    assert ended.status is PlaybookStatus.FAILED
    assert "<@U0PRIYA>" not in str(ended.error)
    assert "@U0PRIYA answers for leaving" in str(ended.error)
    assert house.board.switches == {"door": "open"}


def test_what_was_interrupted_does_not_go_on_where_an_exception_came_meanwhile(house: House) -> None:
    nameless = replace(DOOR, resource="", id="F-2")
    house.ingest(nameless)
    for _ in range(2):
        house.command("ana", f"/playbook run CLOSE-DOOR {nameless.handle}")
    first, second = house.cards()
    assert house.slack.click("omar", first, "approve").ok
    house.work_but("run")
    (approved,) = house.services.executions.glimpses(PlaybookStatus.APPROVED)

    def cut() -> None:
        raise KeyboardInterrupt

    house.board.faults["before write"] = cut
    with pytest.raises(KeyboardInterrupt):
        house.services.runner.run(approved.execution_id)
    house.board.faults.clear()
    reject(house, "priya", second, exception_until=in_days(house, 5))
    ended = house.services.runner.recover(approved.execution_id)
    assert ended.status is PlaybookStatus.FAILED
    assert "@U0PRIYA answers for leaving" in str(ended.error)
    assert house.board.switches == {"door": "open"}


def test_without_an_owner_whoever_rejects_answers_for_it(house: House) -> None:
    reject(house, "omar", house.ask(), exception_until=in_days(house, 5))
    assert [held.owner.slack_id for held in house.services.exceptions.open()] == ["U0OMAR"]


def test_a_plain_rejection_grants_nothing(house: House) -> None:
    reject(house, "omar", house.ask())
    assert house.services.exceptions.open() == []
    assert house.ask().action_ids == ("approve", "reject")


def test_a_requester_may_withdraw_and_not_grant(house: House) -> None:
    card = house.ask()
    reject(house, "ana", card, exception_until=in_days(house, 5))
    assert "not among the approvers" in house.whisper("ana").words
    assert house.execution().status is PlaybookStatus.PENDING
    reject(house, "ana", card)
    assert house.execution().status is PlaybookStatus.REJECTED


def test_an_approver_may_not_grant_what_they_asked_for(house: House) -> None:
    reject(house, "omar", house.ask("omar"), exception_until=in_days(house, 5))
    assert "somebody else has to" in house.whisper("omar").words
    assert house.execution().status is PlaybookStatus.PENDING


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"exception_until": "-1"}, "over already"),
        ({"exception_until": "91"}, "policy.longest_exception_days"),
        ({"exception_until": "5", "exception_owner": "U0GUEST"}, "Only a full member"),
        ({"exception_owner": "U0PRIYA"}, "no day"),
    ],
)
def test_an_exception_that_cannot_be_leaves_all_undecided(
    house: House, values: dict[str, str], says: str
) -> None:
    if "exception_until" in values:
        values = {**values, "exception_until": in_days(house, int(values["exception_until"]))}
    reject(house, "omar", house.ask(), **values)
    assert says in house.whisper("omar").words
    assert house.execution().status is PlaybookStatus.PENDING
    assert house.services.exceptions.open() == []


def test_an_approver_ends_an_exception_and_nobody_else(house: House) -> None:
    reject(house, "omar", house.ask(), exception_until=in_days(house, 5))
    (held,) = house.services.exceptions.open()
    house.command("ana", f"/playbook exceptions end {held.exception_id}")
    assert "not among the approvers" in house.whisper("ana").words
    assert house.services.exceptions.open() == [held]
    house.command("priya", f"/playbook exceptions end {held.exception_id}")
    assert "counts again" in house.whisper("priya").words
    assert kinds(house)[-1] == "exception.ended"
    house.command("priya", f"/playbook exceptions end {held.exception_id}")
    assert "ended already" in house.whisper("priya").words
    tell(house)
    assert "was ended by <@U0PRIYA>" in house.replies(house.card())[-1].words
    assert house.ask().action_ids == ("approve", "reject")


def test_in_time_it_ends_by_itself_and_its_card_says_so_once(house: House) -> None:
    card = house.ask()
    reject(house, "omar", card, exception_until=in_days(house, 5))
    house.now += timedelta(days=7)
    (over,) = house.services.exceptions.over(house.now)
    ExceptionEnds(house.services.remediation, house.services.exceptions).end_in_time(over.exception_id)
    assert kinds(house)[-1] == "exception.expired"
    before = len(house.replies(card))
    tell(house)
    tell(house)
    told = house.replies(card)[before:]
    assert ["is over" in reply.words for reply in told] == [True]


def test_an_approval_is_refused_while_an_exception_holds(house: House) -> None:
    """A request that came in between the gate and the exception is stopped at its approval."""
    reject(house, "omar", house.ask(), exception_until=in_days(house, 5))
    held = house.services.exceptions.open()[0]
    house.services.exceptions.by_id.clear()  # type: ignore[attr-defined]
    house.now += timedelta(minutes=1)
    card = house.ask()
    house.services.exceptions.by_id[held.exception_id] = held  # type: ignore[attr-defined]
    house.click("omar", card, "approve")
    assert "answers for leaving" in house.whisper("omar").words
    assert house.execution().status is PlaybookStatus.PENDING


def test_approvers_who_may_still_sign_are_reminded_once(make_house: MakeHouse) -> None:
    policy = replace(APPROVERS, approver_groups=frozenset(), approvers=frozenset({"U0OMAR", "U0PRIYA"}))
    house = make_house(policy=replace(policy, required_approvals=2), attention=HOUR)
    card = house.ask()
    house.click("omar", card, "approve")
    tell(house)
    assert [reply for reply in house.replies(card) if "still waits" in reply.words] == []
    house.now += timedelta(hours=23, minutes=1)
    tell(house)
    tell(house)
    (reminder,) = [reply for reply in house.replies(card) if "still waits" in reply.words]
    assert "<@U0PRIYA>" in reminder.words
    assert "<@U0OMAR>" not in reminder.words, "has signed"


def test_a_reminder_whose_answer_was_lost_is_not_posted_twice(make_house: MakeHouse) -> None:
    house = make_house(attention=HOUR)
    card = house.ask()
    house.now += timedelta(hours=23, minutes=1)
    tell(house)
    house.stores.notices.said.clear()  # as if the process had died before it noted that it had told
    house.now += timedelta(minutes=10)
    tell(house)
    assert len([reply for reply in house.replies(card) if "still waits" in reply.words]) == 1


def test_nobody_is_reminded_of_what_is_decided(make_house: MakeHouse) -> None:
    house = make_house(attention=HOUR)
    card = house.ask()
    house.now += timedelta(hours=23, minutes=1)
    (due,) = house.services.herald.due(house.now)
    reject(house, "omar", card)
    house.do("notice", due)
    assert [reply for reply in house.replies(card) if "still waits" in reply.words] == []


def test_what_nobody_decided_is_told_to_a_channel_and_a_person(make_house: MakeHouse) -> None:
    channel = make_house().slack.channel_id(CHANNEL)
    house = make_house(attention=replace(HOUR, escalate_to=(channel, "U0OTTO")))
    house.ask()
    house.now += timedelta(hours=25)
    tell(house)
    assert "Nobody decided" not in house.card().words, "not before it is over"
    house.services.remediation.expire(house.execution())
    house.work_off()
    tell(house)
    tell(house)
    assert len([m for m in house.cards() if "Nobody decided in time on" in m.words]) == 1
    assert "Nobody decided in time on" in house.slack.messages("@otto")[-1].words
