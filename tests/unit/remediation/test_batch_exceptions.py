"""A no to several findings that also leaves them as they are for a while: all of it, or nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.errors import InputError, RefusedError
from remediation.excepting import ExceptionWish
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, doors


def a_wish(hall: Hall, *, days: int = 3, **owner: object) -> ExceptionWish:
    return ExceptionWish(hall.bench.now.date() + timedelta(days=days), **owner)  # type: ignore[arg-type]


def reject(hall: Hall, by: object = OMAR, **wish: object) -> None:
    hall.decisions.reject(
        "b-1",
        by,  # type: ignore[arg-type]
        set_seen=hall.seen(),
        reason="needed until spring",
        wish=a_wish(hall, **wish),  # type: ignore[arg-type]
    )


def assert_nothing_granted(hall: Hall) -> None:
    assert set(hall.statuses()) == {"PENDING"}
    assert hall.stores.exceptions.open() == []


def test_each_finding_is_left_as_it_is_and_cannot_be_asked_for(hall: Hall) -> None:
    hall.ask(doors(3))
    reject(hall, owner=PRIYA)
    assert hall.statuses() == ["REJECTED"] * 3
    granted = hall.stores.exceptions.open()
    assert sorted(each.finding.resource for each in granted) == ["door-1", "door-2", "door-3"]
    assert {(each.owner, each.reason) for each in granted} == {(PRIYA, "needed until spring")}
    assert {each.execution_id for each in granted} == set(hall.members().batch.execution_ids)
    assert hall.kinds()[-7:] == ["execution.rejected"] * 3 + ["exception.granted"] * 3 + ["batch.rejected"]
    with pytest.raises(RefusedError, match="needed until spring"):
        hall.ask(doors(3), batch_id="b-2")


def test_only_what_is_taken_out_is_excepted(hall: Hall) -> None:
    hall.ask(doors(3))
    first = hall.members().executions[0].execution_id
    hall.decisions.reject("b-1", OMAR, set_seen=hall.seen(), reason="no", only={first}, wish=a_wish(hall))
    assert hall.statuses() == ["REJECTED", "PENDING", "PENDING"]
    (granted,) = hall.stores.exceptions.open()
    assert (granted.finding.resource, granted.owner) == ("door-1", OMAR)


@pytest.mark.parametrize("by", [ANA, OTTO])
def test_neither_whoever_asked_nor_an_outsider_grants_any(hall: Hall, by: object) -> None:
    hall.ask(doors(2))
    with pytest.raises(RefusedError, match="nothing was decided"):
        reject(hall, by)
    assert_nothing_granted(hall)


def test_whoever_asked_and_may_approve_grants_none_for_their_own() -> None:
    hall = Hall()
    hall.ask(doors(2), by=OMAR)
    with pytest.raises(RefusedError):
        reject(hall, OMAR)
    assert_nothing_granted(hall)


@pytest.mark.parametrize("days", [-1, 4000])
def test_what_is_over_or_lasts_too_long_is_refused_whole(hall: Hall, days: int) -> None:
    hall.ask(doors(2))
    with pytest.raises(InputError):
        reject(hall, days=days)
    assert_nothing_granted(hall)


def test_an_owner_who_cannot_answer_for_it_is_refused(hall: Hall) -> None:
    hall.ask(doors(2))
    person = hall.bench.people.people[PRIYA.slack_id]
    hall.bench.people.people[PRIYA.slack_id] = replace(person, is_deleted=True)
    with pytest.raises(RefusedError):
        reject(hall, owner=PRIYA)
    assert_nothing_granted(hall)


def test_one_that_the_rules_keep_from_this_person_keeps_all(hall: Hall) -> None:
    hall.ask(doors(2))
    hall.remediation.reject(hall.members().executions[0].execution_id, PRIYA, reason="not this", revision=1)
    seen = hall.seen()
    hall.approve(PRIYA)
    with pytest.raises(RefusedError, match="Too late"):
        hall.decisions.reject("b-1", OMAR, set_seen=seen, reason="no", wish=a_wish(hall))
    assert hall.stores.exceptions.open() == []
    assert POLICY.longest_exception > timedelta(days=3)
