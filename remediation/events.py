"""The trail's events about an execution."""

from collections.abc import Mapping
from datetime import datetime

from audit.actor import Actor
from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution


def execution_event(
    kind: str, actor: Actor, execution: PlaybookExecution, *, at: datetime, detail: Mapping[str, object]
) -> TrailEvent:
    """Return the trail's event about an execution: what it is, where it stands, what was signed."""
    about: dict[str, object] = {
        "playbook_id": execution.playbook_id,
        "finding_id": execution.finding_id,
        "resource": execution.finding.resource,
        "account_id": execution.finding.account_id,
        "status": execution.status.value,
        "revision": execution.revision,
        "dry_run": execution.dry_run,
    }
    if execution.plan:
        about["plan_digest"] = execution.plan.digest
    if execution.batch_id:
        about["batch_id"] = execution.batch_id
    if execution.error:
        about["error"] = execution.error
    return TrailEvent(
        kind=kind, actor=actor, at=at, subject=execution.execution_id, detail={**about, **detail}
    )
