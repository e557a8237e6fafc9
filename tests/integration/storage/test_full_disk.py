"""A disk that is full to the last byte at each moment that matters: refused in words, nothing half-done, made good when there is room."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import event

from audit.errors import CountersignError, TrailError
from audit.trail import breaks
from bot.sandbox import SlackStandIn
from remediation.ports import Request
from remediation.states import ActionStatus, PlaybookStatus
from storage import Stores
from tests.fakes.samples import NOW, an_event
from tests.fakes.switches import ANA, OMAR, Bench, Switchboard, door_finding, door_playbook
from tests.unit.handlers.slack_lives import a_house

FULL = "disk that holds the database is full"
# So large that storing it takes pages that the file does not have yet.
LONG = "as was said " * 2_000


class Disk:
    """What a database lies on: `fill` leaves no room for anything more, `free` makes room."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._engine = stores.database.engine
        self.is_full = False

    def fill(self) -> None:
        """Let the file grow no more, and use up what room it has."""
        event.listen(self._engine, "connect", _limit)
        self._engine.dispose()
        self.is_full = True
        for size in (3000, 300, 30, 0):
            with suppress(CountersignError):
                while True:
                    self._stores.trail.record(an_event("noise", words="x" * size))

    def free(self) -> None:
        event.remove(self._engine, "connect", _limit)
        self._engine.dispose()
        self.is_full = False


def _limit(connection: sqlite3.Connection, _: object) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


@pytest.fixture
def disk(stores: Stores) -> Iterator[Disk]:
    disk = Disk(stores)
    yield disk
    if disk.is_full:
        disk.free()


@pytest.fixture
def standin() -> Iterator[SlackStandIn]:
    standin = SlackStandIn.start()
    yield standin
    standin.stop()
    assert standin.violations == ()


@pytest.fixture
def bench(stores: Stores) -> Bench:
    return Bench(stores.executions, board=Switchboard({"door": "open", "window": "open"}))


def asked(bench: Bench) -> str:
    book = door_playbook(names=("door", "window"))
    return bench.remediation.request(book, door_finding(), ANA).execution_id


def approved(bench: Bench) -> str:
    return bench.remediation.approve(asked(bench), OMAR).execution_id


def fill_on(bench: Bench, disk: Disk, call: str, number: int) -> None:
    """Fill the disk at the n-th of these calls from now."""
    seen = bench.board.calls.count(call)

    def fault() -> None:
        if bench.board.calls.count(call) == seen + number and not disk.is_full:
            disk.fill()

    bench.board.faults[call] = fault


def kinds(stores: Stores) -> list[str]:
    """Return what the trail says beside what filled the disk; it has to be whole."""
    entries = list(stores.trail.stream())
    assert list(breaks(entries)) == []
    found = [json.loads(entry.body)["kind"] for entry in entries]
    return [kind for kind in found if kind != "noise"]


