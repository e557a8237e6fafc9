"""A database as it is after a busy year: many findings, many cards that wait for somebody."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from audit.actor import Actor
from audit.findings import Finding, Severity
from audit.ingest import read_report
from audit.trail import TrailEvent
from remediation.execution import ActionResult, PlaybookExecution
from remediation.plan import ActionPlan, Plan, Target
from remediation.ports import Posting
from remediation.states import ActionStatus
from storage import Stores

FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
REQUESTER = Actor(workspace="T0DEMO", slack_id="U0ANA")
CHANNEL = "C0SECURITY"


def seed(stores: Stores, folder: Path, *, findings: int, cards: int) -> None:
    """Take in a report of so many findings, and store so many cards that were drawn and wait for approval."""
    path = folder / "busy.json"
    with path.open("wb") as out:
        out.write(b'{"findings":[')
        for number in range(findings):
            out.write(b"," if number else b"")
            out.write(orjson.dumps(_finding(number).to_dict()))
        out.write(b"]}")
    with path.open("rb") as stream:
        stores.reports.ingest(
            read_report(stream, path.name), actor=Actor(origin="cli"), now=datetime.now(UTC)
        )
    for number, execution in enumerate(_executions(cards)):
        stored = stores.executions.create(execution, _event(execution))
        stores.postings.put(
            Posting(
                execution_id=stored.execution_id,
                revision=stored.revision,
                channel=CHANNEL,
                message_id=f"1700000000.{number:06d}",
                drawn_version=stored.version,
            )
        )


def _finding(number: int) -> Finding:
    return Finding(
        id=f"busy-{number}",
        title="Bucket is open to the public",
        severity=(Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)[number % 4],
        category="Storage",
        resource=f"arn:aws:s3:::busy-{number:06d}",
        check_id="s3_bucket_level_public_access_block",
        provider="aws",
        account_id="123456789012",
        region="us-east-1",
    )


def _executions(count: int) -> Iterator[PlaybookExecution]:
    now = datetime.now(UTC)
    for number in range(count):
        finding = _finding(number)
        action = ActionPlan(
            action_name="block_public_access",
            action="aws:s3:put-public-access-block",
            target=Target(provider="aws", resource=finding.resource, account_id="123456789012"),
            params=dict.fromkeys(FLAGS, True),
            before=dict.fromkeys(FLAGS),
            after=dict.fromkeys(FLAGS, True),
            reversible=True,
            idempotent=True,
        )
        yield PlaybookExecution(
            execution_id=f"x-{number:012x}",
            playbook={"playbook_id": "AWS-PUBLIC-S3", "name": "Fix Public S3 Bucket"},
            finding=finding,
            requester=REQUESTER,
            created_at=now,
            expires_at=now + timedelta(hours=24),
            plan=Plan(
                playbook_id="AWS-PUBLIC-S3",
                playbook_version=hashlib.sha256(b"busy").hexdigest(),
                policy_digest=hashlib.sha256(b"policy").hexdigest(),
                finding_id=finding.id,
                actions=(action,),
            ),
            actions=(ActionResult("block_public_access", ActionStatus.PLANNED, "Planned"),),
            channel=CHANNEL,
            holds=finding.resource,
        )


def _event(execution: PlaybookExecution) -> TrailEvent:
    return TrailEvent(
        kind="execution.requested",
        at=execution.created_at,
        actor=execution.requester,
        subject=execution.execution_id,
    )
