"""Executions in the database. Every change is one transaction: compare-and-swap, journal, trail entry."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, true, union
from sqlalchemy.exc import IntegrityError

from audit.errors import HeldError, NotFoundError, StateError
from audit.trail import TrailEvent
from remediation.execution import Glimpse, PlaybookExecution
from remediation.states import PlaybookStatus
from storage.columns import column_text, key_text
from storage.database import Database
from storage.glimpses import glimpses_of, to_glimpse
from storage.inserting import insert_or_replace
from storage.journal import EXECUTIONS, create_on, load_on, save_on
from storage.owners import HEARD, heard_of, refuse_heard_since
from storage.tables import OwnerRow, table_of
from storage.trail import append_on

_OWNERS: Final = table_of(OwnerRow)
_COLUMNS: Final = EXECUTIONS.c
_NAMED: Final = select(EXECUTIONS).where(_COLUMNS.execution_id.in_(bindparam("names", expanding=True)))
_HELD: Final = (
    select(_COLUMNS.execution_id)
    .where(_COLUMNS.execution_id.in_(bindparam("names", expanding=True)), _COLUMNS.held.is_not(None))
    .order_by(_COLUMNS.execution_id)
    .with_for_update()
)
_OLDEST: Final = _COLUMNS.created_at, _COLUMNS.execution_id
_NEWEST: Final = _COLUMNS.created_at.desc(), _COLUMNS.execution_id.desc()


class SqlExecutions:
    """Implements `remediation.ports.ExecutionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_move: Callable[[PlaybookExecution], None] = _tell_nobody

    def create(self, execution: PlaybookExecution, event: TrailEvent) -> PlaybookExecution:
        """Store a new execution as version 1; one with the same id is returned as stored.

        Raises:
            HeldError: another one that is under way holds the same resource. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """
        try:
            first = self._database.write_together(_create_all, (execution, event))
        except IntegrityError:
            self._refuse_held(execution)
            return self.get(execution.execution_id)
        self.on_move(first)
        return first

    def save(
        self, before: PlaybookExecution, after: PlaybookExecution, event: TrailEvent
    ) -> PlaybookExecution:
        """Store `after` if the stored one still is `before`; return it with its new version.

        Raises:
            StateError: somebody was faster, the transition table has no such move, or a decision was
                taken back. Nothing is written.
            HeldError: it would begin anew while another one holds the same resource. Nothing is written.
            TrailError: the trail cannot be written. Nothing is written.
        """
        try:
            saved = self._database.write_together(_save_all, (before, after, event))
        except IntegrityError:
            self._refuse_held(after)
            raise
        if saved.status is not before.status:
            self.on_move(saved)
        return saved

    def note(self, execution: PlaybookExecution, event: TrailEvent) -> None:
        """Put an entry about an execution that is under way on the trail, and change nothing; see `ExecutionStore.note`."""
        self._database.write_together(_note_all, (execution.execution_id, event))

    def take_over(
        self,
        before: PlaybookExecution,
        after: PlaybookExecution,
        event: TrailEvent,
        *,
        last_heard: datetime | None,
    ) -> PlaybookExecution:
        """Store that another owner has it; see `ExecutionStore.take_over`."""
        return self._database.write_together(_take_over_all, (before, after, event, last_heard))

    def count_by_state(self) -> dict[PlaybookStatus, int]:
        """Return how many executions are in each state that any is in."""
        by_state = select(_COLUMNS.status, func.count()).group_by(_COLUMNS.status)
        with self._database.reading() as session:
            return {PlaybookStatus(name): count for name, count in session.connection().execute(by_state)}

    def get(self, execution_id: str) -> PlaybookExecution:
        """Return an execution.

        Raises:
            NotFoundError: none goes by that id.
        """
        found = self._database.read_together(_get_all, execution_id)
        if found is None:
            raise NotFoundError(f"there is no execution {execution_id[:80]}")
        return found

    def history(
        self,
        *,
        playbook_id: str | None = None,
        finding_id: str | None = None,
        limit: int = 10,
        offset: int = 0,
    ) -> list[PlaybookExecution]:
        """Return executions, newest first, from an offset on. `finding_id` is the scanner's id or the fingerprint."""
        wanted = true() if playbook_id is None else _COLUMNS.playbook_id == key_text(playbook_id)
        if finding_id is not None:
            same_id = _COLUMNS.finding_id == key_text(finding_id)
            same_print = _COLUMNS.fingerprint == finding_id
            wanted = _newest_ids(and_(wanted, same_id), and_(wanted, same_print), limit=offset + limit)
        if offset:  # what is left out is counted in an index, and not read
            ids = select(_COLUMNS.execution_id).where(wanted).order_by(*_NEWEST).limit(limit).offset(offset)
            wanted = _COLUMNS.execution_id.in_(ids)
        return self._load(select(EXECUTIONS).where(wanted).order_by(*_NEWEST).limit(limit))

    def glimpses(
        self,
        status: PlaybookStatus,
        *,
        after: datetime | None = None,
        until: datetime | None = None,
        untold: str = "",
        number: str = "",
    ) -> list[Glimpse]:
        """Return what there is to know of the executions in a state, read from an index; see `ExecutionStore.glimpses`."""
        wanted = glimpses_of(status, after=after, until=until, untold=untold, number=number)
        with self._database.reading() as session:
            return [to_glimpse(row) for row in session.connection().execute(wanted).mappings()]

    def ran_out(self, now: datetime, *, since: datetime) -> list[PlaybookExecution]:
        """Return what nobody decided in time, since a moment, and what is to be looked at again by now."""
        status, expires_at = _COLUMNS.status, _COLUMNS.expires_at
        undecided = and_(status == PlaybookStatus.EXPIRED.value, expires_at >= since)
        waking = _COLUMNS.wakes_at <= now
        return self._load(select(EXECUTIONS).where(or_(undecided, waking)).order_by(*_OLDEST))

    def touching(self, *names: str, limit: int | None = 50) -> list[PlaybookExecution]:
        """Return the executions on a resource by its `resource_names`, newest first."""
        same = _COLUMNS.resource.in_(sorted(set(map(column_text, names))))
        return self._load(select(EXECUTIONS).where(same).order_by(*_NEWEST).limit(limit))

    def beat(self, owner: str, now: datetime) -> None:
        """Note that a process is alive."""
        self._database.write_together(_beat_all, {"owner_id": owner, "seen_at": now})

    def heard(self) -> Mapping[str, datetime]:
        """Return what those who have something under way said last; see `ExecutionStore.heard`."""
        with self._database.reading() as session:
            return {row.owner_id: row.seen_at for row in session.connection().execute(HEARD)}

    def unfinished(self, owner: str, now: datetime) -> list[PlaybookExecution]:
        """Return what is being run by this owner, or by one that is not heard of, oldest first."""
        running = [PlaybookStatus.RUNNING.value, PlaybookStatus.ROLLING_BACK.value]
        under_way = select(EXECUTIONS).where(_COLUMNS.status.in_(running)).order_by(*_OLDEST)
        alive = select(_OWNERS.c.owner_id).where(heard_of(now))
        with self._database.reading() as session:
            others = set(session.connection().execute(alive).scalars()) - {owner}
            found = load_on(session.connection(), under_way)
        return [execution for execution in found if execution.owner not in others]

    def _refuse_held(self, execution: PlaybookExecution) -> None:
        """Refuse where another execution holds what this one wants.

        Raises:
            HeldError: names it.
        """
        if not execution.held:
            return
        same = select(_COLUMNS.execution_id).where(
            _COLUMNS.held == key_text(execution.held), _COLUMNS.execution_id != execution.execution_id
        )
        with self._database.reading() as session:
            if holder := session.connection().execute(same).scalar():
                raise HeldError(holder)

    def _load(self, wanted: Select[Any]) -> list[PlaybookExecution]:
        with self._database.reading() as session:
            return load_on(session.connection(), wanted)


def _get_all(connection: Connection, names: Sequence[str]) -> list[PlaybookExecution | None]:
    found = {each.execution_id: each for each in load_on(connection, _NAMED, {"names": names})}
    return [found.get(name) for name in names]


def _create_all(
    connection: Connection, new: Sequence[tuple[PlaybookExecution, TrailEvent]]
) -> list[PlaybookExecution]:
    created = create_on(connection, [execution for execution, _ in new])
    append_on(connection, [event for _, event in new])
    return created


def _save_all(
    connection: Connection, changes: Sequence[tuple[PlaybookExecution, PlaybookExecution, TrailEvent]]
) -> list[PlaybookExecution]:
    saved = save_on(connection, [(before, after) for before, after, _ in changes])
    append_on(connection, [event for _, _, event in changes])
    return saved


def _note_all(connection: Connection, notes: Sequence[tuple[str, TrailEvent]]) -> Sequence[object]:
    """Append what is said of executions; a row that is locked meanwhile does not end before its entry stands there."""
    names = {name for name, _ in notes}
    held = set(connection.execute(_HELD, {"names": sorted(names)}).scalars())
    if over := sorted(names - held):
        raise StateError(f"execution {' or '.join(over)} is over by now")
    append_on(connection, [event for _, event in notes])
    return notes


def _take_over_all(
    connection: Connection,
    taken: Sequence[tuple[PlaybookExecution, PlaybookExecution, TrailEvent, datetime | None]],
) -> list[PlaybookExecution]:
    for before, _, _, last_heard in taken:
        refuse_heard_since(connection, before.owner, last_heard)
    return _save_all(connection, [(before, after, event) for before, after, event, _ in taken])


def _beat_all(connection: Connection, seen: Sequence[Mapping[str, object]]) -> Sequence[object]:
    connection.execute(insert_or_replace(connection, _OWNERS), seen)
    return seen


def _newest_ids(*ways: ColumnElement[bool], limit: int) -> ColumnElement[bool]:
    """Return what holds for the newest of each way: each walks an index of its own, where an OR would read and sort all."""
    newest = [
        select(_COLUMNS.execution_id).where(way).order_by(*_NEWEST).limit(limit).subquery() for way in ways
    ]
    return _COLUMNS.execution_id.in_(union(*(select(each.c.execution_id) for each in newest)))


def _tell_nobody(_moved: PlaybookExecution) -> None:
    """Is told of moves where nobody counts them."""
