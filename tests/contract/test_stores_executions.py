"""What every `ExecutionStore` does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audit.errors import CountersignError, HeldError, NotFoundError, StateError, TrailError
from audit.trail import breaks
from remediation.execution import ActionResult, PlaybookExecution
from remediation.ports import OWNER_LOST_AFTER
from remediation.states import ActionStatus, PlaybookStatus
from storage import Stores
from tests.fakes.samples import (
    NOW,
    a_change,
    a_decision,
    a_finding,
    an_event,
    an_event_nobody_can_write,
    an_execution,
)
from tests.fakes.stores import MemoryStores

AnyStores = Stores | MemoryStores


def created(stores: AnyStores, execution: PlaybookExecution | None = None) -> PlaybookExecution:
    return stores.executions.create(execution or an_execution(), an_event())


def approved(execution: PlaybookExecution) -> PlaybookExecution:
    return execution.moved(PlaybookStatus.APPROVED, decisions=(*execution.decisions, a_decision(execution)))


def trail_length(stores: AnyStores) -> int:
    return len(list(stores.trail.stream()))


def test_a_new_execution_is_version_one_and_comes_back_whole(stores: AnyStores) -> None:
    execution = created(stores)

    assert execution == replace(an_execution(), version=1)
    assert stores.executions.get("exec-1") == execution


def test_every_field_survives(stores: AnyStores) -> None:
    full = an_execution(
        finding=a_finding(observed_at=NOW, muted=True),
        status=PlaybookStatus.FAILED,
        drift=(a_change(),),
        dry_run=True,
        error="the cloud said no",
        owner="worker-1",
        started_at=NOW,
        run_number=3,
        ended_at=NOW + timedelta(microseconds=1),
        revision=3,
        actions=(
            ActionResult(
                "block",
                ActionStatus.FAILED,
                message="half way",
                error="denied",
                before={"BlockPublicAcls": None, "Rules": [{"Id": 1}]},
                request_ids=("req-1", "req-2"),
                started_at=NOW,
                ended_at=NOW,
            ),
            ActionResult("tag", ActionStatus.PLANNED, before={}),
        ),
    )
    full = replace(full, decisions=(a_decision(full), a_decision(full)))

    assert stores.executions.get(created(stores, full).execution_id) == replace(full, version=1)


def test_the_plan_that_comes_back_has_the_digest_that_was_signed(stores: AnyStores) -> None:
    signed = created(stores).plan
    stored = stores.executions.get("exec-1").plan

    assert signed is not None
    assert stored is not None
    assert stored.digest == signed.digest


def test_creating_twice_returns_the_stored_one_and_writes_nothing(stores: AnyStores) -> None:
    moved_on = stores.executions.save(created(stores), approved(created(stores)), an_event())

    assert created(stores) == moved_on
    assert trail_length(stores) == 2


def test_a_save_raises_the_version_and_writes_one_entry(stores: AnyStores) -> None:
    first = created(stores)
    second = stores.executions.save(first, approved(first), an_event("execution.approved"))

    assert second.version == 2
    assert stores.executions.get("exec-1") == second
    assert trail_length(stores) == 2


def test_a_stale_save_is_refused_and_changes_nothing(stores: AnyStores) -> None:
    first = created(stores)
    second = stores.executions.save(first, approved(first), an_event())

    with pytest.raises(StateError, match="moved on"):
        stores.executions.save(first, first.moved(PlaybookStatus.REJECTED), an_event())

    assert stores.executions.get("exec-1") == second
    assert trail_length(stores) == 2


def test_a_stale_save_is_refused_within_one_state_too(stores: AnyStores) -> None:
    first = created(stores)
    stores.executions.save(first, replace(first, owner="faster"), an_event())
    with pytest.raises(StateError):
        stores.executions.save(first, replace(first, owner="slower"), an_event())
    assert stores.executions.get("exec-1").owner == "faster"


def test_saving_what_was_never_created_is_refused(stores: AnyStores) -> None:
    unknown = an_execution("exec-2", version=1)
    with pytest.raises(StateError):
        stores.executions.save(unknown, replace(unknown, owner="me"), an_event())


def test_a_move_outside_the_table_is_refused(stores: AnyStores) -> None:
    first = created(stores)
    with pytest.raises(StateError, match="PENDING to RUNNING"):
        stores.executions.save(first, replace(first, status=PlaybookStatus.RUNNING), an_event())
    assert trail_length(stores) == 1


def test_nobody_reaches_running_by_pretending_that_it_was_approved(stores: AnyStores) -> None:
    first = created(stores)
    pretended = replace(first, status=PlaybookStatus.APPROVED)
    with pytest.raises(StateError):
        stores.executions.save(pretended, pretended.moved(PlaybookStatus.RUNNING), an_event())
    assert stores.executions.get("exec-1") == first


def test_a_change_within_one_state_is_saved(stores: AnyStores) -> None:
    first = created(stores)
    assert stores.executions.save(first, replace(first, owner="worker-1"), an_event()).owner == "worker-1"


@pytest.mark.parametrize("status", [PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK])
def test_nobody_decides_in_the_middle_of_a_run(stores: AnyStores, status: PlaybookStatus) -> None:
    running = created(stores, an_execution(status=status))
    decided = replace(running, decisions=(*running.decisions, a_decision(running)))
    with pytest.raises(StateError, match="being worked on"):
        stores.executions.save(running, decided, an_event())
    assert stores.executions.save(running, replace(running, owner="boot-2"), an_event()).version == 2


def test_a_note_is_on_the_trail_and_changes_nothing(stores: AnyStores) -> None:
    first = created(stores, an_execution(status=PlaybookStatus.RUNNING, holds="door"))
    stores.executions.note(first, an_event("execution.joined"))
    assert stores.executions.get("exec-1") == first
    assert [b"execution.joined" in each.body for each in stores.trail.stream()] == [False, True]
    assert stores.executions.save(first, replace(first, owner="boot-2"), an_event()).version == 2


def test_of_what_is_over_nothing_is_noted(stores: AnyStores) -> None:
    first = created(stores, an_execution(status=PlaybookStatus.RUNNING, holds="door"))
    stores.executions.save(first, first.moved(PlaybookStatus.COMPLETED), an_event())
    with pytest.raises(StateError, match="over by now"):
        stores.executions.note(first, an_event("execution.joined"))
    assert trail_length(stores) == 2


def test_a_note_that_cannot_be_written_is_refused(stores: AnyStores) -> None:
    first = created(stores, an_execution(status=PlaybookStatus.RUNNING, holds="door"))
    with pytest.raises(TrailError):
        stores.executions.note(first, an_event_nobody_can_write())
    assert trail_length(stores) == 1


def test_a_decision_cannot_be_taken_back(stores: AnyStores) -> None:
    first = created(stores)
    second = stores.executions.save(first, approved(first), an_event())
    with pytest.raises(StateError, match="on record"):
        stores.executions.save(second, second.moved(PlaybookStatus.PENDING, decisions=()), an_event())


def test_decisions_of_earlier_revisions_stay_after_a_drift(stores: AnyStores) -> None:
    first = created(stores)
    second = stores.executions.save(first, approved(first), an_event())
    drifted = second.moved(PlaybookStatus.PENDING, revision=2, drift=(a_change(),))
    third = stores.executions.save(second, drifted, an_event())
    fourth = stores.executions.save(third, approved(third), an_event())

    stored = stores.executions.get("exec-1")
    assert stored == fourth
    assert [decision.revision for decision in stored.decisions] == [1, 2]
    assert len(stored.approvals) == 1


def test_the_journal_follows_each_action(stores: AnyStores) -> None:
    actions = tuple(ActionResult(f"step-{number}", ActionStatus.PLANNED) for number in range(3))
    first = created(stores, an_execution(actions=actions))
    started = replace(actions[1], status=ActionStatus.STARTED, before={"a": None}, started_at=NOW)
    stores.executions.save(first, first.with_action(1, started), an_event())

    assert stores.executions.get("exec-1").actions == (actions[0], started, actions[2])


def test_a_new_plan_with_fewer_actions_leaves_none_behind(stores: AnyStores) -> None:
    actions = tuple(ActionResult(f"step-{number}", ActionStatus.PLANNED) for number in range(3))
    first = created(stores, an_execution(actions=actions))
    stores.executions.save(first, replace(first, actions=actions[:1], revision=2), an_event())

    assert stores.executions.get("exec-1").actions == actions[:1]


def test_without_a_trail_entry_nothing_is_created(stores: AnyStores) -> None:
    with pytest.raises(TrailError, match="nothing was changed"):
        stores.executions.create(an_execution(), an_event_nobody_can_write())
    with pytest.raises(NotFoundError):
        stores.executions.get("exec-1")


def test_without_a_trail_entry_nothing_is_saved(stores: AnyStores) -> None:
    first = created(stores)
    with pytest.raises(TrailError):
        stores.executions.save(first, approved(first), an_event_nobody_can_write())

    assert stores.executions.get("exec-1") == first
    assert trail_length(stores) == 1


def test_an_unknown_id_is_named(stores: AnyStores) -> None:
    with pytest.raises(NotFoundError, match="exec-9"):
        stores.executions.get("exec-9")


def test_history_is_newest_first_and_can_be_narrowed(stores: AnyStores) -> None:
    other_playbook = {"playbook_id": "AWS-OPEN-SG", "name": "Close the port"}
    for number in range(3):
        created(stores, an_execution(f"exec-{number}", created_at=NOW + timedelta(seconds=number)))
    created(stores, an_execution("exec-x", playbook=other_playbook, finding=a_finding(2)))

    def names(**narrowed: str | int) -> list[str]:
        return [found.execution_id for found in stores.executions.history(**narrowed)]  # type: ignore[arg-type]

    assert names(limit=2) == ["exec-2", "exec-1"]
    assert names(playbook_id="AWS-OPEN-SG") == ["exec-x"]
    assert names(finding_id="scanner-2") == ["exec-x"]
    assert names(finding_id=a_finding(2).fingerprint) == ["exec-x"]
    assert names(playbook_id="AWS-OPEN-SG", finding_id="scanner-1") == []


def test_history_keeps_the_journals_of_different_executions_apart(stores: AnyStores) -> None:
    for number in range(2):
        result = ActionResult(f"step-of-{number}", ActionStatus.PLANNED)
        created(stores, an_execution(f"exec-{number}", actions=(result,)))

    assert [found.actions[0].action_name for found in stores.executions.history()] == [
        "step-of-1",
        "step-of-0",
    ]


def test_a_sweep_sees_what_waits_at_a_glance(stores: AnyStores) -> None:
    waiting = PlaybookStatus.PENDING
    for number in range(4):
        ends = NOW + timedelta(hours=number)
        stores.executions.create(an_execution(f"x-{number}", expires_at=ends, holds=str(number)), an_event())
    in_batch = an_execution("item", batch_id="b-1", expires_at=NOW + timedelta(hours=9), holds="b")
    drifted = an_execution("drifted", batch_id="b-1", expires_at=NOW + timedelta(days=1), revision=2)
    for each in (in_batch, drifted, an_execution("over", status=PlaybookStatus.EXPIRED)):
        stores.executions.create(each, an_event())

    def names(**between: datetime) -> list[str]:
        return [each.execution_id for each in stores.executions.glimpses(waiting, **between)]

    assert names() == ["x-0", "x-1", "x-2", "x-3", "item", "drifted"]
    assert names(after=NOW, until=NOW + timedelta(hours=2)) == ["x-1", "x-2"], (
        "later than one, until the other"
    )
    assert names(until=NOW) == ["x-0"]
    found = {each.execution_id: each for each in stores.executions.glimpses(waiting)}
    assert found["item"] == in_batch.glimpse
    assert (found["item"].entry, found["drifted"].entry) == ("b-1", "drifted")
    assert [each.execution_id for each in stores.executions.glimpses(PlaybookStatus.EXPIRED)] == ["over"]
    assert stores.executions.glimpses(PlaybookStatus.APPROVED) == []


def test_of_many_threads_one_wins(stores: AnyStores) -> None:
    first = created(stores)

    def try_it(number: int) -> bool:
        try:
            stores.executions.save(first, replace(approved(first), owner=f"thread-{number}"), an_event())
        except CountersignError as error:
            assert isinstance(error, StateError)  # noqa: PT017 - a lost race, and no other trouble
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(try_it, range(40)))

    assert won.count(True) == 1
    assert stores.executions.get("exec-1").owner == f"thread-{won.index(True)}"
    assert trail_length(stores) == 2
    assert list(breaks(stores.trail.stream())) == []


def test_two_that_are_under_way_cannot_hold_the_same(stores: AnyStores) -> None:
    first = created(stores, an_execution(holds="bucket"))
    with pytest.raises(HeldError) as caught:
        created(stores, an_execution("exec-2", holds="bucket"))
    assert caught.value.holder == "exec-1"
    with pytest.raises(NotFoundError):
        stores.executions.get("exec-2")
    assert created(stores, an_execution("exec-3", holds="another")).holds == "another"
    stores.executions.save(first, first.moved(PlaybookStatus.EXPIRED), an_event())
    assert created(stores, an_execution("exec-2", holds="bucket")).holds == "bucket"


def test_what_touches_a_resource_is_found_by_each_of_its_names(stores: AnyStores) -> None:
    def on(name: str, resource: str) -> PlaybookExecution:
        made = an_execution(name, holds="")
        finding = replace(made.finding, resource=resource)
        return created(stores, replace(made, finding=finding))

    first, second = on("exec-1", "arn:aws:s3:::acme-logs"), on("exec-2", "arn:aws:s3:::ACME-logs/")
    on("exec-3", "arn:aws:s3:::acme-logs-2")
    for execution in (first, second):
        found = stores.executions.touching(*execution.resource_names, limit=None)
        assert {each.execution_id for each in found} == {"exec-1", "exec-2"}


def test_what_begins_anew_takes_hold_anew(stores: AnyStores) -> None:
    over = created(stores, an_execution(holds="bucket", status=PlaybookStatus.COMPLETED))
    created(stores, an_execution("exec-2", holds="bucket"))
    before = trail_length(stores)
    with pytest.raises(HeldError):
        stores.executions.save(over, over.moved(PlaybookStatus.ROLLING_BACK), an_event())
    assert stores.executions.get("exec-1").status is PlaybookStatus.COMPLETED
    assert trail_length(stores) == before


def test_a_run_is_left_to_an_owner_who_is_heard_of(stores: AnyStores) -> None:
    created = stores.executions.create(
        an_execution("x-run", status=PlaybookStatus.RUNNING, owner="boot-a"), an_event()
    )

    def found(owner: str, now: datetime) -> list[str]:
        return [each.execution_id for each in stores.executions.unfinished(owner, now)]

    assert found("boot-b", NOW) == [created.execution_id], "never heard of"
    stores.executions.beat("boot-a", NOW)
    late = NOW + OWNER_LOST_AFTER
    assert found("boot-b", late - timedelta(seconds=1)) == []
    assert found("boot-a", late - timedelta(seconds=1)) == [created.execution_id], "its own"
    assert found("boot-b", late) == [created.execution_id]
    back = NOW - OWNER_LOST_AFTER
    assert found("boot-b", back + timedelta(seconds=1)) == []
    assert found("boot-b", back) == [created.execution_id], "heard of by a clock that was ahead"


def test_a_run_is_taken_over_only_from_who_has_said_nothing_since(stores: AnyStores) -> None:
    running = created(stores, an_execution(status=PlaybookStatus.RUNNING, owner="boot-a"))
    created(stores, an_execution("exec-2", status=PlaybookStatus.COMPLETED, owner="boot-c"))
    taken = replace(running, owner="boot-b", takeovers=1)
    assert stores.executions.heard() == {}
    for owner in ("boot-a", "boot-c"):
        stores.executions.beat(owner, NOW)
    assert stores.executions.heard() == {"boot-a": NOW}, "only who has something under way"
    length, later = trail_length(stores), NOW + timedelta(microseconds=1)
    stores.executions.beat("boot-a", later)
    for stale in (NOW, None):
        with pytest.raises(StateError):
            stores.executions.take_over(running, taken, an_event(), last_heard=stale)
    assert stores.executions.get("exec-1") == running
    assert trail_length(stores) == length
    stored = stores.executions.take_over(running, taken, an_event(), last_heard=later)
    assert (stored.owner, stored.version) == ("boot-b", running.version + 1)
    with pytest.raises(StateError):  # the second one comes late
        stores.executions.take_over(running, replace(taken, owner="boot-d"), an_event(), last_heard=later)
    assert stores.executions.get("exec-1").owner == "boot-b"
    assert trail_length(stores) == length + 1
