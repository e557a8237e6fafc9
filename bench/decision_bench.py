"""How fast a click becomes a committed decision, beside bare commits of SQLite; and how fast one finding's history is read.

python bench/decision_bench.py [--executions 1000000] [--rounds 20]

Slack is not in it: what a listener does with a click is called as the listener does it, and the directory answers at once. Each
process has decided one click before, as a bot that runs has: its statements are made by then. That click is told by itself.
"""

import argparse
import gc
import multiprocessing
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import insert

from audit.actor import Actor
from audit.findings import Finding, Severity
from audit.trail import TrailEvent
from bot.lanes import CLICK_THREADS
from bot.worker import Lane, Worker
from handlers.intake import Intake
from remediation.actions.registry import ActionRegistry
from remediation.execution import ActionResult, PlaybookExecution
from remediation.plan import ActionPlan, Plan, Target
from remediation.planning import Planner
from remediation.policy import Policy
from remediation.ports import Person, Request
from remediation.service import Remediation
from remediation.states import ActionStatus, PlaybookStatus
from storage import Stores, open_engine, upgrade
from storage.execution_rows import to_columns
from storage.tables import ExecutionRow

CLICKS = 50
BATCH = 10_000
ONE_GOAL_MS, TWO_GOAL_MS, HISTORY_GOAL_MS = 100, 500, 20
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ANA = Actor(workspace="T1", slack_id="U0ANA", email="ana@northwind.example")
OMAR = Actor(workspace="T1", slack_id="U0OMAR", email="omar@northwind.example")
POLICY = Policy(approver_groups=frozenset({"S0SEC"}))
BOOK = {
    "playbook_id": "AWS-PUBLIC-S3",
    "name": "Block public access",
    "actions": [{"params": {}}],
    "requires_approval": True,
}


class AtOnce:
    """A directory that knows everybody and answers without delay."""

    def look_up(self, actor: Actor, *, groups: frozenset[str]) -> Person:
        return Person(actor=actor, groups=groups)


def an_execution(number: int, *, findings: int) -> PlaybookExecution:
    finding = Finding(
        id=f"scanner-{number % findings}",
        title="Bucket is public",
        severity=Severity.HIGH,
        category="Storage",
        resource=f"arn:aws:s3:::bucket-{number % findings}",
        check_id="s3_bucket_public",
        provider="aws",
        account_id="123456789012",
        region="eu-central-1",
    )
    action = ActionPlan(
        action_name="block",
        action="aws:s3:put-public-access-block",
        target=Target(provider="aws", resource=finding.resource, account_id=finding.account_id),
        params={},
        before={"BlockPublicAcls": False},
        after={"BlockPublicAcls": True},
        reversible=True,
        idempotent=True,
    )
    plan = Plan(
        playbook_id="AWS-PUBLIC-S3",
        playbook_version="1" * 64,
        policy_digest=POLICY.digest,
        finding_id=finding.id,
        actions=(action,),
    )
    return PlaybookExecution(
        execution_id=f"x-{number:012x}",
        playbook=BOOK,
        finding=finding,
        requester=ANA,
        created_at=AT + timedelta(seconds=number),
        expires_at=AT + timedelta(days=900),
        plan=plan,
        actions=(ActionResult("block", ActionStatus.PLANNED),),
        holds=finding.resource,
    )


