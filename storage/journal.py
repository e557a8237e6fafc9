"""An execution with its journal, read and written in a transaction that others began."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, select, update

from audit.errors import StateError
from remediation.execution import PlaybookExecution, check_change
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

Change = tuple[PlaybookExecution, PlaybookExecution]  # before, after
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


def create_on(connection: Connection, executions: Sequence[PlaybookExecution]) -> list[PlaybookExecution]:
    """Store new executions as version 1, and return them.

    Raises:
        IntegrityError: there is one by that id, or another one holds what it would.
    """
    created = [replace(execution, version=1) for execution in executions]
    connection.execute(_CREATE, [to_columns(execution) for execution in created])
    _write_journals(connection, [(None, execution) for execution in created])
    return created


def save_on(connection: Connection, changes: Sequence[Change]) -> list[PlaybookExecution]:
    """Store changes, and return them with their new versions; the trail entries are left to whoever began.

    Raises:
        StateError: somebody was faster, the transition table has no such move, or a decision was taken back.
        IntegrityError: another one holds what one of these would.
    """
    saved = [(before, replace(after, version=before.version + 1)) for before, after in changes]
    for before, after in saved:
        check_change(before, after)
    _swap(connection, saved)
    _write_journals(connection, saved)
    return [after for _, after in saved]


def _by_execution(
    connection: Connection, journal: Select[Any], names: Sequence[str]
) -> Mapping[str, list[Columns]]:
    lines: dict[str, list[Columns]] = defaultdict(list)
    for line in connection.execute(journal, {"names": names}).mappings() if names else ():
        lines[line["execution_id"]].append(dict(line))
    return lines


def _swap(connection: Connection, changes: Sequence[Change]) -> None:
    """Replace the rows if all of them still have the version and the status that the callers have seen."""
    rows = [_swapped(before, after) for before, after in changes]
    # One goes as one: what many have changed, not every driver counts.
    if connection.execute(_SWAP, rows if len(rows) > 1 else rows[0]).rowcount != len(rows):
        names = " or ".join(before.execution_id for before, _ in changes)
        raise StateError(f"execution {names} has moved on meanwhile; look at its current card")


def _swapped(before: PlaybookExecution, after: PlaybookExecution) -> Columns:
    columns = {name: value for name, value in to_columns(after).items() if name != "execution_id"}
    return {
        **columns,
        "name": before.execution_id,
        "seen_version": before.version,
        "seen_status": before.status.value,
    }


def _write_journals(
    connection: Connection, changes: Sequence[tuple[PlaybookExecution | None, PlaybookExecution]]
) -> None:
    """Write the actions that changed, remove those that a new plan no longer has, add the new decisions."""
    actions, decisions = list[Columns](), list[Columns]()
    for before, after in changes:
        name = after.execution_id
        old_actions, old_decisions = (before.actions, before.decisions) if before else ((), ())
        for position, result in changed_actions(old_actions, after.actions):
            actions.append(to_action_columns(name, position, result))
        for position, decision in enumerate(after.decisions[len(old_decisions) :], start=len(old_decisions)):
            decisions.append(to_decision_columns(name, position, decision))
        if len(old_actions) > len(after.actions):
            connection.execute(_CUT, {"name": name, "first": len(after.actions)})
        have_rechecked(connection, before, after)
    if actions:
        connection.execute(insert_or_replace(connection, _ACTIONS), actions)
    if decisions:
        connection.execute(_DECIDE, decisions)
