"""`countersign playbook pending | history | status`: what was asked for, read from the database. A shell never approves."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import one_line_errors, open_stores, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediation.execution import PlaybookExecution
    from storage import Stores

_MOST = 50
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")]


def list_pending(*, limit: Limit = _MOST, as_json: AsJson = False) -> None:
    """List what waits for a decision: fixes, then rollbacks, of each those whose time ends first first."""
    with one_line_errors(), open_stores() as stores:
        found = [*stores.finder.pending(limit=limit), *stores.finder.rollbacks(limit=limit)]
    _show(found, as_json=as_json, empty="Nothing waits for a decision.")


def list_history(
    name: Annotated[
        str | None, typer.Argument(help="A finding's handle or id, a playbook's id, or a batch's.")
    ] = None,
    *,
    limit: Limit = _MOST,
    as_json: AsJson = False,
) -> None:
    """List what was asked for and what became of it, newest first."""
    with one_line_errors(), open_stores() as stores:
        found = _history(stores, name, limit=limit)
    _show(found, as_json=as_json, empty="Nothing was ever asked for.")


def show_status(
    execution: Annotated[
        str, typer.Argument(help="The id of an execution (x-...) or of a batch (b-...), or its beginning.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Show where a fix stands: its plan, who decided, what became of each step. Of a batch, where each item stands."""
    from bot.commands.batches import print_batch
    from remediation.batches import Members
    from remediation.lookup import find_named

    with one_line_errors(), open_stores() as stores:
        found = find_named(execution, finder=stores.finder, batches=stores.batches)
    if isinstance(found, Members):
        print_batch(found, as_json=as_json)
    elif as_json:
        print_json(to_dict(found))
    else:
        _print_status(found)


def _print_status(found: "PlaybookExecution") -> None:
    for key, value in to_dict(found).items():
        if value and isinstance(value, str | int):
            typer.echo(f"{key.replace('_', ' ').capitalize() + ':':<14}{_line(value)}")
    changes = [
        tuple(_line(change[key]) for key in ("setting", "before", "after")) for change in _changes(found)
    ]
    print_table(("Setting", "Before", "After"), changes, empty="No change.")
    for result in found.actions:
        typer.echo(
            f"Step:         {result.action_name}: {result.status.value} {_line(result.message)}".rstrip()
        )
    for decision in found.decisions:
        said = f"{decision.verdict.value} by {decision.actor.label} {_line(decision.reason)}"
        typer.echo(f"Decision:     {said}".rstrip())


def _history(stores: "Stores", name: str | None, *, limit: int) -> "list[PlaybookExecution]":
    from bot.playbooks import playbooks_at_hand
    from remediation.lookup import find_history

    if name is None:
        return stores.executions.history(limit=limit)
    return find_history(
        name,
        executions=stores.executions,
        reports=stores.reports,
        batches=stores.batches,
        playbooks=playbooks_at_hand(),
        limit=limit,
    )


def _show(found: "list[PlaybookExecution]", *, as_json: bool, empty: str) -> None:
    if as_json:
        print_json([to_dict(execution) for execution in found])
        return
    print_executions(found, empty=empty)


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


def _line(value: object) -> str:
    """Return a value on one line, without what could move a terminal's cursor."""
    from remediation.actions.contract import show_value

    return "".join(letter for letter in " ".join(show_value(value).split()) if letter.isprintable())
