"""`countersign playbook status b-...`: where each item of a batch stands. A shell never approves."""

from typing import TYPE_CHECKING

import typer

from bot.commands.console import on_one_line, print_json
from bot.commands.execution_output import print_executions, to_dict

if TYPE_CHECKING:
    from remediation.batches import Members


def print_batch(members: "Members", *, as_json: bool) -> None:
    """Print a batch: what binds its items, then the items."""
    if as_json:
        print_json(batch_to_dict(members))
        return
    for key, value in batch_to_dict(members).items():
        if value and isinstance(value, str):
            typer.echo(f"{key.replace('_', ' ').capitalize() + ':':<14}{on_one_line(value)}")
    print_executions(members.executions, empty="No items.")
    for each in members.batch.left_out:
        typer.echo(
            f"Left out:     {on_one_line(each.finding)} {on_one_line(each.resource)}: {on_one_line(each.why)}"
        )
    for execution_id, why in members.batch.refused.items():
        typer.echo(f"Not put back: {execution_id}: {on_one_line(why)}")


def batch_to_dict(members: "Members") -> dict[str, object]:
    """Return a batch as JSON shows it; `set_digest` is what a signature on the items that wait would name."""
    from remediation.batches import set_digest

    batch, waiting = members.batch, members.waiting
    return {
        "batch_id": batch.batch_id,
        "playbook_id": batch.playbook_id,
        "requester": batch.requester.label,
        "created_at": batch.created_at.isoformat(),
        "set_digest": set_digest(batch.batch_id, waiting) if waiting else "",
        "executions": [to_dict(each) for each in members.executions],
        "left_out": [
            {"finding": each.finding, "resource": each.resource, "why": each.why} for each in batch.left_out
        ],
        "not_put_back": dict(batch.refused),
    }
