"""Deciding about a batch: who may, on what, and that one word is about all of them or none."""

from dataclasses import replace
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.errors import InputError, RefusedError
from audit.findings import Severity
from remediation.batches import set_digest
from remediation.excepting import ExceptionWish
from remediation.policy import Policy
from remediation.ports import Person
from remediation.protection import Freeze, Protection
from remediation.rules import Rule
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, a_door, doors, hall_playbook


def assert_nothing_decided(hall: Hall) -> None:
    assert set(hall.statuses()) == {"PENDING"}
    assert not any(each.decisions for each in hall.members().executions)


def test_one_word_approves_all_with_one_entry_that_names_the_set(hall: Hall) -> None:
    hall.ask(doors(3))
    seen = hall.seen()
    hall.approve(OMAR)
    assert hall.statuses() == ["APPROVED"] * 3
    assert hall.kinds()[-4:] == ["execution.approved"] * 3 + ["batch.approved"]
    assert seen.encode() in list(hall.stores.trail.stream())[-1].body
    hall.run()
    assert hall.statuses() == ["COMPLETED"] * 3
    assert {hall.board.switches[f"door-{n}"] for n in (1, 2, 3)} == {"closed"}


def test_another_set_than_the_one_seen_approves_nothing(hall: Hall) -> None:
    hall.ask(doors(3))
    seen = hall.seen()
    first = hall.members().executions[0]
    hall.remediation.reject(first.execution_id, OMAR, reason="not this one")
    with pytest.raises(RefusedError, match="changed since you looked"):
        hall.decisions.approve("b-1", PRIYA, set_seen=seen)
    assert hall.statuses() == ["REJECTED", "PENDING", "PENDING"]


def test_a_second_click_is_too_late(hall: Hall) -> None:
    hall.ask(doors(2))
    seen = hall.seen()
    hall.approve(OMAR)
    with pytest.raises(RefusedError, match="Too late"):
        hall.decisions.approve("b-1", PRIYA, set_seen=seen)


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_a_forged_set_approves_nothing(hall: Hall, digest: str) -> None:
    hall.ask(doors(2))
    with pytest.raises(RefusedError, match="changed since"):
        hall.decisions.approve("b-1", OMAR, set_seen=digest)
    assert_nothing_decided(hall)


def test_the_requester_may_not_approve(hall: Hall) -> None:
    hall.bench.people.people[ANA.slack_id] = Person(actor=ANA, groups=frozenset({"S0SEC"}))
    hall.ask(doors(2))
    with pytest.raises(RefusedError, match="somebody else"):
        hall.approve(ANA)
    assert_nothing_decided(hall)


def test_an_outsider_may_not(hall: Hall) -> None:
    hall.ask(doors(2))
    with pytest.raises(RefusedError, match="@S0SEC"):
        hall.approve(OTTO)
    assert_nothing_decided(hall)


@pytest.mark.parametrize("flag", ["is_deleted", "is_bot", "is_guest", "is_stranger"])
def test_nor_somebody_who_is_no_full_member(hall: Hall, flag: str) -> None:
    hall.ask(doors(2))
    hall.bench.people.people[OMAR.slack_id] = replace(hall.bench.people.people[OMAR.slack_id], **{flag: True})
    with pytest.raises(RefusedError, match="full members"):
        hall.approve(OMAR)
    assert_nothing_decided(hall)


def test_who_may_not_sign_one_signs_none_and_hears_which() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), approvers=frozenset({"U0PRIYA"}))
    hall = Hall(policy=replace(POLICY, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL), a_door(3)])
    with pytest.raises(RefusedError, match="door-2.*nothing was decided"):
        hall.approve(OMAR)
    assert_nothing_decided(hall)
    hall.approve(PRIYA)
    assert hall.statuses() == ["APPROVED"] * 3


def test_who_asked_for_one_of_them_signs_none(hall: Hall) -> None:
    """Joining is not asking: but an item that somebody else asked for keeps its own requester's gate."""
    hall.ask(doors(2), by=OMAR)
    with pytest.raises(RefusedError, match="somebody else"):
        hall.approve(OMAR)
    hall.approve(PRIYA)
    assert hall.statuses() == ["APPROVED"] * 2


def test_one_that_ran_out_of_time_keeps_all_from_being_signed() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), expires_after=timedelta(hours=1))
    hall = Hall(policy=replace(POLICY, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL)])
    hall.bench.pass_time(hours=2)
    with pytest.raises(RefusedError, match="time to decide is over.*door-2"):
        hall.approve(OMAR)
    assert_nothing_decided(hall)
    hall.remediation.expire(hall.members().executions[1])
    hall.approve(OMAR)
    assert hall.statuses() == ["APPROVED", "EXPIRED"]


def test_two_of_two_sign_each_item_twice() -> None:
    hall = Hall(policy=replace(POLICY, required_approvals=2))
    hall.ask(doors(2))
    hall.approve(OMAR)
    assert hall.statuses() == ["PENDING"] * 2
    assert hall.kinds()[-1] == "batch.signed"
    with pytest.raises(RefusedError, match="already approved"):
        hall.approve(OMAR)
    hall.approve(PRIYA)
    assert hall.statuses() == ["APPROVED"] * 2
    assert hall.kinds()[-1] == "batch.approved"


