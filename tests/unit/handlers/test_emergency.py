"""Broken glass and signed rollbacks on the card, through Slack."""

from dataclasses import replace
from datetime import timedelta

from remediation.rules import BreakGlass
from remediation.states import PlaybookStatus
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, House
from tests.unit.handlers.test_exceptions import tell

BREAKABLE = replace(APPROVERS, break_glass=BreakGlass(people=frozenset({"U0ANA"})), required_approvals=2)


def break_glass(house: House, user: str) -> None:
    assert house.slack.click(user, house.card(), "break_glass").ok
    view = house.window(user)
    assert house.slack.submit_view(user, view, {"reason": "Customers are down"}).accepted
    house.work()


def test_everybody_hears_of_it_and_a_second_person_reviews_it(make_house: MakeHouse) -> None:
    house = make_house(policy=BREAKABLE)
    card = house.ask()
    assert card.action_ids == ("approve", "reject", "break_glass")
    break_glass(house, "omar")
    assert "may not break the glass" in house.whisper("omar").words
    break_glass(house, "ana")
    assert house.execution().status is PlaybookStatus.COMPLETED
    tell(house)
    tell(house)
    loud = [reply for reply in house.replies(card) if "broke the glass* and approved" in reply.words]
    assert [reply.is_broadcast for reply in loud] == [True]

    shown = house.slack.message(card.channel, card.ts)
    assert "Customers are down" in shown.words
    house.now += timedelta(hours=25)
    for _ in range(2):
        tell(house)
    house.now += timedelta(days=1)
    tell(house)
    overdue = [reply for reply in house.replies(card) if "Nobody has reviewed" in reply.words]
    assert len(overdue) == 2, "once a day"
    assert all(reply.is_broadcast and "<!subteam^S0SEC>" in reply.words for reply in overdue)

    house.click("ana", shown, "reviewed")
    assert "somebody else has to review" in house.whisper("ana").words
    house.click("priya", shown, "reviewed")
    assert "reviewed" not in house.slack.message(card.channel, card.ts).action_ids
    house.now += timedelta(days=1)
    assert house.services.herald.due(house.now) == []


def test_a_rollback_waits_on_the_card_for_the_second_signature(make_house: MakeHouse) -> None:
    house = make_house(policy=replace(APPROVERS, rollback_approvals=2))
    house.click("omar", house.ask(), "approve")
    house.click("omar", house.card(), "rollback")
    card = house.card()
    assert card.action_ids == ("rollback", "refuse_rollback")
    assert "Rollback asked for by <@U0OMAR>" in card.words
    assert "1 of 2 approvals" in card.words
    assert house.board.switches == {"door": "closed"}
    house.click("priya", card, "refuse_rollback")
    assert house.card().action_ids == ("rollback",)
    house.click("priya", house.card(), "rollback")
    house.click("omar", house.card(), "rollback")
    assert house.board.switches == {"door": "open"}
    assert house.execution().status is PlaybookStatus.ROLLED_BACK


def test_while_it_runs_it_is_not_reviewed_and_the_card_offers_no_button_for_that(
    make_house: MakeHouse,
) -> None:
    house = make_house(policy=BREAKABLE)
    card = house.ask()

    def review() -> None:
        house.board.faults.clear()
        house.click("priya", shown, "reviewed")
        assert house.card().action_ids == ()

    assert house.slack.click("ana", card, "break_glass").ok
    assert house.slack.submit_view("ana", house.window("ana"), {"reason": "Customers are down"}).accepted
    house.work_but("run")
    shown = house.card()
    assert shown.action_ids == ("reviewed",)
    house.board.faults["before write"] = review
    house.do("run", house.execution().execution_id)
    assert "Not yet: it is already approved and running" in house.whisper("priya").words
    house.work_off()
    assert house.execution().status is PlaybookStatus.COMPLETED
    assert house.card().action_ids == ("rollback", "reviewed")
    house.click("priya", house.card(), "reviewed")
    assert house.card().action_ids == ("rollback",)
