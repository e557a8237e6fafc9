from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import StatementError
from sqlmodel import Session

from audit.finding_fields import KEY_LENGTH
from storage.columns import column_text, key_text
from storage.tables import RequestRow, Row


@pytest.mark.parametrize(
    ("text", "stored"),
    [("plain “text” \U0001f512", "plain “text” \U0001f512"), ("a\0b", "a\ufffdb"), ("\ud83d!", "\ufffd!")],
)
def test_text_that_no_database_takes_is_mended(text: str, stored: str) -> None:
    assert column_text(text) == stored


def test_a_key_fits_into_an_index_of_postgres() -> None:
    assert len(key_text("\U0001f512" * 5000)) == KEY_LENGTH
    assert len(key_text("\U0001f512" * 5000).encode()) < 2700


def stored_and_read(moment: datetime) -> datetime:
    engine = create_engine("sqlite://")
    Row.metadata.create_all(engine)
    row = RequestRow(request_id="1", kind="view", actor={}, received_at=moment, payload={}, attempts=0)
    with Session(engine) as session:
        session.add(row)
        session.commit()
        session.expire_all()
        return session.get_one(RequestRow, "1").received_at


def test_a_time_comes_back_as_the_same_moment_in_utc() -> None:
    berlin = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    read = stored_and_read(berlin)
    assert read == berlin
    assert read.utcoffset() == timedelta(0)
    assert read.tzinfo is UTC


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(StatementError, match="timezone"):
        stored_and_read(datetime(2026, 11, 24, 10, 0))  # noqa: DTZ001 - the point
