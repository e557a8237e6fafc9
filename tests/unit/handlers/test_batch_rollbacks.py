"""Putting a batch back on a real Bolt app, and what is told of it."""

from dataclasses import replace

import pytest

from audit.errors import TrailError
from tests.unit.handlers.batch_house import (
    DOORS,
    Killed,
    ask,
    batch_id_of,
    card_of,
    die,
    furnish,
    replay,
    states,
)
from tests.unit.handlers.conftest import MakeHouse
from tests.unit.handlers.house import APPROVERS, House


def test_a_rollback_of_all_and_what_a_person_changed_is_named(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    hall.board.switches[DOORS[1].resource] = "bricked up"
    done = card_of(hall, card)
    hall.click("otto", done, "batch_rollback")
    assert "not among the approvers" in hall.whisper("otto").words
    assert states(hall) == ["COMPLETED"] * 3
    hall.click("priya", done, "batch_rollback")
    assert states(hall) == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert "bricked up" in hall.whisper("priya").words
    now = card_of(hall, card)
    assert "Not put back" in now.words
    assert "2 rolled back" in now.words
    assert hall.board.switches[DOORS[1].resource] == "bricked up"


def test_a_rollback_that_two_have_to_sign(make_house: MakeHouse) -> None:
    hall = furnish(make_house(policy=replace(APPROVERS, rollback_approvals=2)))
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    hall.click("omar", card_of(hall, card), "batch_rollback")
    asked = card_of(hall, card)
    assert "1 of 2 approvals" in asked.words
    assert "was `open`, we set `closed`, now `closed`" in asked.words
    assert "batch_refuse_rollback" in asked.action_ids
    hall.click("priya", asked, "batch_rollback")
    assert states(hall) == ["ROLLED_BACK"] * 2


def test_a_rollback_that_is_refused(make_house: MakeHouse) -> None:
    hall = furnish(make_house(policy=replace(APPROVERS, rollback_approvals=2)))
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    hall.click("omar", card_of(hall, card), "batch_rollback")
    hall.click("priya", card_of(hall, card), "batch_refuse_rollback")
    assert states(hall) == ["COMPLETED"] * 2
    assert not any(each.rollback for each in hall.services.batches.members(batch_id_of(card)).executions)


def test_a_rollback_that_was_cut_off_never_says_that_nothing_was_done(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    left = iter([None, die])

    def die_at_the_second() -> None:
        if fault := next(left, die):
            fault()

    hall.board.faults["before write"] = die_at_the_second
    assert hall.slack.click("priya", card_of(hall, card), "batch_rollback").ok
    with pytest.raises(Killed):
        hall.work()
    hall.board.faults.clear()
    assert "ROLLED_BACK" in states(hall)
    replay(hall)
    assert "cut off in the middle" in hall.whisper("priya").words
    assert "othing was" not in hall.whisper("priya").words


def test_what_breaks_one_item_is_told_beside_what_went_back(hall: House) -> None:
    card = ask(hall, *DOORS[:2])
    hall.click("omar", card, "batch_approve")
    errors = [TrailError("the trail cannot be written; nothing was changed")]

    def fail_once() -> None:
        if errors:
            raise errors.pop()

    hall.board.faults["before write"] = fail_once
    hall.click("priya", card_of(hall, card), "batch_rollback")
    said = hall.whisper("priya").words
    assert "1 went back" in said
    assert "1 failed on the way" in said
    assert "the trail cannot be written" in said
    assert "nothing was changed" not in said


def test_a_rollback_that_was_cut_off_goes_on_and_tells_who_ordered_it_what_stays(hall: House) -> None:
    card = ask(hall, *DOORS[:3])
    hall.click("omar", card, "batch_approve")
    hall.board.faults["before write"] = die
    assert hall.slack.click("priya", card_of(hall, card), "batch_rollback").ok
    with pytest.raises(Killed):
        hall.work()
    hall.board.faults.clear()
    hall.board.switches[DOORS[1].resource] = "bricked up"
    owner = hall.services.runner.journal.owner
    for execution in hall.services.executions.unfinished(owner, hall.now):
        hall.services.runner.recover(execution.execution_id)
    assert hall.services.returns.left(owner, hall.now) == [batch_id_of(card)]
    hall.do("return", batch_id_of(card))
    hall.work_off()
    assert [states(hall)[n] for n in (0, 2)] == ["ROLLED_BACK"] * 2
    assert hall.board.switches[DOORS[1].resource] == "bricked up"
    (told,) = [m.words for m in hall.slack.messages("@priya") if "went on by itself" in m.words]
    assert "bricked up" in told
    assert "2 rolled back" in card_of(hall, card).words
    hall.do("return", batch_id_of(card))
    assert len([m for m in hall.slack.messages("@priya") if "went on by itself" in m.words]) == 1
