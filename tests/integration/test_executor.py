"""The specification's playbook examples, through the public imports, against moto's server."""

from dataclasses import replace
from typing import Any

import pytest

from audit.errors import InputError, RefusedError
from audit.findings import Finding
from audit.trail import TrailEvent
from remediation import (
    ActionResult,
    ActionStatus,
    PlaybookExecutor,
    PlaybookLibrary,
    PlaybookStatus,
    RemediationPlaybook,
)
from remediation.clock import utc_now
from remediation.execution import PlaybookExecution
from remediation.memory import MemoryExecutions
from remediation.policy import EXECUTOR_DEFAULT, Policy

ALL_ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@pytest.fixture
def executor(s3: Any) -> PlaybookExecutor:
    return PlaybookExecutor({"s3": s3})


@pytest.fixture
def playbook() -> RemediationPlaybook:
    return PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"]


def block_of(s3: Any, bucket: str) -> object:
    try:
        return s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError as error:
        return error.response["Error"]["Code"]


def test_the_guides_flow(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding, s3: Any, bucket: str
) -> None:
    assert executor.validate_playbook(playbook)
    execution = executor.execute_playbook(
        playbook=playbook, finding_data=finding.to_dict(), initiated_by="analyst@company.com", dry_run=True
    )
    assert execution.status == PlaybookStatus.PENDING == PlaybookStatus.AWAITING_APPROVAL
    assert [f"{action.action_name}: {action.message}" for action in execution.actions] == [
        "block_public_access: [DRY RUN] AWS action would be executed: put-public-access-block"
    ]
    assert executor.approve_execution(execution.execution_id, "manager@company.com", dry_run=True)
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.PENDING
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"

    assert executor.approve_execution(
        execution_id=execution.execution_id, approver="manager@company.com", dry_run=False
    )
    done = executor.get_execution(execution.execution_id)
    assert done.status.value == "COMPLETED"
    assert done.started_at is not None
    assert done.ended_at is not None
    assert block_of(s3, bucket) == ALL_ON

    assert executor.rollback_execution(execution_id=execution.execution_id)
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.ROLLED_BACK


def test_without_approval_it_runs_at_once(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding, s3: Any, bucket: str
) -> None:
    playbook.requires_approval = False
    execution = executor.execute_playbook(playbook, finding.to_dict(), "admin@company.com")
    assert execution.status is PlaybookStatus.COMPLETED
    assert [decision.actor.origin for decision in execution.decisions] == ["policy"]
    assert block_of(s3, bucket) == ALL_ON


def test_a_dry_run_without_approval_completes_and_changes_nothing(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding, s3: Any, bucket: str
) -> None:
    playbook.requires_approval = False
    execution = executor.execute_playbook(playbook, finding.to_dict(), "admin@company.com", dry_run=True)
    assert execution.status is PlaybookStatus.COMPLETED
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"


def test_the_initiator_may_not_approve(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding
) -> None:
    execution = executor.execute_playbook(playbook, finding.to_dict(), "analyst@company.com")
    with pytest.raises(RefusedError):
        executor.approve_execution(execution.execution_id, "Analyst@Company.com")
    with pytest.raises(RefusedError, match="needs a name"):
        executor.approve_execution(execution.execution_id, " ")


