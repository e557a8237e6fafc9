"""How fast findings are searched, counted and compared over 20 reports of 50,000, beside a bare count by SQLite.

python bench/findings_bench.py [--reports 20] [--findings 50000] [--keep FOLDER]

Each report has a tenth of new findings and lacks a tenth of the old ones. `--keep` leaves the database, and uses one that is there.
"""

import argparse
import hashlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit.actor import Actor
from audit.finding_query import parse_query
from audit.findings import Finding
from audit.ingest import Item, Reading
from bench import synthetic
from storage import Stores, open_engine, upgrade

GOAL_MS = 200
ROUNDS = 3
_SHARE = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=20)
    parser.add_argument("--findings", type=int, default=50_000)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (chosen.keep or Path(folder)) / "findings.db"
        if not path.exists():
            fill(path, chosen.reports, chosen.findings)
        measure(path)


def fill(path: Path, reports: int, count: int) -> None:
    url = f"sqlite:///{path}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    stores = Stores.open(url)
    before = time.perf_counter()
    for number in range(reports):
        at = synthetic.NOW - timedelta(days=reports - number)
        reading = Reading(
            source="Prowler OCSF",
            name=f"report {number}",
            content_sha256=hashlib.sha256(str(number).encode()).hexdigest(),
            generated_at=at,
            items=items(number, count),
        )
        stores.reports.ingest(reading, actor=Actor(origin="cli"), now=at)
    stores.close()
    rate = reports * count / (time.perf_counter() - before)
    print(f"{reports} reports of {count:,} findings, taken in at {rate:,.0f} a second")


def items(number: int, count: int) -> Iterator[Item]:
    """Yield the findings of a report: a window over an endless row of them that moves on by a tenth each time."""
    start = number * count // _SHARE
    for index, record in enumerate(synthetic.findings(count)):
        place = start + (index - start) % count
        finding = replace(
            Finding.from_dict(record),
            resource=f"arn:aws:s3:::northwind-{place:07d}",
            description="",
            remediation="",
        )
        yield finding


def measure(path: Path) -> None:
    stores = Stores.open(f"sqlite:///{path}")
    now, tracker = synthetic.NOW, stores.tracker
    reports = stores.reports.list_reports(2)
    account = synthetic_account(stores)
    sides: dict[str, Callable[[], object]] = {
        "listing": lambda: tracker.search(parse_query([]), now=now),
        "listing, page 500": lambda: tracker.search(parse_query([]), now=now, offset=10_000),
        "severity, account, overdue": lambda: tracker.search(
            parse_query(["severity:critical", f"account:{account}", "overdue"]), now=now
        ),
        "check and region": lambda: tracker.search(
            parse_query(["check:s3_check_01", "region:eu-west-1"]), now=now
        ),
        "text": lambda: tracker.search(parse_query(["northwind-0000012"]), now=now),
        "everything, fixed too": lambda: tracker.search(parse_query(["status:all"]), now=now),
        "overview": lambda: tracker.overview(now),
        "trend": lambda: tracker.trend(20),
        "compare": lambda: tracker.compare(reports[1].report_id, reports[0].report_id),
        "newly": lambda: tracker.newly({*parse_query([]).states}, now - timedelta(days=2), now=now),
    }
    bare = best(lambda: count_rows(path))
    print(f"{'bare count of the findings that are followed':44} {bare:7.1f} ms")
    missed = []
    for name, side in sides.items():
        took = best(side)
        print(f"{name:44} {took:7.1f} ms  {took / bare:6.1f}x")
        missed += [name] if took > GOAL_MS else []
    print(f"goal {GOAL_MS} ms each: {'MISSED by ' + ', '.join(missed) if missed else 'reached'}")
    stores.close()


def synthetic_account(stores: Stores) -> str:
    return stores.tracker.search(parse_query([]), now=synthetic.NOW, limit=1).items[0].finding.account_id


def count_rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM tracked_findings NOT INDEXED").fetchone()[0])
    finally:
        connection.close()


def best(work: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in milliseconds."""
    took = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - before))
    return min(took)


if __name__ == "__main__":
    main()