class Clicks:
    """One process with its share of the clicks."""

    def __init__(self, url: str) -> None:
        self.stores = Stores.open(url)
        self.owner = f"boot-{uuid.uuid4().hex[:12]}"
        planner = Planner(ActionRegistry([]), POLICY, clock=lambda: AT)
        self.remediation = Remediation(
            store=self.stores.executions, planner=planner, directory=AtOnce(), clock=lambda: AT
        )
        self.decided: dict[str, float] = {}
        self.expected = 0
        self.all_decided = threading.Event()
        self.worker = Worker()
        self.intake = Intake(self.stores.inbox, self.worker)
        # SQLite's log as the bot keeps it: long from the start, and brought into the file by a sweep (`bot/lanes.py`).
        database = self.stores.database
        database.make_room()
        lanes = {
            "click": Lane(self.decide, CLICK_THREADS),
            "log": Lane(lambda _all: database.settle(), 1),
        }
        self.worker.take_on(lanes, lambda: [("log", "database")] if database.has_long_log else [])
        self.worker.start()

    def click(self, number: int) -> float:
        """Have a click written down and handed on, as a listener does; return when it came."""
        came = time.perf_counter()
        name = f"x-{number:012x}"
        payload = {"action_id": "approve", "value": name}
        self.intake.keep(Request(request_id=name, kind="action", actor=OMAR, received_at=AT, payload=payload))
        return came

    def decide(self, request_id: str) -> None:
        self.intake.give_way()
        request = self.stores.inbox.begin(request_id, owner=self.owner, now=AT)
        if request is None:
            raise SystemExit("a click was answered twice")
        self.remediation.approve(str(request.payload["value"]), request.actor, revision=1)
        self.decided[request_id] = time.perf_counter()
        if len(self.decided) == self.expected:
            self.all_decided.set()
        self.stores.inbox.done(request_id)

    def rounds(
        self, numbers: Iterator[int], *, rounds: int, clicks: int, start: Callable[[], object]
    ) -> list[float]:
        """Click once, then so many times at once, again and again; return the milliseconds of each from click to commit."""
        taken: list[float] = []
        gc.collect()
        gc.freeze()  # as `bot/serving.py` does once all is made
        for at_once in [1, *[clicks] * rounds]:
            chosen = [next(numbers) for _ in range(at_once)]
            start()
            self.expected += len(chosen)
            self.all_decided.clear()
            clicked = [self.click(number) for number in chosen]  # one thread takes in what comes: bot/web.py
            self.all_decided.wait()  # asleep: who looks again and again takes part of the processor that is measured
            taken += [
                1000 * (self.decided[f"x-{name:012x}"] - came)
                for name, came in zip(chosen, clicked, strict=True)
            ]
        self.intake.stop()
        self.worker.stop()
        self.stores.close()
        return taken


