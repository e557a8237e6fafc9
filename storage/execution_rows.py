"""An execution as rows, and back.

Columns hold what queries ask about, `body` the rest; actions and decisions have rows of their own. Rows are plain
mappings here: an execution is read and written at every click, and objects of the mapper would cost it more than all else.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from audit.actor import Actor
from remediation.execution import ActionResult, Decision, PlaybookExecution
from storage.columns import column_text, key_text, short_key

Columns = Mapping[str, Any]
_EXECUTIONS = TypeAdapter(PlaybookExecution)

_SHARED_COLUMNS = ("execution_id", "status", "version", "revision", "channel", "created_at", "expires_at")
_NOT_IN_BODY = {*_SHARED_COLUMNS, "actions", "decisions"}


def to_columns(execution: PlaybookExecution) -> Columns:
    """Return an execution's own row."""
    return {
        "execution_id": execution.execution_id,
        "playbook_id": key_text(execution.playbook_id),
        "finding_id": key_text(execution.finding_id),
        "fingerprint": execution.finding.fingerprint,
        "resource": column_text(execution.resource_names[0]),
        "held": key_text(execution.held) or None,
        "channel": execution.channel,
        "status": execution.status.value,
        "version": execution.version,
        "revision": execution.revision,
        "created_at": execution.created_at,
        "expires_at": execution.expires_at,
        "wakes_at": execution.wakes_at,
        "severity": execution.finding.severity.value,
        "account_id": short_key(execution.finding.account_id),
        "requester": to_member(execution.requester),
        "requester_email": to_address(execution.requester),
        "entry": short_key(execution.entry),
        "body": _EXECUTIONS.dump_python(execution, mode="json", exclude=_NOT_IN_BODY),
    }


def to_member(actor: Actor) -> str:
    """Return the member of a workspace that an actor is; empty for somebody at a shell."""
    known = actor.workspace and actor.slack_id
    return short_key(f"{actor.workspace}/{actor.slack_id}") if known else ""


def to_address(actor: Actor) -> str:
    """Return an actor's address as it is compared; empty where it is not known."""
    return short_key(actor.email.strip().casefold())


def to_action_columns(execution_id: str, position: int, result: ActionResult) -> Columns:
    """Return the row of the action at a position (from 0)."""
    return {
        "execution_id": execution_id,
        "position": position,
        "action_name": result.action_name,
        "status": result.status.value,
        "message": column_text(result.message),
        "error": column_text(result.error) if result.error is not None else None,
        "before": dict(result.before) if result.before is not None else None,
        "observed": dict(result.observed) if result.observed is not None else None,
        "request_ids": list(result.request_ids),
        "started_at": result.started_at,
        "ended_at": result.ended_at,
    }


def to_decision_columns(execution_id: str, position: int, decision: Decision) -> Columns:
    """Return the row of the decision at a position (from 0)."""
    return {
        "execution_id": execution_id,
        "position": position,
        "verdict": decision.verdict.value,
        "actor": decision.actor.to_dict(),
        "at": decision.at,
        "revision": decision.revision,
        "plan_digest": decision.plan_digest,
        "reason": column_text(decision.reason),
    }


def to_execution(row: Columns, actions: Iterable[Columns], decisions: Iterable[Columns]) -> PlaybookExecution:
    """Return the execution that rows hold; actions and decisions come in order of position."""
    shared = {name: row[name] for name in _SHARED_COLUMNS}
    return _EXECUTIONS.validate_python(
        {**row["body"], **shared, "actions": tuple(actions), "decisions": tuple(decisions)}
    )


def changed_actions(
    before: Sequence[ActionResult], after: Sequence[ActionResult]
) -> Iterable[tuple[int, ActionResult]]:
    """Yield the actions to write, with their positions (from 0)."""
    for position, result in enumerate(after):
        if position >= len(before) or before[position] != result:
            yield position, result
