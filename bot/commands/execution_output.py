"""How a shell shows executions: a line each, one with all its steps, or as JSON."""

from typing import TYPE_CHECKING

import typer

from bot.commands.console import on_one_line, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediation.execution import PlaybookExecution


def print_status(found: "PlaybookExecution") -> None:
    """Print where a fix stands: its changes, its steps, who decided."""
    for key, value in to_dict(found).items():
        if value and isinstance(value, str | int):
            typer.echo(f"{key.replace('_', ' ').capitalize() + ':':<14}{on_one_line(value)}")
    changes = [
        tuple(on_one_line(change[key]) for key in ("setting", "before", "after"))
        for change in _changes(found)
    ]
    print_table(("Setting", "Before", "After"), changes, empty="No change.")
    for result in found.actions:
        typer.echo(
            f"Step:         {result.action_name}: {result.status.value} {on_one_line(result.message)}".rstrip()
        )
    for decision in found.decisions:
        said = f"{decision.verdict.value} by {decision.actor.label} {on_one_line(decision.reason)}"
        typer.echo(f"Decision:     {said}".rstrip())


def print_executions(found: "Sequence[PlaybookExecution]", *, empty: str) -> None:
    """Print a line for each; with the batch that it belongs to, where any does."""
    names: tuple[str, ...] = ("ID", "Status", "Playbook", "Finding", "Resource", "Asked by", "Asked")
    rows: list[tuple[str, ...]] = [
        (
            execution.execution_id,
            execution.status.value + (", rollback waits" if execution.rollback else ""),
            execution.playbook_id,
            execution.finding.handle,
            execution.finding.resource,
            execution.requester.label,
            f"{execution.created_at:%Y-%m-%d %H:%M}Z",
        )
        for execution in found
    ]
    if any(execution.batch_id for execution in found):
        names = (*names, "Batch")
        rows = [(*row, execution.batch_id) for row, execution in zip(rows, found, strict=True)]
    print_table(names, rows, empty=empty)


def to_dict(execution: "PlaybookExecution") -> dict[str, object]:
    """Return an execution as JSON shows it."""
    return {
        "execution_id": execution.execution_id,
        "batch_id": execution.batch_id,
        "status": execution.status.value,
        "playbook_id": execution.playbook_id,
        "finding": execution.finding.handle,
        "title": execution.finding.title,
        "severity": execution.finding.severity.value,
        "resource": execution.finding.resource,
        "requester": execution.requester.label,
        "created_at": execution.created_at.isoformat(),
        "expires_at": execution.expires_at.isoformat(),
        "revision": execution.revision,
        "plan_digest": execution.plan.digest if execution.plan else "",
        "error": execution.error or "",
        "rollback": _rollback(execution),
        "changes": _changes(execution),
        "actions": [
            {
                "action": each.action_name,
                "status": each.status.value,
                "message": each.message,
                "error": each.error,
            }
            for each in execution.actions
        ],
        "decisions": [
            {
                "verdict": each.verdict.value,
                "by": each.actor.label,
                "at": each.at.isoformat(),
                "revision": each.revision,
                "plan_digest": each.plan_digest,
                "reason": each.reason,
            }
            for each in execution.decisions
        ],
    }


def _rollback(execution: "PlaybookExecution") -> dict[str, object] | None:
    """Return the rollback that waits for signatures, who has signed it, and each setting in its three states."""
    from remediation.rollback import rollback_signatures

    asked = execution.rollback
    if asked is None:
        return None
    return {
        "requester": asked.requester.label,
        "asked_at": asked.asked_at.isoformat(),
        "expires_at": asked.expires_at.isoformat(),
        "signed_by": [decision.actor.label for decision in rollback_signatures(execution)],
        "settings": [
            {"setting": each.setting, "was": each.was, "we_set": each.we_set, "now": each.now}
            for each in asked.settings
        ],
    }


def _changes(execution: "PlaybookExecution") -> list[dict[str, object]]:
    plans = execution.plan.actions if execution.plan else ()
    return [
        {
            "resource": plan.target.resource,
            "setting": change.setting,
            "before": change.before,
            "after": change.after,
        }
        for plan in plans
        for change in plan.changes()
    ]
