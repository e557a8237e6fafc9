"""Batches: what is taken in, who may decide, on what, and that one word is about all of them or none."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import Cause, CountersignError, InputError, PermanentActionError, RefusedError, TrailError
from audit.findings import FindingStatus, Severity
from remediation.batches import Batch, Members, set_digest
from remediation.excepting import ExceptionWish
from remediation.execution import PlaybookExecution
from remediation.policy import Policy
from remediation.ports import Person
from remediation.protection import Freeze, Protection
from remediation.rollbacks import Rollbacks
from remediation.rules import Rule
from remediation.states import PlaybookStatus
from tests.fakes.batches import MemoryBatches
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA
from tests.unit.remediation.hall import Hall, a_door, doors, hall_playbook


@pytest.fixture
def hall() -> Hall:
    return Hall()


def assert_nothing_decided(hall: Hall) -> None:
    assert set(hall.statuses()) == {"PENDING"}
    assert not any(each.decisions for each in hall.members().executions)


# Asking


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


# Deciding


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


# Drift


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


# Rolling back


def fixed(hall: Hall, count: int = 3) -> None:
    hall.ask(doors(count))
    hall.approve(OMAR)
    hall.run()


def test_a_batch_goes_back_item_by_item(hall: Hall) -> None:
    fixed(hall)
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert len(said.done) == 3
    assert said.refused == {}
    assert hall.statuses() == ["ROLLED_BACK"] * 3
    assert {hall.board.switches[f"door-{n}"] for n in (1, 2, 3)} == {"open"}
    assert "batch.rollback" in hall.kinds()


def test_what_a_person_changed_since_stays_and_is_named(hall: Hall) -> None:
    fixed(hall)
    hall.board.switches["door-2"] = "bricked up"
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "ROLLED_BACK"]
    assert hall.board.switches["door-2"] == "bricked up"
    (name,) = said.refused
    assert name == hall.members().executions[1].execution_id
    assert "bricked up" in said.refused[name]
    assert hall.members().batch.refused == dict(said.refused)


def test_who_may_not_put_one_back_puts_none_back() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), approvers=frozenset({"U0PRIYA"}))
    hall = Hall(policy=replace(POLICY, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL)])
    hall.approve(PRIYA)
    hall.run()
    with pytest.raises(RefusedError, match="door-2.*nothing was put back"):
        hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["COMPLETED"] * 2


def test_another_set_than_the_one_seen_is_not_put_back(hall: Hall) -> None:
    fixed(hall)
    seen = hall.seen_back()
    hall.bench.runner.roll_back(hall.members().executions[0].execution_id, PRIYA)
    with pytest.raises(RefusedError, match="changed since"):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=seen)
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "COMPLETED"]
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    with pytest.raises(RefusedError, match="nothing to put back"):
        hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())


def test_where_the_rules_want_two_for_a_rollback_two_have_to_ask() -> None:
    hall = Hall(policy=replace(POLICY, rollback_approvals=2))
    fixed(hall, 2)
    first = hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    assert hall.statuses() == ["COMPLETED"] * 2
    assert first.refused == {}
    assert all(each.rollback for each in hall.members().executions)
    with pytest.raises(RefusedError, match="somebody else"):
        hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 2


def failing_once(error: Exception) -> Callable[[], None]:
    """Return a fault of one item alone, whichever is first."""
    errors = [error]

    def fail() -> None:
        if errors:
            raise errors.pop()

    return fail


@pytest.mark.parametrize(
    "error", [TrailError("cannot be written; nothing was changed"), CountersignError("the database is full")]
)
def test_what_breaks_one_item_leaves_the_others_and_is_told(hall: Hall, error: Exception) -> None:
    fixed(hall)
    hall.board.faults["before write"] = failing_once(error)
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert len(said.done) == 2
    assert sorted(hall.statuses()) == ["ROLLED_BACK", "ROLLED_BACK", "ROLLING_BACK"]
    ((name, why),) = said.broken.items()
    assert name not in said.done
    assert why in str(error)
    assert "nothing was changed" not in why
    assert name in hall.members().batch.refused


def test_an_item_whose_rollback_failed_did_not_go_back(hall: Hall) -> None:
    fixed(hall)
    hall.board.faults["before write"] = failing_once(PermanentActionError("jammed", cause=Cause.DENIED))
    said = hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert sorted(hall.statuses()) == ["ROLLBACK_FAILED", "ROLLED_BACK", "ROLLED_BACK"]
    assert len(said.done) == 2
    assert "jammed" in str(said.broken)


def test_who_may_not_refuse_one_rollback_refuses_none() -> None:
    rule = Rule(severities=frozenset({Severity.CRITICAL}), approvers=frozenset({"U0PRIYA"}))
    hall = Hall(policy=replace(POLICY, rollback_approvals=2, rules=(rule,)))
    hall.ask([a_door(1), a_door(2, severity=Severity.CRITICAL)])
    hall.approve(PRIYA)
    hall.run()
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    with pytest.raises(RefusedError, match="door-2.*no rollback of this batch was refused"):
        hall.rollbacks.refuse("b-1", OMAR, set_seen=hall.seen_back())
    assert all(each.rollback for each in hall.members().executions)


class Meddling(MemoryBatches):
    """Batches behind whose reader's back a sibling is put back."""

    meddle: Callable[[], object] = staticmethod(lambda: None)

    def members(self, batch_id: str) -> Members:
        members = super().members(batch_id)
        self.meddle()
        return members


