"""The examples of the specification's playbook part, as they stand there but for `src.` in the imports, run one after another.

Each is Python source that runs in a namespace holding what the guide takes for granted: a finding, an executor, a bucket of
moto's server that really is public.
"""

from collections.abc import Callable
from typing import Any

import pytest

from audit.findings import Finding
from remediation import ActionResult, ActionStatus, PlaybookExecutor, PlaybookStatus, RemediationPlaybook
from remediation.library import PlaybookLibrary

CREATE = """
from remediation import RemediationPlaybook

playbook = RemediationPlaybook(
    playbook_id="CUSTOM-S3-FIX",
    name="Fix Public S3 Bucket",
    description="Automatically restricts public access",
    finding_category="Storage",
    severity="CRITICAL"
)

# Add remediation actions
playbook.add_action(
    action_name="block_public_access",
    action_type="aws",
    params={
        "service": "s3",
        "action": "put-public-access-block",
        "params": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True
        }
    }
)

# Add notification action
playbook.add_action(
    action_name="notify_team",
    action_type="notification",
    params={
        "type": "slack",
        "channel": "#security-alerts",
        "message": "S3 public access was automatically blocked"
    }
)

# Configure playbook
playbook.requires_approval = True
playbook.rollback_enabled = True
playbook.timeout_seconds = 300
"""
GET = """
from remediation import PlaybookLibrary

# Get all playbooks
all = PlaybookLibrary.get_all_playbooks()

# Get by category
storage = PlaybookLibrary.get_playbook_by_category("Storage")

# Get by severity
critical = PlaybookLibrary.get_playbooks_by_severity("CRITICAL")
"""
VALIDATE = """
from remediation import PlaybookExecutor

executor = PlaybookExecutor()
is_valid = executor.validate_playbook(playbook)
"""
EXECUTE = """
execution = executor.execute_playbook(
    playbook=playbook,
    finding_data=finding,
    initiated_by="admin@company.com",
    dry_run=False
)
"""
WITH_APPROVAL = """
# Initiate execution (status=PENDING)
execution = executor.execute_playbook(
    playbook=playbook,
    finding_data=finding,
    initiated_by="analyst@company.com",
    dry_run=True  # Can test with dry_run=True
)

# Approval required (status=AWAITING_APPROVAL)
if execution.status == PlaybookStatus.PENDING:
    # Get approval from security manager
    approved = executor.approve_execution(
        execution_id=execution.execution_id,
        approver="manager@company.com",
        dry_run=False
    )
    # Now playbook executes (status=RUNNING to COMPLETED/FAILED)
"""
ROLL_BACK = """
# If execution completed but caused issues
executor.rollback_execution(
    execution_id=execution.execution_id
)
"""
DRY_RUN = """
execution = executor.execute_playbook(
    playbook=playbook,
    finding_data=finding,
    initiated_by="admin@company.com",
    dry_run=True  # No actual changes
)

# Review execution.actions to see what would happen
for action in execution.actions:
    print(f"{action.action_name}: {action.message}")
"""
HISTORY = """
# Get all executions for a playbook
history = executor.get_execution_history(
    playbook_id="AWS-PUBLIC-S3",
    limit=10
)
of_playbook = history

# Filter by finding
history = executor.get_execution_history(
    finding_id="FIND-001",
    limit=5
)

# Detailed execution record
execution = executor.get_execution(execution_id)
print(f"Status: {execution.status.value}")
print(f"Actions executed: {len(execution.actions)}")
print(f"Started: {execution.started_at}")
print(f"Completed: {execution.ended_at}")
"""
WORKFLOW = """
# 4. Auto-remediate critical findings
playbooks = PlaybookLibrary.get_all_playbooks()

for finding in report_data['findings']:
    if finding['severity'] == 'CRITICAL':
        # Find matching playbook
        playbook_id = find_playbook_for_finding(finding)
        playbook = playbooks[playbook_id]

        # Execute with approval
        execution = executor.execute_playbook(
            playbook,
            finding,
            initiated_by="automation@company.com",
            dry_run=False
        )

        print(f"Remediation {execution.execution_id}: {execution.status.value}")
"""
CUSTOM_ACTION = """
def handle_custom_action(action, dry_run):
    # Custom logic
    return ActionResult(action.action_name, ActionStatus.COMPLETED, "said hello")

executor.register_handler("custom_type", handle_custom_action)
"""
CHECK_VALIDITY = """
executor = PlaybookExecutor()
if not executor.validate_playbook(playbook):
    print("Playbook validation failed")
    # Check action types are registered
"""
REVIEW = """
execution = executor.get_execution(execution_id)
for action in execution.actions:
    if action.status == ActionStatus.FAILED:
        print(f"Failed: {action.error}")
"""
PREVIEW = "block_public_access: [DRY RUN] AWS action would be executed: put-public-access-block"
Guide = dict[str, Any]
Run = Callable[..., Guide]


@pytest.fixture
def guide(s3: Any, finding: Finding) -> Guide:
    """Return what the guide's examples take for granted."""
    names = (ActionResult, ActionStatus, PlaybookExecutor, PlaybookLibrary, PlaybookStatus)
    return {
        **{kind.__name__: kind for kind in names},
        "finding": finding.to_dict() | {"id": "FIND-001"},
        "executor": PlaybookExecutor({"s3": s3}),
        "playbook": PlaybookLibrary.get_all_playbooks()["AWS-PUBLIC-S3"],
    }


