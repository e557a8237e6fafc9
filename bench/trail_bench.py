"""How fast the trail is written and walked, beside SHA-256 and SQLite alone.

python bench/trail_bench.py [--entries 100000]
"""

import argparse
import hashlib
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit.actor import Actor
from audit.trail import TrailEvent, breaks
from storage import Stores, open_engine, upgrade

APPEND_GOAL, VERIFY_GOAL = 2_000, 100_000
BATCH = 10_000
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ACTOR = Actor(workspace="T1", slack_id="U0OMAR", email="omar@northwind.example")


def an_event(number: int) -> TrailEvent:
    detail = {"playbook_id": "AWS-PUBLIC-S3", "plan_digest": f"{number:064x}", "status": "APPROVED"}
    return TrailEvent(
        kind="execution.approved", actor=ACTOR, at=AT, subject=f"x-{number:012x}", detail=detail
    )


def measure(folder: Path, count: int) -> None:
    url = f"sqlite:///{folder / 'bench.db'}"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    stores = Stores.open(url)
    written = sum(
        seconds(lambda start=start: stores.trail.record_all([an_event(start + n) for n in range(BATCH)]))
        for start in range(0, count, BATCH)
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    walked = seconds(lambda: list(breaks(stores.trail.stream())))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    stores.close()
    hashed = seconds(lambda: walk_bare(folder / "bench.db"))
    report("appended, in batches", count / written, APPEND_GOAL)
    report("verified", count / walked, VERIFY_GOAL)
    print(f"SQLite and SHA-256 alone {count / hashed:>10,.0f} entries/s; ratio {hashed / walked:.2f}x")
    print(f"memory of verifying      {grown:>10,.1f} MB more than after writing")


def walk_bare(path: Path) -> None:
    connection = sqlite3.connect(path)
    previous = bytes(32)
    for body, entry_hash in connection.execute("SELECT body, entry_hash FROM trail ORDER BY seq"):
        previous = hashlib.sha256(previous + hashlib.sha256(body).digest()).digest()
        if previous != entry_hash:
            raise SystemExit("the chain does not hold")
    connection.close()


def report(what: str, per_s: float, goal: int) -> None:
    print(f"{what:<24} {per_s:>10,.0f} entries/s, goal {goal:,}: {'reached' if per_s >= goal else 'MISSED'}")


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chosen.entries)


if __name__ == "__main__":
    main()