def test_a_sibling_that_is_put_back_meanwhile_keeps_nobody_from_refusing_the_others() -> None:
    hall = Hall(policy=replace(POLICY, rollback_approvals=2))
    fixed(hall)
    hall.rollbacks.ask("b-1", OMAR, set_seen=hall.seen_back())
    seen, (first, *others) = hall.seen_back(), hall.members().executions
    batches = Meddling(hall.stores.executions)
    batches.by_id = hall.stores.batches.by_id
    batches.meddle = lambda: Rollbacks(hall.remediation, hall.bench.runner).ask(first.execution_id, PRIYA)
    said = replace(hall.rollbacks, batches=batches).refuse("b-1", PRIYA, set_seen=seen)
    assert set(said.done) == {each.execution_id for each in others}
    assert hall.statuses() == ["ROLLED_BACK", "COMPLETED", "COMPLETED"]
    assert not any(each.rollback for each in hall.members().executions)


# A process that dies


class Killed(BaseException):
    """Ends everything at once, as a signal nobody catches."""


@pytest.mark.parametrize("moment", ["before write", "after write"])
def test_an_item_whose_process_died_is_taken_over_and_written_once(hall: Hall, moment: str) -> None:
    hall.ask(doors(3))
    hall.approve(OMAR)
    first, second, _ = (each.execution_id for each in hall.members().executions)
    hall.bench.runner.run(first)

    def die() -> None:
        raise Killed

    hall.board.faults[moment] = die
    with pytest.raises(Killed):
        hall.bench.runner.run(second)
    hall.board.faults.clear()
    assert hall.statuses() == ["COMPLETED", "RUNNING", "APPROVED"]
    assert hall.members().is_busy
    hall.bench.pass_time(minutes=3)
    runner = Hall(stores=hall.stores).bench.runner
    heir = replace(runner, planner=hall.bench.runner.planner, journal=replace(runner.journal, owner="heir"))
    for execution in hall.stores.executions.unfinished("heir", hall.bench.now):
        heir.recover(execution.execution_id)
    for execution in hall.stores.executions.waiting(hall.bench.now):
        heir.run(execution.execution_id)
    assert hall.statuses() == ["COMPLETED"] * 3
    assert hall.members().is_over
    assert hall.board.calls.count("after write") == 3
    assert hall.kinds().count("execution.approved") == 3
    hall.rollbacks.ask("b-1", PRIYA, set_seen=hall.seen_back())
    assert hall.statuses() == ["ROLLED_BACK"] * 3


# Whatever people do


def a_move(hall: Hall, name: str, number: int) -> None:
    """Change something about one item behind the back of whoever looks at the card."""
    execution: PlaybookExecution = hall.members().executions[number % 4]
    if name == "reject":
        hall.remediation.reject(execution.execution_id, OMAR, reason="no")
    elif name == "approve":
        hall.remediation.approve(execution.execution_id, OMAR)
    elif name == "run":
        hall.bench.runner.run(execution.execution_id)
    elif name == "meddle":
        hall.board.switches[execution.finding.resource] = f"ajar-{number}"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    moves=st.lists(
        st.tuples(st.sampled_from(["reject", "approve", "run", "meddle"]), st.integers(0, 7)), max_size=8
    )
)
def test_a_set_seen_before_is_approved_only_if_it_still_is_that_set(moves: list[tuple[str, int]]) -> None:
    hall = Hall()
    hall.ask(doors(4))
    seen = hall.seen()
    before = [(each.execution_id, each.revision) for each in hall.members().waiting]
    for name, number in moves:
        try:
            a_move(hall, name, number)
        except RefusedError:
            continue
    now = hall.members()
    still = [(each.execution_id, each.revision) for each in now.waiting] == before
    try:
        decided = hall.decisions.approve("b-1", PRIYA, set_seen=seen)
    except RefusedError:
        assert not still
        assert hall.members() == now
    else:
        assert still
        assert [(each.execution_id, each.revision) for each in decided] == before
        assert hall.statuses() == ["APPROVED"] * 4