def test_drift_answers_false_and_changes_nothing(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding, s3: Any, bucket: str
) -> None:
    execution = executor.execute_playbook(playbook, finding.to_dict(), "analyst@company.com")
    half = ALL_ON | {"BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=half)
    assert not executor.approve_execution(execution.execution_id, "manager@company.com", dry_run=True)
    assert not executor.approve_execution(execution.execution_id, "manager@company.com")
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.PENDING
    assert block_of(s3, bucket) == half


def test_rejection_and_history(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding
) -> None:
    first = executor.execute_playbook(
        playbook, finding.to_dict(), "analyst@company.com", execution_id="x-first"
    )
    again = executor.execute_playbook(
        playbook, finding.to_dict(), "analyst@company.com", execution_id="x-first"
    )
    assert again == first
    joined = executor.execute_playbook(playbook, finding.to_dict(), "other@company.com")
    assert joined.execution_id == "x-first", "one at a time works on a resource"
    assert executor.reject_execution("x-first", "manager@company.com", "not now")
    second = executor.execute_playbook(playbook, finding.to_dict(), "analyst@company.com")
    history = executor.get_execution_history(playbook_id="AWS-PUBLIC-S3", limit=10)
    assert [execution.execution_id for execution in history] == [second.execution_id, "x-first"]
    assert (
        executor.get_execution_history(finding_id=finding.id, limit=1)[0].execution_id == second.execution_id
    )
    assert executor.get_execution_history(finding_id="other") == []


def test_a_missing_bucket_fails_before_any_change(
    executor: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding
) -> None:
    gone = finding.to_dict() | {"resource": "arn:aws:s3:::bucket-that-never-was"}
    execution = executor.execute_playbook(playbook, gone, "analyst@company.com")
    assert execution.status is PlaybookStatus.FAILED
    assert "NoSuchBucket" in str(execution.error)


def test_custom_handlers(executor: PlaybookExecutor, finding: Finding) -> None:
    calls: list[bool] = []

    def handle_custom_action(action: Any, dry_run: bool) -> ActionResult:
        calls.append(dry_run)
        return ActionResult(action.action_name, ActionStatus.COMPLETED, "said hello")

    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("hello", "custom_type", {"a": 1})
    assert not executor.validate_playbook(book)
    executor.register_handler("custom_type", handle_custom_action)
    assert executor.validate_playbook(book)
    execution = executor.execute_playbook(book, finding.to_dict(), "analyst@company.com")
    assert executor.approve_execution(execution.execution_id, "manager@company.com")
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.COMPLETED
    assert calls == [True, True, False]
    with pytest.raises(RefusedError, match="nothing to roll back"):
        executor.rollback_execution(execution.execution_id)


def test_a_handler_that_breaks_fails_its_step(executor: PlaybookExecutor, finding: Finding) -> None:
    def broken(action: Any, dry_run: bool) -> ActionResult:
        if dry_run:
            return ActionResult(action.action_name, ActionStatus.COMPLETED, "would")
        raise ZeroDivisionError("oops")

    executor.register_handler("custom_type", broken)
    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("hello", "custom_type", {})
    execution = executor.execute_playbook(book, finding.to_dict(), "analyst@company.com")
    executor.approve_execution(execution.execution_id, "manager@company.com")
    failed = executor.get_execution(execution.execution_id)
    assert failed.status is PlaybookStatus.FAILED
    assert "ZeroDivisionError" in str(failed.error)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"service": "s3", "action": "put-public-acces-block", "params": {}}, "did you mean"),
        ({"service": "s3", "action": "put-public-access-block", "params": {"Block": True}}, "Block"),
        (
            {"service": "s3", "action": "put-public-access-block", "parameters": {}},
            "service, action and params",
        ),
        (
            {"service": "s3", "action": "put-public-access-block", "params": {"BlockPublicAcls": "yes"}},
            "BlockPublicAcls",
        ),
    ],
)
def test_a_playbook_that_does_not_fit_is_invalid_and_explained(
    executor: PlaybookExecutor, finding: Finding, params: dict[str, object], says: str
) -> None:
    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("block", "aws", params)
    assert not executor.validate_playbook(book)
    with pytest.raises(InputError, match=says):
        executor.execute_playbook(book, finding.to_dict(), "analyst@company.com")


def test_the_guides_custom_playbook_runs_and_says_that_nothing_was_sent(
    executor: PlaybookExecutor, finding: Finding, s3: Any, bucket: str
) -> None:
    playbook = RemediationPlaybook(
        playbook_id="CUSTOM-S3-FIX",
        name="Fix Public S3 Bucket",
        description="Automatically restricts public access",
        finding_category="Storage",
        severity="CRITICAL",
    )
    playbook.add_action(
        action_name="block_public_access",
        action_type="aws",
        params={"service": "s3", "action": "put-public-access-block", "params": ALL_ON},
    )
    playbook.add_action(
        action_name="notify_team",
        action_type="notification",
        params={
            "type": "slack",
            "channel": "#security-alerts",
            "message": "S3 public access was automatically blocked",
        },
    )
    playbook.requires_approval = True
    playbook.rollback_enabled = True
    playbook.timeout_seconds = 300
    assert executor.validate_playbook(playbook)
    execution = executor.execute_playbook(playbook, finding.to_dict(), "analyst@company.com")
    assert execution.plan is not None
    assert "No Slack is connected here" in execution.plan.actions[1].notes[0]
    assert executor.approve_execution(execution.execution_id, "manager@company.com")
    assert executor.get_execution(execution.execution_id).status is PlaybookStatus.COMPLETED
    assert block_of(s3, bucket) == ALL_ON
    assert executor.rollback_execution(execution.execution_id)
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"


