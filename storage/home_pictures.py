"""The pictures of homes, in the database."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from remediation.home_pictures import KEPT_AFTER_REPLACED, PICTURE_LOST_AFTER, HomePicture
from remediation.ports import LONGEST_REST
from storage.database import Database
from storage.home_tables import HomePictureRow
from storage.waiting import has_come


class SqlHomePictures:
    """Implements `remediation.home_pictures.HomePictures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: str) -> str:
        """Return the file that homes may show; empty where there is none."""
        wanted = select(HomePictureRow.file_id).where(_is(digest), _IS_NEWEST, col(HomePictureRow.is_ready))
        with self._database.reading() as session:
            return session.exec(wanted).first() or ""

    def begin(self, digest: str, now: datetime) -> HomePicture | None:
        """Make this the newest picture, and take upon oneself what is to be done about it."""
        due = and_(_is(digest), ~col(HomePictureRow.is_ready), _waits_no_more(now))
        try:
            with self._database.writing() as session:
                _make_newest(session, digest, now)
                taken = session.exec(
                    update(HomePictureRow).where(due).values(due_at=now + PICTURE_LOST_AFTER)
                )
                row = (
                    session.exec(select(HomePictureRow).where(_is(digest))).one() if taken.rowcount else None
                )
                return _to_picture(row) if row else None
        except IntegrityError:  # another process came first
            return None

    def retire(self, now: datetime) -> None:
        """Let there be no newest picture: what it showed is there no more."""
        with self._database.writing() as session:
            session.exec(update(HomePictureRow).where(_IS_NEWEST).values(replaced_at=now))

    def keep(self, picture: HomePicture) -> None:
        """Store what became of a picture, whether or not it was replaced meanwhile."""
        values = {
            "file_id": picture.file_id,
            "is_ready": picture.is_ready,
            "since": picture.since,
            "due_at": picture.due_at,
        }
        with self._database.writing() as session:
            session.exec(update(HomePictureRow).where(_is(picture.digest)).values(**values))

    def is_due(self, now: datetime) -> bool:
        """Tell whether there is anything to do about the newest picture, or about one that was replaced."""
        newest = and_(_IS_NEWEST, ~col(HomePictureRow.is_ready), _waits_no_more(now))
        with self._database.reading() as session:
            found = session.exec(select(HomePictureRow.digest).where(or_(newest, _is_over(now))).limit(1))
            return found.first() is not None

    def replaced(self, now: datetime) -> list[HomePicture]:
        """Return those to be deleted from Slack, those first that were replaced first."""
        wanted = select(HomePictureRow).where(_is_over(now))
        with self._database.reading() as session:
            rows = session.exec(wanted.order_by(col(HomePictureRow.replaced_at), col(HomePictureRow.digest)))
            return [_to_picture(row) for row in rows]

    def forget(self, digest: str) -> None:
        """Forget a picture that is nowhere any more."""
        with self._database.writing() as session:
            session.exec(delete(HomePictureRow).where(_is(digest)))


_IS_NEWEST = col(HomePictureRow.replaced_at).is_(None)


def _make_newest(session: Session, digest: str, now: datetime) -> None:
    """Let this be the one that was not replaced. Where things are again as they were, its file is asked about anew."""
    session.exec(update(HomePictureRow).where(~_is(digest), _IS_NEWEST).values(replaced_at=now))
    again = update(HomePictureRow).where(_is(digest), ~_IS_NEWEST)
    session.exec(again.values(replaced_at=None, is_ready=False, due_at=None))
    if session.exec(select(HomePictureRow.digest).where(_is(digest))).first() is None:
        session.add(
            HomePictureRow(
                digest=digest, file_id="", is_ready=False, since=now, due_at=None, replaced_at=None
            )
        )
        session.flush()


def _is(digest: str) -> ColumnElement[bool]:
    return col(HomePictureRow.digest) == digest


def _waits_no_more(now: datetime) -> ColumnElement[bool]:
    rested = has_come(col(HomePictureRow.due_at), now, longest=LONGEST_REST)
    return or_(col(HomePictureRow.due_at).is_(None), rested)


def _is_over(now: datetime) -> ColumnElement[bool]:
    replaced_at = col(HomePictureRow.replaced_at)
    passed = or_(replaced_at <= now - KEPT_AFTER_REPLACED, replaced_at > now + KEPT_AFTER_REPLACED)
    return and_(passed, _waits_no_more(now))


def _to_picture(row: HomePictureRow) -> HomePicture:
    return HomePicture(
        digest=row.digest, file_id=row.file_id, is_ready=row.is_ready, since=row.since, due_at=row.due_at
    )
