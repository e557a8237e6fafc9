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


NO_RULE = "CREATE OR REPLACE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
LOOSE = (
    "CREATE FUNCTION let_it_be() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; DROP TRIGGER trail_no_update ON trail; "
    "CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail FOR EACH ROW EXECUTE FUNCTION let_it_be()"
)
ANEW = "DROP TRIGGER trail_no_update ON trail; CREATE TRIGGER trail_no_update {} EXECUTE FUNCTION refuse_trail_change()"


@pytest.mark.parametrize(
    "how",
    [
        "ALTER TABLE trail ENABLE REPLICA TRIGGER trail_no_update",
        NO_RULE,
        LOOSE,
        ANEW.format("AFTER UPDATE ON trail FOR EACH ROW"),
        ANEW.format("BEFORE INSERT ON trail FOR EACH ROW"),
        ANEW.format("BEFORE UPDATE OF previous_hash ON trail FOR EACH ROW"),
        ANEW.format("BEFORE UPDATE ON trail FOR EACH ROW WHEN (OLD.seq > 1000)"),
    ],
    ids=[
        "only for replicas",
        "the function does nothing",
        "another function",
        "too late",
        "another statement",
        "one column",
        "under a condition",
    ],
)
def test_a_trigger_that_is_not_as_we_made_it_is_none(engine: Engine, how: str) -> None:
    run(engine, how)
    with pytest.raises(TrailError, match="trail_no_update is missing or changed"):
        check(engine)
    upgrade(engine)
    check(engine)
    with pytest.raises(Exception, match="the trail is append-only"):
        run(engine, "UPDATE trail SET body = '\\x00' WHERE seq = 2")


def test_a_trigger_that_is_in_force_for_replicas_too_is_as_good(engine: Engine) -> None:
    run(engine, "ALTER TABLE trail ENABLE ALWAYS TRIGGER trail_no_update")
    check(engine)
