"""An execution as the trail's entries commit to it, and as the evidence shows it: the same rows, so the same digests.

Each change of an execution is one entry, and that entry holds the number of the change and the digest of all that stood in the execution
right after. So the last entry says what the files of the evidence have to hold, and a gap in the numbers shows an entry that was
left out. What is empty is left out of a digest: a field that a later version adds, and that nothing was stored in, changes none.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from audit.finding_fields import clean
from remediation.execution import ActionResult, Decision, PlaybookExecution
from remediation.plan import Plan

Row = Mapping[str, object]
_EMPTY: tuple[object, ...] = (None, False, "", [])


def record_digest(execution: PlaybookExecution) -> str:
    """Return what an entry says of the execution as a whole: where it stands, every decision, what became of each action."""
    return _digest(
        {
            "execution": _filled(execution_row(execution)),
            "decisions": [_filled(decision_row(each)) for each in execution.decisions],
            "actions": [_filled(action_row(each)) for each in execution.actions],
        }
    )


def shown_digests(execution: PlaybookExecution) -> Row:
    """Return the digests of what people are shown beside the signed part of the plan: the finding, and the plan's advice."""
    finding = {"finding_digest": _digest(_filled({**execution.finding.to_dict()}))}
    return {**finding, "advice_digest": _digest(_advice(execution.plan))} if execution.plan else finding


def execution_row(execution: PlaybookExecution) -> Row:
    """Return where it stands, without its finding, plan, decisions and actions, and without the name of the process that had it."""
    return {
        "execution_id": execution.execution_id,
        "playbook_id": execution.playbook_id,
        "batch_id": execution.batch_id,
        "requester": execution.requester.to_dict(),
        "created_at": _spell(execution.created_at),
        "expires_at": _spell(execution.expires_at),
        "status": execution.status.value,
        "error": _clean(execution.error),
        "dry_run": execution.dry_run,
        "takeovers": execution.takeovers,
        "run_number": execution.run_number,
        "review_due_at": _spell(execution.review_due_at),
        "rollback": _waiting(execution),
        "started_at": _spell(execution.started_at),
        "ended_at": _spell(execution.ended_at),
        "revision": execution.revision,
        "version": execution.version,
    }


def decision_row(decision: Decision) -> Row:
    """Return a decision."""
    return {
        "verdict": decision.verdict.value,
        "actor": decision.actor.to_dict(),
        "at": _spell(decision.at),
        "revision": decision.revision,
        "plan_digest": decision.plan_digest,
        "reason": clean(decision.reason),
    }


def action_row(result: ActionResult) -> Row:
    """Return what became of an action. Texts are as they are stored."""
    return {
        "action_name": result.action_name,
        "status": result.status.value,
        "message": clean(result.message),
        "error": _clean(result.error),
        "before": None if result.before is None else dict(result.before),
        "observed": None if result.observed is None else dict(result.observed),
        "request_ids": list(result.request_ids),
        "started_at": _spell(result.started_at),
        "ended_at": _spell(result.ended_at),
    }


def _waiting(execution: PlaybookExecution) -> Row | None:
    """Return the rollback that waits for signatures."""
    asked = execution.rollback
    if asked is None:
        return None
    times = {"asked_at": _spell(asked.asked_at), "expires_at": _spell(asked.expires_at)}
    settings = [asdict(each) for each in asked.settings]
    return {
        "requester": asked.requester.to_dict(),
        **times,
        "asked_version": asked.asked_version,
        "digest": asked.digest,
        "settings": settings,
    }


def _advice(plan: Plan) -> list[list[Sequence[str]]]:
    return [[list(action.untouched), list(action.notes)] for action in plan.actions]


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in _EMPTY}


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _spell(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _digest(value: object) -> str:
    """Return the SHA-256 of a value's JSON, as 64 hexadecimal digits. It refuses nothing: an entry about a write that was made has to be written."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
    ).hexdigest()
