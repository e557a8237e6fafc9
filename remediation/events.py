"""The trail's events about an execution."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from audit.actor import Actor
from audit.trail import TrailEvent
from remediation.execution import PlaybookExecution
from remediation.record import record_digest, shown_digests

# With these a plan, or another plan, is shown for decision.
_SHOWING = frozenset({"execution.requested", "execution.drifted"})


def execution_event(
    kind: str, actor: Actor, execution: PlaybookExecution, *, at: datetime, detail: Mapping[str, object]
) -> TrailEvent:
    """Return the trail's event about an execution that stays as it is: what it is, where it stands, what was signed."""
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


def change_event(
    kind: str, actor: Actor, changed: PlaybookExecution, *, at: datetime, detail: Mapping[str, object]
) -> TrailEvent:
    """Return the trail's event about a change that is to be stored with it.

    It holds the number of the change, the `version` that the store will give it, and digests of what stands in the execution from then
    on (`remediation.record`): no entry can be left out of the evidence, and none of its files be another, unseen.

    Args:
        kind: the event's name.
        actor: who changes it.
        changed: the execution after the change, with the version that it has before.
        at: when.
        detail: what else is to be said.
    """
    stored = replace(changed, version=changed.version + 1)
    proof: dict[str, object] = {"version": stored.version, "record_digest": record_digest(stored)}
    if kind in _SHOWING:
        proof |= shown_digests(stored)
    return execution_event(kind, actor, stored, at=at, detail={**detail, **proof})
