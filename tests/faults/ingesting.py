"""A report that comes in on top of others, and processes that die while it does. As a program: forks one to die before each commit.

python -m tests.faults.ingesting FOLDER     FOLDER/base.db is there; leaves FOLDER/0.db, FOLDER/1.db …, the last of a process that lived
"""

import hashlib
import os
import shutil
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, event

from audit.findings import Finding, FindingStatus
from audit.ingest import Reading
from storage import Stores
from storage.engine import READ_ONLY
from tests.databases import stores_at
from tests.fakes.samples import ANALYST, NOW, a_finding, a_reading, an_event, an_execution

BACK, GONE, STAYING = (a_finding(number) for number in (1, 2, 3))
NEW = [a_finding(number) for number in range(100, 1200)]
"""More than one batch of a report that is being loaded."""

EXECUTION = "exec-1"
LAST = timedelta(hours=1)
_MOST_COMMITS = 40


def prepare(folder: Path) -> None:
    """Leave a database in which one finding was fixed by an execution, and two are open."""
    url = f"sqlite:///{folder / 'base.db'}"
    stores = stores_at(url)
    stores.executions.create(an_execution(EXECUTION), an_event())
    stores.reports.ingest(reading([BACK, GONE, STAYING], 2), actor=ANALYST, now=NOW)
    stores.tracker.mark_fixed(
        BACK.fingerprint, execution_id=EXECUTION, evidence={}, at=NOW - timedelta(days=1), actor=ANALYST
    )
    stores.close()


def reading(findings: list[Finding], days_old: int) -> Reading:
    content = f"{days_old} days old"
    passing = replace(a_finding(4), status=FindingStatus.PASS)
    made = a_reading([*findings, passing], content=content, generated_at=NOW - timedelta(days=days_old))
    return replace(made, content_sha256=hashlib.sha256(content.encode()).hexdigest())


def take_in(stores: Stores) -> bool:
    """Take in the report that brings one finding back, no longer shows another, and has many new ones; tell whether it was new."""
    done = stores.reports.ingest(reading([BACK, STAYING, *NEW], 0), actor=ANALYST, now=NOW + LAST)
    while stores.tracker.catch_up(NOW + LAST):
        pass
    return done.is_new


def _die_before(commit: int, url: str) -> None:
    stores = Stores.open(url)
    seen = 0

    def count(connection: Connection) -> None:
        nonlocal seen
        if connection.get_execution_options().get(READ_ONLY):
            return
        if seen == commit:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1

    event.listen(stores.database.engine, "commit", count)
    take_in(stores)
    stores.close()


def main(folder: Path) -> None:
    for commit in range(_MOST_COMMITS):
        shutil.copy(folder / "base.db", folder / f"{commit}.db")
        child = os.fork()
        if not child:
            _die_before(commit, f"sqlite:///{folder / f'{commit}.db'}")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.exit(os.WEXITSTATUS(status))
    sys.exit(f"more than {_MOST_COMMITS} commits")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
