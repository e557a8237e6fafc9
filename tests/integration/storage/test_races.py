"""Two processes, many threads, on SQLite and on Postgres: one winner each, one unbroken trail."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

from sqlmodel import update

from audit.pulling import Pull
from audit.trail import breaks
from remediation.states import PlaybookStatus
from storage import Stores
from storage.pull_tables import PullPageRow, PullRow
from tests.fakes.samples import NOW, an_event, an_execution

ROOT = Path(__file__).resolve().parents[3]
_EXECUTIONS = 40
_CLICKS = 25
_FETCHES, _AT_ONCE = 20, 4


def start(url: str, name: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        str(Path(__file__).with_name("racer.py")),
        url,
        name,
        str(_EXECUTIONS),
        str(_CLICKS),
    ]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_until_ready(racer: subprocess.Popen[str]) -> None:
    assert racer.stdout is not None
    assert racer.stdout.readline() == "ready\n"


def test_each_execution_is_decided_once(racing: Stores, racing_url: str) -> None:
    for number in range(_EXECUTIONS):
        racing.executions.create(an_execution(f"exec-{number}"), an_event())
    racers = [start(racing_url, name) for name in ("left", "right")]
    for racer in racers:
        wait_until_ready(racer)
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    won = [int(racer.communicate()[0]) for racer in racers]

    stored = racing.executions.history(limit=_EXECUTIONS + 1)
    owners = Counter(execution.owner for execution in stored)
    assert sum(won) == _EXECUTIONS
    assert [owners["left"], owners["right"]] == won
    assert {execution.status for execution in stored} == {PlaybookStatus.APPROVED}
    assert {(execution.version, len(execution.decisions)) for execution in stored} == {(2, 1)}
    entries = list(racing.trail.stream())
    kinds = Counter(json.loads(entry.body)["kind"] for entry in entries)
    assert kinds == {"execution.requested": _EXECUTIONS, "execution.approved": _EXECUTIONS}
    assert list(breaks(entries)) == []


def test_of_all_who_begin_to_fetch_the_same_at_once_one_begins(racing: Stores) -> None:
    for number in range(_FETCHES):
        begins, together = [NOW + timedelta(seconds=second) for second in range(_AT_ONCE)], Barrier(_AT_ONCE)

        def begin(began_at: datetime, key: str = f"key-{number}", together: Barrier = together) -> Pull:
            together.wait()
            return racing.pulls.open(Pull(key=key, began_at=began_at), not_before=NOW)

        with ThreadPoolExecutor(_AT_ONCE) as people:
            assert len({pull.began_at for pull in people.map(begin, begins)}) == 1


def test_what_another_goes_on_with_at_the_same_moment_is_not_closed(racing: Stores) -> None:
    pull = racing.pulls.open(Pull(key="key", began_at=NOW), not_before=NOW)
    with ThreadPoolExecutor(1) as other:
        with racing.database.writing() as session:
            session.exec(update(PullRow).values(pages=1))
            closed = other.submit(racing.pulls.close, pull)
            time.sleep(0.3)  # it has come as far as it gets
        closed.result()
    assert racing.pulls.open(pull, not_before=NOW).pages == 1


def test_who_begins_anew_while_another_still_goes_on_clears_all_of_it_away(racing: Stores) -> None:
    old = racing.pulls.open(Pull(key="key", began_at=NOW), not_before=NOW)
    new = Pull(key="key", began_at=NOW + timedelta(days=1))
    with ThreadPoolExecutor(1) as other:
        with racing.database.writing() as session:
            session.exec(update(PullRow).values(pages=1))
            session.add(PullPageRow(pull_key=old.key, position=1, body=b"[]"))
            session.flush()
            begun = other.submit(racing.pulls.open, new, not_before=new.began_at)
            time.sleep(0.3)  # it has come as far as it gets
        assert begun.result() == new
