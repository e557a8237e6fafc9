"""An execution with its journal, read and written in a transaction that others began."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, select, update

from audit.errors import StateError
from remediation.execution import PlaybookExecution
from remediation.states import check_transition
from storage.execution_rows import (
    Columns,
    changed_actions,
    to_action_columns,
    to_columns,
    to_decision_columns,
    to_execution,
)
from storage.inserting import insert_or_replace
from storage.rechecks import have_rechecked
from storage.tables import ActionRow, DecisionRow, ExecutionRow, table_of

EXECUTIONS: Final = table_of(ExecutionRow)
_ACTIONS: Final = table_of(ActionRow)
_DECISIONS: Final = table_of(DecisionRow)


def _of_executions(journal: Table) -> Select[Any]:
    named = journal.c.execution_id.in_(bindparam("names", expanding=True))
    return select(journal).where(named).order_by(journal.c.position)


# Built once: each click runs nearly all of them.
_ACTIONS_OF: Final = _of_executions(_ACTIONS)
_DECISIONS_OF: Final = _of_executions(_DECISIONS)
_CREATE: Final = insert(EXECUTIONS)
_SWAP: Final = update(EXECUTIONS).where(
    EXECUTIONS.c.execution_id == bindparam("name"),
    EXECUTIONS.c.version == bindparam("seen_version"),
    EXECUTIONS.c.status == bindparam("seen_status"),
)
_CUT: Final = delete(_ACTIONS).where(
    _ACTIONS.c.execution_id == bindparam("name"), _ACTIONS.c.position >= bindparam("first")
)
_DECIDE: Final = insert(_DECISIONS)


def load_on(
    connection: Connection, wanted: Select[Any], values: Mapping[str, object] | None = None
) -> list[PlaybookExecution]:
    """Return the executions that a query for their rows finds, with their actions and decisions."""
    rows = connection.execute(wanted, values).mappings().all()
    names = [row["execution_id"] for row in rows]
    actions = _by_execution(connection, _ACTIONS_OF, names)
    decisions = _by_execution(connection, _DECISIONS_OF, names)
    return [
        to_execution(dict(row), actions[name], decisions[name]) for name, row in zip(names, rows, strict=True)
    ]


def create_on(connection: Connection, execution: PlaybookExecution) -> PlaybookExecution:
    """Store a new execution as version 1, and return it.

    Raises:
        IntegrityError: there is one by that id, or another one holds what it would.
    """
    first = replace(execution, version=1)
    connection.execute(_CREATE, to_columns(first))
    _write_journal(connection, before=None, after=first)
    have_rechecked(connection, None, first)
    return first


def save_on(connection: Connection, before: PlaybookExecution, after: PlaybookExecution) -> PlaybookExecution:
    """Store a change, and return it with its new version; the trail entry is left to whoever began.

    Raises:
        StateError: somebody was faster, the transition table has no such move, or a decision was taken back.
        IntegrityError: another one holds what this one would.
    """
    _check_move(before, after)
    saved = replace(after, version=before.version + 1)
    _swap(connection, before, saved)
    _write_journal(connection, before=before, after=saved)
    have_rechecked(connection, before, saved)
    return saved


def _by_execution(
    connection: Connection, journal: Select[Any], names: Sequence[str]
) -> Mapping[str, list[Columns]]:
    lines: dict[str, list[Columns]] = defaultdict(list)
    for line in connection.execute(journal, {"names": names}).mappings() if names else ():
        lines[line["execution_id"]].append(dict(line))
    return lines


def _check_move(before: PlaybookExecution, after: PlaybookExecution) -> None:
    if before.status is not after.status:
        check_transition(before.status, after.status)
    if after.decisions[: len(before.decisions)] != before.decisions:
        raise StateError("a decision that was made stays on record")


def _swap(connection: Connection, before: PlaybookExecution, after: PlaybookExecution) -> None:
    """Replace the row if it still has the version and the status that the caller has seen."""
    columns = {name: value for name, value in to_columns(after).items() if name != "execution_id"}
    seen = {"name": before.execution_id, "seen_version": before.version, "seen_status": before.status.value}
    if connection.execute(_SWAP, {**columns, **seen}).rowcount != 1:
        raise StateError(f"execution {before.execution_id} has moved on meanwhile; look at its current card")


def _write_journal(
    connection: Connection, *, before: PlaybookExecution | None, after: PlaybookExecution
) -> None:
    """Write the actions that changed, remove those that a new plan no longer has, add the new decisions."""
    name = after.execution_id
    changed = changed_actions(before.actions if before else (), after.actions)
    if actions := [to_action_columns(name, position, result) for position, result in changed]:
        connection.execute(insert_or_replace(connection, _ACTIONS), actions)
    if before and len(before.actions) > len(after.actions):
        connection.execute(_CUT, {"name": name, "first": len(after.actions)})
    made = len(before.decisions) if before else 0
    new = enumerate(after.decisions[made:], start=made)
    if decisions := [to_decision_columns(name, position, decision) for position, decision in new]:
        connection.execute(_DECIDE, decisions)
