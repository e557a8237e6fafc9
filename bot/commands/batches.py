"""`countersign playbook status b-...`: where each item of a batch stands. A shell never approves."""

from typing import TYPE_CHECKING

import typer

from bot.commands.console import print_json

if TYPE_CHECKING:
    from remediation.batches import Members


def print_batch(members: "Members", *, as_json: bool) -> None:
    """Print a batch: what binds its items, then the items."""
    from bot.commands.executions import print_executions

    if as_json:
        print_json(batch_to_dict(members))
        return
    for key, value in batch_to_dict(members).items():
        if value and isinstance(value, str):
            typer.echo(f"{key.replace('_', ' ').capitalize() + ':':<14}{_line(value)}")
    print_executions(members.executions, empty="No items.")
    for each in members.batch.left_out:
        typer.echo(f"Left out:     {_line(each.finding)} {_line(each.resource)}: {_line(each.why)}")
    for execution_id, why in members.batch.refused.items():
        typer.echo(f"Not put back: {execution_id}: {_line(why)}")


def batch_to_dict(members: "Members") -> dict[str, object]:
    """Return a batch as JSON shows it; `set_digest` is what a signature on the items that wait would name."""
    from bot.commands.executions import to_dict
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


def _line(text: str) -> str:
    """Return text on one line, without what could move a terminal's cursor."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