def one_of_two(url: str, first: int, rounds: int, gate: object, results: object) -> None:
    clicks = Clicks(url)
    numbers = iter(range(first, first + (rounds + 1) * CLICKS))
    taken = clicks.rounds(numbers, rounds=rounds, clicks=CLICKS // 2, start=gate.wait)  # type: ignore[attr-defined]
    results.put(taken[1:])  # type: ignore[attr-defined]


def prepare(folder: Path, count: int) -> str:
    """Make a database with so many executions that wait for a decision."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'bench.db'}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    stores = Stores.open(url)
    event = TrailEvent(kind="execution.requested", actor=ANA, at=AT, subject="x", detail={})
    for number in range(count):
        stores.executions.create(an_execution(number, findings=count), event)
    stores.close()
    return url


def bare(folder: Path, rounds: int) -> list[float]:
    """Return the milliseconds of SQLite's own commits, as many at once, one row each, in turn and with the same settings."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "bare.db", check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE clicks (name TEXT PRIMARY KEY, body TEXT)")
    turn = threading.Lock()

    def commit(number: int, gate: threading.Barrier) -> float:
        gate.wait()
        came = time.perf_counter()
        with turn:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO clicks VALUES (?, ?)", (f"x-{number}", "x" * 1000))
            connection.execute("COMMIT")
        return 1000 * (time.perf_counter() - came)

    taken: list[float] = []
    with ThreadPoolExecutor(CLICKS) as people:
        for number in range(rounds):
            gate = threading.Barrier(CLICKS)
            numbers = range(number * CLICKS, (number + 1) * CLICKS)
            taken += people.map(lambda each, gate=gate: commit(each, gate), numbers)
    connection.close()
    return taken


def measure_decisions(folder: Path, rounds: int) -> None:
    baseline = p99(bare(folder / "bare", rounds))
    print(f"{CLICKS} clicks at once, {rounds} times: milliseconds from the click to the committed decision")
    print(f"SQLite's bare commit     p50 {p50(bare(folder / 'again', rounds)):>7.1f}   p99 {baseline:>7.1f}")
    clicks = Clicks(prepare(folder / "one", (rounds + 1) * CLICKS))
    cold, *one = clicks.rounds(
        iter(range((rounds + 1) * CLICKS)), rounds=rounds, clicks=CLICKS, start=lambda: None
    )
    print(f"its first click alone    {cold:>8.1f}")
    tell("one process", one, baseline, ONE_GOAL_MS)
    # Its threads begin with the first fifty, so these are told apart as well.
    tell("  its first 50", one[:CLICKS], baseline, ONE_GOAL_MS)
    tell("  all that follow", one[CLICKS:], baseline, ONE_GOAL_MS)
    tell(
        "two processes", in_two(prepare(folder / "two", (rounds + 1) * CLICKS), rounds), baseline, TWO_GOAL_MS
    )


def in_two(url: str, rounds: int) -> list[float]:
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(2), context.Queue()
    half = (rounds + 1) * CLICKS // 2
    processes = [
        context.Process(target=one_of_two, args=(url, first, rounds, gate, results)) for first in (0, half)
    ]
    for process in processes:
        process.start()
    taken = [ms for _ in processes for ms in results.get()]
    for process in processes:
        process.join()
    return taken


def tell(what: str, taken: list[float], baseline: float, goal_ms: int) -> None:
    worst = p99(taken)
    reached = "reached" if worst < goal_ms else "MISSED"
    print(
        f"{what:<24} p50 {p50(taken):>7.1f}   p99 {worst:>7.1f}   {worst / baseline:.1f}x the bare p99, goal {goal_ms} ms: {reached}"
    )


def p50(taken: list[float]) -> float:
    return sorted(taken)[len(taken) // 2]


def p99(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


def measure_history(folder: Path, count: int) -> None:
    """Read one finding's history, one playbook's, and what touched one resource, among so many executions."""
    url = prepare(folder / "history", 0)
    fill(url, count)
    stores = Stores.open(url)
    readings: dict[str, Callable[[], list[PlaybookExecution]]] = {
        "one finding": lambda: stores.executions.history(finding_id="scanner-7"),
        "one fingerprint": lambda: stores.executions.history(
            finding_id=an_execution(7, findings=1000).finding.fingerprint
        ),
        "one playbook": lambda: stores.executions.history(playbook_id="AWS-PUBLIC-S3"),
        "all": stores.executions.history,
        "one resource": lambda: stores.executions.touching("arn:aws:s3:::bucket-7"),
    }
    print(
        f"\nhistory among {count:,} executions, each finding with {count // 1000:,} of them; the slowest of 20 readings"
    )
    for what, read in readings.items():
        if not read():
            raise SystemExit(f"{what}: nothing was found")
        slowest = max(seconds(read) for _ in range(20)) * 1000
        reached = "reached" if slowest < HISTORY_GOAL_MS else "MISSED"
        print(f"{what:<24} {slowest:>7.1f} ms, goal {HISTORY_GOAL_MS} ms: {reached}")
    stores.close()


def fill(url: str, count: int) -> None:
    """Insert executions that are over, without their journals: as many rows as there would be, in batches."""
    over = [
        to_columns(replace(an_execution(number, findings=1000), status=PlaybookStatus.COMPLETED, version=1))
        for number in range(1000)
    ]
    engine = open_engine(url)
    for start in range(0, count, BATCH):
        rows = [
            {
                **over[number % 1000],
                "execution_id": f"x-{number:012x}",
                "created_at": AT + timedelta(seconds=number),
            }
            for number in range(start, min(start + BATCH, count))
        ]
        with engine.begin() as connection:
            connection.execute(insert(ExecutionRow), rows)
    engine.dispose()


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        measure_decisions(folder, chosen.rounds)
        measure_history(folder, chosen.executions)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