class Watched(MemoryExecutions):
    """Notes in which states somebody is at work, and what another owner would take over at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.at_work: set[PlaybookStatus] = set()
        self.lost: list[PlaybookExecution] = []

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        saved = super().save(before, after, event)
        self.at_work.add(saved.status)
        self.lost += self.unfinished("boot-other", utc_now())
        return saved


@pytest.mark.parametrize("needs_approval", [True, False])
@pytest.mark.parametrize("signatures", [1, 2])
def test_nobody_takes_a_live_run_over(
    s3: Any, playbook: RemediationPlaybook, finding: Finding, needs_approval: bool, signatures: int
) -> None:
    policy, store = replace(EXECUTOR_DEFAULT, rollback_approvals=signatures), Watched()
    playbook.requires_approval = needs_approval
    name = (
        PlaybookExecutor({"s3": s3}, store=store, policy=policy)
        .execute_playbook(playbook, finding, "analyst@company.com")
        .execution_id
    )
    if needs_approval:
        assert PlaybookExecutor({"s3": s3}, store=store, policy=policy).approve_execution(
            name, "manager@company.com"
        )
    later = PlaybookExecutor({"s3": s3}, store=store, policy=policy)
    back = later.rollback_execution(name, requester="manager@company.com")
    if not back:
        last = PlaybookExecutor({"s3": s3}, store=store, policy=policy)
        assert last.approve_rollback(name, "ciso@company.com")
    assert store.at_work >= {PlaybookStatus.RUNNING, PlaybookStatus.ROLLING_BACK}
    assert store.lost == []


SIGNED_TWICE = replace(EXECUTOR_DEFAULT, rollback_approvals=2)


@pytest.fixture
def strict(s3: Any) -> PlaybookExecutor:
    return PlaybookExecutor({"s3": s3}, policy=SIGNED_TWICE)


@pytest.fixture
def fixed(strict: PlaybookExecutor, playbook: RemediationPlaybook, finding: Finding) -> str:
    name = strict.execute_playbook(playbook, finding, "analyst@company.com").execution_id
    assert strict.approve_execution(name, "manager@company.com")
    return name


def test_a_rollback_that_two_have_to_sign_waits_for_them(
    strict: PlaybookExecutor, fixed: str, s3: Any, bucket: str
) -> None:
    assert not strict.rollback_execution(fixed), "asked for in nobody's name: no signature yet"
    waiting = strict.get_execution(fixed)
    assert waiting.status is PlaybookStatus.COMPLETED
    assert waiting.rollback is not None
    assert {(each.was, each.we_set, each.now) for each in waiting.rollback.settings} == {(None, True, True)}
    assert not strict.rollback_execution(fixed)
    assert strict.get_execution(fixed) == waiting, "asked for again, nothing changes"

    assert not strict.approve_rollback(fixed, "manager@company.com")
    with pytest.raises(RefusedError, match="somebody else has to be the next"):
        strict.approve_rollback(fixed, "Manager@Company.com ")
    assert block_of(s3, bucket) == ALL_ON
    assert strict.approve_rollback(fixed, "ciso@company.com")
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"
    assert strict.get_execution(fixed).status is PlaybookStatus.ROLLED_BACK


def test_a_named_requester_is_the_first_signature(
    strict: PlaybookExecutor, fixed: str, s3: Any, bucket: str
) -> None:
    assert not strict.rollback_execution(fixed, requester="manager@company.com")
    assert strict.approve_rollback(fixed, "ciso@company.com")
    assert block_of(s3, bucket) == "NoSuchPublicAccessBlockConfiguration"


def test_a_requester_whom_the_policy_does_not_name_asks_for_nothing(
    s3: Any, playbook: RemediationPlaybook, finding: Finding
) -> None:
    named = Policy(approvers=frozenset({"manager@company.com", "ciso@company.com"}), rollback_approvals=2)
    executor = PlaybookExecutor({"s3": s3}, policy=named)
    name = executor.execute_playbook(playbook, finding, "analyst@company.com").execution_id
    assert executor.approve_execution(name, "manager@company.com")
    with pytest.raises(RefusedError, match="not among the approvers"):
        executor.rollback_execution(name, requester="analyst@company.com")
    assert not executor.rollback_execution(name)
    with pytest.raises(RefusedError, match="not among the approvers"):
        executor.approve_rollback(name, "analyst@company.com")
    assert not executor.approve_rollback(name, "manager@company.com")
    assert executor.approve_rollback(name, "ciso@company.com")


def test_nothing_is_signed_that_was_not_asked_for(strict: PlaybookExecutor, fixed: str) -> None:
    with pytest.raises(RefusedError, match="No rollback waits"):
        strict.approve_rollback(fixed, "ciso@company.com")
    assert not strict.rollback_execution(fixed)
    assert strict.reject_rollback(fixed, "ciso@company.com")
    with pytest.raises(RefusedError, match="No rollback waits"):
        strict.reject_rollback(fixed, "ciso@company.com")
    assert strict.get_execution(fixed).status is PlaybookStatus.COMPLETED


def test_what_somebody_changed_since_voids_the_signatures(
    strict: PlaybookExecutor, fixed: str, s3: Any, bucket: str
) -> None:
    assert not strict.rollback_execution(fixed, requester="manager@company.com")
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={**ALL_ON, "BlockPublicAcls": False}
    )
    with pytest.raises(
        RefusedError, match="BlockPublicAcls: was not set, we set on, now off.*signatures are void"
    ):
        strict.approve_rollback(fixed, "ciso@company.com")
    assert strict.get_execution(fixed).rollback is None
    assert block_of(s3, bucket) == {**ALL_ON, "BlockPublicAcls": False}
