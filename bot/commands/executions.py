"""`countersign playbook pending | history | status`: what was asked for, read from the database. A shell never approves."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.console import one_line_errors, open_stores, print_json
from bot.commands.execution_output import print_executions, print_status, to_dict

if TYPE_CHECKING:
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
        print_status(found)


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
