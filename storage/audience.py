"""Whom to keep informed, in the database."""

from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from audit.actor import Actor
from remediation.audience import HOME_EVERY, HOMES_AT_ONCE, OUTCOMES, Home
from remediation.ports import LONGEST_REST
from remediation.states import PlaybookStatus
from storage.columns import key_text
from storage.database import Database
from storage.home_tables import HomeRow, OutcomeRow
from storage.tables import ExecutionRow
from storage.waiting import has_come, has_passed

_ENDED = [status.value for status in OUTCOMES]


class SqlHomes:
    """Implements `remediation.audience.Homes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def opened(self, person: Actor, now: datetime) -> str:
        """Note that a person looks at their home; return its name."""
        workspace, slack_id = key_text(person.workspace), key_text(person.slack_id)
        this = _named(workspace, slack_id)
        with suppress(IntegrityError), self._database.writing() as session:
            if (
                session.exec(update(HomeRow).where(this).values(opened_at=now, changes=_ONE_MORE)).rowcount
                == 0
            ):
                row = HomeRow(
                    workspace=workspace,
                    slack_id=slack_id,
                    opened_at=now,
                    changes=1,
                    drawn=0,
                    report_id="",
                    begun_at=None,
                )
                session.add(row)
        return f"{workspace}/{slack_id}"

    def changed(self) -> None:
        """Note that something changed: every home is out of date."""
        with self._database.writing() as session:
            session.exec(update(HomeRow).values(changes=_ONE_MORE))

    def due(self, now: datetime, *, report_id: str) -> list[str]:
        """Return the homes to draw now, those first that somebody has looked at last."""
        outdated = or_(col(HomeRow.drawn) < col(HomeRow.changes), col(HomeRow.report_id) != report_id)
        looked_at_last = col(HomeRow.opened_at).desc(), col(HomeRow.slack_id)
        lately = select(func.count()).select_from(HomeRow).where(~_rested(now))
        with self._database.reading() as session:
            room = HOMES_AT_ONCE - session.exec(lately).one()
            if room <= 0:
                return []
            wanted = select(HomeRow).where(outdated, _rested(now)).order_by(*looked_at_last).limit(room)
            return [f"{row.workspace}/{row.slack_id}" for row in session.exec(wanted)]

    def begin(self, name: str, now: datetime) -> Home | None:
        """Begin to draw a home; None where there is none, or it was begun just now by anybody."""
        this = _named(*_parts(name))
        with self._database.writing() as session:
            begun = session.exec(update(HomeRow).where(this, _rested(now)).values(begun_at=now))
            row = session.exec(select(HomeRow).where(this)).first() if begun.rowcount else None
        return Home(workspace=row.workspace, slack_id=row.slack_id, changes=row.changes) if row else None

    def drawn(self, home: Home, *, report_id: str) -> None:
        """Note that a home shows what had happened when its drawing began."""
        this = _named(home.workspace, home.slack_id)
        with self._database.writing() as session:
            session.exec(update(HomeRow).where(this).values(drawn=home.changes, report_id=report_id))

    def forget(self, home: Home) -> None:
        """Forget a home that nobody can be shown any more."""
        with self._database.writing() as session:
            session.exec(delete(HomeRow).where(_named(home.workspace, home.slack_id)))


class SqlOutcomes:
    """Implements `remediation.audience.Outcomes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, execution_id: str, status: PlaybookStatus, now: datetime) -> bool:
        """Take it upon oneself to tell; False where somebody did already."""
        given_back = and_(_outcome(execution_id, status), _is_due(now))
        try:
            with self._database.writing() as session:
                if session.exec(update(OutcomeRow).where(given_back).values(due_at=None)).rowcount:
                    return True
                session.add(OutcomeRow(execution_id=execution_id, status=status.value, due_at=None))
        except IntegrityError:
            return False
        return True

    def put_off(self, execution_id: str, status: PlaybookStatus, *, until: datetime) -> None:
        """Give a claim back, to be tried again then."""
        with self._database.writing() as session:
            session.exec(update(OutcomeRow).where(_outcome(execution_id, status)).values(due_at=until))

    def untold(self, now: datetime, *, limit: int = 50) -> list[str]:
        """Return ids of executions whose outcome nobody claimed to tell, oldest first."""
        told = and_(
            col(OutcomeRow.execution_id) == col(ExecutionRow.execution_id),
            col(OutcomeRow.status) == col(ExecutionRow.status),
        )
        nobody = or_(col(OutcomeRow.execution_id).is_(None), _is_due(now))
        oldest = col(ExecutionRow.created_at), col(ExecutionRow.execution_id)
        wanted = (
            select(ExecutionRow.execution_id)
            .outerjoin(OutcomeRow, told)
            .where(col(ExecutionRow.status).in_(_ENDED), nobody)
            .order_by(*oldest)
            .limit(limit)
        )
        with self._database.reading() as session:
            return list(session.exec(wanted))


_ONE_MORE = col(HomeRow.changes) + 1


def _named(workspace: str, slack_id: str) -> ColumnElement[bool]:
    return and_(col(HomeRow.workspace) == workspace, col(HomeRow.slack_id) == slack_id)


def _parts(name: str) -> tuple[str, str]:
    workspace, _, slack_id = name.partition("/")
    return workspace, slack_id


def _rested(now: datetime) -> ColumnElement[bool]:
    passed = has_passed(col(HomeRow.begun_at), now, span=HOME_EVERY)
    return or_(col(HomeRow.begun_at).is_(None), passed)


def _is_due(now: datetime) -> ColumnElement[bool]:
    return has_come(col(OutcomeRow.due_at), now, longest=LONGEST_REST)


def _outcome(execution_id: str, status: PlaybookStatus) -> ColumnElement[bool]:
    return and_(col(OutcomeRow.execution_id) == execution_id, col(OutcomeRow.status) == status.value)
