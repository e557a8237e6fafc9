"""Rollbacks that wait for signatures: who sees them, who has signed, and what a signature is bound to."""

from dataclasses import replace
from datetime import timedelta

from bot.sandbox import View
from remediation.audience import HOME_EVERY
from remediation.states import PlaybookStatus
from tests.databases import stores_in_memory
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, House
from tests.unit.handlers.test_home import actions_of, look

TWO = replace(APPROVERS, rollback_approvals=2)


def asked(make_house: MakeHouse, **parts: object) -> House:
    """Return a house where the door was closed and Omar has asked for it to be opened again."""
    house: House = make_house(policy=TWO, **parts)
    house.click("omar", house.ask(), "approve")
    house.click("omar", house.card(), "rollback")
    return house


def window(house: House, user: str, view: View) -> View:
    """Open the rollback's window from a home, and let it be filled."""
    assert house.slack.click(user, view, "home_rollback").ok
    house.work()
    return house.slack.views(user)[-1]


def later(house: House, user: str) -> View:
    house.now += HOME_EVERY
    return look(house, user)


def test_the_home_shows_it_to_those_who_may_sign(make_house: MakeHouse) -> None:
    house = asked(make_house)
    assert actions_of(later(house, "priya"))[:2] == ["home_rollback", "refuse_rollback"]
    said = str(later(house, "priya").payload)
    assert "Rollback asked for by <@U0OMAR>. 1 of 2 approvals (<@U0OMAR>)" in said
    assert "refuse_rollback" not in actions_of(later(house, "omar")), "he has signed"
    assert "refuse_rollback" not in actions_of(later(house, "otto"))
    house.now += timedelta(hours=25)
    assert "refuse_rollback" not in actions_of(later(house, "priya")), "its time is over"


def test_it_is_signed_from_the_home_after_a_restart(make_house: MakeHouse) -> None:
    stores = stores_in_memory()
    before = asked(make_house, stores=stores)
    house: House = make_house(policy=TWO, stores=stores, board=before.board, now=before.now)
    shown = window(house, "priya", later(house, "priya"))
    assert "was `open`, we set `closed`, now `closed`" in str(shown.payload)
    assert house.board.switches["door"] == "closed"
    assert house.slack.submit_view("priya", shown).accepted
    house.work()
    assert house.board.switches["door"] == "open"
    assert house.execution().status is PlaybookStatus.ROLLED_BACK


def test_the_lists_name_it_and_whoever_has_signed(make_house: MakeHouse) -> None:
    house = asked(make_house)
    for text in ("/playbook rollback", "/playbook pending"):
        house.command("priya", text)
        said = house.whisper("priya")
        assert house.execution().execution_id in said.words
        assert "1 of 2 approvals (<@U0OMAR>)" in said.words
        assert said.action_ids == ("home_rollback", "refuse_rollback")
    assert house.slack.click("priya", house.whisper("priya"), "home_rollback").ok
    house.work()
    assert house.slack.submit_view("priya", house.slack.views("priya")[-1]).accepted
    house.work()
    assert house.execution().status is PlaybookStatus.ROLLED_BACK
    house.command("priya", "/playbook rollback")
    assert "No rollback waits" in house.whisper("priya").text


def test_the_typed_word_shows_the_three_states_and_signs(make_house: MakeHouse) -> None:
    house = asked(make_house)
    house.command("priya", f"/playbook rollback {house.execution().execution_id}")
    offer = house.whisper("priya")
    assert "was `open`, we set `closed`, now `closed`" in offer.words
    assert offer.action_ids == ("rollback_here", "refuse_rollback")
    house.click("priya", offer, "rollback_here")
    assert house.execution().status is PlaybookStatus.ROLLED_BACK


def test_the_three_states_are_shown_where_one_signature_is_enough(house: House) -> None:
    house.click("omar", house.ask(), "approve")
    house.command("omar", f"/playbook rollback {house.execution().execution_id}")
    offer = house.whisper("omar")
    assert "was `open`, we set `closed`, now `closed`" in offer.words
    house.board.switches["door"] = "ajar"
    house.command("omar", f"/playbook rollback {house.execution().execution_id}")
    assert "was open, we set closed, now ajar" in house.whisper("omar").text
    house.click("omar", offer, "rollback_here")
    assert house.board.switches["door"] == "ajar", (
        "what somebody changed since it was shown is not overwritten"
    )


def test_a_window_says_what_stands_in_the_way(make_house: MakeHouse) -> None:
    house = asked(make_house)
    house.board.switches["door"] = "ajar"
    shown = window(house, "priya", later(house, "priya"))
    assert "was open, we set closed, now ajar" in str(shown.payload)
    assert "submit" not in shown.payload


def test_nobody_signs_another_rollback_than_the_one_that_was_shown(make_house: MakeHouse) -> None:
    house = asked(make_house)
    house.command("priya", f"/playbook rollback {house.execution().execution_id}")
    offer = house.whisper("priya")
    stale = window(house, "priya", later(house, "priya"))
    house.click("omar", house.card(), "refuse_rollback")
    house.click("omar", house.card(), "rollback")
    second = house.execution().rollback
    assert second is not None

    for action_id in ("rollback_here", "refuse_rollback"):
        house.click("priya", offer, action_id)
        assert "Look at its card before you sign" in house.whisper("priya").text
    assert house.slack.submit_view("priya", stale).accepted
    house.work()
    assert house.execution().rollback == second
    assert house.execution().status is PlaybookStatus.COMPLETED
    assert house.board.switches["door"] == "closed"


def test_what_was_shown_without_a_rollback_signs_none(make_house: MakeHouse) -> None:
    house = make_house(policy=TWO)
    house.click("omar", house.ask(), "approve")
    house.command("priya", f"/playbook rollback {house.execution().execution_id}")
    offer = house.whisper("priya")
    house.click("omar", house.card(), "rollback")
    house.click("priya", offer, "rollback_here")
    assert "Look at its card before you sign" in house.whisper("priya").text
    assert house.execution().status is PlaybookStatus.COMPLETED