# Of two actions: when the disk fills up, how many writes were made by then, and how the first action stands.
MOMENTS = {
    "planned anew": ("read", 1, 0, ActionStatus.PLANNED),
    "before the intent": ("read", 3, 0, ActionStatus.PLANNED),
    "before the write": ("before write", 1, 1, ActionStatus.STARTED),
    "after the write": ("after write", 1, 1, ActionStatus.STARTED),
    "after the second write": ("after write", 2, 2, ActionStatus.COMPLETED),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run(bench: Bench, stores: Stores, disk: Disk, moment: str) -> None:
    call, number, writes, first = MOMENTS[moment]
    execution_id = approved(bench)
    fill_on(bench, disk, call, number)
    with pytest.raises(CountersignError, match=FULL):
        bench.runner.run(execution_id)
    stored, told = bench.store.get(execution_id), kinds(stores)
    assert stored.status is (PlaybookStatus.RUNNING if number > 1 or writes else PlaybookStatus.APPROVED)
    assert stored.actions[0].status is first
    assert bench.board.calls.count("after write") == writes, "a write whose intent is not stored"
    assert told.count("action.started") == sum(each.before is not None for each in stored.actions)
    assert told.count("action.completed") == sum(
        each.status is ActionStatus.COMPLETED for each in stored.actions
    )
    bench.board.faults.clear()
    with pytest.raises(CountersignError, match=FULL):
        work_on(bench, execution_id)
    assert bench.store.get(execution_id) == stored, "as long as there is no room, nothing moves"
    disk.free()
    work_on(bench, execution_id)
    assert bench.store.get(execution_id).status is PlaybookStatus.COMPLETED
    assert bench.board.switches == {"door": "closed", "window": "closed"}
    assert bench.board.calls.count("after write") == 2, "each write once"
    assert kinds(stores).count("action.completed") == 2


def work_on(bench: Bench, execution_id: str) -> None:
    """Do what a sweep does."""
    if bench.store.get(execution_id).status is PlaybookStatus.APPROVED:
        bench.runner.run(execution_id)
    bench.runner.recover(execution_id)


@pytest.mark.parametrize("call", ["before write", "after write"])
def test_a_rollback(bench: Bench, stores: Stores, disk: Disk, call: str) -> None:
    execution_id = approved(bench)
    bench.runner.run(execution_id)
    fill_on(bench, disk, call, 1)
    with pytest.raises(CountersignError, match=FULL):
        bench.runner.roll_back(execution_id, OMAR)
    bench.board.faults.clear()
    assert bench.store.get(execution_id).status is PlaybookStatus.ROLLING_BACK
    assert bench.board.switches == {"door": "closed", "window": "open"}
    disk.free()
    settled = bench.runner.recover(execution_id)
    assert settled.status is PlaybookStatus.ROLLBACK_FAILED, "the other action waits for an approver"
    assert bench.runner.roll_back(execution_id, OMAR).status is PlaybookStatus.ROLLED_BACK
    assert bench.board.switches == {"door": "open", "window": "open"}
    assert bench.board.calls.count("after write") == 4
    kinds(stores)


def test_a_request(bench: Bench, stores: Stores, disk: Disk) -> None:
    disk.fill()
    with pytest.raises(CountersignError, match=FULL):
        asked(bench)
    assert (bench.store.history(limit=9), kinds(stores)) == ([], [])
    disk.free()
    assert bench.store.get(asked(bench)).status is PlaybookStatus.PENDING
    assert kinds(stores) == ["execution.requested"]


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_decision(bench: Bench, stores: Stores, disk: Disk, word: str) -> None:
    execution_id = asked(bench)
    before = bench.store.get(execution_id)
    disk.fill()
    decide = getattr(bench.remediation, word)
    with pytest.raises(CountersignError, match=FULL):
        decide(execution_id, OMAR, reason="because")
    assert bench.store.get(execution_id) == before
    assert kinds(stores) == ["execution.requested"]
    disk.free()
    decided = decide(execution_id, OMAR, reason="because")
    assert len(decided.decisions) == 1
    assert len(kinds(stores)) == 2


def test_a_click_that_has_no_room_in_the_inbox(stores: Stores, disk: Disk) -> None:
    request = Request(request_id="q-1", kind="action", actor=OMAR, received_at=NOW, payload={"said": LONG})
    disk.fill()
    with pytest.raises(CountersignError, match=FULL):
        stores.inbox.put(request)
    assert stores.inbox.open_requests("boot-test", NOW) == []
    disk.free()
    stores.inbox.put(request)
    assert stores.inbox.open_requests("boot-test", NOW) == ["q-1"]
    assert stores.inbox.begin("q-1", owner="boot-test", now=NOW) == replace(request, attempts=1)


def test_a_click_in_slack(stores: Stores, disk: Disk, standin: SlackStandIn) -> None:
    with a_house(standin, stores=stores) as house:
        card = house.ask()
        disk.fill()
        house.click("omar", card, "approve")
        standin.wait_for(lambda: [each for each in house.whispers("omar") if FULL in each.words])
        assert (house.execution().status, house.execution().decisions) == (PlaybookStatus.PENDING, ())
        assert house.board.switches == {"door": "open"}
        disk.free()
        house.work_off()
        house.click("omar", card, "approve")
        assert house.execution().status is PlaybookStatus.COMPLETED
        assert house.board.calls.count("after write") == 1
        assert house.open_requests() == []


def test_the_trail(stores: Stores, disk: Disk) -> None:
    stores.trail.record(an_event())
    disk.fill()
    head = stores.trail.head()
    with pytest.raises(TrailError, match=FULL):
        stores.trail.record_all([an_event("first"), an_event("second")])
    assert stores.trail.head() == head
    disk.free()
    stores.trail.record_all([an_event("first"), an_event("second")])
    assert kinds(stores) == ["execution.requested", "first", "second"]
