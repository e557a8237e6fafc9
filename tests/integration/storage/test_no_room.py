"""A database that is locked in the middle of a run: refused in words, nothing half-done, and made good afterwards. A full disk: `test_full_disk`."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import event

from audit.errors import CountersignError
from remediation.states import PlaybookStatus
from storage import Stores
from tests.fakes.switches import ANA, OMAR, Bench, Switchboard, door_finding, door_playbook


@pytest.fixture
def bench(stores: Stores) -> Bench:
    event.listen(
        stores.database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1")
    )
    stores.database.engine.dispose()
    return Bench(stores.executions, board=Switchboard({"door": "open"}))


def approved(bench: Bench) -> str:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    return bench.remediation.approve(asked.execution_id, OMAR).execution_id


def on_call(bench: Bench, call: str, number: int, do: Callable[[], object]) -> None:
    """Do something at the n-th of these calls from now."""
    seen = bench.board.calls.count(call)

    def fault() -> None:
        if bench.board.calls.count(call) == seen + number:
            do()

    bench.board.faults[call] = fault


@pytest.mark.parametrize(
    ("call", "number", "writes"), [("read", 1, 0), ("read", 2, 0), ("after write", 1, 1)]
)
def test_locked_at_any_moment(bench: Bench, url: str, call: str, number: int, writes: int) -> None:
    execution_id = approved(bench)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        on_call(bench, call, number, lambda: other.execute("BEGIN IMMEDIATE"))
        with pytest.raises(CountersignError, match="the database is locked"):
            bench.runner.run(execution_id)
    bench.board.faults.clear()
    assert bench.board.calls.count("after write") == writes
    carry_on(bench, execution_id)


def carry_on(bench: Bench, execution_id: str) -> None:
    """Do what the sweep does once there is room again: the fix is made, once."""
    bench.runner.run(execution_id)
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed"}
    assert bench.board.calls.count("after write") == 1


def test_a_decision_that_cannot_be_stored_is_none(bench: Bench, url: str) -> None:
    asked = bench.remediation.request(door_playbook(), door_finding(), ANA)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CountersignError, match="the database is locked"):
            bench.remediation.approve(asked.execution_id, OMAR)
    stored = bench.store.get(asked.execution_id)
    assert (stored.status, stored.decisions) == (PlaybookStatus.PENDING, ())
