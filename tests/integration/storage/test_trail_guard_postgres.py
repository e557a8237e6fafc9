"""The trail on Postgres cannot be rewritten either, and nothing opens where what forbids it is missing or switched off."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from audit.errors import TrailError
from storage import Stores, open_engine, upgrade
from storage.migrate import check
from tests.contract.conftest import a_schema
from tests.fakes.samples import an_event

pytestmark = pytest.mark.slow
UPSERT = (
    "INSERT INTO trail SELECT seq, '\\x00', previous_hash, entry_hash FROM trail WHERE seq = 2 "
    "ON CONFLICT (seq) DO UPDATE SET body = EXCLUDED.body"
)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with a_schema(request.getfixturevalue("postgres")) as url:
        engine = open_engine(url)
        upgrade(engine)
        stores = Stores.open(url)
        for number in range(3):
            stores.trail.record(an_event(number=number))
        stores.close()
        yield engine
        engine.dispose()


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trail SET body = '\\x00' WHERE seq = 2",
        "DELETE FROM trail WHERE seq = 3",
        "DELETE FROM trail",
        "TRUNCATE trail",
        UPSERT,
    ],
)
def test_no_statement_rewrites_the_trail(engine: Engine, sql: str) -> None:
    rows = "SELECT seq, body, previous_hash, entry_hash FROM trail ORDER BY seq"
    with engine.begin() as connection:
        before = connection.execute(text(rows)).all()
    assert len(before) == 3
    with pytest.raises(Exception, match="the trail is append-only"):
        run(engine, sql)
    with engine.begin() as connection:
        assert connection.execute(text(rows)).all() == before


@pytest.mark.parametrize("name", ["trail_no_update", "trail_no_delete", "trail_no_truncate"])
@pytest.mark.parametrize("how", ["DROP TRIGGER {} ON trail", "ALTER TABLE trail DISABLE TRIGGER {}"])
def test_without_a_trigger_nothing_opens_until_it_is_put_back(engine: Engine, name: str, how: str) -> None:
    check(engine)
    run(engine, how.format(name))
    with pytest.raises(TrailError, match=f"{name} is missing or changed"):
        check(engine)
    upgrade(engine)
    check(engine)