def run(example: str, guide: Guide) -> None:
    exec(compile(example, "the guide", "exec"), guide)  # noqa: S102 - the specification's own text


def is_closed(s3: Any, bucket: str) -> bool:
    try:
        return all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    except s3.exceptions.ClientError:
        return False


def test_create_a_custom_playbook_and_run_it(guide: Guide, s3: Any, bucket: str) -> None:
    run(CREATE, guide)
    book: RemediationPlaybook = guide["playbook"]
    written = book.to_dict()
    assert written["playbook_id"] == "CUSTOM-S3-FIX"
    assert [step.action_type for step in book.actions] == ["aws", "notification"]
    run(WITH_APPROVAL, guide)
    assert guide["approved"] is True
    assert is_closed(s3, bucket)


def test_get_playbooks(guide: Guide) -> None:
    run(GET, guide)
    assert len(guide["all"]) == 10
    assert {book.playbook_id for book in guide["storage"]} == {
        "AWS-PUBLIC-S3",
        "GCP-PUBLIC-BUCKET",
        "AZURE-BLOB-PUBLIC",
    }
    assert {book.playbook_id for book in guide["critical"]} == {
        "AWS-PUBLIC-S3",
        "GCP-PUBLIC-BUCKET",
        "AZURE-BLOB-PUBLIC",
        "ENABLE-MFA",
        "ROTATE-CREDENTIALS",
    }


def test_step_1_validate(guide: Guide) -> None:
    run(CREATE, guide)
    run(VALIDATE, guide)
    assert guide["is_valid"] is True


def test_step_2_execute_where_no_approval_is_required(guide: Guide, s3: Any, bucket: str) -> None:
    guide["playbook"].set_approval_required(False)
    run(EXECUTE, guide)
    assert guide["execution"].status is PlaybookStatus.COMPLETED
    assert is_closed(s3, bucket)


def test_step_3_execute_with_approval_and_step_4_roll_back(guide: Guide, s3: Any, bucket: str) -> None:
    run(WITH_APPROVAL, guide)
    execution_id, executor = guide["execution"].execution_id, guide["executor"]
    assert guide["approved"] is True
    assert executor.get_execution(execution_id).status is PlaybookStatus.COMPLETED
    assert is_closed(s3, bucket)
    run(ROLL_BACK, guide)
    assert executor.get_execution(execution_id).status is PlaybookStatus.ROLLED_BACK
    assert not is_closed(s3, bucket)


def test_a_rejection_stops_there(guide: Guide, s3: Any, bucket: str) -> None:
    run(EXECUTE, guide)
    executor, execution_id = guide["executor"], guide["execution"].execution_id
    assert executor.reject_execution(execution_id, "manager@company.com", "not now")
    assert executor.get_execution(execution_id).status is PlaybookStatus.REJECTED
    assert not is_closed(s3, bucket)


def test_dry_run_prints_what_the_guide_prints(
    guide: Guide, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(DRY_RUN, guide)
    assert capsys.readouterr().out.splitlines() == [PREVIEW]
    assert not is_closed(s3, bucket)


def test_history(guide: Guide, capsys: pytest.CaptureFixture[str]) -> None:
    run(WITH_APPROVAL, guide)
    guide["execution_id"] = guide["execution"].execution_id
    run(HISTORY, guide)
    found = [[one.execution_id for one in guide[name]] for name in ("of_playbook", "history")]
    assert found == [[guide["execution_id"]]] * 2
    status, actions, started, completed = capsys.readouterr().out.splitlines()
    assert (status, actions) == ("Status: COMPLETED", "Actions executed: 1")
    assert "+00:00" in started
    assert "+00:00" in completed


def test_the_complete_workflows_fourth_part(
    guide: Guide, s3: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("from remediation import PlaybookLibrary, find_playbook_for_finding", guide)
    critical, mild = guide["finding"] | {"severity": "CRITICAL"}, guide["finding"] | {"severity": "LOW"}
    guide["report_data"] = {"findings": [critical, mild]}
    run(WORKFLOW, guide)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"Remediation {guide['execution'].execution_id}: PENDING"
    assert not is_closed(s3, bucket)


def test_custom_actions(guide: Guide) -> None:
    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("hello", "custom_type", {})
    guide["playbook"] = book
    run(CUSTOM_ACTION, guide)
    run(WITH_APPROVAL, guide)
    (done,) = guide["executor"].get_execution(guide["execution"].execution_id).actions
    assert (done.action_name, done.status) == ("hello", ActionStatus.COMPLETED)


def test_troubleshooting_an_invalid_playbook(guide: Guide, capsys: pytest.CaptureFixture[str]) -> None:
    run(CHECK_VALIDITY, guide)
    assert capsys.readouterr().out == ""
    guide["playbook"].add_action("hello", "custom_type", {})
    run(CHECK_VALIDITY, guide)
    assert capsys.readouterr().out == "Playbook validation failed\n"


def test_troubleshooting_a_failed_execution(guide: Guide, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(action: object, dry_run: bool) -> ActionResult:
        if dry_run:
            return ActionResult("hello", ActionStatus.COMPLETED, "would")
        raise ZeroDivisionError

    book = RemediationPlaybook("CUSTOM", "Custom", "", "Storage", "LOW")
    book.add_action("hello", "custom_type", {})
    guide["playbook"] = book
    guide["executor"].register_handler("custom_type", broken)
    run(WITH_APPROVAL, guide)
    guide["execution_id"] = guide["execution"].execution_id
    run(REVIEW, guide)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Failed: ")
    assert "ZeroDivisionError" in line
