"""Small valid things to put into stores: every call names only what its test is about."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from audit.actor import Actor
from audit.findings import Finding, Severity
from audit.ingest import Item, Reading
from audit.trail import TrailEvent
from remediation.execution import ActionResult, Decision, PlaybookExecution, Verdict
from remediation.plan import ActionPlan, Change, Plan, Target
from remediation.states import ActionStatus

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANALYST = Actor(workspace="T1", slack_id="U1", email="analyst@example.com")
APPROVER = Actor(workspace="T1", slack_id="U2", email="approver@example.com")
BUCKET = "arn:aws:s3:::public-data"


def a_finding(number: int = 1, **changes: object) -> Finding:
    """Return a failing finding on a bucket of its own."""
    finding = Finding(
        id=f"scanner-{number}",
        title=f"Bucket {number} is public",
        severity=Severity.HIGH,
        category="Storage",
        resource=f"{BUCKET}-{number}",
        check_id="s3_bucket_public",
        provider="aws",
        account_id="123456789012",
        region="eu-central-1",
        compliance={"CIS-3.0": ("2.1.4",)},
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


def a_reading(
    items: Iterable[Item] = (), *, content: str = "a report", generated_at: datetime | None = NOW
) -> Reading:
    """Return a file being read; the same `content` means the same bytes."""
    return Reading(
        source="prowler-ocsf",
        name="scan.json",
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        generated_at=generated_at,
        items=iter(items or [a_finding()]),
    )


def an_execution(name: str = "exec-1", **changes: object) -> PlaybookExecution:
    """Return a new execution that waits for an approval of its plan."""
    finding = a_finding()
    execution = PlaybookExecution(
        execution_id=name,
        playbook={"playbook_id": "AWS-PUBLIC-S3", "name": "Block public access", "actions": [{"params": {}}]},
        finding=finding,
        requester=ANALYST,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        plan=a_plan(finding),
        actions=(ActionResult("block", ActionStatus.PLANNED),),
        channel="C1",
    )
    return replace(execution, **changes)  # type: ignore[arg-type]


def a_plan(finding: Finding) -> Plan:
    """Return a plan of one action that sets one setting and leaves one absent."""
    action = ActionPlan(
        action_name="block",
        action="s3.block_public_access",
        target=Target(provider="aws", resource=finding.resource, account_id=finding.account_id),
        params={"bucket": "public-data", "tags": ["a", "b"]},
        before={"BlockPublicAcls": False, "Policy": None},
        after={"BlockPublicAcls": True, "Policy": None},
        reversible=True,
        idempotent=True,
        untouched=("objects",),
        notes=("A website may be served from here.",),
    )
    return Plan(
        playbook_id="AWS-PUBLIC-S3",
        playbook_version="1" * 64,
        policy_digest="2" * 64,
        finding_id=finding.id,
        actions=(action,),
    )


def a_decision(execution: PlaybookExecution, verdict: Verdict = Verdict.APPROVE) -> Decision:
    """Return the approver's word on an execution as it stands."""
    assert execution.plan is not None
    return Decision(
        verdict=verdict,
        actor=APPROVER,
        at=NOW + timedelta(minutes=5),
        revision=execution.revision,
        plan_digest=execution.plan.digest,
        reason="checked with the owner",
    )


def a_change() -> Change:
    """Return a setting that somebody else has changed."""
    return Change(setting="BlockPublicAcls", before=False, after=None)


def an_event(kind: str = "execution.requested", *, subject: str = "exec-1", **detail: object) -> TrailEvent:
    """Return an event of the analyst's."""
    return TrailEvent(kind=kind, actor=ANALYST, at=NOW, subject=subject, detail=detail)


def an_event_nobody_can_write() -> TrailEvent:
    """Return an event that no trail accepts, because a float has no canonical form."""
    return an_event(share=0.5)
