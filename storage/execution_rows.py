"""An execution as rows, and back.

Columns hold what queries ask about, `body` the rest; actions and decisions have rows of their own.
"""

from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter

from remediation.execution import ActionResult, Decision, PlaybookExecution
from storage.columns import column_text, key_text
from storage.tables import ActionRow, DecisionRow, ExecutionRow

_EXECUTIONS = TypeAdapter(PlaybookExecution)
_DECISIONS = TypeAdapter(Decision)
_ACTIONS = TypeAdapter(ActionResult)

_SHARED_COLUMNS = ("execution_id", "status", "version", "revision", "channel", "created_at", "expires_at")
_NOT_IN_BODY = {*_SHARED_COLUMNS, "actions", "decisions"}


def to_row(execution: PlaybookExecution) -> ExecutionRow:
    """Return an execution's own row."""
    return ExecutionRow(
        execution_id=execution.execution_id,
        playbook_id=key_text(execution.playbook_id),
        finding_id=key_text(execution.finding_id),
        fingerprint=execution.finding.fingerprint,
        resource=column_text(execution.finding.resource),
        held=key_text(execution.held) or None,
        channel=execution.channel,
        status=execution.status.value,
        version=execution.version,
        revision=execution.revision,
        created_at=execution.created_at,
        expires_at=execution.expires_at,
        wakes_at=execution.wakes_at,
        body=_EXECUTIONS.dump_python(execution, mode="json", exclude=_NOT_IN_BODY),
    )


def to_action_row(execution_id: str, position: int, result: ActionResult) -> ActionRow:
    """Return the row of the action at a position (from 0)."""
    return ActionRow(
        execution_id=execution_id,
        position=position,
        action_name=result.action_name,
        status=result.status.value,
        message=column_text(result.message),
        error=column_text(result.error) if result.error is not None else None,
        before=dict(result.before) if result.before is not None else None,
        observed=dict(result.observed) if result.observed is not None else None,
        request_ids=list(result.request_ids),
        started_at=result.started_at,
        ended_at=result.ended_at,
    )


def to_decision_row(execution_id: str, position: int, decision: Decision) -> DecisionRow:
    """Return the row of the decision at a position (from 0)."""
    return DecisionRow(
        execution_id=execution_id,
        position=position,
        verdict=decision.verdict.value,
        actor=decision.actor.to_dict(),
        at=decision.at,
        revision=decision.revision,
        plan_digest=decision.plan_digest,
        reason=column_text(decision.reason),
    )


def to_execution(
    row: ExecutionRow, actions: Iterable[ActionRow], decisions: Iterable[DecisionRow]
) -> PlaybookExecution:
    """Return the execution that rows hold; actions and decisions come in order of position."""
    return _EXECUTIONS.validate_python(
        {
            **row.body,
            **row.model_dump(include=set(_SHARED_COLUMNS)),
            "actions": tuple(_ACTIONS.validate_python(_own(action)) for action in actions),
            "decisions": tuple(_DECISIONS.validate_python(_own(decision)) for decision in decisions),
        }
    )


def _own(row: ActionRow | DecisionRow) -> dict[str, object]:
    return row.model_dump(exclude={"execution_id", "position"})


def changed_actions(
    before: Sequence[ActionResult], after: Sequence[ActionResult]
) -> Iterable[tuple[int, ActionResult]]:
    """Yield the actions to write, with their positions (from 0)."""
    for position, result in enumerate(after):
        if position >= len(before) or before[position] != result:
            yield position, result
