"""Who may decide, when, and on what: every gate fails closed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.actor import Actor
from audit.errors import InputError, NotFoundError, RefusedError
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.policy import Policy
from remediation.ports import Person
from remediation.states import ActionStatus, PlaybookStatus
from tests.fakes.switches import ANA, OMAR, OTTO, POLICY, PRIYA, Bench, door_finding, door_playbook


@pytest.fixture
def bench() -> Bench:
    return Bench(MemoryExecutions())


def ask(bench: Bench, **arguments: object) -> PlaybookExecution:
    return bench.remediation.request(door_playbook(), door_finding(), ANA, **arguments)  # type: ignore[arg-type]


def test_a_request_is_pending_with_its_plan_and_changes_nothing(bench: Bench) -> None:
    asked = ask(bench)
    assert asked.status is PlaybookStatus.PENDING
    assert asked.plan is not None
    assert [(c.setting, c.before, c.after) for c in asked.plan.actions[0].changes()] == [
        ("door", "open", "closed")
    ]
    assert asked.expires_at == bench.now + timedelta(hours=24)
    assert bench.board.switches == {"door": "open"}
    assert "before write" not in bench.board.calls


def test_a_repeated_id_returns_the_stored_execution(bench: Bench) -> None:
    first = ask(bench, execution_id="x-1")
    bench.board.switches["door"] = "ajar"
    assert ask(bench, execution_id="x-1") == first


def test_an_approver_approves(bench: Bench) -> None:
    approved = bench.remediation.approve(ask(bench).execution_id, OMAR, revision=1)
    assert approved.status is PlaybookStatus.APPROVED
    assert approved.plan is not None
    assert [(d.actor, d.plan_digest) for d in approved.approvals] == [(OMAR, approved.plan.digest)]


def test_the_requester_may_not(bench: Bench) -> None:
    bench.people.people[ANA.slack_id] = Person(actor=ANA, groups=frozenset({"S0SEC"}))
    with pytest.raises(RefusedError, match="somebody else"):
        bench.remediation.approve(ask(bench).execution_id, ANA)


def test_nor_under_another_slack_id_with_the_same_address(bench: Bench) -> None:
    twin = Actor(workspace="T1", slack_id="U0TWIN")
    bench.people.people["U0TWIN"] = Person(
        actor=replace(twin, email="ANA@northwind.example"), groups=frozenset({"S0SEC"})
    )
    with pytest.raises(RefusedError, match="somebody else"):
        bench.remediation.approve(ask(bench).execution_id, twin)


def test_unless_the_policy_of_a_one_person_team_says_so() -> None:
    bench = Bench(
        MemoryExecutions(), replace(POLICY, allow_self_approval=True, approvers=frozenset({"U0ANA"}))
    )
    assert bench.remediation.approve(ask(bench).execution_id, ANA).status is PlaybookStatus.APPROVED


def test_an_outsider_may_not_and_hears_who_may(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="@S0SEC"):
        bench.remediation.approve(ask(bench).execution_id, OTTO)


@pytest.mark.parametrize("flag", ["is_deleted", "is_bot", "is_guest", "is_stranger"])
def test_an_approver_who_is_no_full_living_member_may_not(bench: Bench, flag: str) -> None:
    bench.people.people[OMAR.slack_id] = replace(bench.people.people[OMAR.slack_id], **{flag: True})
    with pytest.raises(RefusedError, match="full members"):
        bench.remediation.approve(ask(bench).execution_id, OMAR)


def test_a_directory_that_does_not_answer_decides_nothing(bench: Bench) -> None:
    asked = ask(bench)
    bench.people.broken = RefusedError("does not answer")
    with pytest.raises(RefusedError, match="does not answer"):
        bench.remediation.approve(asked.execution_id, OMAR)
    assert bench.store.get(asked.execution_id) == asked


def test_nobody_can_be_second_to_an_unknown_requester(bench: Bench) -> None:
    asked = bench.remediation.request(door_playbook(), door_finding(), Actor(origin="cli"))
    with pytest.raises(RefusedError, match="Nobody knows"):
        bench.remediation.approve(asked.execution_id, OMAR)


def test_nobody_approves_where_the_policy_names_nobody() -> None:
    bench = Bench(MemoryExecutions(), Policy())
    with pytest.raises(RefusedError, match="nobody yet"):
        bench.remediation.approve(ask(bench).execution_id, OMAR)


def test_two_of_two_need_two_people() -> None:
    bench = Bench(MemoryExecutions(), replace(POLICY, required_approvals=2))
    asked = ask(bench)
    assert bench.remediation.approve(asked.execution_id, OMAR).status is PlaybookStatus.PENDING
    with pytest.raises(RefusedError, match="already approved"):
        bench.remediation.approve(asked.execution_id, OMAR)
    assert bench.remediation.approve(asked.execution_id, PRIYA).status is PlaybookStatus.APPROVED


def test_a_late_click_hears_who_decided(bench: Bench) -> None:
    asked = ask(bench)
    bench.remediation.reject(asked.execution_id, OMAR, reason="not today")
    with pytest.raises(RefusedError, match="already rejected.*@U0OMAR"):
        bench.remediation.approve(asked.execution_id, PRIYA)


def test_an_old_card_decides_nothing(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="out of date"):
        bench.remediation.approve(ask(bench).execution_id, OMAR, revision=0)


def test_time_runs_out(bench: Bench) -> None:
    asked = ask(bench)
    bench.pass_time(hours=24)
    with pytest.raises(RefusedError, match="time to decide is over"):
        bench.remediation.approve(asked.execution_id, OMAR)
    late = bench.store.glimpses(PlaybookStatus.PENDING, until=bench.now)
    assert [found.execution_id for found in late] == [asked.execution_id]
    assert bench.remediation.expire(asked).status is PlaybookStatus.EXPIRED


def test_a_rejection_needs_a_reason_and_an_approver(bench: Bench) -> None:
    asked = ask(bench)
    with pytest.raises(InputError, match="reason"):
        bench.remediation.reject(asked.execution_id, OMAR, reason="  ")
    with pytest.raises(RefusedError):
        bench.remediation.reject(asked.execution_id, OTTO, reason="no")
    rejected = bench.remediation.reject(asked.execution_id, OMAR, reason=" no ")
    assert rejected.status is PlaybookStatus.REJECTED
    assert rejected.decisions[-1].reason == "no"


def test_whoever_asked_may_withdraw(bench: Bench) -> None:
    assert (
        bench.remediation.reject(ask(bench).execution_id, ANA, reason="mistake").status
        is PlaybookStatus.REJECTED
    )


def test_nothing_to_do_asks_nobody(bench: Bench) -> None:
    bench.board.switches["door"] = "closed"
    asked = ask(bench)
    assert asked.status is PlaybookStatus.COMPLETED
    assert [result.status for result in asked.actions] == [ActionStatus.SKIPPED]
    assert not asked.can_roll_back


def test_a_playbook_that_asks_for_people_is_not_signed_by_the_policy(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="needs a person"):
        bench.remediation.approve_by_policy(ask(bench))


def test_there_is_no_such_execution(bench: Bench) -> None:
    with pytest.raises(NotFoundError):
        bench.remediation.approve("x-none", OMAR)


def test_what_an_approver_sees_as_passing_is_not_planned_for(bench: Bench) -> None:
    from audit.findings import FindingStatus

    with pytest.raises(InputError, match="nothing to fix"):
        bench.remediation.request(door_playbook(), replace(door_finding(), status=FindingStatus.PASS), ANA)


SHELL_BOB = Actor(email="bob@northwind.example", origin="cli")
BOB = Actor(workspace="T1", slack_id="U0BOB", email="bob.smith@northwind.example")


def test_somebody_at_a_shell_is_found_in_the_directory_before_anybody_signs(bench: Bench) -> None:
    """One person with two addresses must not be two people."""
    bench.people.by_email["bob@northwind.example"] = Person(actor=BOB)
    bench.people.people[BOB.slack_id] = Person(actor=BOB, groups=frozenset({"S0SEC"}))
    asked = bench.remediation.request(door_playbook(), door_finding(), SHELL_BOB)
    with pytest.raises(RefusedError, match="somebody else"):
        bench.remediation.approve(asked.execution_id, Actor(workspace="T1", slack_id="U0BOB"))
    assert bench.remediation.approve(asked.execution_id, OMAR).status is PlaybookStatus.APPROVED


def test_whom_the_directory_does_not_know_nobody_can_be_second_to(bench: Bench) -> None:
    asked = bench.remediation.request(
        door_playbook(), door_finding(), replace(SHELL_BOB, email="x@nowhere.example")
    )
    with pytest.raises(RefusedError, match="nobody in this workspace"):
        bench.remediation.approve(asked.execution_id, OMAR)


def test_two_who_share_no_kind_of_identity_cannot_be_told_apart(bench: Bench) -> None:
    faceless = Actor(workspace="T1", slack_id="U0OMAR")
    bench.people.by_email["bob@northwind.example"] = Person(actor=SHELL_BOB)
    bench.people.people["U0OMAR"] = Person(actor=faceless, groups=frozenset({"S0SEC"}))
    asked = bench.remediation.request(door_playbook(), door_finding(), SHELL_BOB)
    with pytest.raises(RefusedError, match="told apart"):
        bench.remediation.approve(asked.execution_id, faceless)


def test_an_unattended_playbook_is_refused_unless_the_rules_name_it() -> None:
    book = door_playbook()
    book.set_approval_required(required=False)
    strict = Bench(MemoryExecutions())
    with pytest.raises(RefusedError, match="unattended_playbooks"):
        strict.remediation.request(book, door_finding(), ANA)
    lenient = Bench(MemoryExecutions(), replace(POLICY, unattended_playbooks=frozenset({"CLOSE-DOOR"})))
    asked = lenient.remediation.request(book, door_finding(), ANA)
    assert lenient.remediation.approve_by_policy(asked).status is PlaybookStatus.APPROVED


def test_who_somebody_is_is_read_at_each_decision_and_remembered_for_none(bench: Bench) -> None:
    execution = ask(bench)
    with pytest.raises(RefusedError, match="not among the approvers"):
        bench.remediation.approve(execution.execution_id, OTTO)
    bench.people.people[OTTO.slack_id] = Person(actor=OTTO, groups=frozenset({"S0SEC"}))
    approved = bench.remediation.approve(execution.execution_id, OTTO)
    assert approved.status is PlaybookStatus.APPROVED
    bench.runner.run(execution.execution_id)
    bench.people.people[OTTO.slack_id] = Person(actor=OTTO)
    with pytest.raises(RefusedError, match="not among the approvers"):
        bench.remediation.allow_rollback(execution.execution_id, OTTO)


def test_whom_the_directory_cannot_name_decides_nothing(bench: Bench) -> None:
    bench.people.people[OMAR.slack_id] = Person(actor=Actor(), groups=frozenset({"S0SEC"}))
    with pytest.raises(RefusedError, match="could not find out who you are"):
        bench.remediation.reject(ask(bench).execution_id, OMAR, reason="because")
