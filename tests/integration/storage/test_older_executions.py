"""Executions that were stored before lists had pages are found by them all the same."""

from alembic import command
from sqlalchemy import insert

from audit.actor import Actor
from remediation.execution import PlaybookExecution
from remediation.pending_query import ALL_PENDING, parse_pending
from storage import Stores, open_engine, upgrade
from storage.database import Database
from storage.execution_rows import to_columns
from storage.journal import EXECUTIONS
from storage.migrate import _config
from tests.fakes.samples import ANALYST, a_finding, an_execution

NEW = ("severity", "account_id", "requester", "requester_email", "entry")
BY_SHELL = Actor(email=" Ops@Example.com ", origin="cli")


def older() -> list[PlaybookExecution]:
    return [
        an_execution("alone", finding=a_finding(account_id="7" * 100)),
        an_execution("item", batch_id="b-1", requester=BY_SHELL),
        an_execution("drifted", batch_id="b-1", revision=2),
        an_execution("x" * 100),
    ]


def test_what_is_there_already_is_filled_in() -> None:
    engine = open_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0015")
        rows = [dict(to_columns(each)) for each in older()]
        old = [{name: value for name, value in row.items() if name not in NEW} for row in rows]
        names = [column for column in EXECUTIONS.c if column.name not in NEW]
        for row in old:
            connection.execute(insert(EXECUTIONS).values({each: row[each.name] for each in names}))
    upgrade(engine)
    with engine.connect() as connection:
        found = {row["execution_id"]: dict(row) for row in connection.execute(EXECUTIONS.select()).mappings()}
    for row in rows:
        assert {name: found[row["execution_id"]][name] for name in NEW} == {name: row[name] for name in NEW}
    stores = Stores.on(Database(engine))
    assert stores.finder.count_entries(ALL_PENDING) == (4, 4)
    assert len(stores.finder.asked_by(ANALYST)) == 3
    (alone,) = stores.finder.entries(parse_pending(["account:" + "7" * 100]))
    assert alone.execution_id == "alone"
    stores.close()
