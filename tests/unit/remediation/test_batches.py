"""Asking for a batch: what is taken in, what is left out by name, and what is refused whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import RefusedError
from audit.findings import FindingStatus
from remediation.batches import Batch
from remediation.excepting import ExceptionWish
from remediation.protection import Protection
from remediation.states import PlaybookStatus
from tests.fakes.switches import ANA, OMAR, POLICY
from tests.unit.remediation.hall import Hall, a_door, doors, hall_playbook


def test_a_batch_holds_a_planned_execution_for_each_finding_in_their_order(hall: Hall) -> None:
    batch = hall.ask(doors(3))
    members = hall.members()
    assert [each.finding.resource for each in members.executions] == ["door-1", "door-2", "door-3"]
    assert all(each.plan and each.batch_id == batch.batch_id for each in members.executions)
    assert hall.board.switches["door-1"] == "open"
    assert hall.kinds() == ["execution.requested"] * 3 + ["batch.requested"]


def test_asked_again_it_is_the_same_batch(hall: Hall) -> None:
    assert hall.ask(doors(2)) == hall.ask(doors(3))
    assert len(hall.kinds()) == 3


def test_asked_for_by_two_processes_at_once_it_is_the_first_ones(hall: Hall) -> None:
    stored: list[Batch] = []

    def ask_elsewhere() -> None:
        hall.board.faults.pop("read", None)
        stored.append(hall.ask(doors(2)))

    hall.board.faults["read"] = ask_elsewhere
    asked = hall.ask(doors(2))
    assert stored
    assert all(each == asked for each in stored)
    assert hall.statuses() == ["PENDING"] * 2
    assert hall.kinds().count("execution.requested") == 2


def test_what_cannot_be_taken_is_left_out_by_name(hall: Hall) -> None:
    hall.board.switches["door-2"] = "closed"
    protection = Protection(resources=("door-3",))
    hall.policy = replace(POLICY, protection=protection)
    hall.__post_init__()
    hall.board.switches["door-2"] = "closed"
    busy = hall.remediation.request(hall_playbook(), a_door(4), OMAR)
    excepted = hall.remediation.request(hall_playbook(), a_door(5), ANA)
    wish = ExceptionWish(hall.bench.now.date() + timedelta(days=3))
    hall.remediation.reject(excepted.execution_id, OMAR, reason="until Friday", wish=wish)
    twice = a_door(1, id="F-1b", check_id="other")
    fixed = a_door(6, status=FindingStatus.PASS)
    batch = hall.ask([*doors(5), twice, fixed])
    assert [each.finding.resource for each in hall.members().executions] == ["door-1"]
    why = {each.finding: each.why for each in batch.left_out}
    assert "already is as it should be" in why[a_door(2).handle]
    assert "protected" in why[a_door(3).handle]
    assert busy.execution_id in why[a_door(4).handle]
    assert "until Friday" in why[a_door(5).handle]
    assert a_door(1).handle in why[twice.handle]
    assert "nothing to fix" in why[fixed.handle]
    assert len(why) == 6


def test_where_nothing_is_left_nothing_is_stored(hall: Hall) -> None:
    hall.board.switches.update({"door-1": "closed", "door-2": "closed"})
    with pytest.raises(RefusedError, match=r"Nothing of this.*already is as it should be"):
        hall.ask(doors(2))
    assert hall.kinds() == []


def test_max_targets_counts_over_the_whole_batch(hall: Hall) -> None:
    with pytest.raises(RefusedError, match="change 4 resources; the playbook's `max_targets` allows 3"):
        hall.ask(doors(4), book=hall_playbook(max_targets=3))
    assert hall.kinds() == []
    hall.ask(doors(3), book=hall_playbook(max_targets=3))


def test_the_policys_max_targets_is_the_lower_one() -> None:
    hall = Hall(policy=replace(POLICY, protection=Protection(max_targets=2)))
    with pytest.raises(RefusedError, match=r"`protection.max_targets` allows 2"):
        hall.ask(doors(3))


def test_a_person_cannot_look_through_more_than_fifty(hall: Hall) -> None:
    with pytest.raises(RefusedError, match="51 findings.*50 at the most"):
        hall.ask(doors(51), book=hall_playbook(max_targets=1000))


def test_a_playbook_that_asks_nobody_is_not_run_in_batches(hall: Hall) -> None:
    hall.policy = replace(POLICY, unattended_playbooks=frozenset({"CLOSE-DOORS"}))
    hall.__post_init__()
    book = hall_playbook()
    book.requires_approval = False
    with pytest.raises(RefusedError, match="nobody's approval"):
        hall.ask(doors(2), book=book)


def test_a_card_whose_time_is_over_holds_nothing(hall: Hall) -> None:
    old = hall.remediation.request(hall_playbook(), a_door(1), ANA)
    hall.bench.pass_time(hours=25)
    assert hall.ask(doors(2)).left_out == ()
    assert hall.stores.executions.get(old.execution_id).status is PlaybookStatus.EXPIRED
