"""Executions in every state, for cards and threads."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from audit.actor import Actor
from audit.findings import Finding, Severity
from handlers.blocks.paging import Page, PageRef
from remediation.execution import (
    ActionResult,
    Decision,
    PlaybookExecution,
    Restored,
    RollbackRequest,
    Verdict,
)
from remediation.plan import ActionPlan, Change, Plan, Target
from remediation.states import ActionStatus, PlaybookStatus

T = TypeVar("T")
AT = datetime(2026, 2, 24, 9, 0, tzinfo=UTC)
ANA = Actor(workspace="T0DEMO", slack_id="U0ANA", email="ana@northwind.example")
OMAR = Actor(workspace="T0DEMO", slack_id="U0OMAR", email="omar@northwind.example")
FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
BUCKET = "arn:aws:s3:::northwind-exports"
FINDING = Finding(
    id="prowler-aws-s3-northwind-exports",
    title="S3 bucket level Public Access Block is not configured",
    severity=Severity.CRITICAL,
    category="Storage",
    resource=BUCKET,
    check_id="s3_bucket_level_public_access_block",
    provider="aws",
    account_id="123456789012",
    region="eu-central-1",
)
ACTION = ActionPlan(
    action_name="block_public_access",
    action="aws:s3:put-public-access-block",
    target=Target(provider="aws", resource=BUCKET, account_id="123456789012", region="eu-central-1"),
    params=dict.fromkeys(FLAGS, True),
    before=dict.fromkeys(FLAGS),
    after=dict.fromkeys(FLAGS, True),
    reversible=True,
    idempotent=True,
    untouched=("Bucket policy (public by itself)", "Bucket ACL (no public grant)", "Objects and their ACLs"),
    notes=("The bucket serves a website: visitors will be refused once the block is on.",),
)


def a_page_of(
    items: Sequence[T], *words: str, name: str = "history", offset: int = 0, has_more: bool = False
) -> Page[T]:
    """Return a page of a list: the whole of it, unless it says otherwise."""
    return Page(ref=PageRef(name, words, offset), items=items, has_more=has_more, size=10)


def a_plan(*actions: ActionPlan) -> Plan:
    return Plan(
        playbook_id="AWS-PUBLIC-S3",
        playbook_version="1" * 64,
        policy_digest="2" * 64,
        finding_id=FINDING.id,
        actions=actions or (ACTION,),
    )


def pending(**changes: object) -> PlaybookExecution:
    execution = PlaybookExecution(
        execution_id="x-0123456789ab",
        playbook={"playbook_id": "AWS-PUBLIC-S3", "name": "Fix Public S3 Bucket"},
        finding=FINDING,
        requester=ANA,
        created_at=AT,
        expires_at=AT + timedelta(hours=24),
        plan=a_plan(),
        actions=(ActionResult("block_public_access", ActionStatus.PLANNED, "Planned"),),
        channel="C0SECURITY",
        version=1,
    )
    return replace(execution, **changes)  # type: ignore[arg-type]


def decided(verdict: Verdict, actor: Actor = OMAR, *, minutes: int = 5, reason: str = "") -> Decision:
    at = AT + timedelta(minutes=minutes)
    return Decision(verdict=verdict, actor=actor, at=at, revision=1, plan_digest="3" * 64, reason=reason)


APPROVAL = decided(Verdict.APPROVE)
DONE = ActionResult(
    "block_public_access",
    ActionStatus.COMPLETED,
    "Done and verified",
    before=dict.fromkeys(FLAGS),
    started_at=AT + timedelta(minutes=6),
    ended_at=AT + timedelta(minutes=6, seconds=2),
)
NOT_VERIFIED = replace(
    DONE,
    status=ActionStatus.FAILED,
    message="Done, but not verified",
    error="northwind-exports: BlockPublicAcls is off, not on (request 4FX). Next: look at the resource.",
)
_S = PlaybookStatus


def in_state(status: PlaybookStatus) -> PlaybookExecution:
    """Return an execution the way it gets to a state."""
    approved = pending(status=status, decisions=(APPROVAL,))
    rolled = (APPROVAL, decided(Verdict.ROLL_BACK, minutes=20))
    started = {"started_at": AT + timedelta(minutes=6)}
    put_back = replace(DONE, status=ActionStatus.ROLLED_BACK, message="Put back and verified")
    by_status: dict[PlaybookStatus, dict[str, object]] = {
        _S.PENDING: {"decisions": ()},
        _S.APPROVED: {},
        _S.REJECTED: {"decisions": (decided(Verdict.REJECT, reason="The website needs it until Friday"),)},
        _S.EXPIRED: {"decisions": ()},
        _S.RUNNING: {"actions": (replace(DONE, status=ActionStatus.STARTED, message="Started"),), **started},
        _S.COMPLETED: {"actions": (DONE,), **started},
        _S.FAILED: {"actions": (NOT_VERIFIED,), "error": NOT_VERIFIED.error, **started},
        _S.INTERRUPTED: {
            "actions": (replace(DONE, status=ActionStatus.STARTED, message="Started"),),
            **started,
        },
        _S.ROLLING_BACK: {
            "actions": (replace(DONE, status=ActionStatus.ROLLING_BACK, message="Putting back"),),
            "decisions": rolled,
            **started,
        },
        _S.ROLLED_BACK: {"actions": (put_back,), "decisions": rolled, **started},
        _S.ROLLBACK_FAILED: {
            "actions": (replace(NOT_VERIFIED, status=ActionStatus.ROLLBACK_FAILED),),
            "decisions": rolled,
            "error": NOT_VERIFIED.error,
            **started,
        },
    }
    return replace(approved, **by_status[status])  # type: ignore[arg-type]


PREVIEW = tuple(Restored(resource=BUCKET, setting=flag, was=None, we_set=True, now=True) for flag in FLAGS)


def rollback_asked() -> PlaybookExecution:
    """Return a completed execution whose rollback one person has asked for, and another has to sign."""
    asked = RollbackRequest(
        requester=OMAR,
        asked_at=AT + timedelta(minutes=20),
        asked_version=5,
        expires_at=AT + timedelta(hours=24),
        digest="3" * 64,
        settings=PREVIEW,
    )
    done = in_state(PlaybookStatus.COMPLETED)
    decisions = (*done.decisions, decided(Verdict.ASK_ROLLBACK, minutes=20))
    return replace(done, rollback=asked, decisions=decisions)


def drifted() -> PlaybookExecution:
    """Return an execution whose resource was changed between card and approval."""
    before = {**dict.fromkeys(FLAGS, False), "BlockPublicAcls": True}
    return pending(
        revision=2,
        version=3,
        plan=a_plan(replace(ACTION, before=before)),
        decisions=(APPROVAL,),
        drift=tuple(Change(setting=flag, before=None, after=before[flag]) for flag in FLAGS),
    )
