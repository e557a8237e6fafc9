"""What `/metrics` says, read the way Prometheus does."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from slack_bolt import BoltRequest

from bot.gauges import StateOfAffairs
from bot.metrics import MeteredApp, Metrics
from bot.worker import Lane, Worker
from remediation.states import PlaybookStatus
from storage import Stores
from tests.contract.test_stores_schedules import a_schedule
from tests.databases import stores_in_memory
from tests.fakes.samples import an_event, an_execution

PATIENCE_S = 10


@pytest.fixture
def stores() -> Iterator[Stores]:
    opened = stores_in_memory()
    yield opened
    opened.close()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    made.take_on({"idle": Lane(lambda _name: None, 1)}, lambda: ())
    yield made
    made.stop()


def read(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return values by name and labels' values."""
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_moves_are_counted_once_each_and_only_when_stored(stores: Stores) -> None:
    metrics = Metrics()
    stores.executions.on_move = lambda execution: metrics.moved(execution.status)
    first = stores.executions.create(an_execution(), an_event())
    stores.executions.create(an_execution(), an_event())  # the same again: nothing is stored
    same_state = stores.executions.save(first, replace(first, owner="me"), an_event())
    stores.executions.save(same_state, same_state.moved(PlaybookStatus.REJECTED), an_event())
    seen = read(metrics)
    assert seen["countersign_execution_moves_total", "pending"] == 1
    assert seen["countersign_execution_moves_total", "rejected"] == 1


def test_the_state_of_affairs(stores: Stores, worker: Worker) -> None:
    metrics = Metrics()
    metrics.registry.register(StateOfAffairs(stores, worker))
    stores.executions.create(an_execution("exec-1"), an_event())
    stores.executions.create(an_execution("exec-2"), an_event())
    seen = read(metrics)
    assert seen["countersign_executions", "pending"] == 2
    assert seen["countersign_trail_head",] == stores.trail.head().seq  # type: ignore[union-attr]
    assert seen["countersign_lane_depth", "idle"] == 0


def test_schedules_that_fail_and_that_are_paused_can_be_counted(stores: Stores, worker: Worker) -> None:
    metrics = Metrics()
    metrics.registry.register(StateOfAffairs(stores, worker))
    assert read(metrics)["countersign_schedules", "paused"] == 0
    for name, changes in (
        ("fine", {}),
        ("poor", {"failures": 1}),
        ("gone", {"failures": 3, "paused_because": "3 in a row were not sent"}),
        ("off", {"paused_because": "by hand"}),
    ):
        stores.schedules.add(a_schedule(name, **changes), an_event())
    seen = read(metrics)
    assert [seen["countersign_schedules", word] for word in ("active", "failing", "paused")] == [1, 1, 2]


def test_a_database_that_cannot_be_read_leaves_the_rest(stores: Stores, worker: Worker) -> None:
    metrics = Metrics()
    metrics.registry.register(StateOfAffairs(stores, worker))
    with stores.database.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE trail RENAME TO elsewhere")
    seen = read(metrics)
    assert ("countersign_trail_head",) not in seen
    assert seen["countersign_lane_depth", "idle"] == 0


def test_work_counts_from_its_submission_to_its_end() -> None:
    began, may_end = threading.Event(), threading.Event()

    def work(_name: str) -> None:
        began.set()
        assert may_end.wait(PATIENCE_S)

    busy = Worker()
    busy.take_on({"slow": Lane(work, 1), "idle": Lane(work, 1)}, lambda: ())
    busy.submit("slow", "one")
    busy.submit("slow", "two")
    assert began.wait(PATIENCE_S)
    loads = busy.loads()
    assert (loads["slow"].depth, loads["idle"].depth) == (2, 0)
    assert loads["slow"].oldest_s >= loads["idle"].oldest_s == 0
    may_end.set()
    busy.stop()
    assert busy.loads()["slow"].depth <= 1, "what was not begun is left to the next process"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("command=%2Freport&text=x", "command"),
        ('payload={"type":"block_actions","actions":[{"type":"button","action_id":"x"}]}', "action"),
        ('payload={"type":"made-up-by-a-stranger"}', "other"),
        ("", "other"),
    ],
)
def test_requests_are_counted_by_kinds_of_ours(body: str, kind: str) -> None:
    metrics = Metrics()
    app = MeteredApp(metrics=metrics, signing_secret="secret")
    headers = {"content-type": ["application/x-www-form-urlencoded"]}
    assert app.dispatch(BoltRequest(body=body, headers=headers)).status == 401
    assert read(metrics)["countersign_acknowledgement_seconds_count", kind, "refused"] == 1