def test_a_freeze_holds_for_batches() -> None:
    freeze = Freeze(first=date(2026, 11, 25), last=date(2026, 11, 25), zone=ZoneInfo("UTC"))
    hall = Hall(policy=replace(POLICY, protection=Protection(freezes=(freeze,))))
    hall.ask(doors(2))
    hall.bench.pass_time(hours=20)
    with pytest.raises(RefusedError, match="freezes"):
        hall.approve(OMAR)
    assert_nothing_decided(hall)


def test_an_exception_granted_meanwhile_keeps_all_from_being_signed(hall: Hall) -> None:
    hall.ask(doors(2))
    other = hall.remediation.request(hall_playbook(), a_door(2, resource=""), ANA)
    assert other.finding.fingerprint != hall.members().executions[1].finding.fingerprint
    held = hall.members().executions[1]
    wish = ExceptionWish(hall.bench.now.astimezone(UTC).date() + timedelta(days=3))
    shadow = replace(held, execution_id="x-shadow", holds="", batch_id="", version=0)
    stored = hall.stores.executions.create(shadow, hall.remediation.event("execution.requested", ANA, shadow))
    hall.remediation.reject(stored.execution_id, OMAR, reason="leave it", wish=wish)
    with pytest.raises(RefusedError, match=r"leave it.*door-2"):
        hall.approve(PRIYA)
    assert_nothing_decided(hall)


def test_a_limit_lowered_meanwhile_is_counted_again(hall: Hall) -> None:
    hall.ask(doors(3))
    lower = Hall(policy=replace(POLICY, protection=Protection(max_targets=2)), stores=hall.stores)
    with pytest.raises(RefusedError, match=r"`protection.max_targets` allows 2"):
        lower.approve(OMAR)
    assert_nothing_decided(hall)


def test_membership_is_read_once_and_afresh(hall: Hall) -> None:
    hall.ask(doors(5))
    reads: list[str] = []
    people = hall.bench.people
    look_up = people.look_up

    class Counting:
        def look_up(self, actor: object, *, groups: frozenset[str]) -> Person:
            reads.append(str(actor))
            return look_up(actor, groups=groups)  # type: ignore[arg-type]

    hall.decisions = replace(hall.decisions, remediation=replace(hall.remediation, directory=Counting()))
    hall.approve(OMAR)
    assert len(reads) == 1


def test_a_directory_that_does_not_answer_decides_nothing(hall: Hall) -> None:
    hall.ask(doors(2))
    hall.bench.people.broken = RefusedError("does not answer")
    with pytest.raises(RefusedError, match="does not answer"):
        hall.approve(OMAR)
    assert_nothing_decided(hall)


def test_the_policy_must_name_somebody() -> None:
    hall = Hall(policy=Policy())
    hall.ask(doors(2))
    with pytest.raises(RefusedError, match="nobody yet"):
        hall.approve(OMAR)


def test_what_was_taken_out_stays_out_with_its_reason(hall: Hall) -> None:
    hall.ask(doors(3))
    middle = hall.members().executions[1].execution_id
    hall.decisions.reject("b-1", OMAR, set_seen=hall.seen(), reason="needed until Friday", only={middle})
    assert hall.statuses() == ["PENDING", "REJECTED", "PENDING"]
    assert hall.members().executions[1].decisions[-1].reason == "needed until Friday"
    hall.approve(PRIYA)
    assert hall.statuses() == ["APPROVED", "REJECTED", "APPROVED"]


def test_the_requester_may_take_out_and_an_outsider_may_not(hall: Hall) -> None:
    hall.ask(doors(2))
    names = [each.execution_id for each in hall.members().executions]
    with pytest.raises(RefusedError, match="not among"):
        hall.decisions.reject("b-1", OTTO, set_seen=hall.seen(), reason="no", only={names[0]})
    hall.decisions.reject("b-1", ANA, set_seen=hall.seen(), reason="a mistake", only={names[0]})
    assert hall.statuses() == ["REJECTED", "PENDING"]


def test_a_no_to_all(hall: Hall) -> None:
    hall.ask(doors(3))
    hall.decisions.reject("b-1", OMAR, set_seen=hall.seen(), reason="not now")
    assert hall.statuses() == ["REJECTED"] * 3
    assert hall.kinds()[-1] == "batch.rejected"


@pytest.mark.parametrize(("reason", "only"), [(" ", None), ("no", {"x-other"}), ("no", set())])
def test_a_no_without_a_reason_or_to_nothing_is_none(hall: Hall, reason: str, only: set[str] | None) -> None:
    hall.ask(doors(2))
    with pytest.raises(InputError):
        hall.decisions.reject("b-1", OMAR, set_seen=hall.seen(), reason=reason, only=only)
    assert_nothing_decided(hall)


def test_one_that_drifted_leaves_for_a_card_of_its_own_and_the_others_go_on(hall: Hall) -> None:
    hall.ask(doors(3))
    hall.approve(OMAR)
    hall.board.switches["door-2"] = "ajar"
    hall.run()
    assert hall.statuses() == ["COMPLETED", "PENDING", "COMPLETED"]
    members = hall.members()
    assert members.executions[1].revision == 2
    assert members.is_over
    assert members.waiting == ()
    with pytest.raises(RefusedError, match="Too late"):
        hall.decisions.approve("b-1", PRIYA, set_seen=set_digest("b-1", [members.executions[1]]))
